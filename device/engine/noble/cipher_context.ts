/**
 * What the contexts of ciphers have in common that work step by step.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import { NobleContext } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";

/** A cipher that works in place, from the first byte to the last. */
export abstract class CipherContext extends NobleContext {
  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    staging.reserve(length);
    staging.seek(job.source);
    this.start(job.iv, staging);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(at, size);
      this.apply(staging, at, size);
    }
    staging.write(job.destination, staging.bytes, length);
    return JobOutcome.DONE;
  }

  /**
   * Starts a job.
   *
   * @param iv the iv
   * @param staging private memory, for what is carried from step to step
   */
  protected abstract start(iv: Uint8Array, staging: Staging): void;

  /**
   * Works on the next bytes. What follows a partial last block may be worked
   * on too: it is never copied out.
   *
   * @param staging holds the data, which is replaced
   * @param at offset of the first byte
   * @param size number of bytes; a whole step but for the last of a job
   */
  protected abstract apply(staging: Staging, at: number, size: number): void;
}
