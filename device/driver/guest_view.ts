/**
 * The bytes behind a range of guest addresses.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";

/** A range of guest memory: what one descriptor names. */
export interface GuestRange {
  /** Guest address of the first byte. */
  readonly address: number;
  /** Number of bytes. */
  readonly length: number;
}

/** A place in guest memory: a region and an offset in it. */
export interface GuestPlace {
  /** Index of the region. */
  readonly region: number;
  /** Bytes from the region's start. */
  readonly offset: number;
}

/**
 * Where a range of guest addresses lies.
 *
 * @param memory the guest's memory
 * @param address guest address of the first byte
 * @param length number of bytes
 * @returns the region that holds all of it, and the offset in it
 * @throws {RangeError} No one region holds the range
 */
export function locate(
  memory: GuestMemory,
  address: number,
  length: number,
): GuestPlace {
  const region = memory.find(address);
  if (region < 0 || memory.room(region, address) < length) {
    throw new RangeError(
      `Cannot reach ${length} bytes of guest memory at 0x${
        address.toString(16)
      }`,
    );
  }
  return { region, offset: memory.offsetIn(region, address) };
}

/**
 * The bytes of a range of guest addresses.
 *
 * @param memory the guest's memory
 * @param address guest address of the first byte
 * @param length number of bytes
 * @returns a view of the memory itself, not a copy
 * @throws {RangeError} No one region holds the range
 */
export function guestBytes(
  memory: GuestMemory,
  address: number,
  length: number,
): Uint8Array<SharedArrayBuffer> {
  const { region, offset } = locate(memory, address, length);
  return memory.bytes[region]!.subarray(offset, offset + length);
}
