/**
 * The confidentiality algorithm f8 on KASUMI (3GPP TS 35.201, clause 3).
 *
 * @module
 */

import { expandKasumiKey, kasumiBlock } from "./kasumi.ts";
import { KeyStream } from "./key_stream.ts";
import { readWord } from "./words.ts";

/** The key modifier KM, each byte of it (3.4). */
const KM = 0x55;

/** The key stream of f8. */
export class KasumiF8 extends KeyStream {
  readonly #key: Uint16Array;
  readonly #modified: Uint16Array;
  /** The register A, then the last block KSB of key stream, 2 words each. */
  readonly #state: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  #blocks = 0;

  /** @param key CK, 16 bytes */
  constructor(key: Uint8Array) {
    super();
    this.#key = expandKasumiKey(key);
    this.#modified = expandKasumiKey(key, KM);
  }

  /**
   * Starts a key stream (3.4).
   *
   * @param iv 8 bytes: COUNT, BEARER in 5 bits, DIRECTION in one bit, and 26
   * bits that are 0
   */
  override start(iv: Uint8Array): void {
    const state = this.#state;
    state[0] = readWord(iv, 0);
    state[1] = readWord(iv, 4);
    kasumiBlock(this.#modified, state);
    state[2] = 0;
    state[3] = 0;
    this.#blocks = 0;
  }

  /**
   * Makes the next words of the key stream (3.5).
   *
   * @param words receives them, from its first, in whole blocks of two
   * @param count how many; after an odd number there are no more
   */
  override generate(words: Int32Array, count: number): void {
    const state = this.#state;
    for (let i = 0; i < count; i += 2) {
      state[2] = state[2]! ^ state[0]!;
      // BLKCNT has 64 bits, of which a message below 32 GiB uses half.
      state[3] = state[3]! ^ state[1]! ^ this.#blocks++;
      kasumiBlock(this.#key, state, 2);
      words[i] = state[2]!;
      words[i + 1] = state[3]!;
    }
  }

  /** Overwrites key and state. It cannot be started again. */
  override wipe(): void {
    super.wipe();
    this.#key.fill(0);
    this.#modified.fill(0);
    this.#state.fill(0);
  }
}
