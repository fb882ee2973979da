/**
 * AES-CMAC (SP 800-38B).
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { type Job, JobOutcome } from "../engine.ts";
import { cbcMac } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";

/** AES-CMAC with its expanded key and both subkeys. */
export class CmacContext extends NobleContext {
  readonly #key: Uint32Array;
  /** K1, then K2 (6.1), 4 words each. */
  readonly #subkeys: Uint32Array<ArrayBuffer> = new Uint32Array(8);

  /**
   * @param purpose what it is for
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.#key = unsafe.expandKeyLE(key);
    const first = new Uint8Array(this.#subkeys.buffer, 0, 16);
    const second = new Uint8Array(this.#subkeys.buffer, 16, 16);
    unsafe.encryptBlock(this.#key, first);
    unsafe.dbl(first);
    second.set(first);
    unsafe.dbl(second);
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    staging.reserve(Math.min(length, STEP));
    staging.seek(job.source);
    const { result, resultWords } = staging.scratch;
    resultWords.fill(0, 0, 4);
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
      last = isLast ? 4 * (Math.ceil(rest / 16) - 1) : rest / 4;
      cbcMac(this.#key, words, 0, last, resultWords);
    }
    this.#finish(staging, last, rest - 4 * last);
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  /** Masks and absorbs the last block, of 0 to 16 bytes (6.2, steps 3 to 6). */
  #finish(staging: Staging, at: number, size: number): void {
    const { bytes, words } = staging;
    let subkey = 0;
    if (size < 16) {
      subkey = 4;
      bytes[4 * at + size] = 0x80;
      bytes.fill(0, 4 * at + size + 1, 4 * at + 16);
    }
    for (let i = 0; i < 4; i++) {
      words[at + i] = words[at + i]! ^ this.#subkeys[subkey + i]!;
    }
    cbcMac(this.#key, words, at, at + 4, staging.scratch.resultWords);
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#subkeys.fill(0);
  }
}
