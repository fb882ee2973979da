/**
 * 3DES-CTR, which OpenSSL does not have: 3DES-ECB enciphers the counter blocks.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import type { CipherHandle } from "./cipher_handle.ts";
import { LibcryptoContext, type Purpose } from "./context.ts";
import { READ, STEP, type Work, WRITE } from "./work.ts";

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) |
    (word >>> 24);
}

function readBigEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
    bytes[at + 3]!) >>> 0;
}

/** 3DES-CTR (SP 800-38A, 6.5) with one 64-bit big-endian counter. */
export class TdesCtrContext extends LibcryptoContext {
  readonly #handle: CipherHandle;
  /** The next counter block: its high and its low word. */
  #high = 0;
  #low = 0;

  /**
   * @param purpose what it is for
   * @param handle 3DES-ECB that encrypts, with its key; the context owns it
   */
  constructor(purpose: Purpose, handle: CipherHandle) {
    super(purpose);
    this.#handle = handle;
  }

  override run(job: Job, work: Work): number {
    const { length } = job.source;
    const { pointer } = this.#handle;
    const { memory } = work;
    // The data, in whole blocks, and then a step's key stream.
    const whole = Math.ceil(length / 8) * 8;
    const at = memory.reserve(whole + Math.min(whole, STEP));
    work.load(work.source, 0, at, length);
    this.#high = readBigEndian(job.iv, 0);
    this.#low = readBigEndian(job.iv, 4);
    const { words } = memory;
    const stream = whole / 4;
    for (let done = 0; done < whole;) {
      const size = work.next(whole - done);
      if (size === 0) return JobOutcome.FAILED;
      this.#fillCounters(words, stream, stream + size / 4);
      const key = at + whole;
      work.io[READ] = key;
      work.io[WRITE] = key;
      if (work.update(pointer, size) !== size) {
        return JobOutcome.FAILED;
      }
      const first = done / 4;
      for (let i = 0; i < size / 4; i++) {
        words[first + i] = words[first + i]! ^ words[stream + i]!;
      }
      done += size;
    }
    work.store(at, 0, length);
    return JobOutcome.DONE;
  }

  /** Writes counter blocks to words, and moves the counter on. */
  #fillCounters(words: Uint32Array, start: number, end: number): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = start; i < end; i += 2) {
      words[i] = swap(high);
      words[i + 1] = swap(low);
      low = (low + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
    }
    this.#high = high;
    this.#low = low;
  }

  protected override free(): void {
    this.#handle.free();
  }
}
