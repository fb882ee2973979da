/**
 * The device's side of a packed virtqueue (virtio 1.1, 2.7).
 *
 * With VIRTIO_F_IN_ORDER it is the same: chains are returned in the order of
 * taking in any case, each by a used descriptor of its own. One for a whole
 * batch would be legal then (2.7.8), but says nothing of the lengths of the
 * others.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";
import { type Chain, ChainFault } from "./chain.ts";
import {
  addressOf,
  DESCRIPTOR_SIZE,
  DESCRIPTOR_WORDS,
  IndirectTable,
  LEN,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
} from "./descriptor.ts";
import {
  ID_AND_FLAGS,
  VIRTQ_DESC_F_AVAIL,
  VIRTQ_DESC_F_USED,
  walkPackedIndirect,
} from "./packed_descriptor.ts";
import { type DeviceRing, RingError, type RingSetup, Take } from "./ring.ts";
import type { StraightChains } from "./straight_chains.ts";
import { findRingPart } from "./ring_part.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { EMPTY, TAKEN, BROKEN } = Take;

/** Largest size of a packed ring (virtio 1.1, 2.7). */
export const PACKED_RING_MAX = 32768;

/** Both at the first descriptor, both wrap counters 1 (virtio 1.1, 2.7.1). */
export const PACKED_RING_START = 0x8000_8000;

const AVAIL_AND_USED = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;

// struct pvirtq_event_suppress (2.7.14) in one 32-bit word: 15 bits of offset,
// 1 of wrap counter, 2 of flags, 14 reserved ones.
const EVENT_FLAGS_SHIFT = 16;
const EVENT_FLAGS_MASK = 3;
const RING_EVENT_FLAGS_ENABLE = 0;
const RING_EVENT_FLAGS_DISABLE = 1;
const RING_EVENT_FLAGS_DESC = 2;

/** Offset and wrap counter, as the base and event suppression have them. */
const OFFSET_MASK = 0x7fff;
const WRAP_BIT = 0x8000;

/** A view of a part of the ring in 32-bit words. */
function words(
  memory: GuestMemory,
  name: string,
  address: number,
  bytes: number,
  alignment: number,
): Uint32Array<SharedArrayBuffer> {
  const part = findRingPart(memory, name, address, bytes, alignment);
  return new Uint32Array(part.buffer, part.offset, bytes >> 2);
}

/**
 * A packed ring in guest memory. Created when the ring starts; everything that
 * is wrong with its addresses is found then.
 *
 * A position is a number below twice the size: up to the size the offset in
 * the ring with wrap counter 1, from there on with wrap counter 0.
 */
export class PackedRing implements DeviceRing {
  readonly size: number;
  readonly #memory: GuestMemory;
  readonly #eventIndex: boolean;
  readonly #indirect: IndirectTable | undefined;
  readonly #ring: Uint32Array<SharedArrayBuffer>;
  /** The same as signed words: a number of 31 bits is no object. */
  readonly #signed: Int32Array<SharedArrayBuffer>;
  readonly #driverEvents: Uint32Array<SharedArrayBuffer>;
  readonly #deviceEvents: Uint32Array<SharedArrayBuffer>;
  /** Position of the next descriptor to take. */
  #availableNext: number;
  /** Position of the next used descriptor. */
  #usedNext: number;
  /** Descriptors taken and not returned. */
  #held: number;
  /** Word and index of the first used descriptor's flags; -1: none was put. */
  #firstFlags = 0;
  #firstFlagsAt = -1;
  /** Descriptors used since the last question whether to signal. */
  #unasked = 0;
  /** A ring that just started may owe the driver a signal. */
  #owesSignal = true;
  /** Whether the driver may have been asked to notify. */
  #armed = true;
  #broken: RingError | undefined;

  /**
   * @param memory the guest's memory
   * @param setup size, addresses and state
   * @throws {RingError} The size is not 1 to 32768, a part is misaligned or
   * not in one region of the memory, or the state is not one of such a ring
   */
  constructor(memory: GuestMemory, setup: RingSetup) {
    const { size, state } = setup;
    if (!(size >= 1 && size <= PACKED_RING_MAX)) {
      throw new RingError(`Cannot use a packed ring of ${size} entries`);
    }
    this.size = size;
    this.#memory = memory;
    this.#eventIndex = setup.notification === "event-index";
    this.#indirect = setup.indirect ? new IndirectTable() : undefined;
    // virtio 1.1, 2.7.10.1: alignment and size of each part.
    this.#ring = words(
      memory,
      "descriptor ring",
      setup.descriptorAddress,
      DESCRIPTOR_SIZE * size,
      16,
    );
    this.#signed = new Int32Array(
      this.#ring.buffer,
      this.#ring.byteOffset,
      this.#ring.length,
    );
    this.#driverEvents = words(
      memory,
      "driver event suppression",
      setup.availableAddress,
      4,
      4,
    );
    this.#deviceEvents = words(
      memory,
      "device event suppression",
      setup.usedAddress,
      4,
      4,
    );
    const available = this.#decode(state & 0xffff);
    const used = this.#decode(state >>> 16);
    const held = available < 0 || used < 0
      ? -1
      : (available - used + 2 * size) % (2 * size);
    if (held < 0 || held > size) {
      throw new RingError(
        `Cannot go on at 0x${
          (state >>> 0).toString(16)
        } in a packed ring of ${size} entries`,
      );
    }
    this.#availableNext = available;
    this.#usedNext = used;
    this.#held = held;
  }

  get broken(): RingError | undefined {
    return this.#broken;
  }

  get state(): number {
    return this.#state >>> 0;
  }

  storeState(position: Int32Array<SharedArrayBuffer>): void {
    position[0] = this.#state;
  }

  /** As a signed number: one of 31 bits is no object. */
  get #state(): number {
    return this.#encode(this.#usedNext) << 16 |
      this.#encode(this.#availableNext);
  }

  isEmpty(): boolean {
    if (this.#broken !== undefined) return false;
    const next = this.#availableNext;
    const word = Atomics.load(this.#signed, this.#wordOf(next) + ID_AND_FLAGS);
    return !this.#isAvailable(word, next);
  }

  take(chain: Chain, segments: SegmentTable): number {
    if (this.#broken !== undefined) return BROKEN;
    const head = this.#availableNext;
    // Sequentially consistent, so that what the flags make available is seen.
    let word = Atomics.load(this.#signed, this.#wordOf(head) + ID_AND_FLAGS);
    if (!this.#isAvailable(word, head)) return EMPTY;
    chain.begin(0, segments);
    const room = this.size - this.#held;
    let count = 0;
    let at = head;
    for (;;) {
      // virtio 1.1, 2.7.17: no list is longer than the ring; and none reaches
      // into what the driver has not got back.
      if (count === room) {
        return this.#break(
          `The descriptors from ${
            this.#offset(head)
          } on are more than the ${room} that the driver has`,
        );
      }
      // virtio 1.1, 2.7.17: the first is made available after all others, and
      // 2.7.15: none may be used that is not.
      if (count > 0 && !this.#isAvailable(word, at)) {
        return this.#break(
          `The descriptors from ${this.#offset(head)} on go on at ${
            this.#offset(at)
          }, which is not available`,
        );
      }
      count++;
      this.#add(at, word >>> 16, count, chain, segments);
      at = this.#advance(at, 1);
      // virtio 1.1, 2.7.6: the id is that of the list's last descriptor.
      if (!(word >>> 16 & VIRTQ_DESC_F_NEXT)) break;
      word = this.#signed[this.#wordOf(at) + ID_AND_FLAGS]!;
    }
    chain.id = word & 0xffff;
    chain.descriptors = count;
    this.#availableNext = at;
    this.#held += count;
    return TAKEN;
  }

  untake(chain: Chain): void {
    const { descriptors } = chain;
    this.#availableNext = this.#advance(
      this.#availableNext,
      2 * this.size - descriptors,
    );
    this.#held -= descriptors;
  }

  lookStraight(chains: StraightChains): void {
    if (this.#indirect === undefined || this.#broken !== undefined) return;
    const ring = this.#ring;
    const signed = this.#signed;
    const room = this.size - this.#held;
    const most = room < chains.capacity ? room : chains.capacity;
    let next = this.#availableNext;
    let i = 0;
    for (; i < most; i++) {
      const at = this.#wordOf(next);
      const word = Atomics.load(signed, at + ID_AND_FLAGS);
      if (!this.#isAvailable(word, next)) break;
      const flags = word >>> 16 & ~AVAIL_AND_USED;
      const id = word & 0xffff;
      if (
        !chains.add(id, ring, at, flags) &&
        !chains.addElsewhere(id, ring, at, flags)
      ) {
        chains.more = true;
        break;
      }
      next = this.#advance(next, 1);
    }
    if (i > 1) chains.more = true;
    chains.read(true);
  }

  takeStraight(count: number): void {
    this.#availableNext = this.#advance(this.#availableNext, count);
    this.#held += count;
  }

  put(chain: Chain, length: number): void {
    this.#put(chain.id, chain.descriptors, length);
  }

  putStraight(id: number, length: number): void {
    this.#put(id, 1, length);
  }

  #put(id: number, descriptors: number, length: number): void {
    const position = this.#usedNext;
    const at = this.#wordOf(position);
    // virtio 1.1, 2.7.3: WRITE says that something was written.
    const flags = (position < this.size ? AVAIL_AND_USED : 0) |
      (length > 0 ? VIRTQ_DESC_F_WRITE : 0);
    const word = flags << 16 | id;
    this.#ring[at + LEN] = length;
    if (this.#firstFlagsAt < 0) {
      this.#firstFlagsAt = at + ID_AND_FLAGS;
      this.#firstFlags = word;
    } else {
      // Behind the first the driver does not look before that one is used
      // (virtio 1.1, 2.7.2).
      this.#signed[at + ID_AND_FLAGS] = word;
    }
    // virtio 1.1, 2.7.6: one used descriptor for the whole list.
    this.#usedNext = this.#advance(position, descriptors);
    this.#held -= descriptors;
    this.#unasked += descriptors;
  }

  publish(): void {
    if (this.#firstFlagsAt < 0) return;
    // Sequentially consistent, so all else is seen before these flags, and
    // they before what shouldSignal() reads (virtio 1.1, 2.7.10).
    Atomics.store(this.#signed, this.#firstFlagsAt, this.#firstFlags);
    this.#firstFlagsAt = -1;
  }

  shouldSignal(): boolean {
    const count = this.#unasked;
    const owed = this.#owesSignal;
    this.#unasked = 0;
    this.#owesSignal = false;
    const events = Atomics.load(this.#driverEvents, 0);
    const flags = events >>> EVENT_FLAGS_SHIFT & EVENT_FLAGS_MASK;
    if (flags === RING_EVENT_FLAGS_DISABLE) return false;
    // virtio 1.1, 2.7.10: valid with EVENT_IDX only, and 3 is reserved.
    if (flags !== RING_EVENT_FLAGS_DESC || !this.#eventIndex) return true;
    const event = this.#decode(events & 0xffff);
    if (owed || event < 0) return true;
    // The driver wants to hear of the descriptor at `event`.
    const old = this.#advance(this.#usedNext, 2 * this.size - count);
    return (event - old + 2 * this.size) % (2 * this.size) < count;
  }

  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#tell(RING_EVENT_FLAGS_DISABLE, 0);
  }

  arm(): boolean {
    this.#armed = true;
    const next = this.#availableNext;
    if (this.#eventIndex) {
      this.#tell(RING_EVENT_FLAGS_DESC, this.#encode(next));
    } else {
      this.#tell(RING_EVENT_FLAGS_ENABLE, 0);
    }
    const word = Atomics.load(this.#signed, this.#wordOf(next) + ID_AND_FLAGS);
    return this.#isAvailable(word, next);
  }

  /** Adds what a descriptor refers to. */
  #add(
    position: number,
    flags: number,
    count: number,
    chain: Chain,
    segments: SegmentTable,
  ): void {
    const at = this.#wordOf(position);
    const address = addressOf(this.#ring, at);
    const length = this.#ring[at + LEN]!;
    if (!(flags & VIRTQ_DESC_F_INDIRECT)) {
      const writable = (flags & VIRTQ_DESC_F_WRITE) !== 0;
      chain.add(this.#memory, segments, address, length, writable);
      return;
    }
    const table = this.#indirect;
    const more = (flags & VIRTQ_DESC_F_NEXT) !== 0;
    // virtio 1.1, 2.7.19: only where negotiated, and 2.7.5: no list is of
    // descriptors of both kinds.
    if (table === undefined || more || count > 1) {
      chain.fault ||= ChainFault.BAD_INDIRECT;
    }
    // One table a list: else its walk would have no bound.
    if (table === undefined || more) return;
    walkPackedIndirect(
      this.#memory,
      address,
      length,
      table,
      chain,
      segments,
    );
  }

  /** Whether flags say that the descriptor at a position is available. */
  #isAvailable(idAndFlags: number, position: number): boolean {
    // virtio 1.1, 2.7.1: AVAIL is the wrap counter, USED is not.
    const wanted = position < this.size
      ? VIRTQ_DESC_F_AVAIL
      : VIRTQ_DESC_F_USED;
    return (idAndFlags >>> 16 & AVAIL_AND_USED) === wanted;
  }

  /** Writes the device event suppression, in one piece. */
  #tell(flags: number, event: number): void {
    Atomics.store(this.#deviceEvents, 0, flags << EVENT_FLAGS_SHIFT | event);
  }

  #advance(position: number, by: number): number {
    const sum = position + by;
    return sum < 2 * this.size ? sum : sum - 2 * this.size;
  }

  #offset(position: number): number {
    return position < this.size ? position : position - this.size;
  }

  #wordOf(position: number): number {
    return DESCRIPTOR_WORDS * this.#offset(position);
  }

  #encode(position: number): number {
    return position < this.size ? position | WRAP_BIT : position - this.size;
  }

  /** The position that 16 bits stand for; -1 for none of this ring. */
  #decode(offsetAndWrap: number): number {
    const offset = offsetAndWrap & OFFSET_MASK;
    if (offset >= this.size) return -1;
    return offsetAndWrap & WRAP_BIT ? offset : offset + this.size;
  }

  #break(reason: string): number {
    this.#broken = new RingError(reason);
    return BROKEN;
  }
}
