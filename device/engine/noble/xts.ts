/**
 * XTS-AES (IEEE 1619) with ciphertext stealing. The source of a job is one
 * data unit.
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { type Job, JobOutcome } from "../engine.ts";
import { ecbDecrypt, ecbEncrypt } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";
import { loadBlock } from "./words.ts";

/** Words of tweaks made at a time. */
const CHUNK = 128;

/** XTS-AES in either direction. */
export class XtsContext extends NobleContext {
  /** Expanded Key1, of the direction. */
  readonly #key: Uint32Array;
  /** Expanded Key2. */
  readonly #tweakKey: Uint32Array;
  /** Tweaks of the job that runs, first that of the next block. */
  readonly #tweaks: Uint32Array<ArrayBuffer> = new Uint32Array(CHUNK + 4);

  /**
   * @param purpose what it is for
   * @param key 32 or 64 bytes: Key1, then Key2
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    const size = key.length / 2;
    const first = key.subarray(0, size);
    this.#key = purpose.direction === "encrypt"
      ? unsafe.expandKeyLE(first)
      : unsafe.expandKeyDecLE(first);
    this.#tweakKey = unsafe.expandKeyLE(key.subarray(size));
  }

  /** XTS-AES of a data unit (5.3.2, 5.4.2). */
  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    const rest = length % 16;
    // A last whole block before a partial one is worked on with it.
    const whole = (length - rest - (rest === 0 ? 0 : 16)) / 4;
    staging.reserve(length);
    staging.seek(job.source);
    loadBlock(job.iv, this.#tweaks);
    ecbEncrypt(this.#tweakKey, this.#tweaks, 0, 4);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(at, size);
      const to = Math.min((at + STEP) / 4, whole);
      this.#blocks(staging.words, Math.min(at / 4, whole), to);
    }
    if (rest !== 0) this.#steal(staging, 4 * whole, rest);
    staging.write(job.destination, staging.bytes, length);
    return JobOutcome.DONE;
  }

  /** Works on whole blocks in place, with one tweak after the other. */
  #blocks(words: Uint32Array, from: number, to: number): void {
    const tweaks = this.#tweaks;
    for (let at = from; at < to; at += CHUNK) {
      const count = Math.min(to - at, CHUNK);
      this.#makeTweaks(count);
      this.#apply(words, at, count, 0);
      for (let i = 0; i < 4; i++) tweaks[i] = tweaks[count + i]!;
    }
  }

  /** Works on a whole block and a partial one after it (5.3.2, 5.4.2). */
  #steal(staging: Staging, at: number, rest: number): void {
    const { bytes, words } = staging;
    // Decryption takes the later tweak first.
    const first = this.direction === "encrypt" ? 0 : 4;
    this.#makeTweaks(4);
    this.#apply(words, at / 4, 4, first);
    for (let i = at; i < at + rest; i++) {
      const byte = bytes[i]!;
      bytes[i] = bytes[i + 16]!;
      bytes[i + 16] = byte;
    }
    this.#apply(words, at / 4, 4, 4 - first);
  }

  /** Makes the tweaks of the blocks after the next one: times alpha (5.2). */
  #makeTweaks(count: number): void {
    const tweaks = this.#tweaks;
    let t0 = tweaks[0]!;
    let t1 = tweaks[1]!;
    let t2 = tweaks[2]!;
    let t3 = tweaks[3]!;
    for (let i = 4; i <= count; i += 4) {
      const carry = t3 >> 31;
      tweaks[i + 3] = t3 = (t3 << 1) | (t2 >>> 31);
      tweaks[i + 2] = t2 = (t2 << 1) | (t1 >>> 31);
      tweaks[i + 1] = t1 = (t1 << 1) | (t0 >>> 31);
      tweaks[i] = t0 = (t0 << 1) ^ (0x87 & carry);
    }
  }

  /** Works on up to {@linkcode CHUNK} words with the tweaks from `tweak`. */
  #apply(words: Uint32Array, at: number, count: number, tweak: number): void {
    const tweaks = this.#tweaks;
    for (let i = 0; i < count; i++) {
      words[at + i] = words[at + i]! ^ tweaks[tweak + i]!;
    }
    if (this.direction === "encrypt") {
      ecbEncrypt(this.#key, words, at, at + count);
    } else {
      ecbDecrypt(this.#key, words, at, at + count);
    }
    for (let i = 0; i < count; i++) {
      words[at + i] = words[at + i]! ^ tweaks[tweak + i]!;
    }
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#tweakKey.fill(0);
    this.#tweaks.fill(0);
  }
}
