/**
 * Contexts of the AES modes that only encipher: ECB, CBC and CTR.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import {
  cbcDecrypt,
  cbcEncrypt,
  ctr,
  ecbDecrypt,
  ecbEncrypt,
} from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { expandInverseKey, expandKey } from "./expanded_key.ts";
import { type Staging, STEP } from "./staging.ts";
import { loadBlock } from "./words.ts";

/** An AES mode with its expanded key (FIPS 197, 5.2). */
abstract class AesCipherContext extends NobleContext {
  /** Expanded key of the direction the mode uses. */
  protected readonly key: Uint32Array;

  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   * @param inverse whether the mode runs the inverse cipher
   */
  constructor(purpose: Purpose, key: Uint8Array, inverse: boolean) {
    super(purpose);
    this.key = inverse ? expandInverseKey(key) : expandKey(key);
  }

  /**
   * Works on whole blocks in place.
   *
   * @param words the data
   * @param from index of the first word
   * @param to index after the last word
   * @param chain 4 words: the iv, then what the mode carries on
   */
  protected abstract apply(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void;

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    staging.reserve(length);
    staging.seek(job.source);
    const { words } = staging;
    const { chain } = staging.scratch;
    loadBlock(job.iv, chain);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(at, size);
      // What follows a partial last block is never copied out.
      this.apply(words, at / 4, at / 4 + 4 * Math.ceil(size / 16), chain);
    }
    staging.write(job.destination, staging.bytes, length);
    return JobOutcome.DONE;
  }

  protected override wipeKey(): void {
    this.key.fill(0);
  }
}

/** AES-ECB (SP 800-38A, 6.1). */
export class EcbContext extends AesCipherContext {
  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose, key, purpose.direction === "decrypt");
  }

  protected override apply(
    words: Uint32Array,
    from: number,
    to: number,
  ): void {
    if (this.direction === "encrypt") ecbEncrypt(this.key, words, from, to);
    else ecbDecrypt(this.key, words, from, to);
  }
}

/** AES-CBC (SP 800-38A, 6.2). */
export class CbcContext extends AesCipherContext {
  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose, key, purpose.direction === "decrypt");
  }

  protected override apply(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void {
    if (this.direction === "encrypt") {
      cbcEncrypt(this.key, words, from, to, chain);
    } else {
      cbcDecrypt(this.key, words, from, to, chain);
    }
  }
}

/** AES-CTR (SP 800-38A, 6.5) with a counter of 128 bits. */
export class CtrContext extends AesCipherContext {
  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose, key, false);
  }

  protected override apply(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void {
    ctr(this.key, words, from, to, chain, 128);
  }
}
