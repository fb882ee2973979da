/**
 * GMAC (SP 800-38D, 3 and 6.4) over AES and over Twofish: what GCM makes of a
 * message that is additional data only. The iv has 12 bytes, or 16 that are
 * the pre-counter block J0 itself.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import {
  expandTwofishKey,
  twofishEncryptBlock,
} from "../primitives/twofish.ts";
import { ecbEncrypt } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { expandKey } from "./expanded_key.ts";
import { ghash, ghashTable } from "./ghash.ts";
import type { Scratch } from "./scratch.ts";
import { type Staging, STEP } from "./staging.ts";
import { loadBlock, swap } from "./words.ts";

/** Little-endian word of the bytes 0, 0, 0, 1: what follows a 12-byte iv. */
const FIRST_COUNTER = 0x0100_0000;

/** A block cipher of 16-byte blocks as GMAC uses it. */
export interface GmacCipher {
  /** Expands a key of 16, 24 or 32 bytes. */
  readonly expandKey: (key: Uint8Array) => Uint32Array;
  /** Encrypts one block in place: the first 4 little-endian words. */
  readonly encrypt: (key: Uint32Array, words: Uint32Array) => void;
}

/** AES. */
export const GMAC_AES: GmacCipher = {
  expandKey,
  encrypt: (key, words) => ecbEncrypt(key, words, 0, 4),
};

/** Twofish. */
export const GMAC_TWOFISH: GmacCipher = {
  expandKey: expandTwofishKey,
  encrypt: (key, words) => twofishEncryptBlock(key, words),
};

/** GMAC with its expanded key and the table of its hash subkey. */
export class GmacContext extends NobleContext {
  readonly #cipher: GmacCipher;
  readonly #key: Uint32Array;
  readonly #table: Int32Array<ArrayBuffer>;

  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   * @param cipher the block cipher
   */
  constructor(purpose: Purpose, key: Uint8Array, cipher: GmacCipher) {
    super(purpose);
    this.#cipher = cipher;
    this.#key = cipher.expandKey(key);
    // H = E(K, 0^128) (7.1, step 1).
    const subkey = new Uint32Array(4);
    cipher.encrypt(this.#key, subkey);
    this.#table = ghashTable(subkey);
    subkey.fill(0);
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    const { hash, resultWords, result } = staging.scratch;
    staging.reserve(Math.min(length, STEP));
    staging.seek(job.source);
    // E(K, J0), to which the hash is added (7.1, steps 2 and 6).
    loadBlock(job.iv, resultWords);
    if (job.ivLength === 12) resultWords[3] = FIRST_COUNTER;
    this.#cipher.encrypt(this.#key, resultWords);
    hash.fill(0);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      const to = 4 * Math.ceil(size / 16);
      staging.read(0, size);
      staging.bytes.fill(0, size, 4 * to);
      ghash(this.#table, staging.words, 0, to, hash);
    }
    this.#end(staging.scratch, length);
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  /** Absorbs both lengths and makes the tag (7.1, steps 5 and 6). */
  #end(scratch: Scratch, length: number): void {
    const { hash, lengths, resultWords } = scratch;
    // Lengths in bits, 64 bits big-endian. 2^29 bytes are 2^32 bits.
    lengths[0] = swap(Math.floor(length / 0x2000_0000));
    lengths[1] = swap(length << 3);
    lengths.fill(0, 2);
    ghash(this.#table, lengths, 0, 4, hash);
    for (let i = 0; i < 4; i++) resultWords[i] = resultWords[i]! ^ hash[i]!;
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#table.fill(0);
  }
}
