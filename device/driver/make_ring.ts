/**
 * Rings of either format.
 *
 * @module
 */

import {
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_PACKED,
} from "../spec/constants.ts";
import type { GuestAllocator } from "./guest_allocator.ts";
import { PackedRingDriver } from "./packed_ring.ts";
import type { DriverRing } from "./ring.ts";
import { SplitRingDriver } from "./split_ring.ts";

/**
 * Lays a ring out as was negotiated.
 *
 * @param allocator where the ring's memory comes from
 * @param size number of descriptors; of a split ring a power of two
 * @param features the negotiated feature bits
 * @returns the ring, empty
 * @throws {RangeError} There are no rings of that size
 * @throws {OutOfGuestMemoryError} The ring does not fit
 */
export function makeRing(
  allocator: GuestAllocator,
  size: number,
  features: bigint,
): DriverRing {
  const has = (bit: number) => (features >> BigInt(bit) & 1n) === 1n;
  const options = {
    size,
    eventIndex: has(VIRTIO_F_RING_EVENT_IDX),
    inOrder: has(VIRTIO_F_IN_ORDER),
  };
  return has(VIRTIO_F_RING_PACKED)
    ? new PackedRingDriver(allocator, options)
    : new SplitRingDriver(allocator, options);
}
