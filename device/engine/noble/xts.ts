/**
 * XTS-AES (IEEE 1619) with ciphertext stealing. The source of a job is one
 * data unit.
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { type Job, JobOutcome } from "../engine.ts";
import { ecbEncrypt } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { expandInverseKey, expandKey } from "./expanded_key.ts";
import { type Staging, STEP } from "./staging.ts";
import { loadBlock } from "./words.ts";

const { decrypt, encrypt } = unsafe;

/** What x^128 is reduced to (5.2). */
const FIELD = 0x87;

/** Moves a tweak on to that of the next block: times alpha (5.2). */
function multiplyByAlpha(tweak: Uint32Array): void {
  const carry = tweak[3]! >> 31;
  for (let i = 3; i > 0; i--) {
    tweak[i] = (tweak[i]! << 1) | (tweak[i - 1]! >>> 31);
  }
  tweak[0] = (tweak[0]! << 1) ^ (FIELD & carry);
}

/**
 * Encryption of whole blocks (5.3.1, 5.4.1).
 *
 * @param key expanded Key1
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param tweak 4 words: the tweak of the first block, moved on
 */
function encryptBlocks(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  tweak: Uint32Array,
): void {
  let t0 = tweak[0]!;
  let t1 = tweak[1]!;
  let t2 = tweak[2]!;
  let t3 = tweak[3]!;
  for (let i = from; i < to; i += 4) {
    const { s0, s1, s2, s3 } = encrypt(
      key,
      words[i]! ^ t0,
      words[i + 1]! ^ t1,
      words[i + 2]! ^ t2,
      words[i + 3]! ^ t3,
    );
    words[i] = s0 ^ t0;
    words[i + 1] = s1 ^ t1;
    words[i + 2] = s2 ^ t2;
    words[i + 3] = s3 ^ t3;
    const carry = t3 >> 31;
    t3 = (t3 << 1) | (t2 >>> 31);
    t2 = (t2 << 1) | (t1 >>> 31);
    t1 = (t1 << 1) | (t0 >>> 31);
    t0 = (t0 << 1) ^ (FIELD & carry);
  }
  tweak[0] = t0;
  tweak[1] = t1;
  tweak[2] = t2;
  tweak[3] = t3;
}

/**
 * Decryption of whole blocks (5.3.1, 5.4.1).
 *
 * @param key expanded Key1
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param tweak 4 words: the tweak of the first block, moved on
 */
function decryptBlocks(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  tweak: Uint32Array,
): void {
  let t0 = tweak[0]!;
  let t1 = tweak[1]!;
  let t2 = tweak[2]!;
  let t3 = tweak[3]!;
  for (let i = from; i < to; i += 4) {
    const { s0, s1, s2, s3 } = decrypt(
      key,
      words[i]! ^ t0,
      words[i + 1]! ^ t1,
      words[i + 2]! ^ t2,
      words[i + 3]! ^ t3,
    );
    words[i] = s0 ^ t0;
    words[i + 1] = s1 ^ t1;
    words[i + 2] = s2 ^ t2;
    words[i + 3] = s3 ^ t3;
    const carry = t3 >> 31;
    t3 = (t3 << 1) | (t2 >>> 31);
    t2 = (t2 << 1) | (t1 >>> 31);
    t1 = (t1 << 1) | (t0 >>> 31);
    t0 = (t0 << 1) ^ (FIELD & carry);
  }
  tweak[0] = t0;
  tweak[1] = t1;
  tweak[2] = t2;
  tweak[3] = t3;
}

/** XTS-AES in either direction. */
export class XtsContext extends NobleContext {
  /** Expanded Key1, of the direction. */
  readonly #key: Uint32Array;
  /** Expanded Key2. */
  readonly #tweakKey: Uint32Array;
  /** The tweak of the next block of the job that runs. */
  readonly #tweak: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  /** A tweak kept back while the one after it is used. */
  readonly #kept: Uint32Array<ArrayBuffer> = new Uint32Array(4);

  /**
   * @param purpose what it is for
   * @param key 32 or 64 bytes: Key1, then Key2
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    const size = key.length / 2;
    const first = key.subarray(0, size);
    this.#key = purpose.direction === "encrypt"
      ? expandKey(first)
      : expandInverseKey(first);
    this.#tweakKey = expandKey(key.subarray(size));
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    const rest = length % 16;
    // A last whole block before a partial one is worked on with it.
    const whole = (length - rest - (rest === 0 ? 0 : 16)) / 4;
    staging.reserve(length);
    staging.seek(job.source);
    loadBlock(job.iv, this.#tweak);
    ecbEncrypt(this.#tweakKey, this.#tweak, 0, 4);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(at, size);
      const to = Math.min((at + STEP) / 4, whole);
      this.#blocks(staging.words, at / 4, to);
    }
    if (rest !== 0) this.#steal(staging, 4 * whole, rest);
    staging.write(job.destination, staging.bytes, length);
    return JobOutcome.DONE;
  }

  #blocks(words: Uint32Array, from: number, to: number): void {
    if (this.direction === "encrypt") {
      encryptBlocks(this.#key, words, from, to, this.#tweak);
    } else {
      decryptBlocks(this.#key, words, from, to, this.#tweak);
    }
  }

  /** Works on a whole block and a partial one after it (5.3.2, 5.4.2). */
  #steal(staging: Staging, at: number, rest: number): void {
    const { bytes, words } = staging;
    const decrypts = this.direction === "decrypt";
    if (decrypts) {
      // The later tweak comes first.
      this.#kept.set(this.#tweak);
      multiplyByAlpha(this.#tweak);
    }
    this.#blocks(words, at / 4, at / 4 + 4);
    for (let i = at; i < at + rest; i++) {
      const byte = bytes[i]!;
      bytes[i] = bytes[i + 16]!;
      bytes[i + 16] = byte;
    }
    if (decrypts) this.#tweak.set(this.#kept);
    this.#blocks(words, at / 4, at / 4 + 4);
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#tweakKey.fill(0);
    this.#tweak.fill(0);
    this.#kept.fill(0);
  }
}
