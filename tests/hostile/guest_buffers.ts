/**
 * A hostile guest's memory: buffers with guard bytes around, and what every byte
 * of it has to hold.
 *
 * @module
 */

import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import { FILL } from "../support/guest_queue.ts";
import { MemoryImage } from "./image.ts";
import type { Request } from "./requests.ts";
import type { Buffer, Range } from "./ring.ts";

/** Bytes between two buffers, at least. */
const GAP = 24;
/** Bytes behind the last buffer that are looked at after every exchange. */
const BEHIND = 4096;

/** Lays out buffers in guest memory. */
export class GuestBuffers {
  readonly memory: GuestMemory;
  readonly image: MemoryImage;
  /** Guest address of the first byte that is for buffers. */
  readonly area: number;
  #at: number;
  /** Where buffers start that are given back by {@linkcode clear}. */
  #floor: number;
  /** What was laid out since. */
  #laid: Range[] = [];
  /** What others than the device write at any time. */
  #held: readonly Range[] = [];

  /**
   * @param memory the memory, which is filled with a pattern
   * @param reserved bytes at its start that are not for buffers
   */
  constructor(memory: GuestMemory, reserved: number) {
    this.memory = memory;
    this.image = new MemoryImage(memory);
    this.area = memory.regions[0]!.guestAddress + reserved;
    this.#floor = this.#at = this.area;
  }

  /** Behind the last byte of the first region. */
  get end(): number {
    const { guestAddress, size } = this.memory.regions[0]!;
    return guestAddress + size;
  }

  /** What is in use, and some bytes behind. */
  get window(): Range {
    const { guestAddress } = this.memory.regions[0]!;
    return [guestAddress, this.#at + BEHIND - guestAddress];
  }

  /** What others than the device write at any time. */
  get held(): readonly Range[] {
    return this.#held;
  }

  /** Bytes of guest memory themselves. */
  bytes(address: number, length: number): Uint8Array<SharedArrayBuffer> {
    const region = this.memory.find(address);
    const offset = this.memory.offsetIn(region, address);
    return this.memory.bytes[region]!.subarray(offset, offset + length);
  }

  /**
   * Room for a buffer or a table, with guard bytes around.
   *
   * @param length number of bytes
   * @param alignment what divides its address
   * @returns guest address; what is put there may be put until it is sent
   */
  place(length: number, alignment = 1): number {
    const at = Math.ceil((this.#at + GAP) / alignment) * alignment;
    this.#at = at + length;
    if (this.#at > this.end) throw new Error("Guest memory is too small");
    this.#laid.push([at, length]);
    return at;
  }

  /** Puts bytes anywhere, over regions as well, to stay. */
  put(address: number, bytes: Uint8Array): void {
    const { memory } = this;
    for (let at = 0; at < bytes.length; at++) {
      const region = memory.find(address + at);
      const offset = memory.offsetIn(region, address + at);
      memory.bytes[region]![offset] = bytes[at]!;
    }
    this.image.take([[address, bytes.length]]);
  }

  /** A readable buffer that holds bytes. */
  readable(bytes: Uint8Array): Buffer {
    const address = this.place(bytes.length);
    this.bytes(address, bytes.length).set(bytes);
    return { address, length: bytes.length, writable: false };
  }

  /** A writable buffer. */
  writable(length: number): Buffer {
    const address = this.place(length);
    this.bytes(address, length).fill(FILL);
    return { address, length, writable: true };
  }

  /** The buffers of a request: one for each of its parts. */
  buffers({ readable, writable }: Request): Buffer[] {
    return [
      ...readable.map((bytes) => this.readable(bytes)),
      ...writable.map((length) => this.writable(length)),
    ];
  }

  /** From here on what was laid out has to stay as it is. */
  takeLaid(): void {
    this.image.take(this.#laid);
  }

  /** Gives back what was laid out: it holds the pattern again. */
  clear(): void {
    this.image.restore([[this.#floor, this.#at - this.#floor]]);
    this.#at = this.#floor;
    this.#laid = [];
  }

  /**
   * Keeps what was laid out, and lets it change at any time.
   *
   * @param more what else may change
   */
  hold(more: Range): void {
    this.#held = [more, [this.area, this.#at - this.area]];
    this.#floor = this.#at;
    this.#laid = [];
  }

  /** Lets go of what is held, and fills all of the area with the pattern. */
  reset(): void {
    this.#held = [];
    this.#laid = [];
    this.#floor = this.#at = this.area;
    this.image.restore([[this.area, this.end - this.area]]);
  }
}
