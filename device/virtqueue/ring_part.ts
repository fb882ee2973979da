/**
 * Finds the parts of a ring in guest memory.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { RingError } from "./ring.ts";

/** Where a part of a ring is. */
export interface RingPart {
  /** The memory that holds it. */
  readonly buffer: SharedArrayBuffer;
  /** Where in `buffer` it starts. */
  readonly offset: number;
}

/**
 * Finds a part of a ring that lies in one region.
 *
 * @param memory the guest's memory
 * @param name what to call the part in an error
 * @param address its address, in the frontend's address space
 * @param bytes its length
 * @param alignment what has to divide its address
 * @returns where it is
 * @throws {RingError} It is misaligned or not in one region of the memory
 */
export function findRingPart(
  memory: GuestMemory,
  name: string,
  address: number,
  bytes: number,
  alignment: number,
): RingPart {
  const found = memory.regions[memory.findUser(address, bytes)];
  if (found === undefined) {
    throw new RingError(
      `Cannot find the ${name} of ${bytes} bytes at 0x${
        address.toString(16)
      } in guest memory`,
    );
  }
  const offset = found.offset + (address - found.userAddress);
  // The offset in the buffer counts too: Atomics need it aligned.
  if (address % alignment !== 0 || offset % alignment !== 0) {
    throw new RingError(
      `Cannot use the ${name} at 0x${
        address.toString(16)
      }: it is not aligned to ${alignment} bytes`,
    );
  }
  return { buffer: found.buffer, offset };
}
