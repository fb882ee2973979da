/**
 * The driver's side of a split virtqueue (virtio 1.1, 2.6).
 *
 * @module
 */

import { UsedRingError } from "./errors.ts";
import type { GuestAllocator } from "./guest_allocator.ts";
import type { GuestRange } from "./guest_view.ts";
import {
  DESC_BYTES,
  VIRTQ_DESC_F_INDIRECT,
  writeDescriptor,
  writeEntry,
} from "./descriptor_table.ts";
import { IndirectTables } from "./indirect_tables.ts";
import type { DriverRing, RingAddresses, UsedRecord } from "./ring.ts";
import { placeRingPart } from "./ring_memory.ts";

/** Largest number of descriptors (virtio 1.1, 2.6). */
const MAX_SIZE = 32_768;

// struct virtq_avail in 16-bit words: flags, idx, ring[size], used_event
// (2.6.6). struct virtq_used begins with the same two (2.6.8).
const FLAGS = 0;
const INDEX = 1;
const AVAIL_RING = 2;
const VIRTQ_AVAIL_F_NO_INTERRUPT = 1;
const VIRTQ_USED_F_NO_NOTIFY = 1;

// struct virtq_used in 32-bit words: flags and idx, then {id, len}[size], then
// avail_event in half a word.
const USED_RING = 1;
const USED_WORDS = 2;

/** States of an id. */
const FREE = 0;
const ADDED = 1;
const HELD = 2;

/** How a split ring is made. */
export interface SplitRingOptions {
  /** Number of descriptors: a power of two up to 32768. */
  readonly size: number;
  /** VIRTIO_F_RING_EVENT_IDX was negotiated (virtio 1.1, 2.6.7). */
  readonly eventIndex: boolean;
  /** VIRTIO_F_IN_ORDER was negotiated (2.6.9); not when left out. */
  readonly inOrder?: boolean;
  /** Where available and used index start; 0 when left out. */
  readonly startIndex?: number;
}

/**
 * Lays a split ring out in guest memory and drives it. The device's memory is
 * not trusted with the ring's state: which descriptors a request holds is
 * remembered here.
 */
export class SplitRingDriver implements DriverRing {
  /** Number of descriptors. */
  readonly size: number;
  /** Where the ring lies, in guest addresses. */
  readonly guestAddresses: RingAddresses;
  /** Where the ring lies, in the frontend's own addresses. */
  readonly userAddresses: RingAddresses;
  /** Value of SET_VRING_BASE when the ring is first started. */
  readonly base: number;

  readonly #allocator: GuestAllocator;
  readonly #eventIndex: boolean;
  readonly #inOrder: boolean;
  readonly #descriptors: DataView<SharedArrayBuffer>;
  readonly #available: Uint16Array<SharedArrayBuffer>;
  readonly #used: Uint16Array<SharedArrayBuffer>;
  readonly #usedWords: Uint32Array<SharedArrayBuffer>;
  /** Index of used_event in `#available` and of avail_event in `#used`. */
  readonly #usedEvent: number;
  readonly #availEvent: number;

  /** Free descriptors, and the rest of the chain of one in use. */
  readonly #next: Uint16Array;
  #firstFree = 0;
  #freeCount: number;
  /** By id: state, descriptors of the ring it holds. */
  readonly #state: Uint8Array;
  readonly #held: Uint16Array;
  readonly #tables: IndirectTables;
  /** What was written to the available ring. */
  readonly #order: Uint16Array;

  /** 16-bit indices: next to add, published, published when last asked. */
  #added: number;
  #published: number;
  #asked: number;
  /** Published since last asked; 16 bits could have wrapped. */
  #unasked = 0;
  /** Index of the next used element. */
  #taken: number;
  #outstanding = 0;
  /** In order, by id: its place in the available ring, its writable bytes. */
  readonly #place: Uint16Array;
  readonly #writable: Float64Array;
  /** In order: the last id of a batch not wholly taken, or -1; its length. */
  #batchLast = -1;
  #batchLength = 0;

  /**
   * Lays out an empty ring.
   *
   * @param allocator where the ring's memory and indirect tables come from
   * @param options size and negotiated features
   * @throws {RangeError} The size is not a power of two up to 32768, or a
   * region is not mapped at the alignment its guest address has
   * @throws {OutOfGuestMemoryError} The ring does not fit
   */
  constructor(allocator: GuestAllocator, options: SplitRingOptions) {
    const { size, eventIndex, inOrder = false, startIndex = 0 } = options;
    if (
      !Number.isInteger(size) || size < 1 || size > MAX_SIZE ||
      (size & (size - 1)) !== 0
    ) {
      throw new RangeError(`Cannot make a split ring of ${size} descriptors`);
    }
    this.size = size;
    this.base = startIndex;
    this.#allocator = allocator;
    this.#eventIndex = eventIndex;
    this.#inOrder = inOrder;

    const descriptor = placeRingPart(allocator, DESC_BYTES * size, 16);
    const available = placeRingPart(allocator, 6 + 2 * size, 2);
    const used = placeRingPart(allocator, 6 + 8 * size, 4);
    this.guestAddresses = {
      descriptor: descriptor.guest,
      available: available.guest,
      used: used.guest,
    };
    this.userAddresses = {
      descriptor: descriptor.user,
      available: available.user,
      used: used.user,
    };
    this.#descriptors = new DataView(
      descriptor.buffer,
      descriptor.offset,
      DESC_BYTES * size,
    );
    this.#available = new Uint16Array(
      available.buffer,
      available.offset,
      3 + size,
    );
    this.#used = new Uint16Array(used.buffer, used.offset, 3 + 4 * size);
    this.#usedWords = new Uint32Array(used.buffer, used.offset, 1 + 2 * size);
    this.#usedEvent = AVAIL_RING + size;
    this.#availEvent = 2 + 4 * size;

    this.#next = Uint16Array.from({ length: size }, (_, i) => i + 1);
    // 2.6.5.2 with IN_ORDER: the table is used in its own order, round and
    // round.
    if (inOrder) this.#next[size - 1] = 0;
    this.#freeCount = size;
    this.#state = new Uint8Array(size);
    this.#held = new Uint16Array(size);
    this.#tables = new IndirectTables(allocator, size);
    this.#place = new Uint16Array(size);
    this.#writable = new Float64Array(size);
    this.#order = new Uint16Array(size);

    this.#added =
      this.#published =
      this.#asked =
      this.#taken =
        startIndex;
    Atomics.store(this.#used, INDEX, startIndex);
    Atomics.store(this.#available, this.#usedEvent, startIndex);
    Atomics.store(this.#available, INDEX, startIndex);
  }

  /** Requests added and not taken back. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Descriptors of the ring that no request holds. */
  get freeDescriptors(): number {
    return this.#freeCount;
  }

  /**
   * Adds a request, which the device sees only once it is published. Readable
   * buffers come before writable ones (virtio 1.1, 2.6.4.2).
   *
   * @param readable what the device reads, in order
   * @param writable what the device writes, in order
   * @param indirect give the buffers by an indirect table (2.6.5.3)
   * @returns the request's id; -1 where there is no room now
   * @throws {RangeError} The request has no buffers, or more than can ever fit
   */
  add(
    readable: readonly GuestRange[],
    writable: readonly GuestRange[],
    indirect: boolean,
  ): number {
    const count = readable.length + writable.length;
    // An entry's `next` has 16 bits.
    if (count < 1 || count > (indirect ? 65_536 : this.size)) {
      throw new RangeError(
        `Cannot put a chain of ${count} buffers in a ring of ${this.size} descriptors`,
      );
    }
    if (this.#freeCount < (indirect ? 1 : count)) return -1;
    const id = this.#firstFree;
    let last = id;
    if (indirect) {
      if (!this.#writeTable(id, readable, writable, count)) return -1;
      this.#held[id] = 1;
    } else {
      for (let i = 0, at = id; i < count; i++) {
        last = at;
        at = this.#next[last]!;
        writeEntry(this.#descriptors, last, readable, writable, i, at);
      }
      this.#held[id] = count;
    }
    this.#freeCount -= this.#held[id]!;
    this.#firstFree = this.#next[last]!;
    this.#state[id] = ADDED;
    if (this.#inOrder) {
      this.#place[id] = this.#added;
      this.#writable[id] = writable.reduce((sum, r) => sum + r.length, 0);
    }
    const slot = this.#added & (this.size - 1);
    this.#order[slot] = id;
    this.#available[AVAIL_RING + slot] = id;
    this.#added = (this.#added + 1) & 0xffff;
    this.#outstanding++;
    return id;
  }

  /** Makes everything added visible to the device (virtio 1.1, 2.6.13.3). */
  publish(): void {
    const mask = this.size - 1;
    while (this.#published !== this.#added) {
      this.#state[this.#order[this.#published & mask]!] = HELD;
      this.#published = (this.#published + 1) & 0xffff;
      this.#unasked++;
    }
    Atomics.store(this.#available, INDEX, this.#published);
  }

  /**
   * Whether the device wants to hear of what was published since this was last
   * asked (virtio 1.1, 2.6.10.1). The store of the index comes before the load
   * of what the device wants, as both are atomic.
   *
   * @returns true when it has to be notified
   */
  needsKick(): boolean {
    const count = this.#unasked;
    const old = this.#asked;
    this.#unasked = 0;
    this.#asked = this.#published;
    if (count === 0) return false;
    if (!this.#eventIndex) {
      return (Atomics.load(this.#used, FLAGS) & VIRTQ_USED_F_NO_NOTIFY) === 0;
    }
    if (count > 0xffff) return true;
    const event = Atomics.load(this.#used, this.#availEvent);
    return ((this.#published - event - 1) & 0xffff) <
      ((this.#published - old) & 0xffff);
  }

  /** Whether the device has returned a request that was not taken. */
  hasUsed(): boolean {
    return Atomics.load(this.#used, INDEX) !== this.#taken;
  }

  /**
   * Takes the next request the device has returned. With IN_ORDER a used
   * element stands for all requests up to its own (virtio 1.1, 2.6.9); those
   * before it are taken to be written wholly.
   *
   * @param record filled with id and length
   * @returns false where there is none
   * @throws {UsedRingError} The device returned more than it holds, or an id
   * it does not hold
   */
  take(record: UsedRecord): boolean {
    const ready = (Atomics.load(this.#used, INDEX) - this.#taken) & 0xffff;
    if (ready === 0) return false;
    if (ready > this.#outstanding) {
      throw new UsedRingError(
        `Cannot take ${ready} used elements: ${this.#outstanding} requests are outstanding`,
      );
    }
    if (this.#batchLast >= 0) {
      this.#takeOfBatch(record);
      return true;
    }
    const at = USED_RING + USED_WORDS * (this.#taken & (this.size - 1));
    const id = this.#usedWords[at]!;
    const length = this.#usedWords[at + 1]!;
    if (this.#state[id] !== HELD) {
      throw new UsedRingError(
        `Cannot take used element ${this.#taken}: the device does not hold id ${id}`,
      );
    }
    if (this.#inOrder) {
      const before = (this.#place[id]! - this.#taken) & 0xffff;
      if (before >= ready) {
        throw new UsedRingError(
          `Cannot take used element ${this.#taken}: id ${id} is ${before} places on, and ${ready} were used`,
        );
      }
      this.#batchLast = id;
      this.#batchLength = length;
      this.#takeOfBatch(record);
      return true;
    }
    this.#taken = (this.#taken + 1) & 0xffff;
    this.#release(id);
    record.id = id;
    record.length = length;
    return true;
  }

  /**
   * Asks the device not to signal (virtio 1.1, 2.6.7.1): by the flag, or by an
   * event index that it passed just now.
   */
  disableInterrupts(): void {
    if (this.#eventIndex) {
      Atomics.store(
        this.#available,
        this.#usedEvent,
        (this.#taken - 1) & 0xffff,
      );
    } else {
      Atomics.store(this.#available, FLAGS, VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
  }

  /**
   * Asks the device to signal the next request it returns.
   *
   * @returns true when one is there already, which may go without a signal
   */
  enableInterrupts(): boolean {
    if (this.#eventIndex) {
      Atomics.store(this.#available, this.#usedEvent, this.#taken);
    } else {
      Atomics.store(this.#available, FLAGS, 0);
    }
    // What the device returned before it saw the store went without a signal.
    return this.hasUsed();
  }

  /** Gives the ring's memory back, once the device has stopped using it. */
  free(): void {
    const { descriptor, available, used } = this.guestAddresses;
    this.#allocator.free(descriptor);
    this.#allocator.free(available);
    this.#allocator.free(used);
    this.#tables.free();
  }

  /** Takes the oldest request, which a used element stands for. */
  #takeOfBatch(record: UsedRecord): void {
    const id = this.#order[this.#taken & (this.size - 1)]!;
    const last = id === this.#batchLast;
    record.id = id;
    record.length = last ? this.#batchLength : this.#writable[id]!;
    if (last) this.#batchLast = -1;
    this.#taken = (this.#taken + 1) & 0xffff;
    this.#release(id);
  }

  #release(id: number): void {
    const count = this.#held[id]!;
    // In order what is free stays one run of the table.
    if (!this.#inOrder) {
      let last = id;
      for (let i = 1; i < count; i++) last = this.#next[last]!;
      this.#next[last] = this.#firstFree;
      this.#firstFree = id;
    }
    this.#freeCount += count;
    this.#state[id] = FREE;
    this.#outstanding--;
  }

  /** Writes an indirect table and the descriptor that refers to it. */
  #writeTable(
    id: number,
    readable: readonly GuestRange[],
    writable: readonly GuestRange[],
    count: number,
  ): boolean {
    const table = this.#tables.place(id, count);
    if (table === undefined) return false;
    for (let i = 0; i < count; i++) {
      writeEntry(table.view, i, readable, writable, i, i + 1);
    }
    writeDescriptor(
      this.#descriptors,
      id,
      table.address,
      table.view.byteLength,
      VIRTQ_DESC_F_INDIRECT,
      0,
    );
    return true;
  }
}
