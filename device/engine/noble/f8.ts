/**
 * AES in f8-mode (RFC 3711, 4.1.2).
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { ecbEncrypt } from "./aes_modes.ts";
import { CipherContext } from "./cipher_context.ts";
import type { Purpose } from "./context.ts";
import { expandKey } from "./expanded_key.ts";
import type { Staging } from "./staging.ts";
import { loadBlock, swap } from "./words.ts";

const { encrypt } = unsafe;

/**
 * Adds key stream in either direction (4.1.2.1).
 *
 * @param key expanded encryption key
 * @param words the data, replaced, a whole number of blocks
 * @param from index of the first word
 * @param to index after the last word
 * @param state 8 words: IV', then S(j-1), moved on
 * @param counter j of the first block
 */
function f8(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  state: Uint32Array,
  counter: number,
): void {
  const v0 = state[0]!;
  const v1 = state[1]!;
  const v2 = state[2]!;
  const v3 = state[3]!;
  let s0 = state[4]!;
  let s1 = state[5]!;
  let s2 = state[6]!;
  let s3 = state[7]!;
  for (let i = from; i < to; i += 4) {
    // S(j) = E(k_e, IV' XOR j XOR S(j-1)); sources have less than 2^32 blocks.
    ({ s0, s1, s2, s3 } = encrypt(
      key,
      s0 ^ v0,
      s1 ^ v1,
      s2 ^ v2,
      s3 ^ v3 ^ swap(counter++),
    ));
    words[i] = words[i]! ^ s0;
    words[i + 1] = words[i + 1]! ^ s1;
    words[i + 2] = words[i + 2]! ^ s2;
    words[i + 3] = words[i + 3]! ^ s3;
  }
  state[4] = s0;
  state[5] = s1;
  state[6] = s2;
  state[7] = s3;
}

/** AES in f8-mode. */
export class F8Context extends CipherContext {
  readonly #key: Uint32Array;
  /** Expanded k_e XOR m, which makes IV'. */
  readonly #maskedKey: Uint32Array;
  /** IV' and S(j-1) of the job that runs. */
  readonly #state: Uint32Array<ArrayBuffer> = new Uint32Array(8);

  /**
   * @param purpose what it is for
   * @param key 32, 48 or 64 bytes: k_e, then as many bytes of the mask m, which
   * is the salting key padded with 0x55
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    const size = key.length / 2;
    const first = Uint8Array.from(key.subarray(0, size));
    this.#key = expandKey(first);
    for (let i = 0; i < size; i++) first[i]! ^= key[size + i]!;
    this.#maskedKey = expandKey(first);
    first.fill(0);
  }

  protected override start(iv: Uint8Array): void {
    loadBlock(iv, this.#state);
    ecbEncrypt(this.#maskedKey, this.#state, 0, 4);
    this.#state.fill(0, 4);
  }

  protected override apply(staging: Staging, at: number, size: number): void {
    const to = at / 4 + 4 * Math.ceil(size / 16);
    f8(this.#key, staging.words, at / 4, to, this.#state, at / 16);
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#maskedKey.fill(0);
    this.#state.fill(0);
  }
}
