/**
 * What the contexts of the libcrypto engine have in common.
 *
 * @module
 */

import type { Algorithm, Direction } from "../algorithm.ts";
import type { Context, Engine, Job } from "../engine.ts";
import { roundBytesOf } from "./round_bytes.ts";
import { MOST_UNBROKEN, type Work } from "./work.ts";

/** As {@linkcode MOST_UNBROKEN}, of the slow ciphers. */
const MOST_UNBROKEN_DES = 2 << 20;

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
export abstract class LibcryptoContext implements Context {
  /** The engine that made it. */
  readonly engine: Engine;
  /** The algorithm. */
  readonly algorithm: Algorithm;
  /** The direction. */
  readonly direction: Direction;
  /** Number of the combination of algorithm, direction and key size. */
  readonly group: number;
  /** Most bytes of a job that is run without a look at whether to give it up. */
  readonly unbroken: number;
  /** Bytes that it works on in about a millisecond. */
  readonly roundBytes: number;
  /** Whether the key is gone. */
  wiped = false;

  /** @param purpose what it is for */
  constructor(purpose: Purpose) {
    this.engine = purpose.engine;
    this.algorithm = purpose.algorithm;
    this.direction = purpose.direction;
    this.group = purpose.group;
    this.roundBytes = roundBytesOf(purpose.algorithm);
    this.unbroken = /^3?des-/.test(purpose.algorithm.name)
      ? MOST_UNBROKEN_DES
      : MOST_UNBROKEN;
  }

  /** Frees what the library has of it, which overwrites it. */
  wipe(): void {
    if (this.wiped) return;
    this.wiped = true;
    this.free();
  }

  /**
   * Runs a job whose lengths are legal and whose data was located.
   *
   * @param job the job
   * @param work the engine's working place
   * @returns a value of `JobOutcome`
   */
  abstract run(job: Job, work: Work): number;

  /** Frees what the library has of it, and overwrites copies of the key. */
  protected abstract free(): void;
}
