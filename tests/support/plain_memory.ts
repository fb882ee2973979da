/**
 * Guest memory of plain buffers, and looking at it by guest address.
 *
 * @module
 */

import {
  GuestMemory,
  type MemoryRegion,
} from "../../device/memory/guest_memory.ts";

/** Guest address of the region that {@linkcode plainRegion} makes. */
export const BASE = 0x10_0000;
/** What the frontend's address of a byte is more than its guest address. */
export const USER_DISTANCE = 0x7f00_0000_0000;
/** Where in its buffer a region starts. */
const OFFSET = 64;

/**
 * A region in a buffer of its own, with bytes before and behind it.
 *
 * @param size number of bytes
 * @param guestAddress guest address of the first one
 * @returns the region
 */
export function plainRegion(size: number, guestAddress = BASE): MemoryRegion {
  return {
    guestAddress,
    userAddress: guestAddress + USER_DISTANCE,
    size,
    buffer: new SharedArrayBuffer(size + 2 * OFFSET),
    offset: OFFSET,
  };
}

/**
 * Memory of one region.
 *
 * @param size number of bytes
 * @returns the memory
 */
export function plainMemory(size: number): GuestMemory {
  return new GuestMemory([plainRegion(size)]);
}

/**
 * A view of guest memory, from an address to the end of its region.
 *
 * @param memory the memory
 * @param address guest address of the view's first byte
 * @returns the view
 */
export function viewAt(
  memory: GuestMemory,
  address: number,
): DataView<SharedArrayBuffer> {
  const region = memory.find(address);
  const { buffer, byteOffset, byteLength } = memory.data[region]!;
  const offset = memory.offsetIn(region, address);
  return new DataView(buffer, byteOffset + offset, byteLength - offset);
}

/**
 * Bytes of guest memory themselves, not a copy.
 *
 * @param memory the memory
 * @param address guest address of the first one
 * @param length how many; all of one region
 * @returns the bytes
 */
export function bytesAt(
  memory: GuestMemory,
  address: number,
  length: number,
): Uint8Array<SharedArrayBuffer> {
  const { buffer, byteOffset } = viewAt(memory, address);
  return new Uint8Array(buffer, byteOffset, length);
}
