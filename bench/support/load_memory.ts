/**
 * Guest memory that a load driver lays its rings and buffers out in.
 *
 * @module
 */

import {
  GuestMemory,
  type MemoryRegion,
} from "../../device/memory/guest_memory.ts";

/**
 * Bytes from one region's first use to that of the next, where all are used
 * alike: else the caches would have the same sets for all of them.
 */
const STAGGER = 4096 + 5 * 64;

/** Where guest memory starts; not at 0, so that a null address is none. */
const BASE = 0x20_0000;

/**
 * A region of a buffer of its own.
 *
 * @param size bytes
 * @param guestAddress guest address of the first one
 * @returns the region
 */
export function plainRegion(size: number, guestAddress = BASE): MemoryRegion {
  return {
    guestAddress,
    userAddress: guestAddress,
    size,
    buffer: new SharedArrayBuffer(size),
    offset: 0,
  };
}

/** Hands out guest memory, region after region in turn, and never takes back. */
export class LoadMemory {
  readonly memory: GuestMemory;
  readonly #next: number[];
  #turn = 0;

  /**
   * @param regions the regions; left out: one of 16 MiB
   * @param from bytes of each region that others use
   */
  constructor(regions?: readonly MemoryRegion[], from = 0) {
    this.memory = new GuestMemory(regions ?? [plainRegion(16 << 20)]);
    this.#next = this.memory.regions.map((_, i) => from + i * STAGGER);
  }

  /** Goes on in the next region. */
  turn(): void {
    this.#turn = (this.#turn + 1) % this.#next.length;
  }

  /**
   * Hands out bytes of the current region.
   *
   * @param size number of bytes
   * @param align alignment of their guest address
   * @param offset what is added to an aligned address
   * @returns guest address of the first one
   * @throws {RangeError} The region is full
   */
  allocate(size: number, align = 64, offset = 0): number {
    const region = this.memory.regions[this.#turn]!;
    const at = region.guestAddress + this.#next[this.#turn]!;
    const start = Math.ceil((at - offset) / align) * align + offset;
    const end = start + size - region.guestAddress;
    if (end > region.size) {
      throw new RangeError(`Cannot hand out ${size} bytes: the region is full`);
    }
    this.#next[this.#turn] = end;
    return start;
  }

  /** Bytes of guest memory themselves, not a copy. */
  bytes(address: number, length: number): Uint8Array<SharedArrayBuffer> {
    const region = this.memory.find(address);
    const view = this.memory.bytes[region]!;
    return new Uint8Array(
      view.buffer,
      view.byteOffset + this.memory.offsetIn(region, address),
      length,
    );
  }

  /** The frontend's address of a guest address. */
  userAddress(address: number): number {
    // Not by memory.find(), which tells of windows, of which a region has many.
    const { guestAddress, userAddress } = this.memory.regions.find((region) =>
      address >= region.guestAddress &&
      address < region.guestAddress + region.size
    )!;
    return address - guestAddress + userAddress;
  }
}
