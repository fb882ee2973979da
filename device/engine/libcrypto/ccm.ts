/**
 * AES-CCM (SP 800-38C).
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import type { CipherHandle } from "./cipher_handle.ts";
import { LibcryptoContext, type Purpose } from "./context.ts";
import { setFrom } from "./pointers.ts";
import { PortableTwin } from "./portable.ts";
import { MOST_UNBROKEN, READ, type Work, WRITE } from "./work.ts";

/**
 * AES-CCM in either direction. OpenSSL takes AAD in one piece and data in one
 * piece, and has to know the sizes of nonce and tag before the key.
 */
export class CcmContext extends LibcryptoContext {
  readonly #handle: CipherHandle;
  /** The key, and for what takes too long in one call. */
  readonly #twin: PortableTwin;
  /** Sizes that the key was set with. */
  #ivLength = 0;
  #tagLength = 0;

  /**
   * @param purpose what it is for
   * @param handle the cipher without a key; the context owns it
   * @param key 16, 24 or 32 bytes
   */
  constructor(purpose: Purpose, handle: CipherHandle, key: Uint8Array) {
    super(purpose);
    this.#handle = handle;
    this.#twin = new PortableTwin(purpose.algorithm, purpose.direction, key);
  }

  override run(job: Job, work: Work): number {
    const { aad, ivLength, resultLength } = job;
    const encrypts = this.direction === "encrypt";
    const length = job.source.length - (encrypts ? 0 : resultLength);
    // The length has to fit into the q bytes the nonce leaves (A.1).
    if (length >= 256 ** (15 - ivLength)) return JobOutcome.FAILED;
    if (length > MOST_UNBROKEN || aad.length > MOST_UNBROKEN) {
      return work.runPortable(job, this.#twin);
    }
    if (!this.#setSizes(ivLength, resultLength)) return JobOutcome.FAILED;
    return encrypts
      ? this.#encrypt(job, work, length)
      : this.#decrypt(job, work, length);
  }

  #encrypt(job: Job, work: Work, length: number): number {
    const handle = this.#handle;
    const isDirect = work.isDirect(length);
    const copied = isDirect ? 0 : length;
    const at = this.#reserve(job, work, copied);
    work.load(work.source, 0, at, copied);
    const read = isDirect ? work.source.start[0]! : at;
    const write = isDirect ? work.destination.start[0]! : at;
    if (
      !this.#begin(job, work, length, at + copied) ||
      !this.#update(work, read, write, length) || !handle.finish() ||
      !handle.takeTag(job.resultLength)
    ) return JobOutcome.FAILED;
    work.store(at, 0, copied);
    work.store(work.memory.tagAt, length, job.resultLength);
    return JobOutcome.DONE;
  }

  /** On a private copy: what is verified is what is deciphered. */
  #decrypt(job: Job, work: Work, length: number): number {
    const { memory } = work;
    const at = this.#reserve(job, work, length);
    work.load(work.source, 0, at, length);
    work.load(work.source, length, memory.tagAt, job.resultLength);
    if (!this.#begin(job, work, length, at + length)) return JobOutcome.FAILED;
    // It verifies what it has deciphered, and overwrites it where it is wrong.
    if (!this.#update(work, at, at, length)) return JobOutcome.BAD_TAG;
    work.store(at, 0, length);
    return JobOutcome.DONE;
  }

  /** Makes room for data, and behind it for AAD that is in several ranges. */
  #reserve(job: Job, work: Work, length: number): number {
    return work.memory.reserve(
      length + (work.aad.count > 1 ? job.aad.length : 0),
    );
  }

  /** Sets the key again where a job's sizes are not those of the last one. */
  #setSizes(ivLength: number, tagLength: number): boolean {
    if (this.#ivLength === ivLength && this.#tagLength === tagLength) {
      return true;
    }
    this.#ivLength = 0;
    const handle = this.#handle;
    if (
      !handle.setIvLength(ivLength) || !handle.setTagLength(tagLength) ||
      !handle.setKey(this.#twin.key)
    ) return false;
    this.#ivLength = ivLength;
    this.#tagLength = tagLength;
    return true;
  }

  /** Passes iv, expected tag, length and AAD. */
  #begin(job: Job, work: Work, length: number, aadCopy: number): boolean {
    const handle = this.#handle;
    const { aad } = work;
    if (
      !handle.start(job.iv, job.ivLength) ||
      (this.direction === "decrypt" && !handle.expectTag(job.resultLength)) ||
      !handle.announce(length)
    ) return false;
    if (aad.count === 0) return true;
    let at = aad.start[0]!;
    if (aad.count > 1) {
      at = aadCopy;
      work.load(aad, 0, at, job.aad.length);
    }
    setFrom(at);
    return handle.authenticate(job.aad.length);
  }

  /** Also with no data at all: it is what makes the tag. */
  #update(work: Work, read: number, write: number, length: number): boolean {
    if (length > 0) {
      work.io[READ] = read;
      work.io[WRITE] = write;
      return work.update(this.#handle.pointer, length) === length;
    }
    return this.#handle.passNothing();
  }

  protected override free(): void {
    this.#handle.free();
    this.#twin.wipe();
  }
}
