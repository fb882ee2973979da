/**
 * Contexts of the 3GPP algorithms on key streams: the ciphers UEA2 and
 * 128-EEA3, the MACs UIA2 and 128-EIA3.
 *
 * @module
 */

import { type Job, JobOutcome } from "../engine.ts";
import type { KeyStream } from "../primitives/key_stream.ts";
import type { KeyStreamMac } from "../primitives/key_stream_mac.ts";
import { CipherContext } from "./cipher_context.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";
import { swap } from "./words.ts";

/** A cipher that adds a key stream, in either direction alike. */
export class KeyStreamContext extends CipherContext {
  readonly #stream: KeyStream;

  /**
   * @param purpose what it is for
   * @param stream the generator with its key; the context owns it
   */
  constructor(purpose: Purpose, stream: KeyStream) {
    super(purpose);
    this.#stream = stream;
  }

  protected override start(iv: Uint8Array): void {
    this.#stream.start(iv);
  }

  protected override apply(staging: Staging, at: number, size: number): void {
    const to = at / 4 + Math.ceil(size / 4);
    this.#stream.xor(staging.words, at / 4, to);
  }

  protected override wipeKey(): void {
    this.#stream.wipe();
  }
}

/** A MAC made with a key stream. */
export class KeyStreamMacContext extends NobleContext {
  readonly #mac: KeyStreamMac;

  /**
   * @param purpose what it is for
   * @param mac the algorithm with its key; the context owns it
   */
  constructor(purpose: Purpose, mac: KeyStreamMac) {
    super(purpose);
    this.#mac = mac;
  }

  override run(job: Job, staging: Staging): number {
    const { length } = job.source;
    const mac = this.#mac;
    staging.reserve(Math.min(length, STEP));
    staging.seek(job.source);
    mac.start(job.iv);
    for (let at = 0; at < length; at += STEP) {
      if (!staging.next()) return JobOutcome.ABANDONED;
      const size = Math.min(length - at, STEP);
      staging.read(0, size);
      mac.update(staging.words, 8 * size);
    }
    const { result, resultWords } = staging.scratch;
    resultWords[0] = swap(mac.finish());
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  protected override wipeKey(): void {
    this.#mac.wipe();
  }
}
