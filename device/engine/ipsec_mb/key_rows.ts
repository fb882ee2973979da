/**
 * Expanded keys by number, each in a row of its own, side by side.
 *
 * @module
 */

import { adviseHugePages } from "../../host/libc.ts";
import { NativeMemory } from "./native_memory.ts";

/** Words of a line of the cache. */
const LINE = 16;

/**
 * Rows of native memory, which is used from its start and costs nothing where
 * it was never used. A row is overwritten when it is given back.
 */
export class KeyRows {
  /** Bytes of a row, whole lines of the cache. */
  readonly size: number;
  /** Words of a row, and how many of them are used. */
  readonly #stride: number;
  readonly #used: number;
  readonly #memory: NativeMemory;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** Low and high half of the address of row 0. */
  readonly #low: number;
  readonly #high: number;
  readonly #most: number;
  /** Rows that were given back. */
  readonly #free: number[] = [];
  /** Rows that were ever taken. */
  #taken = 0;

  /**
   * @param words words to use of each row, of 32 bits; 33 at least
   * @param bytes bytes of all rows
   */
  constructor(words: number, bytes: number) {
    this.#used = words;
    this.#stride = Math.ceil(words / LINE) * LINE;
    this.size = 4 * this.#stride;
    this.#most = Math.ceil(bytes / this.size);
    this.#memory = new NativeMemory(this.#most * this.size);
    adviseHugePages(this.#memory.address, this.#most * this.size);
    this.#words = this.#memory.words;
    this.#low = this.#memory.low;
    this.#high = this.#memory.high;
  }

  /**
   * Takes a row.
   *
   * @returns its number, or -1: there is none left
   */
  take(): number {
    if (this.#free.length > 0) return this.#free.pop()!;
    return this.#taken < this.#most ? this.#taken++ : -1;
  }

  /**
   * Writes a row.
   *
   * @param row its number
   * @param from holds what is written
   * @param at index of its first word
   */
  write(row: number, from: Uint32Array, at: number): void {
    const words = this.#words;
    const to = row * this.#stride;
    // Not by `set`, which leaves of it in vector registers.
    for (let i = 0; i < this.#used; i++) words[to + i] = from[at + i]!;
  }

  /**
   * Overwrites a row and gives it back.
   *
   * @param row its number
   */
  giveBack(row: number): void {
    const at = row * this.#stride;
    this.#words.fill(0, at, at + this.#used);
    this.#free.push(row);
  }

  /**
   * Writes the address of a row.
   *
   * @param row its number
   * @param words receives low and high half
   * @param at index of the low half in `words`
   */
  writeAddress(row: number, words: Uint32Array, at: number): void {
    words[at] = (this.#low + row * this.size) | 0;
    words[at + 1] = this.#high;
  }

  /**
   * Reads all lines of some rows.
   *
   * @param rows their numbers
   * @param count how many, from the first
   * @returns what was read, which means nothing
   */
  touch(rows: Int32Array, count: number): number {
    const words = this.#words;
    const stride = this.#stride;
    const last = stride - LINE;
    let sum = 0;
    // Short: what is read of one row waits, and the next ones are to come up.
    for (let i = 0; i < count; i++) {
      const at = rows[i]! * stride;
      sum ^= words[at]! ^ words[at + LINE]! ^ words[at + 2 * LINE]! ^
        words[at + last]!;
    }
    return sum;
  }
}
