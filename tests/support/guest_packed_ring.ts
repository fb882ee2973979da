/**
 * The driver's side of a packed ring, byte by byte: it writes what a test says,
 * legal or not (virtio 1.1, 2.7).
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { Notification, RingSetup } from "../../device/virtqueue/ring.ts";
import { INDIRECT, NEXT, type UsedElement } from "./guest_ring.ts";
import { BASE, bytesAt, USER_DISTANCE, viewAt } from "./plain_memory.ts";

/** Equal to the wrap counter where a descriptor is available. */
export const AVAIL = 1 << 7;
/** Equal to the wrap counter where a descriptor is used. */
export const USED = 1 << 15;

/** Event suppression: the flags. */
export const ENABLE = 0;
export const DISABLE = 1;
export const DESC = 2;

/** A buffer: address, length, and flags without those of availability. */
export type PackedBuffer = readonly [
  address: number,
  length: number,
  flags?: number,
];

/** Where a side of a ring stands. */
export interface Place {
  readonly offset: number;
  /** The wrap counter. */
  readonly wrap: boolean;
}

/** How a ring is made. */
export interface GuestPackedRingOptions {
  /** Number of descriptors; 8 when not said. */
  readonly size?: number;
  /** Guest address of the first of its parts. */
  readonly at?: number;
  readonly notification?: Notification;
  readonly indirect?: boolean;
  /** Where both sides start; at 0 with the wrap counter 1 when not said. */
  readonly start?: Place;
}

/**
 * 16 bits of a place.
 *
 * @param place the place
 * @returns the offset, and the wrap counter as bit 15
 */
export function placeBits({ offset, wrap }: Place): number {
  return offset | (wrap ? 0x8000 : 0);
}

/**
 * The state of a ring whose sides stand at the same place.
 *
 * @param place the place
 * @returns the state as SET_VRING_BASE has it
 */
export function stateAt(place: Place): number {
  return placeBits(place) * 0x1_0001;
}

/** A packed ring in guest memory. */
export class GuestPackedRing {
  readonly memory: GuestMemory;
  readonly size: number;
  /** Guest addresses. */
  readonly ring: number;
  readonly driverEvents: number;
  readonly deviceEvents: number;
  /** Guest address behind the ring, aligned to 64 bytes. */
  readonly end: number;
  /** Where the next descriptor is made available. */
  next: Place;
  /** Where the next used descriptor is looked for. */
  taken: Place;
  readonly #start: Place;
  readonly #options: GuestPackedRingOptions;
  /** Descriptors by id, of what is outstanding. */
  readonly #held = new Map<number, number>();

  /**
   * @param memory holds the ring
   * @param options how it is made
   */
  constructor(memory: GuestMemory, options: GuestPackedRingOptions = {}) {
    const { size = 8, at = BASE, start = { offset: 0, wrap: true } } = options;
    this.memory = memory;
    this.size = size;
    this.#options = options;
    this.#start = this.next = this.taken = start;
    this.ring = at;
    this.driverEvents = at + 16 * size;
    this.deviceEvents = this.driverEvents + 4;
    this.end = Math.ceil((this.deviceEvents + 4) / 64) * 64;
    bytesAt(memory, at, this.end - at).fill(0);
    // As if the ring had been used up to the start: everything before it in
    // this round, everything behind in the one before.
    for (let offset = 0; offset < size; offset++) {
      const wrap = offset < start.offset ? start.wrap : !start.wrap;
      const flags = wrap ? AVAIL | USED : 0;
      viewAt(memory, at + 16 * offset).setUint16(14, flags, true);
    }
  }

  /** How the device is told of the ring. */
  setup(changes: Partial<RingSetup> = {}): RingSetup {
    return {
      format: "packed",
      size: this.size,
      descriptorAddress: this.ring + USER_DISTANCE,
      availableAddress: this.driverEvents + USER_DISTANCE,
      usedAddress: this.deviceEvents + USER_DISTANCE,
      state: stateAt(this.#start),
      notification: this.#options.notification ?? "flags",
      indirect: this.#options.indirect ?? true,
      ...changes,
    };
  }

  /** A place further on. */
  behind({ offset, wrap }: Place, count: number): Place {
    const sum = offset + count;
    return { offset: sum % this.size, wrap: wrap === (sum < this.size) };
  }

  /** Writes a descriptor of the ring, its flags as they are given. */
  write(
    offset: number,
    [address, length, flags = 0]: PackedBuffer,
    id: number,
  ): void {
    const view = viewAt(this.memory, this.ring + 16 * offset);
    view.setBigUint64(0, BigInt(address), true);
    view.setUint32(8, length, true);
    view.setUint16(12, id, true);
    view.setUint16(14, flags, true);
  }

  /** Makes a list of buffers available; NEXT is set where there are more. */
  offer(id: number, ...buffers: PackedBuffer[]): void {
    const last = buffers.length - 1;
    this.#offer(
      id,
      buffers.map(([address, length, flags = 0], i) =>
        [address, length, flags | (i < last ? NEXT : 0)] as const
      ),
    );
  }

  /** Makes descriptors available whose NEXT flags are the caller's. */
  offerRaw(id: number, ...buffers: PackedBuffer[]): void {
    this.#offer(id, buffers);
  }

  #offer(id: number, buffers: readonly PackedBuffer[]): void {
    const last = buffers.length - 1;
    const places = buffers.map((_, i) => this.behind(this.next, i));
    for (let i = last; i >= 0; i--) {
      const { offset, wrap } = places[i]!;
      const [address, length, flags = 0] = buffers[i]!;
      // The id of all but the last says nothing (2.7.6).
      this.write(
        offset,
        [address, length, flags | (wrap ? AVAIL : USED)],
        i === last ? id : 0xdead,
      );
    }
    this.#held.set(id, buffers.length);
    this.next = this.behind(this.next, buffers.length);
  }

  /** Writes an indirect table; returns the descriptor that refers to it. */
  table(address: number, ...entries: PackedBuffer[]): PackedBuffer {
    entries.forEach(([buffer, length, flags = 0], i) => {
      const view = viewAt(this.memory, address + 16 * i);
      view.setBigUint64(0, BigInt(buffer), true);
      view.setUint32(8, length, true);
      view.setUint16(12, 0xbeef, true);
      view.setUint16(14, flags, true);
    });
    return [address, 16 * entries.length, INDIRECT];
  }

  /** A descriptor as it lies there. */
  read(offset: number): { id: number; length: number; flags: number } {
    const view = viewAt(this.memory, this.ring + 16 * offset);
    // First: a device of another thread writes them last.
    const flags = view.getUint16(14, true);
    return {
      id: view.getUint16(12, true),
      length: view.getUint32(8, true),
      flags,
    };
  }

  /** The used descriptors that came since this was last asked. */
  takeUsed(): UsedElement[] {
    const elements: UsedElement[] = [];
    for (;;) {
      const { offset, wrap } = this.taken;
      const { id, length, flags } = this.read(offset);
      const both = AVAIL | USED;
      if ((flags & both) !== (wrap ? both : 0)) return elements;
      const count = this.#held.get(id);
      if (count === undefined) throw new Error(`Id ${id} is not outstanding`);
      this.#held.delete(id);
      elements.push({ id, length });
      this.taken = this.behind(this.taken, count);
    }
  }

  /** What the driver wants to be told of. */
  setDriverEvents(flags: number, bits = 0): void {
    const view = viewAt(this.memory, this.driverEvents);
    view.setUint16(0, bits, true);
    view.setUint16(2, flags, true);
  }

  /** What the device wants to be told of: flags, and where. */
  get deviceWants(): readonly [flags: number, bits: number] {
    const view = viewAt(this.memory, this.deviceEvents);
    return [view.getUint16(2, true), view.getUint16(0, true)];
  }

  /** Checks that the device wrote to none of the free descriptors. */
  assertEmpty(): void {
    assertEquals(this.#held.size, 0, "Requests are outstanding");
    assertEquals(this.taken, this.next);
  }
}
