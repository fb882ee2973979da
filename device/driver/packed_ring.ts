/**
 * The driver's side of a packed virtqueue (virtio 1.1, 2.7).
 *
 * @module
 */

import { UsedRingError } from "./errors.ts";
import type { GuestAllocator } from "./guest_allocator.ts";
import type { GuestRange } from "./guest_view.ts";
import { IndirectTables } from "./indirect_tables.ts";
import type { DriverRing, RingAddresses, UsedRecord } from "./ring.ts";
import { placeRingPart } from "./ring_memory.ts";

/** Largest number of descriptors (virtio 1.1, 2.7). */
const MAX_SIZE = 32_768;

// struct pvirtq_desc (2.7.13) in 32-bit words: addr le64, len le32, then id
// le16 and flags le16.
const DESC_BYTES = 16;
const DESC_WORDS = 4;
const DESC_LEN = 2;
const DESC_ID_AND_FLAGS = 3;

const VIRTQ_DESC_F_NEXT = 1;
const VIRTQ_DESC_F_WRITE = 2;
const VIRTQ_DESC_F_INDIRECT = 4;
const VIRTQ_DESC_F_AVAIL = 1 << 7;
const VIRTQ_DESC_F_USED = 1 << 15;

// struct pvirtq_event_suppress (2.7.14) in one 32-bit word: offset, wrap
// counter as bit 15, then two bits of flags.
const EVENT_BYTES = 4;
const EVENT_FLAGS_SHIFT = 16;
const EVENT_FLAGS_MASK = 3;
const RING_EVENT_FLAGS_ENABLE = 0;
const RING_EVENT_FLAGS_DISABLE = 1;
const RING_EVENT_FLAGS_DESC = 2;
const EVENT_OFFSET_MASK = 0x7fff;
const EVENT_WRAP = 0x8000;

/** Offsets 0 and wrap counters 1, for available and used (2.7.1). */
const START = 0x8000_8000;

/** States of an id. */
const FREE = 0;
const ADDED = 1;
const HELD = 2;

const NOWHERE = -1;

/** How a packed ring is made. */
export interface PackedRingOptions {
  /** Number of descriptors: 1 to 32768. */
  readonly size: number;
  /** VIRTIO_F_RING_EVENT_IDX was negotiated (virtio 1.1, 2.7.10). */
  readonly eventIndex: boolean;
  /** VIRTIO_F_IN_ORDER was negotiated (2.7.8); not when left out. */
  readonly inOrder?: boolean;
}

/**
 * Lays a packed ring out in guest memory and drives it. The device overwrites
 * descriptors, and is not trusted with anything: how many a request holds is
 * remembered here.
 *
 * A position is a number below twice the size: up to the size the offset in
 * the ring with wrap counter 1, from there on with wrap counter 0.
 */
export class PackedRingDriver implements DriverRing {
  /** Number of descriptors. */
  readonly size: number;
  /** Where the ring lies, in guest addresses. */
  readonly guestAddresses: RingAddresses;
  /** Where the ring lies, in the frontend's own addresses. */
  readonly userAddresses: RingAddresses;
  /** Value of SET_VRING_BASE when the ring is first started. */
  readonly base: number = START;

  readonly #allocator: GuestAllocator;
  readonly #eventIndex: boolean;
  readonly #inOrder: boolean;
  readonly #ring: Uint32Array<SharedArrayBuffer>;
  readonly #driverEvents: Uint32Array<SharedArrayBuffer>;
  readonly #deviceEvents: Uint32Array<SharedArrayBuffer>;
  readonly #tables: IndirectTables;

  /** Free ids, a stack of `#freeIds`. */
  readonly #ids: Uint16Array;
  #freeIds: number;
  #freeCount: number;
  /** By id: state, descriptors of the ring it holds. */
  readonly #state: Uint8Array;
  readonly #held: Uint16Array;
  /** In order, by id: its writable bytes. */
  readonly #writable: Float64Array;

  /** Ids in the order of adding, round and round; the oldest one's place. */
  readonly #order: Uint16Array;
  #oldest = 0;
  /** Requests outstanding, and how many of them are published. */
  #outstanding = 0;
  #published = 0;

  /** Position of the next descriptor to make available. */
  #next = 0;
  /** Flags that will publish all that was added, and their index in words. */
  #firstFlags = 0;
  #firstFlagsAt = NOWHERE;
  /** Descriptors added and not published; published since last asked. */
  #unpublished = 0;
  #unasked = 0;
  /** Position of the next used descriptor. */
  #taken = 0;
  /** In order: the last id of a batch not wholly taken; its length. */
  #batchLast = NOWHERE;
  #batchLength = 0;

  /**
   * Lays out an empty ring.
   *
   * @param allocator where the ring's memory and indirect tables come from
   * @param options size and negotiated features
   * @throws {RangeError} The size is not 1 to 32768, or a region is not mapped
   * at the alignment its guest address has
   * @throws {OutOfGuestMemoryError} The ring does not fit
   */
  constructor(allocator: GuestAllocator, options: PackedRingOptions) {
    const { size, eventIndex, inOrder = false } = options;
    if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
      throw new RangeError(`Cannot make a packed ring of ${size} descriptors`);
    }
    this.size = size;
    this.#allocator = allocator;
    this.#eventIndex = eventIndex;
    this.#inOrder = inOrder;

    // virtio 1.1, 2.7.10.1: alignment and size of each part.
    const ring = placeRingPart(allocator, DESC_BYTES * size, 16);
    const driver = placeRingPart(allocator, EVENT_BYTES, 4);
    const device = placeRingPart(allocator, EVENT_BYTES, 4);
    this.guestAddresses = {
      descriptor: ring.guest,
      available: driver.guest,
      used: device.guest,
    };
    this.userAddresses = {
      descriptor: ring.user,
      available: driver.user,
      used: device.user,
    };
    this.#ring = new Uint32Array(ring.buffer, ring.offset, DESC_WORDS * size);
    this.#driverEvents = new Uint32Array(driver.buffer, driver.offset, 1);
    this.#deviceEvents = new Uint32Array(device.buffer, device.offset, 1);
    this.#tables = new IndirectTables(allocator, size);

    this.#ids = Uint16Array.from({ length: size }, (_, i) => size - 1 - i);
    this.#freeIds = size;
    this.#freeCount = size;
    this.#state = new Uint8Array(size);
    this.#held = new Uint16Array(size);
    this.#writable = new Float64Array(size);
    this.#order = new Uint16Array(size);
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
   * buffers come before writable ones (virtio 1.1, 2.7.17).
   *
   * @param readable what the device reads, in order
   * @param writable what the device writes, in order
   * @param indirect give the buffers by an indirect table (2.7.7)
   * @returns the request's id; -1 where there is no room now
   * @throws {RangeError} The request has no buffers, or more than can ever fit
   */
  add(
    readable: readonly GuestRange[],
    writable: readonly GuestRange[],
    indirect: boolean,
  ): number {
    const count = readable.length + writable.length;
    // A table's length would allow for more, but no device has to.
    if (count < 1 || count > (indirect ? 65_536 : this.size)) {
      throw new RangeError(
        `Cannot put a chain of ${count} buffers in a ring of ${this.size} descriptors`,
      );
    }
    const descriptors = indirect ? 1 : count;
    if (this.#freeCount < descriptors) return -1;
    // There are as many ids as descriptors.
    const id = this.#ids[this.#freeIds - 1]!;
    if (indirect) {
      if (!this.#writeTable(id, readable, writable, count)) return -1;
    } else {
      for (let i = 0; i < count; i++) {
        const write = i >= readable.length;
        const range = write ? writable[i - readable.length]! : readable[i]!;
        const flags = (write ? VIRTQ_DESC_F_WRITE : 0) |
          (i + 1 < count ? VIRTQ_DESC_F_NEXT : 0);
        this.#writeNext(range.address, range.length, id, flags);
      }
    }
    this.#freeIds--;
    this.#freeCount -= descriptors;
    this.#unpublished += descriptors;
    this.#held[id] = descriptors;
    if (this.#inOrder) {
      this.#writable[id] = writable.reduce((sum, r) => sum + r.length, 0);
    }
    this.#state[id] = ADDED;
    this.#order[(this.#oldest + this.#outstanding) % this.size] = id;
    this.#outstanding++;
    return id;
  }

  /**
   * Makes everything added visible to the device: it looks for the first
   * descriptor alone, so that one's flags are written last (virtio 1.1,
   * 2.7.21.1).
   */
  publish(): void {
    if (this.#firstFlagsAt === NOWHERE) return;
    for (; this.#published < this.#outstanding; this.#published++) {
      const place = (this.#oldest + this.#published) % this.size;
      this.#state[this.#order[place]!] = HELD;
    }
    this.#unasked += this.#unpublished;
    this.#unpublished = 0;
    Atomics.store(this.#ring, this.#firstFlagsAt, this.#firstFlags);
    this.#firstFlagsAt = NOWHERE;
  }

  /**
   * Whether the device wants to hear of what was published since this was last
   * asked (virtio 1.1, 2.7.21.2). The store of the flags comes before the load
   * of what the device wants, as both are atomic.
   *
   * @returns true when it has to be notified
   */
  needsKick(): boolean {
    const count = this.#unasked;
    this.#unasked = 0;
    if (count === 0) return false;
    const events = Atomics.load(this.#deviceEvents, 0);
    const flags = events >>> EVENT_FLAGS_SHIFT & EVENT_FLAGS_MASK;
    if (flags === RING_EVENT_FLAGS_DISABLE) return false;
    if (flags !== RING_EVENT_FLAGS_DESC) return true;
    const event = this.#decode(events & 0xffff);
    const round = 2 * this.size;
    // Kicks that nobody waits for do no harm.
    if (event === NOWHERE) return true;
    const first = this.#next - this.#unpublished - count;
    return (event - first + 2 * round) % round < count;
  }

  /** Whether the device has returned a request that was not taken. */
  hasUsed(): boolean {
    return this.#batchLast !== NOWHERE ||
      this.#isUsed(Atomics.load(this.#ring, this.#flagsAt(this.#taken)));
  }

  /**
   * Takes the next request the device has returned. With IN_ORDER a used
   * descriptor stands for all requests up to its own (virtio 1.1, 2.7.8);
   * those before it are taken to be written wholly.
   *
   * @param record filled with id and length
   * @returns false where there is none
   * @throws {UsedRingError} The device returned an id that it does not hold
   */
  take(record: UsedRecord): boolean {
    if (this.#batchLast !== NOWHERE) {
      this.#takeOfBatch(record);
      return true;
    }
    const at = this.#flagsAt(this.#taken);
    const word = Atomics.load(this.#ring, at);
    if (!this.#isUsed(word)) return false;
    const id = word & 0xffff;
    if (this.#state[id] !== HELD) {
      throw new UsedRingError(
        `Cannot take used descriptor ${this.#taken}: the device does not hold id ${id}`,
      );
    }
    // virtio 1.1, 2.7.4: without WRITE the length says nothing.
    const length = word >>> 16 & VIRTQ_DESC_F_WRITE
      ? this.#ring[at - DESC_ID_AND_FLAGS + DESC_LEN]!
      : 0;
    if (this.#inOrder) {
      this.#batchLast = id;
      this.#batchLength = length;
      this.#takeOfBatch(record);
      return true;
    }
    record.id = id;
    record.length = length;
    this.#release(id);
    return true;
  }

  /** Asks the device not to signal (virtio 1.1, 2.7.10). */
  disableInterrupts(): void {
    this.#tell(RING_EVENT_FLAGS_DISABLE, 0);
  }

  /**
   * Asks the device to signal the next request it returns.
   *
   * @returns true when one is there already, which may go without a signal
   */
  enableInterrupts(): boolean {
    if (this.#eventIndex) {
      this.#tell(RING_EVENT_FLAGS_DESC, this.#encode(this.#taken));
    } else {
      this.#tell(RING_EVENT_FLAGS_ENABLE, 0);
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

  /** Takes the oldest request, which a used descriptor stands for. */
  #takeOfBatch(record: UsedRecord): void {
    const id = this.#order[this.#oldest]!;
    const last = id === this.#batchLast;
    record.id = id;
    record.length = last ? this.#batchLength : this.#writable[id]!;
    if (last) this.#batchLast = NOWHERE;
    this.#release(id);
  }

  #release(id: number): void {
    const descriptors = this.#held[id]!;
    this.#taken = this.#advance(this.#taken, descriptors);
    this.#freeCount += descriptors;
    this.#ids[this.#freeIds++] = id;
    this.#state[id] = FREE;
    this.#outstanding--;
    this.#published--;
    this.#oldest = (this.#oldest + 1) % this.size;
  }

  /** Writes the next descriptor; the first unpublished one without its flags. */
  #writeNext(
    address: number,
    length: number,
    id: number,
    flags: number,
  ): void {
    const position = this.#next;
    const flagsAt = this.#flagsAt(position);
    const at = flagsAt - DESC_ID_AND_FLAGS;
    // Both halves are taken modulo 2^32.
    this.#ring[at] = address;
    this.#ring[at + 1] = Math.floor(address / 0x1_0000_0000);
    this.#ring[at + DESC_LEN] = length;
    // virtio 1.1, 2.7.1: AVAIL is the wrap counter, USED is not.
    const available = position < this.size
      ? VIRTQ_DESC_F_AVAIL
      : VIRTQ_DESC_F_USED;
    const word = ((flags | available) << 16 | id) >>> 0;
    if (this.#firstFlagsAt === NOWHERE) {
      this.#firstFlagsAt = flagsAt;
      this.#firstFlags = word;
    } else {
      this.#ring[flagsAt] = word;
    }
    this.#next = this.#advance(position, 1);
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
    const { address, view } = table;
    let at = 0;
    for (const range of readable) at = writeEntry(view, at, range, 0);
    for (const range of writable) {
      at = writeEntry(view, at, range, VIRTQ_DESC_F_WRITE);
    }
    this.#writeNext(address, view.byteLength, id, VIRTQ_DESC_F_INDIRECT);
    return true;
  }

  /** Whether flags say that the descriptor at `#taken` is used. */
  #isUsed(idAndFlags: number): boolean {
    const both = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;
    // virtio 1.1, 2.7.1: both are the wrap counter.
    return (idAndFlags >>> 16 & both) === (this.#taken < this.size ? both : 0);
  }

  /** Writes the driver event suppression, in one piece. */
  #tell(flags: number, event: number): void {
    Atomics.store(this.#driverEvents, 0, flags << EVENT_FLAGS_SHIFT | event);
  }

  #advance(position: number, by: number): number {
    const sum = position + by;
    return sum < 2 * this.size ? sum : sum - 2 * this.size;
  }

  /** Index in words of a descriptor's id and flags. */
  #flagsAt(position: number): number {
    const offset = position < this.size ? position : position - this.size;
    return DESC_WORDS * offset + DESC_ID_AND_FLAGS;
  }

  #encode(position: number): number {
    return position < this.size ? position | EVENT_WRAP : position - this.size;
  }

  #decode(offsetAndWrap: number): number {
    const offset = offsetAndWrap & EVENT_OFFSET_MASK;
    if (offset >= this.size) return NOWHERE;
    return offsetAndWrap & EVENT_WRAP ? offset : offset + this.size;
  }
}

/**
 * Writes an entry of an indirect table, whose only flag is WRITE (2.7.7).
 *
 * @param table the table
 * @param at where the entry starts
 * @param range its buffer
 * @param flags 0 or WRITE
 * @returns where the next one starts
 */
function writeEntry(
  table: DataView,
  at: number,
  range: GuestRange,
  flags: number,
): number {
  // Both halves are taken modulo 2^32.
  table.setUint32(at, range.address, true);
  table.setUint32(at + 4, Math.floor(range.address / 0x1_0000_0000), true);
  table.setUint32(at + 8, range.length, true);
  table.setUint16(at + 12, 0, true);
  table.setUint16(at + 14, flags, true);
  return at + DESC_BYTES;
}
