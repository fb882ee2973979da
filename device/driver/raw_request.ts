/**
 * Requests given as bare segments, well-formed or not: the way tests cut
 * requests oddly and break them.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { guestBytes, type GuestRange } from "./guest_view.ts";
import type { PendingRequest } from "./pending_request.ts";

/** Bytes between two segments, of a value that must stay. */
const GUARD_SIZE = 32;
const GUARD = 0x5a;

/** What writable segments hold before the device writes them. */
export const RAW_FILL = 0xa5;

/** A segment the device reads: bytes to place, or a range given as it is. */
export type RawReadable = Uint8Array | GuestRange;
/** A segment the device writes: a number of bytes, or a range given as it is. */
export type RawWritable = number | GuestRange;

/** What came of a raw request. */
export interface RawResult {
  /** Length of the used element in bytes, as the device gave it. */
  readonly usedLength: number;
  /**
   * Copies of the writable segments. What the device did not write is
   * 0xa5. A range that is not in guest memory gives no bytes.
   */
  readonly writable: readonly Uint8Array<ArrayBuffer>[];
  /** The same, joined. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Whether the bytes around the segments, and those of the readable ones, are
   * what they were. Ranges that were given as they are do not count.
   */
  readonly intact: boolean;
}

/** A segment with its place: at an offset from the request's memory. */
interface PlacedSegment {
  readonly offset: number;
  readonly length: number;
  readonly source: Uint8Array | undefined;
}

/** A request of bare segments. */
export class RawRequest implements PendingRequest {
  readonly size: number;
  readonly indirect: boolean;
  readable: readonly GuestRange[] = [];
  writable: readonly GuestRange[] = [];
  /** What came of it. */
  readonly result: Promise<RawResult>;

  readonly #readable: readonly (PlacedSegment | GuestRange)[];
  readonly #writable: readonly (PlacedSegment | GuestRange)[];
  readonly #resolve: (value: RawResult) => void;
  readonly #reject: (error: unknown) => void;
  #address = -1;

  /**
   * Makes a request that is not placed yet.
   *
   * @param readable what the device reads, in order
   * @param writable what the device writes, in order
   * @param indirect give the segments by an indirect table
   * @throws {RangeError} A number of bytes is none
   */
  constructor(
    readable: readonly RawReadable[],
    writable: readonly RawWritable[],
    indirect: boolean,
  ) {
    this.indirect = indirect;
    let offset = GUARD_SIZE;
    const place = (length: number, source?: Uint8Array): PlacedSegment => {
      if (!Number.isSafeInteger(length) || length < 0) {
        throw new RangeError(`Cannot place a segment of ${length} bytes`);
      }
      const segment = { offset, length, source };
      offset += length + GUARD_SIZE;
      return segment;
    };
    this.#readable = readable.map((s) =>
      s instanceof Uint8Array ? place(s.length, s.slice()) : s
    );
    this.#writable = writable.map((s) => typeof s === "number" ? place(s) : s);
    this.size = offset;
    const { promise, resolve, reject } = Promise.withResolvers<RawResult>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  place(memory: GuestMemory, address: number): void {
    this.#address = address;
    const target = guestBytes(memory, address, this.size);
    target.fill(GUARD);
    const rangeOf = (segment: PlacedSegment | GuestRange): GuestRange => {
      if ("address" in segment) return segment;
      const { offset, length, source } = segment;
      if (source !== undefined) target.set(source, offset);
      else target.fill(RAW_FILL, offset, offset + length);
      return { address: address + offset, length };
    };
    this.readable = this.#readable.map(rangeOf);
    this.writable = this.#writable.map(rangeOf);
  }

  complete(memory: GuestMemory, usedLength: number): void {
    const writable = this.writable.map((range) => copyOf(memory, range));
    const bytes = new Uint8Array(writable.reduce((n, s) => n + s.length, 0));
    let at = 0;
    for (const segment of writable) {
      bytes.set(segment, at);
      at += segment.length;
    }
    this.#resolve({
      usedLength,
      writable,
      bytes,
      intact: this.#intact(memory),
    });
  }

  fail(_memory: GuestMemory, error: Error): void {
    this.#reject(error);
  }

  #intact(memory: GuestMemory): boolean {
    const found = guestBytes(memory, this.#address, this.size);
    let at = 0;
    for (const segment of [...this.#readable, ...this.#writable]) {
      if ("address" in segment) continue;
      const { offset, length, source } = segment;
      for (; at < offset; at++) if (found[at] !== GUARD) return false;
      if (source?.some((byte, i) => found[offset + i] !== byte)) return false;
      at = offset + length;
    }
    for (; at < this.size; at++) if (found[at] !== GUARD) return false;
    return true;
  }
}

function copyOf(
  memory: GuestMemory,
  range: GuestRange,
): Uint8Array<ArrayBuffer> {
  const region = memory.find(range.address);
  if (region < 0 || memory.room(region, range.address) < range.length) {
    return new Uint8Array(0);
  }
  return guestBytes(memory, range.address, range.length).slice();
}
