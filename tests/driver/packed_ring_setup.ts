/**
 * A driver's packed ring with a scripted device.
 *
 * @module
 */

import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import type { GuestRange } from "../../device/driver/guest_view.ts";
import {
  PackedRingDriver,
  type PackedRingOptions,
} from "../../device/driver/packed_ring.ts";
import type { UsedRecord } from "../../device/driver/ring.ts";
import { BASE, testMemory } from "./scripted_device.ts";
import { ScriptedPackedDevice } from "./scripted_packed_device.ts";

/** A packed ring and the device at its other end. */
export interface Setup {
  readonly allocator: GuestAllocator;
  readonly ring: PackedRingDriver;
  readonly device: ScriptedPackedDevice;
}

/** Makes both, and memory for them. */
export function setUp(options: Partial<PackedRingOptions> = {}): Setup {
  const memory = testMemory(2 << 20);
  const allocator = new GuestAllocator(memory);
  const ring = new PackedRingDriver(allocator, {
    size: 8,
    eventIndex: true,
    ...options,
  });
  return { allocator, ring, device: new ScriptedPackedDevice(memory, ring) };
}

/** Ranges in memory that is not the ring's. */
export function ranges(...lengths: readonly number[]): GuestRange[] {
  let address = BASE + 0x18_0000;
  return lengths.map((length) => {
    const range = { address, length };
    address += length + 16;
    return range;
  });
}

/** A range that the device reads. */
export const [READ] = ranges(24) as [GuestRange];
/** A range that it writes. */
export const WRITE: GuestRange = { address: READ.address + 4096, length: 17 };

/** Adds a request of both. */
export function add(ring: PackedRingDriver, indirect = false): number {
  return ring.add([READ], [WRITE], indirect);
}

/** Adds requests of one descriptor each and publishes them. */
export function send(ring: PackedRingDriver, count: number): number[] {
  const ids = Array.from({ length: count }, () => ring.add([], [WRITE], false));
  ring.publish();
  return ids;
}

/** Takes all that came back. */
export function takeAll(
  ring: PackedRingDriver,
): [id: number, length: number][] {
  const record: UsedRecord = { id: -1, length: -1 };
  const taken: [number, number][] = [];
  while (ring.take(record)) taken.push([record.id, record.length]);
  return taken;
}
