/**
 * Where the buffers of straight chains are: guest addresses by halves of 32
 * bits, looked up in the windows of guest memory without a number that is
 * larger.
 *
 * @module
 */

import { GuestMemory } from "../memory/guest_memory.ts";

const TWO_32 = 0x1_0000_0000;

/** A power of two. */
const GUESSES = 1024;

/** What a window's number is shifted by to get its row. */
export const WINDOW_SHIFT = 3;

/** What the words of a window's row are. */
export const WindowField = {
  /** Halves of its guest address, as signed words. */
  LOW: 0,
  HIGH: 1,
  /** Its bytes that are seen as words. */
  SIZE: 2,
  /** The view that it is in, and index there of its first word. */
  VIEW: 3,
  WORD: 4,
  /** Halves of its address in this process, as signed words. */
  ADDRESS_LOW: 5,
  ADDRESS_HIGH: 6,
} as const;

const SHIFT = WINDOW_SHIFT;
const { LOW, HIGH, SIZE, VIEW, WORD, ADDRESS_LOW, ADDRESS_HIGH } = WindowField;

const NO_MEMORY = new GuestMemory([]);

/**
 * Offset of an address in a window, in whole numbers of 32 bits.
 *
 * @param low low half of the address
 * @param high high half
 * @param startLow low half of the window's address, as a signed word
 * @param startHigh high half
 * @returns the offset, or a negative number where it is 2^31 or more
 */
export function offsetIn(
  low: number,
  high: number,
  startLow: number,
  startHigh: number,
): number {
  const borrow = low < (startLow >>> 0) ? 1 : 0;
  return ((high - borrow) | 0) === startHigh ? (low - startLow) | 0 : -1;
}

/** Where a window is remembered for an address, by its halves. */
function guessOf(low: number, high: number): number {
  return ((low >>> 24) + (high << 8)) & (GUESSES - 1);
}

/** Finds the window of a buffer. */
export class WindowFinder {
  /** The memory that it finds windows of. */
  memory = NO_MEMORY;
  /** A row of each window, {@linkcode WindowField}. */
  windows: Int32Array = new Int32Array(1 << SHIFT);
  /** The window that {@linkcode place} found. */
  placed = 0;
  /** The window that was last found for addresses of each 16 MiB, modulo 16 GiB. */
  readonly #guess = new Int16Array(GUESSES);

  /**
   * Turns to a guest's memory.
   *
   * @param memory the memory
   * @param addresses halves of each window's address in this process
   */
  bind(memory: GuestMemory, addresses: Int32Array): void {
    this.memory = memory;
    const { words } = memory;
    // Without memory there is a window of no bytes.
    this.windows = new Int32Array(Math.max(1, words.length) << SHIFT);
    words.forEach(({ length }, window) => {
      const start = memory.start(window);
      const row = window << SHIFT;
      this.windows[row + LOW] = start;
      this.windows[row + HIGH] = start / TWO_32;
      this.windows[row + SIZE] = 4 * length;
      this.windows[row + VIEW] = memory.viewOf[window]!;
      this.windows[row + WORD] = memory.wordOf[window]!;
      this.windows[row + ADDRESS_LOW] = addresses[2 * window]!;
      this.windows[row + ADDRESS_HIGH] = addresses[2 * window + 1]!;
    });
    this.#guess.fill(0);
  }

  /**
   * Finds a buffer in any window, which is {@linkcode placed} then.
   *
   * @param low low half of its address
   * @param high high half
   * @param length its bytes, less than 2^31
   * @returns its offset in the window, or a negative number where it is not
   * wholly in one
   */
  place(low: number, high: number, length: number): number {
    const window = this.#guess[guessOf(low, high)]!;
    const offset = this.#offset(window, low, high, length);
    if (offset < 0) return this.#search(low, high, length);
    this.placed = window;
    return offset;
  }

  /**
   * The window that an address is in most likely: the caller sees whether it is.
   *
   * @param low low half of the address
   * @param high high half
   * @returns the window that {@linkcode place} last found near there
   */
  guess(low: number, high: number): number {
    return this.#guess[guessOf(low, high)]!;
  }

  /** As {@linkcode place}, for what is not where it was guessed to be. */
  #search(low: number, high: number, length: number): number {
    const window = this.memory.find(high * TWO_32 + low);
    if (window < 0) return -1;
    this.#guess[guessOf(low, high)] = window;
    this.placed = window;
    return this.#offset(window, low, high, length);
  }

  /** Offset in a window of what is wholly in it, or a negative number. */
  #offset(window: number, low: number, high: number, length: number): number {
    const windows = this.windows;
    const at = window << SHIFT;
    const offset = offsetIn(low, high, windows[at + LOW]!, windows[at + HIGH]!);
    return offset < 0 || length > windows[at + SIZE]! - offset ? -1 : offset;
  }
}
