/**
 * The hash functions: names, and contexts that hash step by step.
 *
 * @module
 */

import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import {
  type Keccak,
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512,
  shake128,
  shake256,
} from "@noble/hashes/sha3.js";
import type { CHash, Hash } from "@noble/hashes/utils.js";
import { type Job, JobOutcome } from "../engine.ts";
import { NobleContext, type Purpose } from "./context.ts";
import { type Staging, STEP } from "./staging.ts";

/** A hash or MAC under way, whatever its class. */
export type Digest = Hash<unknown>;

/** The hash functions with a digest of a fixed size, by name. */
export const HASHES = {
  "md5": md5,
  "sha1": sha1,
  "sha224": sha224,
  "sha256": sha256,
  "sha384": sha384,
  "sha512": sha512,
  "sha3-224": sha3_224,
  "sha3-256": sha3_256,
  "sha3-384": sha3_384,
  "sha3-512": sha3_512,
} as const satisfies Record<string, CHash>;

/** The extendable-output functions, by name. */
export const EXTENDABLE_HASHES = {
  "shake128": shake128,
  "shake256": shake256,
} as const;

/**
 * Hashes the source step by step.
 *
 * @param digest receives the source
 * @param job the job
 * @param staging private memory
 * @returns false when the job was given up
 */
function absorb(digest: Digest, job: Job, staging: Staging): boolean {
  const { length } = job.source;
  staging.seek(job.source);
  for (let at = 0; at < length; at += STEP) {
    if (!staging.next()) return false;
    const size = Math.min(length - at, STEP);
    staging.read(0, size);
    digest.update(staging.view(0, size));
  }
  return true;
}

/**
 * A hash, or a MAC made of hashes. Each job starts from a copy of one initial
 * state, which for HMAC has both keyed blocks behind it (RFC 2104, section 4).
 */
export class DigestContext extends NobleContext {
  readonly #initial: Digest;
  readonly #running: Digest;

  /**
   * @param purpose what it is for
   * @param initial the state every job starts from; the context owns it
   * @param running takes the state of a job; contexts of one algorithm share it
   */
  constructor(purpose: Purpose, initial: Digest, running: Digest) {
    super(purpose);
    this.#initial = initial;
    this.#running = running;
  }

  override run(job: Job, staging: Staging): number {
    const running = this.#running;
    staging.reserve(Math.min(job.source.length, STEP));
    this.#initial._cloneInto(running);
    if (!absorb(running, job, staging)) {
      running.destroy();
      return JobOutcome.ABANDONED;
    }
    const { result } = staging.scratch;
    running.digestInto(result);
    running.destroy();
    staging.write(job.destination, result, job.resultLength);
    return JobOutcome.DONE;
  }

  protected override wipeKey(): void {
    this.#initial.destroy();
  }
}

/** A hash whose output is as long as is asked for (FIPS 202, 6.2). */
export class ExtendableContext extends NobleContext {
  readonly #initial: Keccak;
  readonly #running: Keccak;

  /**
   * @param purpose what it is for
   * @param initial the state every job starts from
   * @param running takes the state of a job; contexts of one algorithm share it
   */
  constructor(purpose: Purpose, initial: Keccak, running: Keccak) {
    super(purpose);
    this.#initial = initial;
    this.#running = running;
  }

  override run(job: Job, staging: Staging): number {
    const running = this.#running;
    const { resultLength } = job;
    staging.reserve(Math.max(resultLength, Math.min(job.source.length, STEP)));
    this.#initial._cloneInto(running);
    let going = absorb(running, job, staging);
    for (let at = 0; going && at < resultLength; at += STEP) {
      going = staging.next();
      const size = Math.min(resultLength - at, STEP);
      if (going) running.xofInto(staging.view(at, size));
    }
    running.destroy();
    if (!going) return JobOutcome.ABANDONED;
    staging.write(job.destination, staging.bytes, resultLength);
    return JobOutcome.DONE;
  }

  protected override wipeKey(): void {
    this.#initial.destroy();
  }
}
