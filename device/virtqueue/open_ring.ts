/**
 * Rings of either format.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { PACKED_RING_START, PackedRing } from "./packed_ring.ts";
import type { DeviceRing, RingFormat, RingSetup } from "./ring.ts";
import { SplitRing } from "./split_ring.ts";

/**
 * Opens a ring.
 *
 * @param memory the guest's memory
 * @param setup format, size, addresses and state
 * @returns the ring
 * @throws {RingError} The ring cannot be served as it is set up
 */
export function openRing(memory: GuestMemory, setup: RingSetup): DeviceRing {
  return setup.format === "packed"
    ? new PackedRing(memory, setup)
    : new SplitRing(memory, setup);
}

/**
 * The state of a ring that was never served.
 *
 * @param format the ring's format
 * @returns the state, as SET_VRING_BASE has it
 */
export function firstState(format: RingFormat): number {
  return format === "packed" ? PACKED_RING_START : 0;
}
