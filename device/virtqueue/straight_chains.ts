/**
 * Chains as drivers build them for a plain cipher: an indirect table of five
 * descriptors, which are the header, the iv, the source, the destination and
 * the status, all in one window of guest memory. They are recognised without a
 * general walk, which leaves each of its fields one place to be in.
 *
 * Whatever differs in the least is no such chain, and is walked as any other.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import {
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
} from "./descriptor.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const INDIRECT = VIRTQ_DESC_F_INDIRECT;
const READ = VIRTQ_DESC_F_NEXT;
const WRITE = VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT;
const LAST = VIRTQ_DESC_F_WRITE;
const TWO_32 = 0x1_0000_0000;

/** Where there is no memory. */
const NO_WORDS = new Uint32Array(new SharedArrayBuffer(0));

/** Bytes of the table. */
const TABLE = 5 * 16;
// What flags and next of the first four descriptors are together in a split
// ring's table.
const HEADER_LINK = READ | 1 << 16;
const IV_LINK = READ | 2 << 16;
const SOURCE_LINK = READ | 3 << 16;
const DESTINATION_LINK = WRITE | 4 << 16;
/** WRITE in the flags of a packed ring's table. */
const PACKED_WRITE = VIRTQ_DESC_F_WRITE << 16;

/**
 * Offset of an address in a window, in whole numbers of 32 bits.
 *
 * @param low low half of the address
 * @param high high half
 * @param startLow low half of the window's address, as a signed word
 * @param startHigh high half
 * @returns the offset, or a negative number where it is 2^31 or more
 */
function offsetIn(
  low: number,
  high: number,
  startLow: number,
  startHigh: number,
): number {
  const borrow = low < (startLow >>> 0) ? 1 : 0;
  return ((high - borrow) | 0) === startHigh ? (low - startLow) | 0 : -1;
}

/** The chains of a batch. Offsets are in bytes, from the window's start. */
export class StraightChains {
  /** Most chains that are held at a time. */
  readonly capacity: number;
  /** Number of chains. */
  count = 0;
  /** Index of the window they are in. */
  window = 0;
  /** The window's words. */
  words: Uint32Array<SharedArrayBuffer> = NO_WORDS;
  /** Buffer id of each chain. */
  readonly id: Int32Array;
  /** Index of the header's first word. */
  readonly header: Int32Array;
  /** Index of the iv's first word. */
  readonly iv: Int32Array;
  /** Bytes of the iv. */
  readonly ivLength: Int32Array;
  /** Where the source is. */
  readonly source: Int32Array;
  /** Bytes of the source. */
  readonly sourceLength: Int32Array;
  /** Where the destination is. */
  readonly destination: Int32Array;
  /** Bytes of the destination. */
  readonly destinationLength: Int32Array;
  /** Where the status goes. */
  readonly status: Int32Array;
  /** Whether more chains wait in the ring. */
  more = false;
  /** Index of each table's first word. */
  readonly #table: Int32Array;
  /** Halves of the window's guest address, as signed words. */
  #low = 0;
  #high = 0;
  #size = 0;
  /** What was read to have it come, kept so that it is read. */
  #touched = 0;

  /** @param capacity most chains that are held at a time */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.id = new Int32Array(capacity);
    this.header = new Int32Array(capacity);
    this.iv = new Int32Array(capacity);
    this.ivLength = new Int32Array(capacity);
    this.source = new Int32Array(capacity);
    this.sourceLength = new Int32Array(capacity);
    this.destination = new Int32Array(capacity);
    this.destinationLength = new Int32Array(capacity);
    this.status = new Int32Array(capacity);
    this.#table = new Int32Array(capacity);
  }

  /**
   * Starts a batch.
   *
   * @param memory the guest's memory
   * @param window index of the window that chains are to be in
   */
  begin(memory: GuestMemory, window: number): void {
    this.count = 0;
    this.more = false;
    const words = memory.words[window] ?? NO_WORDS;
    if (words === this.words) return;
    this.window = window;
    this.words = words;
    const start = words === NO_WORDS ? 0 : memory.start(window);
    this.#low = start | 0;
    this.#high = (start / TWO_32) | 0;
    this.#size = words.length * 4;
  }

  /**
   * Adds the chain of a descriptor, if its table can be that of a straight one.
   * The table itself is read by {@linkcode read}, all tables at once: the guest
   * has written them on another processor, and they come side by side.
   *
   * @param id the buffer id to return it by
   * @param ring the ring's descriptors
   * @param at index of the descriptor's first word
   * @param flags its flags
   * @returns false for any other chain
   */
  add(id: number, ring: Uint32Array, at: number, flags: number): boolean {
    if (flags !== INDIRECT || ring[at + 2] !== TABLE) return false;
    const table = offsetIn(ring[at]!, ring[at + 1]!, this.#low, this.#high);
    if (table < 0 || table > this.#size - TABLE || (table & 3) !== 0) {
      return false;
    }
    const slot = this.count++;
    this.id[slot] = id;
    this.#table[slot] = table >> 2;
    return true;
  }

  /**
   * Reads the tables of the chains that were added, and drops the first that is
   * not a straight one, with all behind it.
   *
   * @param header bytes that its first buffer has to have
   * @param packed whether the ring is a packed one
   */
  read(header: number, packed: boolean): void {
    const low = this.#low;
    const high = this.#high;
    const size = this.#size;
    const { count, words } = this;
    let touched = 0;
    let slot = 0;
    for (; slot < count; slot++) {
      const t = this.#table[slot]!;
      if (words[t + 18] !== 1 || words[t + 2] !== header) break;
      // In a packed ring's table the entries follow each other, and of their
      // flags, which are the high half, only WRITE counts (virtio 1.1, 2.7.7).
      const linked = packed
        ? ((words[t + 3]! | words[t + 7]! | words[t + 11]!) & PACKED_WRITE) ===
            0 &&
          (words[t + 15]! & words[t + 19]! & PACKED_WRITE) !== 0
        : words[t + 3] === HEADER_LINK && words[t + 7] === IV_LINK &&
          words[t + 11] === SOURCE_LINK && words[t + 15] === DESTINATION_LINK &&
          (words[t + 19]! & 0xffff) === LAST;
      if (!linked) break;
      const ivLength = words[t + 6]! | 0;
      const sourceLength = words[t + 10]! | 0;
      const destinationLength = words[t + 14]! | 0;
      const head = offsetIn(words[t]!, words[t + 1]!, low, high);
      const iv = offsetIn(words[t + 4]!, words[t + 5]!, low, high);
      const source = offsetIn(words[t + 8]!, words[t + 9]!, low, high);
      const destination = offsetIn(words[t + 12]!, words[t + 13]!, low, high);
      const status = offsetIn(words[t + 16]!, words[t + 17]!, low, high);
      if (
        // Negative is what is not in the window, or 2^31 and more.
        (ivLength | sourceLength | destinationLength) < 0 ||
        (head | iv | source | destination | status) < 0 ||
        header > size - head || ivLength > size - iv ||
        sourceLength > size - source ||
        destinationLength > size - destination || status >= size ||
        ((head | iv) & 3) !== 0
      ) break;
      const headerAt = head >> 2;
      this.header[slot] = headerAt;
      this.iv[slot] = iv >> 2;
      this.ivLength[slot] = ivLength;
      this.source[slot] = source;
      this.sourceLength[slot] = sourceLength;
      this.destination[slot] = destination;
      this.destinationLength[slot] = destinationLength;
      this.status[slot] = status;
      // Asked for now, it is there when it is judged.
      touched ^= words[headerAt]!;
    }
    this.count = slot;
    this.#touched = touched;
  }
}
