/**
 * Chains as drivers build them for a plain cipher: an indirect table of five
 * descriptors, which are the header, the iv, the source, the destination and
 * the status, each in one window of guest memory. They are recognised without a
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
import {
  offsetIn,
  WINDOW_SHIFT,
  WindowField,
  WindowFinder,
} from "./window_finder.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const INDIRECT = VIRTQ_DESC_F_INDIRECT;
const READ = VIRTQ_DESC_F_NEXT;
const WRITE = VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT;
const LAST = VIRTQ_DESC_F_WRITE;
const inWindow = offsetIn;
const SHIFT = WINDOW_SHIFT;
const { LOW, HIGH, SIZE } = WindowField;

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

/** Stands for the window of a chain whose parts are not all in the same one. */
export const APART = -1;

/**
 * Whether a table's descriptors are linked as those of a straight chain.
 *
 * @param words the words of the table's window
 * @param t index of its first word
 * @param header bytes that its first buffer has to have
 * @param packed whether the ring is a packed one
 * @returns true when they are
 */
function isStraight(
  words: Uint32Array,
  t: number,
  header: number,
  packed: boolean,
): boolean {
  if (words[t + 18] !== 1 || words[t + 2] !== header) return false;
  // In a packed ring's table the entries follow each other, and of their flags,
  // which are the high half, only WRITE counts (virtio 1.1, 2.7.7).
  return packed
    ? ((words[t + 3]! | words[t + 7]! | words[t + 11]!) & PACKED_WRITE) === 0 &&
      (words[t + 15]! & words[t + 19]! & PACKED_WRITE) !== 0
    : words[t + 3] === HEADER_LINK && words[t + 7] === IV_LINK &&
      words[t + 11] === SOURCE_LINK && words[t + 15] === DESTINATION_LINK &&
      (words[t + 19]! & 0xffff) === LAST;
}

/** What a chain's number is shifted by to get its row. */
const ROW_SHIFT = 4;
/** Words of a chain's row. */
export const CHAIN_WORDS = 1 << ROW_SHIFT;

/**
 * What the words of a chain's row are. Offsets are in bytes from a window's
 * start, indices in words.
 */
export const ChainField = {
  /** Buffer id to return it by. */
  ID: 0,
  /** Index of the header's first word. */
  HEADER: 1,
  /** The session's id in the header, in halves. */
  SESSION_LOW: 2,
  SESSION_HIGH: 3,
  /** Index of the iv's first word, and bytes of the iv. */
  IV: 4,
  IV_LENGTH: 5,
  /** Offset and bytes of the source. */
  SOURCE: 6,
  SOURCE_LENGTH: 7,
  /** Offset and bytes of the destination. */
  DESTINATION: 8,
  DESTINATION_LENGTH: 9,
  /** Offset of the status. */
  STATUS: 10,
  /** The window that all parts are in, or {@linkcode APART}. */
  WINDOW: 11,
} as const;

/** The windows of the parts of a chain that is {@linkcode APART}, in its row. */
export const PartField = {
  HEADER: 0,
  IV: 1,
  SOURCE: 2,
  DESTINATION: 3,
  STATUS: 4,
} as const;

const {
  ID,
  HEADER,
  SESSION_LOW,
  SESSION_HIGH,
  IV,
  IV_LENGTH,
  SOURCE,
  SOURCE_LENGTH,
  DESTINATION,
  DESTINATION_LENGTH,
  STATUS,
  WINDOW,
} = ChainField;
/** Index of the table's first word, and the window that it is in. */
const TABLE_AT = 12;
const TABLE_WINDOW = 13;
const ROW = CHAIN_WORDS;

/**
 * The chains of a batch, each in a row of words: a field in an array of its own
 * takes three times as long. Each part of one is in a window of guest memory,
 * mostly all in the same: the windows by part are said where they are not.
 */
export class StraightChains {
  /** Most chains that are held at a time. */
  readonly capacity: number;
  /** Number of chains. */
  count = 0;
  /** The window of the first one's table, and mostly of all there is. */
  window = 0;
  /** That window's words. */
  words: Uint32Array<SharedArrayBuffer> = NO_WORDS;
  /** A row of each, {@linkcode ChainField}. */
  readonly rows: Int32Array;
  /** A row of each that is APART, {@linkcode PartField}. */
  readonly parts: Int32Array;
  /** Whether the low halves of the sessions' ids differ. */
  several = false;
  /** Whether more chains wait in the ring. */
  more = false;
  readonly #headerLength: number;
  readonly #sessionAt: number;
  readonly #finder = new WindowFinder();
  /** The row of the batch's window; -1 bytes once a table was elsewhere. */
  #low = 0;
  #high = 0;
  #size = 0;
  /** Number of chains whose tables are in the batch's window: the first ones. */
  #together = 0;

  /**
   * @param capacity most chains that are held at a time
   * @param headerLength bytes of the first buffer
   * @param sessionAt index in it of the words that are the session's id
   */
  constructor(capacity: number, headerLength: number, sessionAt: number) {
    this.capacity = capacity;
    this.#headerLength = headerLength;
    this.#sessionAt = sessionAt;
    this.rows = new Int32Array(ROW * capacity);
    this.parts = new Int32Array(ROW * capacity);
  }

  /**
   * Starts a batch.
   *
   * @param memory the guest's memory
   */
  begin(memory: GuestMemory): void {
    this.count = 0;
    this.more = false;
    const finder = this.#finder;
    if (memory !== finder.memory) {
      finder.bind(memory);
      this.#turn(0);
    } else if (this.#size < 0) {
      this.#turn(this.window);
    }
  }

  /** Makes a window that of the batch. */
  #turn(window: number): void {
    this.window = window;
    const { memory, windows } = this.#finder;
    this.words = memory.words[window] ?? NO_WORDS;
    const at = window << SHIFT;
    this.#low = windows[at + LOW]!;
    this.#high = windows[at + HIGH]!;
    this.#size = windows[at + SIZE]!;
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
    const table = inWindow(ring[at]!, ring[at + 1]!, this.#low, this.#high);
    if (table < 0 || table > this.#size - TABLE || (table & 3) !== 0) {
      return false;
    }
    const row = this.count++ << ROW_SHIFT;
    this.rows[row + ID] = id;
    this.rows[row + TABLE_AT] = table >> 2;
    return true;
  }

  /**
   * As {@linkcode add}, for what that did not take: the table may be in another
   * window. The first one's is the batch's.
   *
   * @param id the buffer id to return it by
   * @param ring the ring's descriptors
   * @param at index of the descriptor's first word
   * @param flags its flags
   * @returns false for any other chain
   */
  addElsewhere(
    id: number,
    ring: Uint32Array,
    at: number,
    flags: number,
  ): boolean {
    if (flags !== INDIRECT || ring[at + 2] !== TABLE) return false;
    const finder = this.#finder;
    const table = finder.place(ring[at]!, ring[at + 1]!, TABLE);
    if (table < 0 || (table & 3) !== 0) return false;
    if (this.count === 0) {
      this.#turn(finder.placed);
    } else if (this.#size >= 0) {
      this.#together = this.count;
      this.#size = -1;
    }
    const row = this.count++ << ROW_SHIFT;
    this.rows[row + ID] = id;
    this.rows[row + TABLE_WINDOW] = finder.placed;
    this.rows[row + TABLE_AT] = table >> 2;
    return true;
  }

  /**
   * Reads the tables of the chains that were added, and drops the first that is
   * not a straight one, with all behind it.
   *
   * @param packed whether the ring is a packed one
   */
  read(packed: boolean): void {
    const { window, words, rows } = this;
    const header = this.#headerLength;
    const sessionAt = this.#sessionAt;
    const low = this.#low;
    const high = this.#high;
    const size = this.#finder.windows[(window << SHIFT) + SIZE]!;
    const together = this.#size < 0 ? this.#together : this.count;
    let first = 0;
    let several = 0;
    let slot = 0;
    for (let row = 0; slot < together; slot++, row += ROW) {
      const t = rows[row + TABLE_AT]!;
      if (!isStraight(words, t, header, packed)) {
        this.count = slot;
        break;
      }
      const ivLength = words[t + 6]! | 0;
      const sourceLength = words[t + 10]! | 0;
      const destinationLength = words[t + 14]! | 0;
      const head = inWindow(words[t]!, words[t + 1]!, low, high);
      const iv = inWindow(words[t + 4]!, words[t + 5]!, low, high);
      const source = inWindow(words[t + 8]!, words[t + 9]!, low, high);
      const destination = inWindow(words[t + 12]!, words[t + 13]!, low, high);
      const status = inWindow(words[t + 16]!, words[t + 17]!, low, high);
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
      rows[row + HEADER] = headerAt;
      rows[row + IV] = iv >> 2;
      rows[row + IV_LENGTH] = ivLength;
      rows[row + SOURCE] = source;
      rows[row + SOURCE_LENGTH] = sourceLength;
      rows[row + DESTINATION] = destination;
      rows[row + DESTINATION_LENGTH] = destinationLength;
      rows[row + STATUS] = status;
      rows[row + WINDOW] = window;
      // Asked for now, the header is there when it is judged.
      const session = words[headerAt + sessionAt]!;
      rows[row + SESSION_LOW] = session;
      rows[row + SESSION_HIGH] = words[headerAt + sessionAt + 1]!;
      if (slot === 0) first = session;
      several |= session ^ first;
    }
    this.several = several !== 0;
    if (slot < this.count) this.#readElsewhere(slot, together, packed);
  }

  /**
   * Goes on with chains of which one is in another window. What was read of its
   * table before is not used: another thread may have written there.
   */
  #readElsewhere(
    from: number,
    together: number,
    packed: boolean,
  ): void {
    const { count, window, rows, parts } = this;
    const header = this.#headerLength;
    const finder = this.#finder;
    const { windows } = finder;
    const memory = finder.memory.words;
    let slot = from;
    for (let row = from << ROW_SHIFT; slot < count; slot++, row += ROW) {
      const own = slot < together ? window : rows[row + TABLE_WINDOW]!;
      const words = memory[own]!;
      const t = rows[row + TABLE_AT]!;
      if (!isStraight(words, t, header, packed)) break;
      const ivLow = words[t + 4]!;
      const ivHigh = words[t + 5]!;
      const ivLength = words[t + 6]! | 0;
      const sourceLow = words[t + 8]!;
      const sourceHigh = words[t + 9]!;
      const sourceLength = words[t + 10]! | 0;
      const destinationLow = words[t + 12]!;
      const destinationHigh = words[t + 13]!;
      const destinationLength = words[t + 14]! | 0;
      const statusLow = words[t + 16]!;
      const statusHigh = words[t + 17]!;
      if ((ivLength | sourceLength | destinationLength) < 0) break;
      const head = finder.place(words[t]!, words[t + 1]!, header);
      if (head < 0) break;
      // Where the header is, the others mostly are, too.
      const placed = finder.placed;
      const at = placed << SHIFT;
      const low = windows[at + LOW]!;
      const high = windows[at + HIGH]!;
      const size = windows[at + SIZE]!;
      let iv = inWindow(ivLow, ivHigh, low, high);
      let source = inWindow(sourceLow, sourceHigh, low, high);
      let destination = inWindow(destinationLow, destinationHigh, low, high);
      let status = inWindow(statusLow, statusHigh, low, high);
      let all = placed;
      if (
        (iv | source | destination | status) < 0 || ivLength > size - iv ||
        sourceLength > size - source ||
        destinationLength > size - destination || status >= size
      ) {
        all = APART;
        parts[row + PartField.HEADER] = placed;
        if (iv < 0 || ivLength > size - iv) {
          iv = finder.place(ivLow, ivHigh, ivLength);
        }
        parts[row + PartField.IV] = finder.placed;
        finder.placed = placed;
        if (source < 0 || sourceLength > size - source) {
          source = finder.place(sourceLow, sourceHigh, sourceLength);
        }
        parts[row + PartField.SOURCE] = finder.placed;
        finder.placed = placed;
        if (destination < 0 || destinationLength > size - destination) {
          destination = finder.place(
            destinationLow,
            destinationHigh,
            destinationLength,
          );
        }
        parts[row + PartField.DESTINATION] = finder.placed;
        finder.placed = placed;
        if (status < 0 || status >= size) {
          status = finder.place(statusLow, statusHigh, 1);
        }
        parts[row + PartField.STATUS] = finder.placed;
        if ((iv | source | destination | status) < 0) break;
      }
      if (((head | iv) & 3) !== 0) break;
      rows[row + WINDOW] = all;
      rows[row + HEADER] = head >> 2;
      rows[row + IV] = iv >> 2;
      rows[row + IV_LENGTH] = ivLength;
      rows[row + SOURCE] = source;
      rows[row + SOURCE_LENGTH] = sourceLength;
      rows[row + DESTINATION] = destination;
      rows[row + DESTINATION_LENGTH] = destinationLength;
      rows[row + STATUS] = status;
      this.#readSession(row, memory[placed]!, head >> 2);
    }
    this.count = slot;
  }

  /** Reads the session's id of a chain that is in a window of its own. */
  #readSession(row: number, words: Uint32Array, header: number): void {
    const { rows } = this;
    rows[row + SESSION_LOW] = words[header + this.#sessionAt]!;
    rows[row + SESSION_HIGH] = words[header + this.#sessionAt + 1]!;
    if (rows[row + SESSION_LOW] !== rows[SESSION_LOW]) this.several = true;
  }
}
