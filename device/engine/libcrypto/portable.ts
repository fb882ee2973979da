/**
 * The way to the portable engine, for the few jobs that OpenSSL cannot do.
 *
 * @module
 */

import { copyKey } from "../../memory/secrets.ts";
import type { Algorithm, Direction } from "../algorithm.ts";
import type { Context, Job, JobMemory } from "../engine.ts";
import { NobleEngine } from "../noble.ts";

/** A portable engine, made when it is first needed. */
export class Portable {
  #engine: NobleEngine | undefined;
  readonly #jobs: Job[] = [];

  /**
   * Makes a context of the portable engine.
   *
   * @param algorithm the algorithm
   * @param direction the direction
   * @param key the key; it is copied
   * @returns the context, which the caller wipes
   */
  prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    this.#engine ??= new NobleEngine();
    return this.#engine.prepare(algorithm, direction, key);
  }

  /**
   * Runs a job with a context of the portable engine in place of its own.
   *
   * @param job the job
   * @param context of {@linkcode Portable.prepare}
   * @param on the memory it works on
   * @param abandoned asked between steps
   * @returns how it ended
   */
  run(
    job: Job,
    context: Context,
    on: JobMemory,
    abandoned: () => boolean,
  ): number {
    const own = job.context;
    job.context = context;
    this.#jobs[0] = job;
    context.engine.run(this.#jobs, 1, on, abandoned);
    this.#jobs.length = 0;
    job.context = own;
    return job.outcome;
  }

  /** Overwrites what is kept of data. */
  wipe(): void {
    this.#engine?.wipe();
  }
}

/**
 * A context of the portable engine with the key of another context, made when
 * it is first needed. Until then, and after, it has a copy of the key.
 */
export class PortableTwin {
  /** The key. In memory of its own that does not move, so no copy stays. */
  readonly key: Uint8Array<ArrayBuffer>;
  readonly #algorithm: Algorithm;
  readonly #direction: Direction;
  #context: Context | undefined;

  /**
   * @param algorithm the algorithm
   * @param direction the direction
   * @param key the key; it is copied
   */
  constructor(algorithm: Algorithm, direction: Direction, key: Uint8Array) {
    this.#algorithm = algorithm;
    this.#direction = direction;
    this.key = new Uint8Array(new ArrayBuffer(key.length));
    copyKey(key, this.key);
  }

  /**
   * The context.
   *
   * @param portable makes it
   * @returns the same one each time
   */
  context(portable: Portable): Context {
    return this.#context ??= portable.prepare(
      this.#algorithm,
      this.#direction,
      this.key,
    );
  }

  /** Overwrites the key and all that was derived from it. */
  wipe(): void {
    this.key.fill(0);
    this.#context?.wipe();
    this.#context = undefined;
  }
}
