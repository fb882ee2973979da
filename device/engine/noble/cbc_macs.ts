/**
 * MACs that chain AES blocks: XCBC (RFC 3566) and plain CBC-MAC (ISO/IEC
 * 9797-1, MAC algorithm 1).
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import { cbcMac, ecbEncrypt } from "./aes_modes.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { expandKey } from "./expanded_key.ts";
import { type Staging, STEP } from "./staging.ts";

/** A MAC that is the last block of a chain. */
abstract class ChainContext extends NobleContext {
  /** Expanded key that blocks are chained with. */
  protected readonly key: Uint32Array;

  /**
   * @param purpose what it is for
   * @param key 16 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.key = expandKey(key);
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    const { result, resultWords } = staging.scratch;
    staging.reserve(Math.min(length, STEP));
    staging.seek(job.source);
    resultWords.fill(0, 0, 4);
    if (length === 0) this.#absorb(staging, 0, true);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(0, size);
      this.#absorb(staging, size, at + size === length);
    }
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  #absorb(staging: Staging, size: number, isLast: boolean): void {
    const to = isLast ? this.finish(staging, size) : size / 4;
    cbcMac(this.key, staging.words, 0, to, staging.scratch.resultWords);
  }

  /**
   * Prepares the end of the message.
   *
   * @param staging holds the last bytes, from its first
   * @param size how many
   * @returns number of words to chain
   */
  protected abstract finish(staging: Staging, size: number): number;

  protected override wipeKey(): void {
    this.key.fill(0);
  }
}

/** CBC-MAC over whole blocks, with an iv of zeros and no padding. */
export class CbcMacContext extends ChainContext {
  protected override finish(_staging: Staging, size: number): number {
    return size / 4;
  }
}

/** Constants that XCBC enciphers to its three keys (4, step 1). */
const CONSTANTS = Uint8Array.of(1, 2, 3);

/** AES-XCBC-MAC. */
export class XcbcContext extends ChainContext {
  /** K2 and K3, 4 words each. */
  readonly #masks: Uint32Array<ArrayBuffer>;

  /**
   * @param purpose what it is for
   * @param key 16 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    const keys = new Uint8Array(48);
    const expanded = expandKey(key);
    CONSTANTS.forEach((byte, i) => keys.fill(byte, 16 * i, 16 * i + 16));
    ecbEncrypt(expanded, new Uint32Array(keys.buffer), 0, 12);
    expanded.fill(0);
    super(purpose, keys.subarray(0, 16));
    this.#masks = new Uint32Array(keys.buffer.slice(16));
    keys.fill(0);
  }

  /** Pads and masks the last block (4, step 4). */
  protected override finish(staging: Staging, size: number): number {
    const { bytes, words } = staging;
    const to = 4 * Math.max(1, Math.ceil(size / 16));
    let mask = 0;
    if (size < 4 * to) {
      mask = 4;
      bytes[size] = 0x80;
      bytes.fill(0, size + 1, 4 * to);
    }
    for (let i = 0; i < 4; i++) {
      words[to - 4 + i] = words[to - 4 + i]! ^ this.#masks[mask + i]!;
    }
    return to;
  }

  protected override wipeKey(): void {
    super.wipeKey();
    this.#masks.fill(0);
  }
}
