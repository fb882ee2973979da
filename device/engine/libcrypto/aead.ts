/**
 * Contexts of GCM, of GMAC, which is GCM of additional data only, and of
 * ChaCha20-Poly1305.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import type { CipherHandle } from "./cipher_handle.ts";
import { LibcryptoContext, type Purpose } from "./context.ts";
import { setFrom } from "./pointers.ts";
import { PortableTwin } from "./portable.ts";
import type { Ranges } from "./ranges.ts";
import type { Work } from "./work.ts";

/** Bytes of a whole tag, and of the pre-counter block J0. */
const BLOCK = 16;

/** Passes additional data, range by range. */
function authenticate(
  handle: CipherHandle,
  data: Ranges,
  work: Work,
): boolean {
  for (let i = 0; i < data.count; i++) {
    const start = data.start[i]!;
    const length = data.length[i]!;
    for (let done = 0; done < length;) {
      const part = work.next(length - done);
      if (part === 0) return false;
      setFrom(start + done);
      if (!handle.authenticate(part)) return false;
      done += part;
    }
  }
  return true;
}

/** An AEAD that takes data in any pieces, with an iv of 12 bytes. */
export class AeadContext extends LibcryptoContext {
  readonly #handle: CipherHandle;
  /** For an iv that is J0 itself, which OpenSSL would hash. */
  readonly #twin: PortableTwin;

  /**
   * @param purpose what it is for
   * @param handle the cipher with its key; the context owns it
   * @param key the key
   */
  constructor(purpose: Purpose, handle: CipherHandle, key: Uint8Array) {
    super(purpose);
    this.#handle = handle;
    this.#twin = new PortableTwin(purpose.algorithm, purpose.direction, key);
  }

  override run(job: Job, work: Work): number {
    if (job.ivLength === BLOCK) return work.runPortable(job, this.#twin);
    const handle = this.#handle;
    if (!handle.start(job.iv, job.ivLength)) return JobOutcome.FAILED;
    return this.direction === "encrypt"
      ? this.#encrypt(job, work)
      : this.#decrypt(job, work);
  }

  /** In place where it can be: what a guest changes meanwhile is its own. */
  #encrypt(job: Job, work: Work): number {
    const handle = this.#handle;
    const { length } = job.source;
    if (
      !authenticate(handle, work.aad, work) ||
      !work.updateAll(handle.pointer, length, this.unbroken) ||
      !handle.finish() ||
      !handle.takeTag(BLOCK)
    ) return JobOutcome.FAILED;
    work.store(work.memory.tagAt, length, job.resultLength);
    return JobOutcome.DONE;
  }

  /** On a private copy: what is verified is what is deciphered. */
  #decrypt(job: Job, work: Work): number {
    const handle = this.#handle;
    const { memory } = work;
    const length = job.source.length - job.resultLength;
    const at = memory.reserve(length);
    work.load(work.source, 0, at, length);
    work.load(work.source, length, memory.tagAt, job.resultLength);
    if (
      !handle.expectTag(job.resultLength) ||
      !authenticate(handle, work.aad, work) ||
      work.updateInSteps(handle.pointer, at, at, length) !== length
    ) return JobOutcome.FAILED;
    if (!handle.finish()) return JobOutcome.BAD_TAG;
    work.store(at, 0, length);
    return JobOutcome.DONE;
  }

  protected override free(): void {
    this.#handle.free();
    this.#twin.wipe();
  }
}

/** GMAC (SP 800-38D, 3) with an iv of 12 bytes. */
export class GmacContext extends LibcryptoContext {
  readonly #handle: CipherHandle;
  /** For an iv that is J0 itself. */
  readonly #twin: PortableTwin;

  /**
   * @param purpose what it is for
   * @param handle GCM that encrypts, with its key; the context owns it
   * @param key the key
   */
  constructor(purpose: Purpose, handle: CipherHandle, key: Uint8Array) {
    super(purpose);
    this.#handle = handle;
    this.#twin = new PortableTwin(purpose.algorithm, purpose.direction, key);
  }

  override run(job: Job, work: Work): number {
    if (job.ivLength === BLOCK) return work.runPortable(job, this.#twin);
    const handle = this.#handle;
    if (
      !handle.start(job.iv, job.ivLength) ||
      !authenticate(handle, work.source, work) || !handle.finish() ||
      !handle.takeTag(BLOCK)
    ) return JobOutcome.FAILED;
    work.store(work.memory.tagAt, 0, job.resultLength);
    return JobOutcome.DONE;
  }

  protected override free(): void {
    this.#handle.free();
    this.#twin.wipe();
  }
}
