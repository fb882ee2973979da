/**
 * The integrity algorithm 128-EIA3 on ZUC (TS 35.221, 4).
 *
 * Each bit of the message that is 1 adds the 32 bits of key stream that start
 * at its place (4.5). For the 32 bits of a word that is a product without
 * carries of the word and two words of key stream, of which the middle is
 * wanted: the low half of one product and, in reversed bits, of another.
 *
 * @module
 */

import { CHUNK } from "./key_stream.ts";
import type { KeyStreamMac } from "./key_stream_mac.ts";
import { swap } from "./words.ts";
import { Zuc } from "./zuc.ts";

/** Every fourth bit. */
const HOLES = 0x1111_1111;

/**
 * The low 32 bits of a product without carries. Of operands that have only
 * every fourth bit an integer product adds up to 8 bits at each place, whose
 * carries stay below the next place: its lowest bit there is the one wanted.
 */
function multiply(a: number, b: number): number {
  const a0 = a & HOLES;
  const a1 = (a >>> 1) & HOLES;
  const a2 = (a >>> 2) & HOLES;
  const a3 = (a >>> 3) & HOLES;
  const b0 = b & HOLES;
  const b1 = (b >>> 1) & HOLES;
  const b2 = (b >>> 2) & HOLES;
  const b3 = (b >>> 3) & HOLES;
  const c0 = Math.imul(a0, b0) ^
    ((Math.imul(a1, b3) ^ Math.imul(a2, b2) ^ Math.imul(a3, b1)) << 4);
  const c1 = Math.imul(a0, b1) ^ Math.imul(a1, b0) ^
    ((Math.imul(a2, b3) ^ Math.imul(a3, b2)) << 4);
  const c2 = Math.imul(a0, b2) ^ Math.imul(a1, b1) ^ Math.imul(a2, b0) ^
    (Math.imul(a3, b3) << 4);
  const c3 = Math.imul(a0, b3) ^ Math.imul(a1, b2) ^ Math.imul(a2, b1) ^
    Math.imul(a3, b0);
  return (c0 & HOLES) | ((c1 & HOLES) << 1) | ((c2 & HOLES) << 2) |
    ((c3 & HOLES) << 3);
}

/** Reverses the bits of each byte of a word. */
function reverseBytes(word: number): number {
  word = ((word >>> 1) & 0x5555_5555) | ((word & 0x5555_5555) << 1);
  word = ((word >>> 2) & 0x3333_3333) | ((word & 0x3333_3333) << 2);
  return ((word >>> 4) & 0x0f0f_0f0f) | ((word & 0x0f0f_0f0f) << 4);
}

/** 128-EIA3 with its key. */
export class Eia3 implements KeyStreamMac {
  readonly #stream: Zuc;
  readonly #chunk: Int32Array<ArrayBuffer> = new Int32Array(CHUNK);
  /** The sum T in two parts, the second in reversed bits. */
  readonly #sum: Int32Array<ArrayBuffer> = new Int32Array(2);
  /** The last word of key stream that a word took whole, and the next one. */
  readonly #window: Int32Array<ArrayBuffer> = new Int32Array(2);
  /** A last word, padded. */
  readonly #partial: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  #length = 0;

  /** @param key 16 bytes, copied */
  constructor(key: Uint8Array) {
    this.#stream = new Zuc(key);
  }

  /**
   * Starts a message (4.3).
   *
   * @param iv 16 bytes: COUNT and BEARER, and both again with DIRECTION added
   */
  start(iv: Uint8Array): void {
    this.#stream.start(iv);
    this.#stream.generate(this.#chunk, 1);
    this.#window[1] = this.#chunk[0]!;
    this.#sum.fill(0);
    this.#length = 0;
  }

  /**
   * Absorbs the next part of the message (4.5).
   *
   * @param words the part as little-endian words
   * @param bits length of the part; only the last is no multiple of 32
   */
  update(words: Uint32Array, bits: number): void {
    this.#length += bits;
    const rest = bits % 32;
    const whole = (bits - rest) / 32;
    for (let at = 0; at < whole; at += CHUNK) {
      this.#absorb(words, at, Math.min(whole - at, CHUNK));
    }
    if (rest === 0) return;
    this.#partial[0] = words[whole]! & swap(-1 << (32 - rest));
    this.#absorb(this.#partial, 0, 1);
  }

  /**
   * Ends the message (4.5).
   *
   * @returns the MAC, a signed number
   */
  finish(): number {
    const last = this.#window[0]!;
    const next = this.#window[1]!;
    const rest = this.#length % 32;
    // The 32 bits of key stream after those of the message's last bit.
    const after = rest === 0 ? next : (last << rest) | (next >>> (32 - rest));
    this.#stream.generate(this.#chunk, 1);
    return this.#sum[0]! ^ swap(reverseBytes(this.#sum[1]!)) ^ after ^
      this.#chunk[0]!;
  }

  /** Overwrites key and state. It cannot be started again. */
  wipe(): void {
    this.#stream.wipe();
    this.#chunk.fill(0);
    this.#sum.fill(0);
    this.#window.fill(0);
    this.#partial.fill(0);
  }

  /** Adds what up to {@linkcode CHUNK} words of the message give. */
  #absorb(words: Uint32Array, at: number, count: number): void {
    const chunk = this.#chunk;
    this.#stream.generate(chunk, count);
    let last = this.#window[0]!;
    let next = this.#window[1]!;
    let sum = this.#sum[0]!;
    let reversed = this.#sum[1]!;
    for (let i = 0; i < count; i++) {
      const word = words[at + i]!;
      last = next;
      next = chunk[i]!;
      sum ^= multiply(last, reverseBytes(word));
      reversed ^= multiply(swap(reverseBytes(next)), swap(word) << 1);
    }
    this.#window[0] = last;
    this.#window[1] = next;
    this.#sum[0] = sum;
    this.#sum[1] = reversed;
  }
}
