/**
 * The engine over Intel's Multi-Buffer Crypto for IPsec library, which runs
 * independent jobs side by side in the lanes of vector registers.
 *
 * @module
 */

import type { Processor } from "../host/ipsec_mb.ts";
import { LibraryError } from "../host/library_error.ts";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
} from "./algorithm.ts";
import {
  type Context,
  type Engine,
  type EngineName,
  type InPlaceCipher,
  Job,
  type JobMemory,
  JobOutcome,
} from "./engine.ts";
import { hasLegalLengths, textLength } from "./ipsec_mb/checks.ts";
import { IpsecMbContext } from "./ipsec_mb/context.ts";
import type { IpsecMbInPlace } from "./ipsec_mb/in_place.ts";
import { Lanes } from "./ipsec_mb/lanes.ts";
import { runLongJob } from "./ipsec_mb/long_jobs.ts";
import { NativePool } from "./ipsec_mb/native_memory.ts";
import { Via } from "./ipsec_mb/recipe.ts";
import { RECIPES } from "./ipsec_mb/recipes.ts";
import { checkedSizes } from "./ipsec_mb/self_check.ts";
import { LIBRARY_CHECKS } from "./library_checks.ts";
import { NobleEngine } from "./noble.ts";
import { directions } from "./noble/groups.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { PENDING, FAILED } = JobOutcome;

/** Stands where no job is. */
const IDLE = new Job();

/** HMAC keys of every size work alike. */
function operationName(
  name: string,
  direction: Direction,
  keyLength: number,
): string {
  const size = name.startsWith("hmac-") ? "" : keyLength;
  return `${name} ${direction} ${size}`;
}

function never(): boolean {
  return false;
}

/**
 * The ipsec-mb engine. It serves what the library has and what came out right
 * when the engine was made.
 *
 * Jobs run in place in guest memory, up to 128 at a time. The library takes
 * none that is empty or longer than 65,520 bytes (8,188 and 2,500 with ciphers
 * of mobile networks). Longer ones of the AES ciphers run in pieces; the others
 * run on the portable engine, inside, and so do those of a J0 for an iv, of a
 * counter whose low 32 bits wrap, of a CCM AAD of more than 46 bytes, and those
 * of DES where the library has no lanes for it, without AVX-512.
 */
export class IpsecMbEngine implements Engine {
  /** The engine's name. */
  readonly name: EngineName = "ipsec-mb";
  /** Number of groups its contexts fall into. */
  readonly groups: number;
  /** What the library uses of the processor. */
  readonly processor: Processor;
  readonly #lanes = new Lanes();
  readonly #aside = new NobleEngine();
  readonly #pool = new NativePool();
  readonly #asideJobs: [Job] = [IDLE];
  /** Key sizes that serve, by the algorithm's name. */
  readonly #served: ReadonlyMap<string, ReadonlySet<number>>;
  /** Group of each operation: algorithm, direction, key size. */
  readonly #groupOf = new Map<string, number>();
  /** The ways to run ciphers in place that were asked for, by operation. */
  readonly #inPlace = new Map<string, IpsecMbInPlace>();

  /**
   * Opens the library, and tries what it has where this process has not yet.
   *
   * @param processor what to take the processor for; left out: what it is
   * @throws {LibraryError} The library cannot be used
   */
  constructor(processor?: Processor) {
    this.processor = processor ?? this.#lanes.processor;
    this.#served = LIBRARY_CHECKS.ipsecMb ??= checkedSizes({
      prepare: (...parameters) => this.#prepare(...parameters),
      run: (...parameters) => this.run(...parameters),
    });
    if (this.#served.size === 0) {
      throw new LibraryError(
        "Cannot use libIPSec_MB.so.1: its results are wrong",
      );
    }
    this.wipe();
    for (const [name, sizes] of this.#served) {
      const ways = directions(ALGORITHMS[name as AlgorithmName]) === 1
        ? ["encrypt"] as const
        : ["encrypt", "decrypt"] as const;
      for (const direction of ways) {
        for (const size of sizes) {
          const operation = operationName(name, direction, size);
          const groups = this.#groupOf;
          if (!groups.has(operation)) groups.set(operation, groups.size);
        }
      }
    }
    this.groups = this.#groupOf.size;
  }

  /**
   * Whether the engine serves an algorithm.
   *
   * @param algorithm the algorithm
   * @param keyLength key size in bytes; left out: with any key
   * @returns true when it does, in both directions and at every legal length
   */
  serves(algorithm: Algorithm, keyLength?: number): boolean {
    const sizes = this.#served.get(algorithm.name);
    if (sizes === undefined) return false;
    if (keyLength === undefined) return true;
    return hasSize(algorithm.key, keyLength) &&
      (algorithm.name.startsWith("hmac-") || sizes.has(keyLength));
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
    const { name } = algorithm;
    if (!this.serves(algorithm)) {
      throw new RangeError(
        `Cannot prepare ${name}: the ipsec-mb engine does not serve it`,
      );
    }
    if (direction === "decrypt" && directions(algorithm) === 1) {
      throw new RangeError(`Cannot prepare ${name} to decrypt`);
    }
    if (!this.serves(algorithm, key.length)) {
      throw new RangeError(
        `Cannot prepare ${name} with a key of ${key.length} bytes`,
      );
    }
    return this.#prepare(algorithm, direction, key);
  }

  /**
   * Runs jobs to their end, side by side, and sets each one's outcome.
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
    this.begin(on, count);
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      const { context } = job;
      if (this.add(job, context!) || !this.#hears(job, context)) continue;
      try {
        this.#runOther(job, context, on, count === 1 ? abandoned : never);
      } catch {
        // A source that leaves the segments, or no memory: it has failed.
        job.outcome = FAILED;
      }
    }
    this.finish();
  }

  /**
   * Turns to a batch, of which {@linkcode add} takes the jobs that the library
   * itself runs.
   *
   * @param on the memory they work on
   * @param count number of jobs in the batch
   */
  begin(on: JobMemory, count: number): void {
    this.#lanes.bind(on, count);
  }

  /**
   * Takes a job in. It has an outcome after {@linkcode finish}, and FAILED
   * until then.
   *
   * @param job the job
   * @param context the context of this engine that it is to run with
   * @returns false for a job that the library does not run
   */
  add(job: Job, context: Context): boolean {
    job.outcome = FAILED;
    job.ranBy = this.name;
    if (!this.#hears(job, context)) return false;
    try {
      return this.#lanes.add(job, context);
    } catch {
      // A source that leaves the segments: it has failed.
      return true;
    }
  }

  /** Runs the jobs that were taken in. */
  finish(): void {
    this.#lanes.finish();
  }

  /**
   * The way to run a cipher in place.
   *
   * @param algorithm a cipher that it serves
   * @param direction the direction
   * @param keyLength bytes of the key, of a legal size
   * @returns bursts of it, where the library has them for ciphers alone
   */
  inPlace(
    algorithm: Algorithm,
    direction: Direction,
    keyLength: number,
  ): InPlaceCipher | undefined {
    const recipe = RECIPES.get(algorithm.name)?.(keyLength);
    if (
      recipe?.via !== Via.CIPHER_BURST || !this.serves(algorithm, keyLength)
    ) return undefined;
    const operation = operationName(algorithm.name, direction, keyLength);
    let cipher = this.#inPlace.get(operation);
    if (cipher === undefined) {
      cipher = this.#lanes.inPlace(recipe, direction === "decrypt");
      this.#inPlace.set(operation, cipher);
    }
    return cipher;
  }

  /** Whether a job is one of this engine's, and of legal lengths. */
  #hears(job: Job, context: Context | undefined): context is IpsecMbContext {
    return context instanceof IpsecMbContext && context.engine === this &&
      !context.wiped && hasLegalLengths(job, context);
  }

  /** Overwrites what the engine keeps of data between jobs. */
  wipe(): void {
    this.#lanes.wipe();
    this.#aside.wipe();
  }

  #prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    const recipe = RECIPES.get(algorithm.name)?.(key.length);
    if (recipe === undefined) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name} with a key of ${key.length} bytes`,
      );
    }
    const operation = operationName(algorithm.name, direction, key.length);
    const makers = {
      engine: this,
      // The self-check runs before groups are numbered.
      group: this.#groupOf.get(operation) ?? 0,
      aside: this.#aside,
      pool: this.#pool,
      functions: this.#lanes.functions,
      processor: this.processor,
    };
    return new IpsecMbContext(makers, algorithm, direction, key, recipe);
  }

  /** Runs a job that the library does not take as it is. */
  #runOther(
    job: Job,
    context: IpsecMbContext,
    on: JobMemory,
    abandoned: () => boolean,
  ): void {
    if (textLength(job, context) > context.recipe.most) {
      this.#lanes.finish();
      job.outcome = runLongJob(this.#lanes, job, context, on, abandoned);
      if (job.outcome !== PENDING) return;
      job.outcome = FAILED;
    }
    job.context = context.aside;
    this.#asideJobs[0] = job;
    try {
      this.#aside.run(this.#asideJobs, 1, on, abandoned);
    } finally {
      job.context = context;
      job.ranBy = this.name;
      this.#asideJobs[0] = IDLE;
    }
  }
}
