/**
 * The portable engine: `@noble/ciphers` and `@noble/hashes`, which need no
 * permission and no library of the system.
 *
 * @module
 */

import { type Algorithm, type Direction, hasSize } from "./algorithm.ts";
import {
  type Context,
  type Engine,
  type EngineName,
  type Job,
  type JobMemory,
  JobOutcome,
} from "./engine.ts";
import { MAKERS, type RunningDigests } from "./noble/catalogue.ts";
import { NobleContext } from "./noble/context.ts";
import { directions, groupOf, GROUPS } from "./noble/groups.ts";
import { Staging } from "./noble/staging.ts";

/**
 * Whether a job has the lengths that its algorithm takes. Callers have checked
 * them; a tag of no bytes, say, is still not taken on trust.
 */
function hasLegalLengths(job: Job, context: Context): boolean {
  const { algorithm, direction } = context;
  const { destination, ivLength, resultLength } = job;
  let { length } = job.source;
  let result = resultLength;
  switch (algorithm.kind) {
    case "cipher":
      result = length;
      break;
    case "aead":
      if (direction === "decrypt") length -= resultLength;
      result = direction === "decrypt" ? length : length + resultLength;
      break;
  }
  return length >= algorithm.minimum && length % algorithm.block === 0 &&
    destination.length >= result &&
    (algorithm.iv.max === 0 || hasSize(algorithm.iv, ivLength)) &&
    (algorithm.result.max === 0 || hasSize(algorithm.result, resultLength));
}

/**
 * The portable engine. It serves every algorithm of `ALGORITHMS`.
 *
 * Each byte of a source is read once. A result is computed in private memory
 * and written when all of it is there; a job that fails or is given up writes
 * nothing. Private memory keeps what the last jobs left until
 * {@linkcode NobleEngine.wipe}; above 1 MiB it is given back after each batch.
 *
 * AES and GHASH look up tables at places that depend on secret data: their
 * time is not constant where an attacker shares the processor's cache.
 *
 * @example
 * ```ts
 * import { ALGORITHMS } from "./algorithm.ts";
 *
 * const engine = new NobleEngine();
 * const context = engine.prepare(
 *   ALGORITHMS["aes-cbc"],
 *   "encrypt",
 *   new Uint8Array(16),
 * );
 * context.wipe();
 * ```
 */
export class NobleEngine implements Engine {
  /** The engine's name. */
  readonly name: EngineName = "noble";
  /** Number of groups its contexts fall into. */
  readonly groups: number = GROUPS;
  readonly #staging = new Staging();
  readonly #running: RunningDigests = new Map();

  /**
   * Whether the engine serves an algorithm.
   *
   * @param algorithm the algorithm
   * @param keyLength key size in bytes; left out: with any key
   * @returns true when it does, in both directions and at every legal length
   */
  serves(algorithm: Algorithm, keyLength?: number): boolean {
    return MAKERS.has(algorithm.name) &&
      (keyLength === undefined || hasSize(algorithm.key, keyLength));
  }

  /**
   * Makes a context. The key is copied.
   *
   * @param algorithm an algorithm it serves
   * @param direction the direction
   * @param key the key, of a legal size; empty for a hash
   * @returns the context
   * @throws {RangeError} The algorithm is not served, not in this direction,
   * or not with a key of this size
   */
  prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    const maker = MAKERS.get(algorithm.name);
    if (maker === undefined) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name}: the noble engine does not serve it`,
      );
    }
    if (direction === "decrypt" && directions(algorithm) === 1) {
      throw new RangeError(`Cannot prepare ${algorithm.name} to decrypt`);
    }
    if (!hasSize(algorithm.key, key.length)) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name} with a key of ${key.length} bytes`,
      );
    }
    const group = groupOf(algorithm, direction, key.length);
    return maker(
      { engine: this, algorithm, direction, group },
      key,
      this.#running,
    );
  }

  /**
   * Runs jobs to their end, one after the other, and sets each one's outcome:
   * a job may read what an earlier one of the same batch wrote.
   *
   * @param jobs holds the jobs
   * @param count how many of them, from the first
   * @param on the memory they work on
   * @param abandoned asked between steps of at most 64 KiB when there is one
   * job only: true gives the job up, before anything of it was written
   */
  run(
    jobs: readonly Job[],
    count: number,
    on: JobMemory,
    abandoned: () => boolean,
  ): void {
    this.#staging.bind(on, count === 1 ? abandoned : undefined);
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      job.outcome = this.#runOne(job);
    }
    this.#staging.release();
  }

  /** Overwrites what the engine keeps of data between jobs. */
  wipe(): void {
    this.#clean();
    this.#staging.forget();
  }

  #runOne(job: Job): number {
    const { context } = job;
    if (
      !(context instanceof NobleContext) || context.engine !== this ||
      context.wiped || !hasLegalLengths(job, context)
    ) return JobOutcome.FAILED;
    try {
      return context.run(job, this.#staging);
    } catch {
      // Out of memory, or a source that leaves the segments.
      this.#clean();
      return JobOutcome.FAILED;
    }
  }

  /** Overwrites private data, and goes on with the batch. */
  #clean(): void {
    this.#staging.clear();
    for (const digest of this.#running.values()) digest.destroy();
  }
}
