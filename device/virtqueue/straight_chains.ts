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
import { VIRTQ_DESC_F_INDIRECT } from "./descriptor.ts";
import { CHAIN_SHIFT, CHAIN_WORDS, ChainField } from "./straight_row.ts";
import {
  isStraight as isStraightTable,
  TABLE_BYTES,
  TableField,
} from "./straight_table.ts";
import {
  offsetIn,
  WINDOW_SHIFT,
  WindowField,
  WindowFinder,
} from "./window_finder.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const INDIRECT = VIRTQ_DESC_F_INDIRECT;
const TABLE = TABLE_BYTES;
const ROW_SHIFT = CHAIN_SHIFT;
const isStraight = isStraightTable;
const inWindow = offsetIn;
const SHIFT = WINDOW_SHIFT;
const { LOW, HIGH, SIZE, VIEW, WORD, ADDRESS_LOW, ADDRESS_HIGH } = WindowField;

/** Where there is no memory. */
const NO_WORDS = new Uint32Array(new SharedArrayBuffer(0));

/**
 * High half of an address in a window.
 *
 * @param low its low half, as a signed word
 * @param startLow low half of the window's address
 * @param startHigh high half
 * @returns the high half
 */
function highHalf(low: number, startLow: number, startHigh: number): number {
  return (low >>> 0) < (startLow >>> 0) ? startHigh + 1 : startHigh;
}

const {
  ID,
  HEADER,
  SESSION_LOW,
  SESSION_HIGH,
  IV,
  IV_LOW,
  IV_HIGH,
  SOURCE_LOW,
  SOURCE_HIGH,
  SOURCE_LENGTH,
  DESTINATION_LOW,
  DESTINATION_HIGH,
  DESTINATION_LENGTH,
  STATUS,
  STATUS_WINDOW,
  VIEWS,
} = ChainField;
const {
  HEADER_ADDRESS,
  IV_ADDRESS,
  SOURCE_ADDRESS,
  SOURCE_LENGTH: SOURCE_BYTES,
  DESTINATION_ADDRESS,
  DESTINATION_LENGTH: DESTINATION_BYTES,
  STATUS_ADDRESS,
} = TableField;
/** Until it is read: index of the table's first word, and the view it is in. */
const TABLE_AT = HEADER;
const TABLE_VIEW = VIEWS;
const ROW = CHAIN_WORDS;

/**
 * The chains of a batch, each in a row of words. Each part of one is in a window
 * of guest memory, and mostly all windows are in the same view.
 */
export class StraightChains {
  /** Most chains that are held at a time. */
  readonly capacity: number;
  /** Number of chains. */
  count = 0;
  /** The view of the first one's table, and mostly of all there is. */
  view = 0;
  /** What {@linkcode ChainField.VIEWS} is of a chain that is in that view. */
  views = 0;
  /** That view's words. */
  words: Uint32Array<SharedArrayBuffer> = NO_WORDS;
  /** A row of each, {@linkcode ChainField}. */
  readonly rows: Int32Array;
  /** Whether the low halves of the sessions' ids differ. */
  several = false;
  /** Whether more chains wait in the ring. */
  more = false;
  readonly #headerLength: number;
  readonly #ivLength: number;
  readonly #sessionAt: number;
  readonly #finder = new WindowFinder();
  /** The window of the first one's table. */
  #window = 0;
  /** Its row; -1 bytes once a table was in another view. */
  #low = 0;
  #high = 0;
  #size = 0;
  #word = 0;
  /** Number of chains whose tables are in the batch's view: the first ones. */
  #together = 0;

  /**
   * @param capacity most chains that are held at a time
   * @param headerLength bytes of the first buffer
   * @param sessionAt index in it of the words that are the session's id
   * @param ivLength bytes of the second buffer
   */
  constructor(
    capacity: number,
    headerLength: number,
    sessionAt: number,
    ivLength: number,
  ) {
    this.capacity = capacity;
    this.#headerLength = headerLength;
    this.#ivLength = ivLength;
    this.#sessionAt = sessionAt;
    this.rows = new Int32Array(ROW * capacity);
  }

  /**
   * Turns to a guest's memory.
   *
   * @param memory the memory
   * @param addresses halves of each window's address in this process, as signed
   * words
   */
  bind(memory: GuestMemory, addresses: Int32Array): void {
    this.#finder.bind(memory, addresses);
    this.#turn(0);
  }

  /** Starts a batch. */
  begin(): void {
    this.count = 0;
    this.more = false;
    if (this.#size < 0) this.#turn(this.#window);
  }

  /** Makes a window that of the batch. */
  #turn(window: number): void {
    this.#window = window;
    const { memory, windows } = this.#finder;
    const at = window << SHIFT;
    this.#low = windows[at + LOW]!;
    this.#high = windows[at + HIGH]!;
    this.#size = windows[at + SIZE]!;
    this.#word = windows[at + WORD]!;
    const view = windows[at + VIEW]!;
    this.view = view;
    this.views = view | view << 16;
    this.words = memory.views[view] ?? NO_WORDS;
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
    this.rows[row + TABLE_AT] = this.#word + (table >> 2);
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
    if (this.count === 0) this.#turn(finder.placed);
    const found = finder.placed << SHIFT;
    const view = finder.windows[found + VIEW]!;
    if (view !== this.view && this.#size >= 0) {
      this.#together = this.count;
      this.#size = -1;
    }
    const row = this.count++ << ROW_SHIFT;
    this.rows[row + ID] = id;
    this.rows[row + TABLE_VIEW] = view;
    this.rows[row + TABLE_AT] = finder.windows[found + WORD]! + (table >> 2);
    return true;
  }

  /**
   * Reads the tables of the chains that were added, and drops the first that is
   * not a straight one, with all behind it.
   *
   * @param packed whether the ring is a packed one
   */
  read(packed: boolean): void {
    const { view, words, rows } = this;
    const header = this.#headerLength;
    const ivLength = this.#ivLength;
    const sessionAt = this.#sessionAt;
    const finder = this.#finder;
    const { windows } = finder;
    const { views } = finder.memory;
    // The window that the last header was in, and its row.
    let window = this.#window;
    let low = this.#low;
    let high = this.#high;
    let size = windows[(window << SHIFT) + SIZE]!;
    let word = this.#word;
    let addressLow = windows[(window << SHIFT) + ADDRESS_LOW]!;
    let addressHigh = windows[(window << SHIFT) + ADDRESS_HIGH]!;
    let own = view;
    const together = this.#size < 0 ? this.#together : this.count;
    let first = 0;
    let several = 0;
    let slot = 0;
    for (let row = 0; slot < together; slot++, row += ROW) {
      const t = rows[row + TABLE_AT]!;
      if (!isStraight(words, t, header, ivLength, packed)) {
        this.count = slot;
        break;
      }
      const headLow = words[t + HEADER_ADDRESS]!;
      const headHigh = words[t + HEADER_ADDRESS + 1]!;
      const sourceLength = words[t + SOURCE_BYTES]! | 0;
      const destinationLength = words[t + DESTINATION_BYTES]! | 0;
      let head = inWindow(headLow, headHigh, low, high);
      if (head < 0 || header > size - head) {
        window = finder.guess(headLow, headHigh);
        const at = window << SHIFT;
        low = windows[at + LOW]!;
        high = windows[at + HIGH]!;
        size = windows[at + SIZE]!;
        word = windows[at + WORD]!;
        addressLow = windows[at + ADDRESS_LOW]!;
        addressHigh = windows[at + ADDRESS_HIGH]!;
        own = windows[at + VIEW]!;
        head = inWindow(headLow, headHigh, low, high);
        if (head < 0 || header > size - head) break;
      }
      const iv = inWindow(
        words[t + IV_ADDRESS]!,
        words[t + IV_ADDRESS + 1]!,
        low,
        high,
      );
      const source = inWindow(
        words[t + SOURCE_ADDRESS]!,
        words[t + SOURCE_ADDRESS + 1]!,
        low,
        high,
      );
      const destination = inWindow(
        words[t + DESTINATION_ADDRESS]!,
        words[t + DESTINATION_ADDRESS + 1]!,
        low,
        high,
      );
      const status = inWindow(
        words[t + STATUS_ADDRESS]!,
        words[t + STATUS_ADDRESS + 1]!,
        low,
        high,
      );
      if (
        // Negative is what is not in the window, or 2^31 and more.
        (sourceLength | destinationLength) < 0 ||
        (iv | source | destination | status) < 0 || ivLength > size - iv ||
        sourceLength > size - source ||
        destinationLength > size - destination || status >= size ||
        ((head | iv) & 3) !== 0
      ) break;
      const headerAt = word + (head >> 2);
      const ivLow = (addressLow + iv) | 0;
      const sourceLow = (addressLow + source) | 0;
      const destinationLow = (addressLow + destination) | 0;
      rows[row + HEADER] = headerAt;
      rows[row + IV] = word + (iv >> 2);
      rows[row + IV_LOW] = ivLow;
      rows[row + IV_HIGH] = highHalf(ivLow, addressLow, addressHigh);
      rows[row + SOURCE_LOW] = sourceLow;
      rows[row + SOURCE_HIGH] = highHalf(sourceLow, addressLow, addressHigh);
      rows[row + SOURCE_LENGTH] = sourceLength;
      rows[row + DESTINATION_LOW] = destinationLow;
      rows[row + DESTINATION_HIGH] = highHalf(
        destinationLow,
        addressLow,
        addressHigh,
      );
      rows[row + DESTINATION_LENGTH] = destinationLength;
      rows[row + STATUS] = status;
      rows[row + STATUS_WINDOW] = window;
      rows[row + VIEWS] = own | own << 16;
      // Asked for now, the header is there when it is judged.
      let session = 0;
      if (own === view) {
        session = words[headerAt + sessionAt]!;
        rows[row + SESSION_HIGH] = words[headerAt + sessionAt + 1]!;
      } else {
        const others = views[own]!;
        session = others[headerAt + sessionAt]!;
        rows[row + SESSION_HIGH] = others[headerAt + sessionAt + 1]!;
      }
      rows[row + SESSION_LOW] = session;
      if (slot === 0) first = session;
      several |= session ^ first;
    }
    this.several = several !== 0;
    if (slot < this.count) this.#readElsewhere(slot, together, packed);
  }

  /**
   * Goes on with chains of which one has parts in several windows, or in
   * another view. What was read of its table before is not used: another thread
   * may have written there.
   */
  #readElsewhere(
    from: number,
    together: number,
    packed: boolean,
  ): void {
    const { count, rows } = this;
    const header = this.#headerLength;
    const ivLength = this.#ivLength;
    const finder = this.#finder;
    const { windows } = finder;
    const { views } = finder.memory;
    let { view, words } = this;
    let slot = from;
    for (let row = from << ROW_SHIFT; slot < count; slot++, row += ROW) {
      const own = slot < together ? this.view : rows[row + TABLE_VIEW]!;
      if (own !== view) {
        view = own;
        words = views[own]!;
      }
      const t = rows[row + TABLE_AT]!;
      if (!isStraight(words, t, header, ivLength, packed)) break;
      const headLow = words[t + HEADER_ADDRESS]!;
      const headHigh = words[t + HEADER_ADDRESS + 1]!;
      const ivLow = words[t + IV_ADDRESS]!;
      const ivHigh = words[t + IV_ADDRESS + 1]!;
      const sourceLow = words[t + SOURCE_ADDRESS]!;
      const sourceHigh = words[t + SOURCE_ADDRESS + 1]!;
      const sourceLength = words[t + SOURCE_BYTES]! | 0;
      const destinationLow = words[t + DESTINATION_ADDRESS]!;
      const destinationHigh = words[t + DESTINATION_ADDRESS + 1]!;
      const destinationLength = words[t + DESTINATION_BYTES]! | 0;
      const statusLow = words[t + STATUS_ADDRESS]!;
      const statusHigh = words[t + STATUS_ADDRESS + 1]!;
      if ((sourceLength | destinationLength) < 0) break;
      // Written out: a call for each part takes longer than all else here.
      let headAt = finder.guess(headLow, headHigh) << SHIFT;
      let ivAt = finder.guess(ivLow, ivHigh) << SHIFT;
      let sourceAt = finder.guess(sourceLow, sourceHigh) << SHIFT;
      let destinationAt = finder.guess(destinationLow, destinationHigh) <<
        SHIFT;
      let statusAt = finder.guess(statusLow, statusHigh) << SHIFT;
      let head = inWindow(
        headLow,
        headHigh,
        windows[headAt + LOW]!,
        windows[headAt + HIGH]!,
      );
      let iv = inWindow(
        ivLow,
        ivHigh,
        windows[ivAt + LOW]!,
        windows[ivAt + HIGH]!,
      );
      let source = inWindow(
        sourceLow,
        sourceHigh,
        windows[sourceAt + LOW]!,
        windows[sourceAt + HIGH]!,
      );
      let destination = inWindow(
        destinationLow,
        destinationHigh,
        windows[destinationAt + LOW]!,
        windows[destinationAt + HIGH]!,
      );
      let status = inWindow(
        statusLow,
        statusHigh,
        windows[statusAt + LOW]!,
        windows[statusAt + HIGH]!,
      );
      if (
        (head | iv | source | destination | status) < 0 ||
        header > windows[headAt + SIZE]! - head ||
        ivLength > windows[ivAt + SIZE]! - iv ||
        sourceLength > windows[sourceAt + SIZE]! - source ||
        destinationLength > windows[destinationAt + SIZE]! - destination ||
        status >= windows[statusAt + SIZE]!
      ) {
        head = finder.place(headLow, headHigh, header);
        headAt = finder.placed << SHIFT;
        iv = finder.place(ivLow, ivHigh, ivLength);
        ivAt = finder.placed << SHIFT;
        source = finder.place(sourceLow, sourceHigh, sourceLength);
        sourceAt = finder.placed << SHIFT;
        destination = finder.place(
          destinationLow,
          destinationHigh,
          destinationLength,
        );
        destinationAt = finder.placed << SHIFT;
        status = finder.place(statusLow, statusHigh, 1);
        statusAt = finder.placed << SHIFT;
        if ((head | iv | source | destination | status) < 0) break;
      }
      if (((head | iv) & 3) !== 0) break;
      const headerAt = windows[headAt + WORD]! + (head >> 2);
      rows[row + HEADER] = headerAt;
      rows[row + IV] = windows[ivAt + WORD]! + (iv >> 2);
      this.#writeAddress(row + IV_LOW, ivAt, iv);
      this.#writeAddress(row + SOURCE_LOW, sourceAt, source);
      rows[row + SOURCE_LENGTH] = sourceLength;
      this.#writeAddress(row + DESTINATION_LOW, destinationAt, destination);
      rows[row + DESTINATION_LENGTH] = destinationLength;
      rows[row + STATUS] = status;
      rows[row + STATUS_WINDOW] = statusAt >> SHIFT;
      const headView = windows[headAt + VIEW]!;
      rows[row + VIEWS] = headView | windows[ivAt + VIEW]! << 16;
      if (headView !== view) {
        view = headView;
        words = views[view]!;
      }
      rows[row + SESSION_LOW] = words[headerAt + this.#sessionAt]!;
      rows[row + SESSION_HIGH] = words[headerAt + this.#sessionAt + 1]!;
      if (rows[row + SESSION_LOW] !== rows[SESSION_LOW]) this.several = true;
    }
    this.count = slot;
  }

  /** Writes the address of an offset in a window, in halves. */
  #writeAddress(to: number, at: number, offset: number): void {
    const { rows } = this;
    const { windows } = this.#finder;
    const startLow = windows[at + ADDRESS_LOW]!;
    const low = (startLow + offset) | 0;
    rows[to] = low;
    rows[to + 1] = highHalf(low, startLow, windows[at + ADDRESS_HIGH]!);
  }
}
