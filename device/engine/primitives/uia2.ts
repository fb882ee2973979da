/**
 * The integrity algorithm UIA2 on SNOW 3G (TS 35.215, 4).
 *
 * Lookups go to places that depend on secret data.
 *
 * @module
 */

import type { KeyStreamMac } from "./key_stream_mac.ts";
import { Snow3g } from "./snow3g.ts";
import { swap } from "./words.ts";

/** What x^64 is reduced to (4.3.2, 4.5). */
const FIELD = 0x1b;

/** Words of a table: 16 nibbles of a block, 16 values each, 2 words a product. */
const TABLE_WORDS = 16 * 16 * 2;

/**
 * Makes the table of a factor: its product with each value of each nibble of a
 * block (MUL of 4.3.4).
 *
 * @param table receives the products as little-endian words
 * @param high bits 63 to 32 of the factor
 * @param low bits 31 to 0
 */
function tabulate(table: Int32Array, high: number, low: number): void {
  for (let nibble = 15; nibble >= 0; nibble--) {
    const start = 32 * nibble;
    for (let value = 1; value < 16; value <<= 1) {
      table[start + 2 * value] = swap(high);
      table[start + 2 * value + 1] = swap(low);
      // Times x (MULx of 4.3.2).
      const carry = high >> 31;
      high = (high << 1) | (low >>> 31);
      low = (low << 1) ^ (FIELD & carry);
    }
    for (let value = 3; value < 16; value++) {
      const one = 2 * (value & -value);
      const rest = 2 * value - one;
      if (rest === 0) continue;
      for (let word = start; word < start + 2; word++) {
        table[word + 2 * value] = table[word + one]! ^ table[word + rest]!;
      }
    }
  }
}

/** UIA2 with its key. */
export class Uia2 implements KeyStreamMac {
  readonly #stream: Snow3g;
  /** z1 to z5 (4.4): P, Q and OTP. */
  readonly #z: Int32Array<ArrayBuffer> = new Int32Array(5);
  /** Products of P. */
  readonly #table: Int32Array<ArrayBuffer> = new Int32Array(TABLE_WORDS);
  /** EVAL, two little-endian words. */
  readonly #eval: Int32Array<ArrayBuffer> = new Int32Array(2);
  /** A last block, padded. */
  readonly #block: Uint32Array<ArrayBuffer> = new Uint32Array(2);
  #length = 0;

  /** @param key 16 bytes, copied */
  constructor(key: Uint8Array) {
    this.#stream = new Snow3g(key);
  }

  /**
   * Starts a message (4.4).
   *
   * @param iv 16 bytes: COUNT, FRESH, and both again with DIRECTION added
   */
  start(iv: Uint8Array): void {
    this.#stream.start(iv);
    this.#stream.generate(this.#z, 5);
    tabulate(this.#table, this.#z[0]!, this.#z[1]!);
    this.#eval.fill(0);
    this.#length = 0;
  }

  /**
   * Absorbs the next part of the message (4.5).
   *
   * @param words the part as little-endian words
   * @param bits length of the part; only the last is no multiple of 64
   */
  update(words: Uint32Array, bits: number): void {
    this.#length += bits;
    const rest = bits % 64;
    const whole = (bits - rest) / 32;
    this.#multiply(words, whole);
    if (rest === 0) return;
    // Padded with zeros.
    const high = rest < 32 ? -1 << (32 - rest) : -1;
    const low = rest > 32 ? -1 << (64 - rest) : 0;
    this.#block[0] = words[whole]! & swap(high);
    this.#block[1] = words[whole + 1]! & swap(low);
    this.#multiply(this.#block, 2);
  }

  /**
   * Ends the message (4.5).
   *
   * @returns the MAC, a signed number
   */
  finish(): number {
    const length = this.#length;
    const sum = this.#eval;
    sum[0] = sum[0]! ^ swap(Math.floor(length / 2 ** 32));
    sum[1] = sum[1]! ^ swap(length | 0);
    tabulate(this.#table, this.#z[2]!, this.#z[3]!);
    this.#block.fill(0);
    this.#multiply(this.#block, 2);
    return swap(sum[0]!) ^ this.#z[4]!;
  }

  /** Overwrites key and state. It cannot be started again. */
  wipe(): void {
    this.#stream.wipe();
    this.#z.fill(0);
    this.#table.fill(0);
    this.#eval.fill(0);
    this.#block.fill(0);
  }

  /** Adds blocks to EVAL, and multiplies it by what the table is of. */
  #multiply(words: Uint32Array, count: number): void {
    const table = this.#table;
    let e0 = this.#eval[0]!;
    let e1 = this.#eval[1]!;
    for (let i = 0; i < count; i += 2) {
      let z0 = 0;
      let z1 = 0;
      let start = 0;
      for (let k = 0; k < 2; k++) {
        let word = words[i + k]! ^ (k === 0 ? e0 : e1);
        for (let byte = 0; byte < 4; byte++) {
          const high = start + ((word & 0xf0) >> 3);
          const low = start + 32 + ((word & 0x0f) << 1);
          z0 ^= table[high]! ^ table[low]!;
          z1 ^= table[high + 1]! ^ table[low + 1]!;
          word >>>= 8;
          start += 64;
        }
      }
      e0 = z0;
      e1 = z1;
    }
    this.#eval[0] = e0;
    this.#eval[1] = e1;
  }
}
