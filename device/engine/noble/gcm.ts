/**
 * AES-GCM (SP 800-38D) with an iv of 12 bytes, or of 16 bytes that are the
 * pre-counter block J0 itself.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import { ctr, ecbEncrypt } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { expandKey } from "./expanded_key.ts";
import { ghash, ghashTable } from "./ghash.ts";
import type { Scratch } from "./scratch.ts";
import { type Staging, STEP } from "./staging.ts";
import { equalBytes, loadBlock, swap } from "./words.ts";

/** Little-endian word of the bytes 0, 0, 0, 1: what follows a 12-byte iv. */
const FIRST_COUNTER = 0x0100_0000;

/** AES-GCM in either direction. */
export class GcmContext extends NobleContext {
  readonly #key: Uint32Array;
  readonly #table: Int32Array<ArrayBuffer>;

  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.#key = expandKey(key);
    // H = E(K, 0^128) (7.1, step 1).
    const subkey = new Uint32Array(4);
    ecbEncrypt(this.#key, subkey, 0, 4);
    this.#table = ghashTable(subkey);
    subkey.fill(0);
  }

  override run(job: Job, staging: Staging): number {
    const { aad } = job;
    const encrypts = this.direction === "encrypt";
    const length = job.source.length - (encrypts ? 0 : job.resultLength);
    staging.reserve(Math.max(length, Math.min(aad.length, STEP)));
    this.#begin(job, staging.scratch);
    if (!this.#absorbAad(job, staging)) return JobOutcome.ABANDONED;
    return encrypts
      ? this.#encrypt(job, staging, length)
      : this.#decrypt(job, staging, length);
  }

  /** Authenticated encryption (7.1). */
  #encrypt(job: Job, staging: Staging, length: number): number {
    const { bytes, words } = staging;
    const { chain, hash, result } = staging.scratch;
    staging.seek(job.source);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      const to = at / 4 + 4 * Math.ceil(size / 16);
      staging.read(at, size);
      ctr(this.#key, words, at / 4, to, chain, 32);
      bytes.fill(0, at + size, 4 * to);
      ghash(this.#table, words, at / 4, to, hash);
    }
    this.#end(staging.scratch, job.aad.length, length);
    for (let i = 0; i < job.resultLength; i++) bytes[length + i] = result[i]!;
    staging.write(job.destination, bytes, length + job.resultLength);
    return JobOutcome.DONE;
  }

  /** Authenticated decryption (7.2): the tag is verified first. */
  #decrypt(job: Job, staging: Staging, length: number): number {
    const { bytes, words } = staging;
    const { chain, given, hash, result } = staging.scratch;
    staging.seek(job.source);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      const to = at / 4 + 4 * Math.ceil(size / 16);
      staging.read(at, size);
      bytes.fill(0, at + size, 4 * to);
      ghash(this.#table, words, at / 4, to, hash);
    }
    staging.readInto(given, job.resultLength);
    this.#end(staging.scratch, job.aad.length, length);
    if (!equalBytes(given, result, job.resultLength)) {
      return JobOutcome.BAD_TAG;
    }
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      const to = at / 4 + 4 * Math.ceil(size / 16);
      ctr(this.#key, words, at / 4, to, chain, 32);
    }
    staging.write(job.destination, bytes, length);
    return JobOutcome.DONE;
  }

  /** J0 (7.1, step 2), its encipherment and its successor. */
  #begin(job: Job, scratch: Scratch): void {
    const { chain, resultWords } = scratch;
    loadBlock(job.iv, chain);
    if (job.ivLength === 12) chain[3] = FIRST_COUNTER;
    scratch.hash.fill(0);
    resultWords.set(chain);
    ecbEncrypt(this.#key, resultWords, 0, 4);
    // inc32(J0), where the data starts (7.1, step 3); it wraps by itself.
    chain[3] = swap(swap(chain[3]!) + 1);
  }

  /** Absorbs the AAD, padded to whole blocks (7.1, step 5). */
  #absorbAad(job: Job, staging: Staging): boolean {
    const { length } = job.aad;
    if (length === 0) return true;
    staging.seek(job.aad);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return false;
      const size = Math.min(length - at, STEP);
      const to = 4 * Math.ceil(size / 16);
      staging.read(0, size);
      staging.bytes.fill(0, size, 4 * to);
      ghash(this.#table, staging.words, 0, to, staging.scratch.hash);
    }
    return true;
  }

  /** Absorbs both lengths and makes the tag (7.1, steps 5 and 6). */
  #end(scratch: Scratch, aadLength: number, length: number): void {
    const { hash, lengths, resultWords } = scratch;
    // Lengths in bits, 64 bits big-endian. 2^29 bytes are 2^32 bits.
    lengths[0] = swap(Math.floor(aadLength / 0x2000_0000));
    lengths[1] = swap(aadLength << 3);
    lengths[2] = swap(Math.floor(length / 0x2000_0000));
    lengths[3] = swap(length << 3);
    ghash(this.#table, lengths, 0, 4, hash);
    for (let i = 0; i < 4; i++) resultWords[i] = resultWords[i]! ^ hash[i]!;
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#table.fill(0);
  }
}
