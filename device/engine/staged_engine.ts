/**
 * What engines have in common that compute in private memory: the way of a
 * batch of jobs through their contexts.
 *
 * @module
 */

import type { Algorithm, Direction } from "./algorithm.ts";
import {
  type Context,
  type Engine,
  type Job,
  type JobMemory,
  JobOutcome,
} from "./engine.ts";
import { resultSize } from "./job_lengths.ts";
import { NobleContext } from "./noble/context.ts";
import { directions } from "./noble/groups.ts";
import { Staging } from "./noble/staging.ts";

/**
 * An engine whose contexts run their own jobs in private memory.
 *
 * Each byte of a source is read once. A result is computed in private memory
 * and written when all of it is there; a job that fails or is given up writes
 * nothing. Private memory keeps what the last jobs left until
 * {@linkcode StagedEngine.wipe}; above 1 MiB it is given back after each batch.
 */
export abstract class StagedEngine implements Engine {
  /** The engine's name. */
  abstract readonly name: string;
  /** Number of groups its contexts fall into. */
  abstract readonly groups: number;
  readonly #staging = new Staging();

  abstract serves(algorithm: Algorithm, keyLength?: number): boolean;

  abstract prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context;

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
      job.ranBy = this.name;
    }
    this.#staging.release();
  }

  /** Overwrites what the engine keeps of data between jobs. */
  wipe(): void {
    this.clean();
    this.#staging.forget();
  }

  /** Overwrites private data, and goes on with the batch. */
  protected clean(): void {
    this.#staging.clear();
  }

  /**
   * Refuses what no context can be made for.
   *
   * @param algorithm the algorithm
   * @param direction the direction
   * @param key the key
   * @throws {RangeError} It is not served, not in this direction, or not with
   * a key of this size
   */
  protected checkServed(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): void {
    if (!this.serves(algorithm)) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name}: the ${this.name} engine does not serve it`,
      );
    }
    if (direction === "decrypt" && directions(algorithm) === 1) {
      throw new RangeError(`Cannot prepare ${algorithm.name} to decrypt`);
    }
    if (!this.serves(algorithm, key.length)) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name} with a key of ${key.length} bytes`,
      );
    }
  }

  #runOne(job: Job): number {
    const { context } = job;
    if (
      !(context instanceof NobleContext) || context.engine !== this ||
      context.wiped || resultSize(job, context) < 0
    ) return JobOutcome.FAILED;
    try {
      return context.run(job, this.#staging);
    } catch {
      // Out of memory, or a source that leaves the segments.
      this.clean();
      return JobOutcome.FAILED;
    }
  }
}
