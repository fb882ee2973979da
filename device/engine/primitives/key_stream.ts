/**
 * What the 3GPP stream ciphers have in common: a key stream of 32-bit words,
 * which is added to data bit by bit (UEA2: TS 35.215, 3.4; 128-EEA3:
 * TS 35.221, 3.5).
 *
 * @module
 */

import { swap } from "./words.ts";

/** Words of key stream made at a time. */
export const CHUNK = 128;

/** A generator of key stream. Everything in it depends on the key. */
export abstract class KeyStream {
  readonly #chunk: Int32Array<ArrayBuffer> = new Int32Array(CHUNK);

  /**
   * Starts a key stream.
   *
   * @param iv the iv, of the size the algorithm has
   */
  abstract start(iv: Uint8Array): void;

  /**
   * Makes the next words of the key stream.
   *
   * @param words receives them, from its first
   * @param count how many, up to {@linkcode CHUNK}
   */
  abstract generate(words: Int32Array, count: number): void;

  /**
   * Adds the next key stream to data.
   *
   * @param words the data as little-endian words, replaced
   * @param from index of the first word
   * @param to index after the last word
   */
  xor(words: Uint32Array, from: number, to: number): void {
    const chunk = this.#chunk;
    for (let at = from; at < to; at += CHUNK) {
      const count = Math.min(to - at, CHUNK);
      this.generate(chunk, count);
      for (let i = 0; i < count; i++) {
        words[at + i] = words[at + i]! ^ swap(chunk[i]!);
      }
    }
  }

  /**
   * Adds the next key stream to a number of bits. The other bits of the last
   * word become 0.
   *
   * @param words the data as little-endian words, replaced
   * @param bits how many, from the first bit of the first byte
   */
  xorBits(words: Uint32Array, bits: number): void {
    const count = Math.ceil(bits / 32);
    this.xor(words, 0, count);
    const rest = bits % 32;
    if (rest !== 0) {
      words[count - 1] = words[count - 1]! & swap(-1 << (32 - rest));
    }
  }

  /** Overwrites key and state. It cannot be started again. */
  wipe(): void {
    this.#chunk.fill(0);
  }
}
