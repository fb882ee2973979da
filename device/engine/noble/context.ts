/**
 * What the contexts of the noble engine have in common.
 *
 * @module
 */

import type { Algorithm, Direction } from "../algorithm.ts";
import type { Context, Engine, Job } from "../engine.ts";
import type { Staging } from "./staging.ts";

/** What a context is for, apart from its key. */
export interface Purpose {
  /** The engine that makes the context. */
  readonly engine: Engine;
  /** The algorithm. */
  readonly algorithm: Algorithm;
  /** The direction. */
  readonly direction: Direction;
  /** Number of the combination of algorithm, direction and key size. */
  readonly group: number;
}

/** A context that runs its own jobs. */
export abstract class NobleContext implements Context {
  /** The engine that made it. */
  readonly engine: Engine;
  /** The algorithm. */
  readonly algorithm: Algorithm;
  /** The direction. */
  readonly direction: Direction;
  /** Number of the combination of algorithm, direction and key size. */
  readonly group: number;
  #wiped = false;

  /** @param purpose what it is for */
  constructor(purpose: Purpose) {
    this.engine = purpose.engine;
    this.algorithm = purpose.algorithm;
    this.direction = purpose.direction;
    this.group = purpose.group;
  }

  /** Whether the key is gone. */
  get wiped(): boolean {
    return this.#wiped;
  }

  /** Overwrites the key and all that was derived from it. */
  wipe(): void {
    this.#wiped = true;
    this.wipeKey();
  }

  /**
   * Runs a job whose lengths are legal.
   *
   * @param job the job
   * @param staging private memory, turned to the guest's memory
   * @returns a value of `JobOutcome`
   */
  abstract run(job: Job, staging: Staging): number;

  /** Overwrites every array that depends on the key. */
  protected abstract wipeKey(): void;
}
