/**
 * How a ring stands, as the main thread sees it in guest memory. What is read
 * there is for people only, and may be anything.
 *
 * @module
 */

import type { MemoryRegion } from "../memory/guest_memory.ts";
import { PACKED_RING_MAX } from "../virtqueue/packed_ring.ts";
import type { RingSetup } from "../virtqueue/ring.ts";

/** virtio 1.1, 2.6.6: struct virtq_avail, behind 16 bits of flags. */
const AVAILABLE_INDEX = 2;
/** virtio 1.1, 2.7.13: struct pvirtq_desc. */
const PACKED_SIZE = 16;
const PACKED_FLAGS = 14;
const PACKED_AVAIL = 1 << 7;
const PACKED_USED = 1 << 15;

/** Where a ring stands. */
export interface RingPlace {
  /** Split: the available index; packed: an offset. */
  readonly available: number;
  /** Split: the used index; packed: an offset. */
  readonly used: number;
  /** Split: chains that wait; packed: descriptors. */
  readonly depth: number;
}

/** Reads 16 bits at an address of the frontend; undefined where there are none. */
function read16(
  regions: readonly MemoryRegion[],
  address: number,
): number | undefined {
  const region = regions.find(({ userAddress, size }) =>
    address >= userAddress && address + 2 <= userAddress + size
  );
  if (region === undefined) return undefined;
  const offset = region.offset + (address - region.userAddress);
  return offset % 2 === 0
    ? Atomics.load(new Uint16Array(region.buffer, offset, 1), 0)
    : undefined;
}

/**
 * Where a ring stands.
 *
 * @param setup the ring
 * @param state where whoever serves it went on last, as of {@linkcode RingSetup}
 * @param regions the frontend's memory
 * @returns its place; undefined where it is not in memory
 */
export function ringPlace(
  setup: RingSetup,
  state: number,
  regions: readonly MemoryRegion[],
): RingPlace | undefined {
  if (setup.format === "packed") return packedPlace(setup, state, regions);
  const available = read16(regions, setup.availableAddress + AVAILABLE_INDEX);
  if (available === undefined) return undefined;
  const used = state & 0xffff;
  const depth = Math.min(available - used & 0xffff, setup.size);
  return { available, used, depth };
}

function packedPlace(
  setup: RingSetup,
  state: number,
  regions: readonly MemoryRegion[],
): RingPlace | undefined {
  const used = state >>> 16 & 0x7fff;
  let at = state & 0x7fff;
  let wrap = (state & 0x8000) !== 0;
  let depth = 0;
  // The size is as the frontend gave it: it is judged when the ring starts.
  const most = Math.min(setup.size, PACKED_RING_MAX);
  while (depth < most) {
    const flags = read16(
      regions,
      setup.descriptorAddress + at * PACKED_SIZE + PACKED_FLAGS,
    );
    if (flags === undefined) return undefined;
    const available = (flags & PACKED_AVAIL) !== 0;
    // virtio 1.1, 2.7.1: available where only the first bit is the counter's.
    if (available !== wrap || ((flags & PACKED_USED) !== 0) === wrap) break;
    depth++;
    if (++at >= setup.size) {
      at = 0;
      wrap = !wrap;
    }
  }
  return { available: at, used, depth };
}
