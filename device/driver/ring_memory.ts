/**
 * Places the parts of a ring in guest memory.
 *
 * @module
 */

import type { GuestAllocator } from "./guest_allocator.ts";
import { locate } from "./guest_view.ts";

/** One part of a ring. */
export interface RingPart {
  /** Its guest address. */
  readonly guest: number;
  /** Its address in the frontend's own address space. */
  readonly user: number;
  /** The memory that holds it. */
  readonly buffer: SharedArrayBuffer;
  /** Where in `buffer` it starts. */
  readonly offset: number;
}

/**
 * Allocates and clears one part of a ring.
 *
 * @param allocator where the memory comes from
 * @param length number of bytes
 * @param alignment power of two that divides its addresses
 * @returns where it is
 * @throws {OutOfGuestMemoryError} It does not fit
 * @throws {RangeError} The region is not mapped at the alignment its guest
 * address has, so that Atomics could not be used
 */
export function placeRingPart(
  allocator: GuestAllocator,
  length: number,
  alignment: number,
): RingPart {
  const { memory } = allocator;
  const guest = allocator.alloc(length, alignment);
  const place = locate(memory, guest, length);
  const region = memory.regions[place.region]!;
  const offset = region.offset + place.offset;
  if (offset % alignment !== 0) {
    allocator.free(guest);
    throw new RangeError(
      `Cannot align a ring to ${alignment} bytes in memory mapped at offset ${region.offset}`,
    );
  }
  new Uint8Array(region.buffer, offset, length).fill(0);
  return {
    guest,
    user: region.userAddress + place.offset,
    buffer: region.buffer,
    offset,
  };
}
