/**
 * Where guest memory is in this process, for libraries that take addresses.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { addressOf } from "./libc.ts";

const TWO_32 = 0x1_0000_0000;

/**
 * Addresses and sizes of the windows of guest memory, in its order. User-space
 * addresses have 47 bits, 56 at most with five-level paging and then only on
 * demand: all are exact as numbers.
 */
export interface GuestAddresses {
  /** Address of each window's first byte. */
  readonly start: Float64Array;
  /** Bytes of each window. */
  readonly size: Float64Array;
  /** Low and high half of each address, as signed words. */
  readonly halves: Int32Array;
}

/** What is known; a memory that nobody has any more drops out by itself. */
const KNOWN = new WeakMap<GuestMemory, GuestAddresses>();

/**
 * The addresses of guest memory. They hold for as long as the memory object is
 * reachable: a shared buffer does not move.
 *
 * @param memory the guest's memory
 * @returns its addresses, the same object each time
 */
export function guestAddresses(memory: GuestMemory): GuestAddresses {
  let addresses = KNOWN.get(memory);
  if (addresses === undefined) {
    const start = Float64Array.from(memory.bytes, (b) => Number(addressOf(b)));
    addresses = {
      start,
      size: Float64Array.from(memory.bytes, (bytes) => bytes.length),
      halves: Int32Array.from(
        [...start].flatMap((address) => [address % TWO_32, address / TWO_32]),
      ),
    };
    KNOWN.set(memory, addresses);
  }
  return addresses;
}
