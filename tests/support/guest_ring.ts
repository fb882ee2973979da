/**
 * The driver's side of a split ring, byte by byte: it writes what a test says,
 * legal or not (virtio 1.1, 2.6).
 *
 * @module
 */

import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { Notification, RingSetup } from "../../device/virtqueue/ring.ts";
import { BASE, bytesAt, USER_DISTANCE, viewAt } from "./plain_memory.ts";

/** The descriptor names its successor. */
export const NEXT = 1;
/** The device writes the buffer. */
export const WRITE = 2;
/** The buffer is a table. */
export const INDIRECT = 4;

/** A descriptor: address, length, flags, and the index of the next one. */
export type RawDescriptor = readonly [
  address: number,
  length: number,
  flags?: number,
  next?: number,
];

/** How a ring is made. */
export interface GuestRingOptions {
  /** Number of descriptors. */
  readonly size?: number;
  /** Guest address of the first of its parts. */
  readonly at?: number;
  readonly notification?: Notification;
  readonly indirect?: boolean;
  /** Where available and used index start. */
  readonly start?: number;
}

/** A used element. */
export interface UsedElement {
  readonly id: number;
  readonly length: number;
}

/** A split ring in guest memory. */
export class GuestRing {
  readonly memory: GuestMemory;
  readonly size: number;
  /** Guest addresses. */
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  /** Guest address behind the ring, aligned to 64 bytes. */
  readonly end: number;
  readonly #notification: Notification;
  readonly #indirect: boolean;
  readonly #start: number;
  #taken: number;

  /**
   * @param memory holds the ring
   * @param options how it is made
   */
  constructor(memory: GuestMemory, options: GuestRingOptions = {}) {
    const { size = 8, at = BASE, start = 0 } = options;
    this.memory = memory;
    this.size = size;
    this.#notification = options.notification ?? "flags";
    this.#indirect = options.indirect ?? true;
    this.#start = start;
    this.#taken = start;
    this.descriptors = at;
    this.available = at + 16 * size;
    this.used = this.available + Math.ceil((6 + 2 * size) / 64) * 64;
    this.end = this.used + Math.ceil((6 + 8 * size) / 64) * 64;
    bytesAt(memory, at, this.end - at).fill(0);
    this.availableIndex = start;
    viewAt(memory, this.used).setUint16(2, start, true);
  }

  /** How the device is told of the ring. */
  setup(changes: Partial<RingSetup> = {}): RingSetup {
    return {
      format: "split",
      size: this.size,
      descriptorAddress: this.descriptors + USER_DISTANCE,
      availableAddress: this.available + USER_DISTANCE,
      usedAddress: this.used + USER_DISTANCE,
      state: this.#start,
      notification: this.#notification,
      indirect: this.#indirect,
      ...changes,
    };
  }

  /** Writes descriptors of the ring's own table, from an index on. */
  describe(index: number, ...descriptors: RawDescriptor[]): void {
    this.table(this.descriptors + 16 * index, ...descriptors);
  }

  /** Writes descriptors anywhere; returns the bytes they take. */
  table(address: number, ...descriptors: RawDescriptor[]): number {
    descriptors.forEach(([buffer, length, flags = 0, next = 0], i) => {
      const view = viewAt(this.memory, address + 16 * i);
      view.setBigUint64(0, BigInt(buffer), true);
      view.setUint32(8, length, true);
      view.setUint16(12, flags, true);
      view.setUint16(14, next, true);
    });
    return 16 * descriptors.length;
  }

  /** Makes heads available. */
  offer(...heads: number[]): void {
    const view = viewAt(this.memory, this.available);
    let index = this.availableIndex;
    for (const head of heads) {
      view.setUint16(4 + 2 * (index % this.size), head, true);
      index = (index + 1) & 0xffff;
    }
    this.availableIndex = index;
  }

  get availableIndex(): number {
    return viewAt(this.memory, this.available).getUint16(2, true);
  }

  set availableIndex(index: number) {
    viewAt(this.memory, this.available).setUint16(2, index, true);
  }

  set availableFlags(flags: number) {
    viewAt(this.memory, this.available).setUint16(0, flags, true);
  }

  /** used_event: behind the available ring's entries. */
  set usedEvent(index: number) {
    viewAt(this.memory, this.available + 4 + 2 * this.size)
      .setUint16(0, index, true);
  }

  get usedFlags(): number {
    return viewAt(this.memory, this.used).getUint16(0, true);
  }

  get usedIndex(): number {
    return viewAt(this.memory, this.used).getUint16(2, true);
  }

  /** avail_event: behind the used ring's elements. */
  get availEvent(): number {
    return viewAt(this.memory, this.used + 4 + 8 * this.size)
      .getUint16(0, true);
  }

  /** The used elements that came since this was last asked. */
  takeUsed(): UsedElement[] {
    const elements: UsedElement[] = [];
    while (this.#taken !== this.usedIndex) {
      const at = 4 + 8 * (this.#taken % this.size);
      const view = viewAt(this.memory, this.used);
      elements.push({
        id: view.getUint32(at, true),
        length: view.getUint32(at + 4, true),
      });
      this.#taken = (this.#taken + 1) & 0xffff;
    }
    return elements;
  }
}
