/**
 * AES-CCM (SP 800-38C).
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import { cbcMac, ctr, ecbEncrypt } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { expandKey } from "./expanded_key.ts";
import { type Staging, STEP } from "./staging.ts";
import { equalBytes } from "./words.ts";

/** Little-endian word of the bytes 0, 0, 0, 1. */
const ONE = 0x0100_0000;

/** AES-CCM in either direction. */
export class CcmContext extends NobleContext {
  readonly #key: Uint32Array;

  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.#key = expandKey(key);
  }

  override run(job: Job, staging: Staging): number {
    const { aad, ivLength, resultLength } = job;
    const encrypts = this.direction === "encrypt";
    const length = job.source.length - (encrypts ? 0 : resultLength);
    // The length has to fit into the q bytes the nonce leaves (A.1).
    if (length >= 256 ** (15 - ivLength)) return JobOutcome.FAILED;
    staging.reserve(Math.max(length, Math.min(aad.length, STEP)));
    this.#begin(job, staging, length);
    if (!this.#absorbAad(job, staging)) return JobOutcome.ABANDONED;
    return encrypts
      ? this.#encrypt(job, staging, length)
      : this.#decrypt(job, staging, length);
  }

  /** Generation and encryption (6.1). */
  #encrypt(job: Job, staging: Staging, length: number): number {
    const { bytes, words } = staging;
    const { chain, hash, result } = staging.scratch;
    staging.seek(job.source);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      const to = at / 4 + 4 * Math.ceil(size / 16);
      staging.read(at, size);
      bytes.fill(0, at + size, 4 * to);
      cbcMac(this.#key, words, at / 4, to, hash);
      // The counter is the last q bytes: it fits them, as the length does.
      ctr(this.#key, words, at / 4, to, chain, 32);
    }
    this.#end(staging);
    for (let i = 0; i < job.resultLength; i++) bytes[length + i] = result[i]!;
    staging.write(job.destination, bytes, length + job.resultLength);
    return JobOutcome.DONE;
  }

  /**
   * Decryption and verification (6.2). The tag is over the plaintext, which
   * stays in private memory until it is verified.
   */
  #decrypt(job: Job, staging: Staging, length: number): number {
    const { bytes, words } = staging;
    const { chain, given, hash, result } = staging.scratch;
    staging.seek(job.source);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      const to = at / 4 + 4 * Math.ceil(size / 16);
      staging.read(at, size);
      ctr(this.#key, words, at / 4, to, chain, 32);
      bytes.fill(0, at + size, 4 * to);
      cbcMac(this.#key, words, at / 4, to, hash);
    }
    staging.readInto(given, job.resultLength);
    this.#end(staging);
    if (!equalBytes(given, result, job.resultLength)) {
      staging.clear();
      return JobOutcome.BAD_TAG;
    }
    staging.write(job.destination, bytes, length);
    return JobOutcome.DONE;
  }

  /** B0 (A.2.1), S0, and the counter block after it (A.3). */
  #begin(job: Job, staging: Staging, length: number): void {
    const { chain, hash, lengthBytes, lengths, resultWords } = staging.scratch;
    const { ivLength, resultLength } = job;
    const q = 15 - ivLength;
    const flags = (job.aad.length > 0 ? 64 : 0) | (4 * (resultLength - 2)) |
      (q - 1);
    lengthBytes[0] = flags;
    for (let i = 0; i < ivLength; i++) lengthBytes[1 + i] = job.iv[i]!;
    for (let i = 15, rest = length; i > ivLength; i--) {
      lengthBytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    hash.fill(0);
    cbcMac(this.#key, lengths, 0, 4, hash);
    lengthBytes[0] = q - 1;
    lengthBytes.fill(0, 1 + ivLength);
    resultWords.set(lengths);
    ecbEncrypt(this.#key, resultWords, 0, 4);
    chain.set(lengths);
    chain[3] = chain[3]! | ONE;
  }

  /** Absorbs the AAD behind its length, padded to whole blocks (A.2.2). */
  #absorbAad(job: Job, staging: Staging): boolean {
    const { length } = job.aad;
    if (length === 0) return true;
    const { bytes } = staging;
    let prefix = 0;
    if (length >= 0xff00) {
      bytes[prefix++] = 0xff;
      bytes[prefix++] = 0xfe;
      bytes[prefix++] = length >>> 24;
      bytes[prefix++] = length >>> 16;
    }
    bytes[prefix++] = length >>> 8;
    bytes[prefix++] = length;
    staging.seek(job.aad);
    for (let at = 0; at < length;) {
      if (!staging.next()) return false;
      const size = Math.min(length - at, STEP - prefix);
      const to = 4 * Math.ceil((prefix + size) / 16);
      staging.read(prefix, size);
      bytes.fill(0, prefix + size, 4 * to);
      cbcMac(this.#key, staging.words, 0, to, staging.scratch.hash);
      at += size;
      prefix = 0;
    }
    return true;
  }

  /** Makes the tag (6.1, step 8). */
  #end(staging: Staging): void {
    const { hash, resultWords } = staging.scratch;
    for (let i = 0; i < 4; i++) resultWords[i] = resultWords[i]! ^ hash[i]!;
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
  }
}
