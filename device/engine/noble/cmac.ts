/**
 * CMAC (SP 800-38B) over AES and over TDEA.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import { expandDesKey } from "../primitives/des.ts";
import { cbcMac } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { desCbcMac } from "./des_modes.ts";
import { expandKey } from "./expanded_key.ts";
import { type Staging, STEP } from "./staging.ts";

/** A block cipher as CMAC uses it. */
export interface CmacCipher {
  /** Words of a block. */
  readonly block: 2 | 4;
  /** The constant R of this block size, its last byte (5.3). */
  readonly reduction: number;
  /** Expands a key of a legal size. */
  readonly expandKey: (key: Uint8Array) => Uint32Array;
  /** Chains blocks: `chain` is the last block of ciphertext before and after. */
  readonly chain: (
    key: Uint32Array,
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ) => void;
}

/** AES, for keys of 16, 24 or 32 bytes. */
export const AES: CmacCipher = {
  block: 4,
  reduction: 0x87,
  expandKey,
  chain: cbcMac,
};

/** TDEA, for keys of 24 bytes. */
export const TDEA: CmacCipher = {
  block: 2,
  reduction: 0x1b,
  expandKey: (key) => expandDesKey(key, false),
  chain: desCbcMac,
};

/** Doubles a block in place (6.1, steps 2 and 3). */
function double(block: Uint8Array, reduction: number): void {
  const last = block.length - 1;
  const mask = -(block[0]! >> 7);
  for (let i = 0; i < last; i++) {
    block[i] = (block[i]! << 1) | (block[i + 1]! >> 7);
  }
  block[last] = (block[last]! << 1) ^ (reduction & mask);
}

/** CMAC with its expanded key and both subkeys. */
export class CmacContext extends NobleContext {
  readonly #cipher: CmacCipher;
  readonly #key: Uint32Array;
  /** K1, then K2 (6.1), a block each. */
  readonly #subkeys: Uint32Array<ArrayBuffer>;

  /**
   * @param purpose what it is for
   * @param key the key, of a size the cipher takes
   * @param cipher the block cipher
   */
  constructor(purpose: Purpose, key: Uint8Array, cipher: CmacCipher) {
    super(purpose);
    const { block, reduction } = cipher;
    this.#cipher = cipher;
    this.#key = cipher.expandKey(key);
    this.#subkeys = new Uint32Array(2 * block);
    // A block of zeros is chained onto zeros, which gives L in their place.
    const first = this.#subkeys.subarray(0, block);
    cipher.chain(this.#key, this.#subkeys, block, 2 * block, first);
    const bytes = new Uint8Array(this.#subkeys.buffer);
    double(bytes.subarray(0, 4 * block), reduction);
    bytes.copyWithin(4 * block, 0, 4 * block);
    double(bytes.subarray(4 * block), reduction);
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    staging.reserve(Math.min(length, STEP));
    staging.seek(job.source);
    const { block, chain } = this.#cipher;
    const { result, resultWords } = staging.scratch;
    resultWords.fill(0, 0, block);
    const { words } = staging;
    // Bytes in the staging once all but the last block are worked through.
    let rest = 0;
    let last = 0;
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      rest = Math.min(length - at, STEP);
      staging.read(0, rest);
      // The last block of all is kept back: it is masked first (6.2, step 4).
      const isLast = at + rest === length;
      last = isLast ? block * (Math.ceil(rest / (4 * block)) - 1) : rest / 4;
      chain(this.#key, words, 0, last, resultWords);
    }
    this.#finish(staging, last, rest - 4 * last);
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  /** Masks and absorbs the last block, whole or not (6.2, steps 3 to 6). */
  #finish(staging: Staging, at: number, size: number): void {
    const { bytes, words } = staging;
    const { block, chain } = this.#cipher;
    let subkey = 0;
    if (size < 4 * block) {
      subkey = block;
      bytes[4 * at + size] = 0x80;
      bytes.fill(0, 4 * at + size + 1, 4 * (at + block));
    }
    for (let i = 0; i < block; i++) {
      words[at + i] = words[at + i]! ^ this.#subkeys[subkey + i]!;
    }
    chain(this.#key, words, at, at + block, staging.scratch.resultWords);
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#subkeys.fill(0);
  }
}
