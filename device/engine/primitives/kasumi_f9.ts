/**
 * The integrity algorithm f9 on KASUMI (3GPP TS 35.201, clause 4).
 *
 * It works on the padded string (4.4): COUNT, FRESH, MESSAGE, DIRECTION in one
 * bit, a bit 1, and as few bits 0 as make whole blocks of 8 bytes. So it has
 * two blocks or more.
 *
 * @module
 */

import { expandKasumiKey, kasumiBlock } from "./kasumi.ts";
import { swap } from "./words.ts";

/** The key modifier KM, each byte of it (4.4). */
const KM = 0xaa;

/** f9 under way. */
export class KasumiF9 {
  readonly #key: Uint16Array;
  readonly #modified: Uint16Array;
  /** The registers A and B, 2 words each. */
  readonly #state: Uint32Array<ArrayBuffer> = new Uint32Array(4);

  /** @param key IK, 16 bytes */
  constructor(key: Uint8Array) {
    this.#key = expandKasumiKey(key);
    this.#modified = expandKasumiKey(key, KM);
  }

  /** Starts a padded string (4.4). */
  start(): void {
    this.#state.fill(0);
  }

  /**
   * Takes the next blocks of the padded string (4.5).
   *
   * @param words the blocks as little-endian words
   * @param from index of the first word
   * @param to index after the last word
   */
  absorb(words: Uint32Array, from: number, to: number): void {
    const state = this.#state;
    for (let i = from; i < to; i += 2) {
      state[0] = state[0]! ^ swap(words[i]!);
      state[1] = state[1]! ^ swap(words[i + 1]!);
      kasumiBlock(this.#key, state);
      state[2] = state[2]! ^ state[0]!;
      state[3] = state[3]! ^ state[1]!;
    }
  }

  /**
   * Ends the padded string (4.5).
   *
   * @returns MAC-I, its first byte the most significant
   */
  finish(): number {
    kasumiBlock(this.#modified, this.#state, 2);
    return this.#state[2]!;
  }

  /** Overwrites key and state. It cannot be started again. */
  wipe(): void {
    this.#key.fill(0);
    this.#modified.fill(0);
    this.#state.fill(0);
  }
}
