/**
 * A second walk over descriptor chains (virtio 1.1, 2.6.5 and 2.7): which
 * buffers a chain has, whether it is broken, and where its status goes.
 *
 * @module
 */

import type { FuzzMemory, Range } from "../memory.ts";

/** A descriptor in memory. */
export interface ModelDescriptor {
  /** Inexact above 2^53, where no memory is. */
  readonly address: number;
  readonly length: number;
  readonly flags: number;
  /** `next` of a split one, the id of a packed one. */
  readonly next: number;
}

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

const MAX_BYTES = 0xffff_ffff;
const INDIRECT_MAX = 65536;

/**
 * Reads a split descriptor, or a packed one when `packed`.
 *
 * @param memory the memory
 * @param at guest address of the descriptor, all in memory
 * @param packed id and flags stand the other way round
 * @returns the descriptor
 */
export function readDescriptor(
  memory: FuzzMemory,
  at: number,
  packed: boolean,
): ModelDescriptor {
  const view = new DataView(memory.read(at, 16).buffer);
  const [flagsAt, nextAt] = packed ? [14, 12] : [12, 14];
  return {
    address: view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true),
    length: view.getUint32(8, true),
    flags: view.getUint16(flagsAt!, true),
    next: view.getUint16(nextAt!, true),
  };
}

/** A chain as it is walked. */
export class ModelChain {
  /** Head of a split chain, id of a packed one. */
  id = 0;
  /** Entries of the ring. */
  descriptors = 0;
  broken = false;
  readonly readable: Range[] = [];
  readonly writable: Range[] = [];
  /** Indirect tables. */
  readonly tables: Range[] = [];
  readableLength = 0;
  writableLength = 0;
  /** Address of the last writable byte; -1: none in memory. */
  statusAt = -1;
  readonly #memory: FuzzMemory;

  constructor(memory: FuzzMemory) {
    this.#memory = memory;
  }

  /** Adds a buffer. After something broken only the status is looked for. */
  add({ address, length, flags }: ModelDescriptor): void {
    if (length === 0) return;
    const writable = (flags & WRITE) !== 0;
    if (this.readableLength + this.writableLength + length > MAX_BYTES) {
      this.broken = true;
      if (!writable) return;
    }
    if (writable) {
      this.writableLength = Math.min(this.writableLength + length, MAX_BYTES);
    } else if (this.writableLength > 0) {
      this.broken = true;
      return;
    } else {
      this.readableLength += length;
    }
    const memory = this.#memory;
    for (let at = address, left = length; left > 0;) {
      const here = Math.min(left, memory.room(at));
      if (here === 0) {
        this.broken = true;
        if (writable) this.statusAt = -1;
        return;
      }
      (writable ? this.writable : this.readable).push([at, here]);
      if (writable) this.statusAt = at + here - 1;
      at += here;
      left -= here;
    }
  }

  /** Walks an indirect table of a split ring. */
  addTable({ address, length }: ModelDescriptor): void {
    const entries = length / 16;
    if (entries < 1 || length % 16 !== 0) {
      this.broken = true;
      return;
    }
    if (entries > INDIRECT_MAX) this.broken = true;
    let index = 0;
    for (let count = 0; count < Math.min(entries, INDIRECT_MAX); count++) {
      const entry = this.#entry(address + 16 * index, false);
      if (entry === undefined || entry.flags & INDIRECT) {
        this.broken = true;
        return;
      }
      this.add(entry);
      if (!(entry.flags & NEXT)) return;
      index = entry.next;
      if (index >= entries) break;
    }
    this.broken = true;
  }

  /** Walks an indirect table of a packed ring, all entries in their order. */
  addPackedTable({ address, length }: ModelDescriptor): void {
    const entries = length / 16;
    if (entries < 1 || length % 16 !== 0) {
      this.broken = true;
      return;
    }
    if (entries > INDIRECT_MAX) this.broken = true;
    const first = Math.max(0, entries - INDIRECT_MAX);
    for (let index = first; index < entries; index++) {
      const entry = this.#entry(address + 16 * index, true);
      if (entry === undefined) {
        this.broken = true;
        return;
      }
      this.add(entry);
    }
  }

  #entry(at: number, packed: boolean): ModelDescriptor | undefined {
    if (this.#memory.room(at) < 16) return undefined;
    this.tables.push([at, 16]);
    return readDescriptor(this.#memory, at, packed);
  }

  /** Bytes of the readable part, from an offset on. */
  slice(from: number, length: number): Uint8Array {
    return this.#bytes(
      this.readable,
      from,
      length,
      (at, n) => this.#memory.read(at, n),
    );
  }

  /** Bytes the device wrote, from an offset of the writable part on. */
  written(from: number, length: number): Uint8Array {
    return this.#bytes(
      this.writable,
      from,
      length,
      (at, n) => this.#memory.actual(at, n),
    );
  }

  /** Expects bytes at an offset of the writable part. */
  expect(from: number, bytes: Uint8Array): void {
    let skip = from;
    let done = 0;
    for (const [address, length] of this.writable) {
      const here = Math.min(Math.max(0, length - skip), bytes.length - done);
      if (here > 0) {
        const part = bytes.subarray(done, done + here);
        this.#memory.expect(address + skip, part);
        done += here;
      }
      skip = Math.max(0, skip - length);
    }
  }

  #bytes(
    ranges: readonly Range[],
    from: number,
    length: number,
    read: (at: number, length: number) => Uint8Array,
  ): Uint8Array {
    const total = ranges.reduce((sum, [, n]) => sum + n, 0);
    const bytes = new Uint8Array(Math.max(0, Math.min(length, total - from)));
    let skip = from;
    let done = 0;
    for (const [address, here] of ranges) {
      const part = Math.min(Math.max(0, here - skip), bytes.length - done);
      if (part > 0) {
        bytes.set(read(address + skip, part), done);
        done += part;
      }
      skip = Math.max(0, skip - here);
    }
    return bytes;
  }
}
