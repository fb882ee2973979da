/**
 * Contexts of f9 on KASUMI.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import { KasumiF9 } from "../primitives/kasumi_f9.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";
import { swap } from "./words.ts";

/** f9 of a string that the driver has padded. */
export class KasumiF9Context extends NobleContext {
  readonly #mac: KasumiF9;

  /**
   * @param purpose what it is for
   * @param key 16 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.#mac = new KasumiF9(key);
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    staging.reserve(Math.min(length, STEP));
    staging.seek(job.source);
    this.#mac.start();
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(0, size);
      this.#mac.absorb(staging.words, 0, size / 4);
    }
    const { result, resultWords } = staging.scratch;
    resultWords[0] = swap(this.#mac.finish());
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  protected override wipeKey(): void {
    this.#mac.wipe();
  }
}
