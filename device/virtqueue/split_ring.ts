/**
 * The device's side of a split virtqueue (virtio 1.1, 2.6).
 *
 * With VIRTIO_F_IN_ORDER it is the same: chains are returned in the order of
 * taking in any case, each by a used element of its own, which the standard
 * leaves to the device (virtio 1.1, 2.6.9).
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";
import type { Chain } from "./chain.ts";
import { DESCRIPTOR_SIZE, IndirectTable, walkTable } from "./descriptor.ts";
import type { StraightChains } from "./straight_chains.ts";
import {
  type DeviceRing,
  type Notification,
  RingError,
  type RingSetup,
  Take,
} from "./ring.ts";
import { findRingPart } from "./ring_part.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { EMPTY, TAKEN, BROKEN } = Take;

/** Largest size of a split ring (virtio 1.1, 2.6). */
export const SPLIT_RING_MAX = 32768;

/** avail.flags: le16 at 0; no signals wanted (virtio 1.1, 2.6.6). */
const VIRTQ_AVAIL_F_NO_INTERRUPT = 1;
/** used.flags: le16 at 0; no kicks wanted (virtio 1.1, 2.6.8). */
const VIRTQ_USED_F_NO_NOTIFY = 1;

// Both rings: le16 flags, le16 idx, then the entries; le16 event index behind.
const FLAGS = 0;
const IDX = 1;
const ENTRIES = 2;

/** A u16 view of a part of the ring. */
function words(
  memory: GuestMemory,
  name: string,
  address: number,
  bytes: number,
  alignment: number,
): Uint16Array<SharedArrayBuffer> {
  const part = findRingPart(memory, name, address, bytes, alignment);
  return new Uint16Array(part.buffer, part.offset, bytes >> 1);
}

/**
 * A split ring in guest memory. Created when the ring starts; everything that
 * is wrong with its addresses is found then.
 */
export class SplitRing implements DeviceRing {
  readonly size: number;
  readonly #mask: number;
  readonly #memory: GuestMemory;
  readonly #notification: Notification;
  readonly #descriptors: Uint32Array<SharedArrayBuffer>;
  readonly #indirect: IndirectTable | undefined;
  readonly #available: Uint16Array<SharedArrayBuffer>;
  readonly #used: Uint16Array<SharedArrayBuffer>;
  readonly #usedElements: Uint32Array<SharedArrayBuffer>;
  readonly #usedEvent: number;
  readonly #availEvent: number;
  /** Next entry of the available ring to take. */
  #availableNext: number;
  /** The driver's index when it was last read. */
  #availableSeen: number;
  /** The next descriptor of a driver that takes them in turn. */
  #likely = 0;
  /** What was read to have it come, kept so that it is read. */
  #touched = 0;
  /** Next entry of the used ring to fill. */
  #usedNext: number;
  /** The used index as the driver has it. */
  #usedShown: number;
  /** Used index at the last question whether to signal. */
  #signalled: number;
  /** A ring that just started may owe the driver a signal. */
  #owesSignal = true;
  #broken: RingError | undefined;

  /**
   * @param memory the guest's memory
   * @param setup size, addresses and state
   * @throws {RingError} The size is not a power of two up to 32768, or a part
   * is misaligned or not in one region of the memory
   */
  constructor(memory: GuestMemory, setup: RingSetup) {
    const { size } = setup;
    if (size < 1 || size > SPLIT_RING_MAX || (size & (size - 1)) !== 0) {
      throw new RingError(`Cannot use a split ring of ${size} entries`);
    }
    this.size = size;
    this.#mask = size - 1;
    this.#memory = memory;
    this.#notification = setup.notification;
    this.#indirect = setup.indirect ? new IndirectTable() : undefined;
    const table = words(
      memory,
      "descriptor table",
      setup.descriptorAddress,
      DESCRIPTOR_SIZE * size,
      16,
    );
    this.#descriptors = new Uint32Array(
      table.buffer,
      table.byteOffset,
      table.byteLength >> 2,
    );
    // The event index behind each ring always has its place (virtio 1.1, 2.6.2).
    this.#available = words(
      memory,
      "available ring",
      setup.availableAddress,
      6 + 2 * size,
      2,
    );
    this.#used = words(memory, "used ring", setup.usedAddress, 6 + 8 * size, 4);
    this.#usedElements = new Uint32Array(
      this.#used.buffer,
      this.#used.byteOffset + 4,
      2 * size,
    );
    this.#usedEvent = ENTRIES + size;
    this.#availEvent = ENTRIES + 4 * size;
    this.#availableNext = setup.state & 0xffff;
    this.#availableSeen = this.#availableNext;
    // The used index survives in the ring, whoever served it before.
    this.#usedNext = Atomics.load(this.#used, IDX);
    this.#usedShown = this.#usedNext;
    this.#signalled = this.#usedNext;
  }

  get broken(): RingError | undefined {
    return this.#broken;
  }

  get state(): number {
    return this.#availableNext;
  }

  storeState(position: Int32Array<SharedArrayBuffer>): void {
    position[0] = this.#availableNext;
  }

  isEmpty(): boolean {
    if (this.#broken !== undefined) return false;
    const next = this.#availableNext;
    const index = Atomics.load(this.#available, IDX);
    // The places that the driver writes before the index, most likely: asked
    // for here, they come together with it from its processor.
    this.#touched = this.#available[ENTRIES + (next & this.#mask)]! ^
      this.#descriptors[(this.#likely & this.#mask) << 2]! & 0xffff;
    if (index === next) return true;
    // What breaks the ring is found by take().
    if (((index - next) & 0xffff) <= this.size) this.#availableSeen = index;
    return false;
  }

  take(chain: Chain, segments: SegmentTable): number {
    if (this.#broken !== undefined) return BROKEN;
    const next = this.#availableNext;
    if (next === this.#availableSeen) {
      const index = Atomics.load(this.#available, IDX);
      if (index === next) return EMPTY;
      const waiting = (index - next) & 0xffff;
      if (waiting > this.size) {
        return this.#break(
          `The available index ${index} is ${waiting} ahead of ${next} in a ring of ${this.size}`,
        );
      }
      this.#availableSeen = index;
    }
    const head = this.#available[ENTRIES + (next & this.#mask)]!;
    if (head >= this.size) {
      return this.#break(
        `The available ring names descriptor ${head} of ${this.size}`,
      );
    }
    chain.begin(head, segments);
    const walked = walkTable(
      this.#memory,
      this.#descriptors,
      this.size,
      head,
      this.#indirect,
      chain,
      segments,
    );
    if (!walked) {
      return this.#break(`The descriptors from ${head} on form a loop`);
    }
    this.#availableNext = (next + 1) & 0xffff;
    return TAKEN;
  }

  untake(_chain: Chain): void {
    this.#availableNext = (this.#availableNext - 1) & 0xffff;
  }

  lookStraight(chains: StraightChains): void {
    if (this.#indirect === undefined || this.#broken !== undefined) return;
    const next = this.#availableNext;
    const waiting = (this.#availableSeen - next) & 0xffff;
    if (waiting === 0) return;
    const available = this.#available;
    const ring = this.#descriptors;
    const { size } = this;
    const mask = this.#mask;
    const most = waiting < chains.capacity ? waiting : chains.capacity;
    let head = 0;
    for (let i = 0; i < most; i++) {
      head = available[ENTRIES + ((next + i) & mask)]!;
      if (head >= size) break;
      const at = head << 2;
      const flags = ring[at + 3]! & 0xffff;
      if (
        !chains.add(head, ring, at, flags) &&
        !chains.addElsewhere(head, ring, at, flags)
      ) break;
    }
    chains.more = waiting > 1;
    if (chains.count > 0) this.#likely = head + 1;
    chains.read(false);
  }

  takeStraight(count: number): void {
    this.#availableNext = (this.#availableNext + count) & 0xffff;
  }

  put(chain: Chain, length: number): void {
    this.putStraight(chain.id, length);
  }

  putStraight(id: number, length: number): void {
    const at = (this.#usedNext & this.#mask) << 1;
    this.#usedElements[at] = id;
    this.#usedElements[at + 1] = length;
    this.#usedNext = (this.#usedNext + 1) & 0xffff;
  }

  publish(): void {
    // What is there already, again: the atomic store waits for all earlier ones
    // before it asks for its place, and this one asks for it meanwhile.
    this.#used[IDX] = this.#usedShown;
    this.#usedShown = this.#usedNext;
    // Sequentially consistent, so the elements are seen before the index, and
    // the index before what shouldSignal() reads (virtio 1.1, 2.6.8.2).
    Atomics.store(this.#used, IDX, this.#usedNext);
  }

  shouldSignal(): boolean {
    const old = this.#signalled;
    const now = this.#usedNext;
    const owed = this.#owesSignal;
    this.#owesSignal = false;
    this.#signalled = now;
    if (this.#notification === "event-index") {
      const event = Atomics.load(this.#available, this.#usedEvent);
      // virtio 1.1, 2.6.7.2: the driver wants to hear of entry `event`.
      return owed ||
        ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
    }
    return !(Atomics.load(this.#available, FLAGS) & VIRTQ_AVAIL_F_NO_INTERRUPT);
  }

  disarm(): void {
    if (this.#notification === "flags") {
      Atomics.store(this.#used, FLAGS, VIRTQ_USED_F_NO_NOTIFY);
    }
  }

  arm(): boolean {
    if (this.#notification === "flags") {
      Atomics.store(this.#used, FLAGS, 0);
    } else {
      Atomics.store(this.#used, this.#availEvent, this.#availableNext);
    }
    return Atomics.load(this.#available, IDX) !== this.#availableNext;
  }

  #break(reason: string): number {
    this.#broken = new RingError(reason);
    return BROKEN;
  }
}
