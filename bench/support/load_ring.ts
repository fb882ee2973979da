/**
 * The driver's side of rings whose requests are laid out once, and offered
 * again and again: nothing is allocated, and next to nothing is done, so what
 * is measured is the device.
 *
 * @module
 */

import type { RingFormat, RingSetup } from "../../device/virtqueue/ring.ts";
import type { LoadMemory } from "./load_memory.ts";

/** The descriptor names its successor. */
const NEXT = 1;
/** The device may write the buffer. */
const WRITE = 2;
/** The buffer is a table of descriptors. */
const INDIRECT = 4;
/** Packed: equal to the driver's wrap counter where it is available. */
const AVAIL = 1 << 7;
/** Packed: equal to the device's wrap counter where it is used. */
const USED = 1 << 15;

const DESCRIPTOR = 16;
/** The driver asks for no signals: avail.flags. */
const NO_INTERRUPT = 1;
/** Packed: no kicks, or signals, wanted. */
const EVENTS_DISABLE = 1;
/** Packed: signals wanted for the descriptor that is named. */
const EVENTS_DESC = 2;

/** A buffer of a request. */
export interface Buffer {
  readonly address: number;
  readonly length: number;
  readonly writable: boolean;
}

/** How a ring is made. */
export interface LoadRingOptions {
  readonly format?: RingFormat;
  /** Whether each request is one indirect table, as Linux builds them; true. */
  readonly indirect?: boolean;
  /** Whether the device is to signal; false. */
  readonly signals?: boolean;
  /**
   * Least number of entries of a split ring, a power of two. Where that is more
   * than there are requests, the same ones are offered over and over.
   */
  readonly entries?: number;
}

/** A ring that offers its requests in turn. */
export interface LoadRing {
  /** How the device is told of the ring. */
  readonly setup: RingSetup;
  /**
   * Makes the next requests available.
   *
   * @param count how many: with those that are out, no more than there are, or
   * than the ring has entries
   */
  offer(count: number): void;
  /** Whether the device asked to be kicked for what was offered last. */
  needsKick(): boolean;
  /** Whether all that was offered came back. */
  isDone(): boolean;
  /**
   * Of a split ring with signals: makes as many requests available as the ring
   * has room for, and asks to be told when half of them came back.
   *
   * @returns how many came back since it was last called
   */
  refill?(): number;
}

/** Writes descriptors, one after the other. */
function describe(
  memory: LoadMemory,
  at: number,
  buffers: readonly Buffer[],
  next: (i: number) => number,
  packed: boolean,
): void {
  const bytes = memory.bytes(at, DESCRIPTOR * buffers.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  buffers.forEach(({ address, length, writable }, i) => {
    const flags = (writable ? WRITE : 0) |
      (i < buffers.length - 1 ? NEXT : 0);
    view.setBigUint64(DESCRIPTOR * i, BigInt(address), true);
    view.setUint32(DESCRIPTOR * i + 8, length, true);
    view.setUint16(DESCRIPTOR * i + (packed ? 14 : 12), flags, true);
    if (!packed) view.setUint16(DESCRIPTOR * i + 14, next(i), true);
  });
}

/** The buffers of each request, or the one that is their table. */
function chains(
  memory: LoadMemory,
  requests: readonly (readonly Buffer[])[],
  indirect: boolean,
  packed: boolean,
): readonly (readonly Buffer[])[] {
  if (!indirect) return requests;
  return requests.map((buffers) => {
    const length = DESCRIPTOR * buffers.length;
    const address = memory.allocate(length, DESCRIPTOR);
    describe(memory, address, buffers, (i) => i + 1, packed);
    return [{ address, length, writable: false }];
  });
}

class SplitLoadRing implements LoadRing {
  readonly setup: RingSetup;
  readonly #available: Uint16Array<SharedArrayBuffer>;
  readonly #used: Uint16Array<SharedArrayBuffer>;
  readonly #usedEvent: number;
  readonly #availEvent: number;
  readonly #signals: boolean;
  #next = 0;
  #before = 0;
  #usedSeen = 0;

  constructor(
    memory: LoadMemory,
    requests: readonly (readonly Buffer[])[],
    { entries = 1, indirect = true, signals = false }: LoadRingOptions,
  ) {
    const lists = chains(memory, requests, indirect, false);
    const longest = Math.max(...lists.map((list) => list.length));
    const stride = 2 ** Math.ceil(Math.log2(longest));
    const size = Math.max(entries, stride * requests.length);
    const descriptors = memory.allocate(DESCRIPTOR * size);
    const available = memory.allocate(6 + 2 * size);
    const used = memory.allocate(6 + 8 * size);
    // Of an earlier ring in the same memory there may be something left.
    this.#available = halfWords(memory, available, 3 + size).fill(0);
    this.#used = halfWords(memory, used, 3 + 4 * size).fill(0);
    this.#availEvent = 2 + 4 * size;
    this.#usedEvent = 2 + size;
    this.#signals = signals;
    lists.forEach((list, i) => {
      const first = stride * i;
      describe(
        memory,
        descriptors + DESCRIPTOR * first,
        list,
        (j) => first + j + 1,
        false,
      );
      if (indirect) {
        halfWords(memory, descriptors + DESCRIPTOR * first, 8)[6] = INDIRECT;
      }
    });
    for (let i = 0; i < size; i++) {
      this.#available[2 + i] = stride * (i % requests.length);
    }
    // With event indices the device looks at nothing but used_event, which
    // stays where it is: a signal comes once in 65536 requests.
    if (!signals) this.#available[0] = NO_INTERRUPT;
    this.setup = {
      format: "split",
      size,
      descriptorAddress: memory.userAddress(descriptors),
      availableAddress: memory.userAddress(available),
      usedAddress: memory.userAddress(used),
      state: 0,
      notification: "event-index",
      indirect,
    };
  }

  offer(count: number): void {
    this.#before = this.#next;
    this.#next = (this.#next + count) & 0xffff;
    // To be told of the last of them.
    if (this.#signals) {
      this.#available[this.#usedEvent] = (this.#next - 1) & 0xffff;
    }
    Atomics.store(this.#available, 1, this.#next);
  }

  refill(): number {
    const { size } = this.setup;
    const used = Atomics.load(this.#used, 1);
    const count = (used - this.#usedSeen) & 0xffff;
    this.#usedSeen = used;
    this.#before = this.#next;
    this.#next = (used + size - 1) & 0xffff;
    this.#available[this.#usedEvent] = (used + (size >> 1)) & 0xffff;
    Atomics.store(this.#available, 1, this.#next);
    return count;
  }

  needsKick(): boolean {
    // virtio 1.1, 2.6.8.2: the device wants to hear of entry `event`.
    const event = Atomics.load(this.#used, this.#availEvent);
    const count = (this.#next - this.#before) & 0xffff;
    return ((this.#next - event - 1) & 0xffff) < count;
  }

  isDone(): boolean {
    return Atomics.load(this.#used, 1) === this.#next;
  }
}

class PackedLoadRing implements LoadRing {
  readonly setup: RingSetup;
  // Signed: a number above 2^31 that leaves a function is garbage.
  readonly #ring: Int32Array<SharedArrayBuffer>;
  readonly #events: Int32Array<SharedArrayBuffer>;
  readonly #deviceEvents: Int32Array<SharedArrayBuffer>;
  /** What the descriptors hold, id and flags without those of the ring. */
  readonly #template: Int32Array;
  readonly #stride: number;
  readonly #requests: number;
  readonly #signals: boolean;
  #next = 0;
  #wrap = true;
  /** The first request that is out, in which round, and how many are. */
  #first = 0;
  #firstWrap = true;
  #out = 0;

  constructor(
    memory: LoadMemory,
    requests: readonly (readonly Buffer[])[],
    { indirect = true, signals = false }: LoadRingOptions,
  ) {
    const lists = chains(memory, requests, indirect, true);
    this.#stride = lists[0]!.length;
    this.#requests = requests.length;
    this.#signals = signals;
    const size = this.#stride * requests.length;
    const ring = memory.allocate(DESCRIPTOR * size);
    const driverEvents = memory.allocate(4);
    const deviceEvents = memory.allocate(4);
    lists.forEach((list, i) => {
      const at = ring + DESCRIPTOR * this.#stride * i;
      describe(memory, at, list, () => 0, true);
      list.forEach((_, j) => {
        const words = halfWords(memory, at + DESCRIPTOR * j, 8);
        words[6] = i;
        if (indirect) words[7] = INDIRECT;
      });
    });
    this.#ring = wholeWords(memory, ring, 4 * size);
    this.#template = Int32Array.from(this.#ring);
    // As if a round before this one had been used: not available.
    for (let at = 3; at < this.#ring.length; at += 4) this.#ring[at] = 0;
    this.#events = wholeWords(memory, driverEvents, 1).fill(0);
    this.#deviceEvents = wholeWords(memory, deviceEvents, 1).fill(0);
    if (!signals) this.#events[0] = EVENTS_DISABLE << 16;
    this.setup = {
      format: "packed",
      size,
      descriptorAddress: memory.userAddress(ring),
      availableAddress: memory.userAddress(driverEvents),
      usedAddress: memory.userAddress(deviceEvents),
      state: 0x8000_8000,
      notification: "event-index",
      indirect,
    };
  }

  offer(count: number): void {
    const ring = this.#ring;
    const template = this.#template;
    const words = 4 * this.#stride;
    const firstAt = words * this.#next + 3;
    let firstFlags = 0;
    for (let n = 0; n < count; n++) {
      const wrap = (this.#wrap ? AVAIL : USED) << 16;
      const first = words * this.#next;
      for (let at = first; at < first + words; at += 4) {
        ring[at] = template[at]!;
        ring[at + 1] = template[at + 1]!;
        ring[at + 2] = template[at + 2]!;
        const flags = template[at + 3]! | wrap;
        // The very first makes all the others available.
        if (at + 3 === firstAt) firstFlags = flags;
        else ring[at + 3] = flags;
      }
      if (this.#signals && n === count - 1) {
        const offset = this.#next * this.#stride;
        this.#events[0] = EVENTS_DESC << 16 | offset |
          (this.#wrap ? 0x8000 : 0);
      }
      if (++this.#next === this.#requests) {
        this.#next = 0;
        this.#wrap = !this.#wrap;
      }
    }
    this.#out += count;
    Atomics.store(ring, firstAt, firstFlags);
  }

  needsKick(): boolean {
    const flags = Atomics.load(this.#deviceEvents, 0) >>> 16 & 3;
    return flags !== EVENTS_DISABLE;
  }

  isDone(): boolean {
    // In order: what lies behind one that is not used yet says nothing, as the
    // device writes the first of a batch last (virtio 1.1, 2.7.2).
    while (this.#out > 0) {
      const at = 4 * this.#stride * this.#first + 3;
      const flags = Atomics.load(this.#ring, at) >>> 16 & (AVAIL | USED);
      if (flags !== (this.#firstWrap ? AVAIL | USED : 0)) return false;
      this.#out--;
      if (++this.#first === this.#requests) {
        this.#first = 0;
        this.#firstWrap = !this.#firstWrap;
      }
    }
    return true;
  }
}

function halfWords(
  memory: LoadMemory,
  address: number,
  count: number,
): Uint16Array<SharedArrayBuffer> {
  const { buffer, byteOffset } = memory.bytes(address, 2 * count);
  return new Uint16Array(buffer, byteOffset, count);
}

function wholeWords(
  memory: LoadMemory,
  address: number,
  count: number,
): Int32Array<SharedArrayBuffer> {
  const { buffer, byteOffset } = memory.bytes(address, 4 * count);
  return new Int32Array(buffer, byteOffset, count);
}

/**
 * Makes a ring of requests.
 *
 * @param memory where it lies
 * @param requests the buffers of each request, the readable ones first; a
 * power of two of requests, of as many buffers each
 * @param options how it is made
 * @returns the ring
 */
export function loadRing(
  memory: LoadMemory,
  requests: readonly (readonly Buffer[])[],
  options: LoadRingOptions = {},
): LoadRing {
  return options.format === "packed"
    ? new PackedLoadRing(memory, requests, options)
    : new SplitLoadRing(memory, requests, options);
}
