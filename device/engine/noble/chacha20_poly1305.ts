/**
 * AEAD_CHACHA20_POLY1305 (RFC 8439, 2.8).
 *
 * @module
 */

import { Poly1305 } from "@noble/ciphers/_poly1305.js";
import { chacha20 } from "@noble/ciphers/chacha.js";
import { type Job, JobOutcome } from "../engine.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";
import { equalBytes } from "./words.ts";

/** Bytes of a tag: the algorithm has this one size. */
const TAG = 16;
/** What the one-time key is the encipherment of. */
const ZEROS: Uint8Array<ArrayBuffer> = new Uint8Array(32);
/** Padding to whole blocks, by the number of bytes in the last block. */
const PADDING: readonly Uint8Array<ArrayBuffer>[] = Array.from(
  { length: 16 },
  (_, rest) => new Uint8Array((16 - rest) % 16),
);

/** ChaCha20-Poly1305 in either direction. */
export class ChaCha20Poly1305Context extends NobleContext {
  readonly #key: Uint8Array<ArrayBuffer>;

  /**
   * @param purpose what it is for
   * @param key 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.#key = Uint8Array.from(key);
  }

  override run(job: Job, staging: Staging): number {
    const { aad, source } = job;
    staging.reserve(Math.max(source.length, Math.min(aad.length, STEP)));
    const mac = this.#begin(job, staging);
    try {
      if (!this.#absorbAad(job, staging, mac)) return JobOutcome.ABANDONED;
      return this.direction === "encrypt"
        ? this.#encrypt(job, staging, mac)
        : this.#decrypt(job, staging, mac);
    } finally {
      mac.destroy();
    }
  }

  #encrypt(job: Job, staging: Staging, mac: Poly1305): number {
    const { length } = job.source;
    staging.seek(job.source);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(at, size);
      this.#stream(staging, at, size);
      mac.update(staging.view(at, size));
    }
    this.#end(job, staging, length, mac);
    const { bytes, scratch } = staging;
    for (let i = 0; i < TAG; i++) bytes[length + i] = scratch.result[i]!;
    staging.write(job.destination, bytes, length + TAG);
    return JobOutcome.DONE;
  }

  /** The tag is verified before anything is deciphered. */
  #decrypt(job: Job, staging: Staging, mac: Poly1305): number {
    const length = job.source.length - TAG;
    const { given, result } = staging.scratch;
    staging.seek(job.source);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(at, size);
      mac.update(staging.view(at, size));
    }
    staging.readInto(given, TAG);
    this.#end(job, staging, length, mac);
    if (!equalBytes(given, result, TAG)) return JobOutcome.BAD_TAG;
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      this.#stream(staging, at, Math.min(length - at, STEP));
    }
    staging.write(job.destination, staging.bytes, length);
    return JobOutcome.DONE;
  }

  /** Takes the nonce and makes the one-time key of block 0 (2.6). */
  #begin(job: Job, staging: Staging): Poly1305 {
    const { nonce, oneTimeKey } = staging.scratch;
    for (let i = 0; i < 12; i++) nonce[i] = job.iv[i]!;
    chacha20(this.#key, nonce, ZEROS, oneTimeKey, 0);
    const mac = new Poly1305(oneTimeKey);
    oneTimeKey.fill(0);
    return mac;
  }

  /** Enciphers in place; the data starts at block 1, of 64 bytes (2.8). */
  #stream(staging: Staging, at: number, size: number): void {
    const data = staging.view(at, size);
    chacha20(this.#key, staging.scratch.nonce, data, data, 1 + at / 64);
  }

  #absorbAad(job: Job, staging: Staging, mac: Poly1305): boolean {
    const { length } = job.aad;
    if (length === 0) return true;
    staging.seek(job.aad);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return false;
      const size = Math.min(length - at, STEP);
      staging.read(0, size);
      mac.update(staging.view(0, size));
    }
    mac.update(PADDING[length % 16]!);
    return true;
  }

  /** Padding, both lengths as 64 bits little-endian, and the tag (2.8). */
  #end(job: Job, staging: Staging, length: number, mac: Poly1305): void {
    const { lengths, lengthBytes, result } = staging.scratch;
    mac.update(PADDING[length % 16]!);
    lengths[0] = job.aad.length;
    lengths[1] = Math.floor(job.aad.length / 2 ** 32);
    lengths[2] = length;
    lengths[3] = Math.floor(length / 2 ** 32);
    mac.update(lengthBytes);
    mac.digestInto(result);
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
  }
}
