/**
 * Several engines as one: each job goes to the one that is fastest at it.
 *
 * @module
 */

import { copyKey } from "../memory/secrets.ts";
import type { Algorithm, Direction } from "./algorithm.ts";
import { type Burst, type Bursts, burstsOn } from "./auto/bursts.ts";
import { SHORT_JOBS } from "./auto/short_jobs.ts";
import {
  type Context,
  type Engine,
  type InPlaceCipher,
  Job,
  type JobMemory,
  JobOutcome,
} from "./engine.ts";
import { IpsecMbEngine } from "./ipsec_mb.ts";
import { RECIPES } from "./ipsec_mb/recipes.ts";
import { LibcryptoEngine } from "./libcrypto.ts";
import { NobleEngine } from "./noble.ts";
import { directions, groupOf, GROUPS } from "./noble/groups.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { FAILED } = JobOutcome;

/** Stands where no job is. */
const IDLE = new Job();

/**
 * A prepared operation of each engine that gets jobs of it. Each is prepared
 * when its first job comes.
 */
class AutoContext implements Context {
  readonly engine: AutoEngine;
  readonly algorithm: Algorithm;
  readonly direction: Direction;
  readonly group: number;
  /** Index of the engine for jobs that are alone, or that the other refuses. */
  readonly single: number;
  /** Index of the engine for those of them that are short. */
  readonly short: number;
  /** Bytes of the source of the longest short one; -1: there is none. */
  readonly shortTo: number;
  /** When jobs go to the engine that runs bursts; undefined: never. */
  readonly burst: Burst | undefined;
  readonly #roundBytes: number | undefined;
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #parts: (Context | undefined)[];
  #wiped = false;

  constructor(
    engine: AutoEngine,
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
    single: number,
    short: number,
    burst: Burst | undefined,
  ) {
    this.engine = engine;
    this.algorithm = algorithm;
    this.direction = direction;
    this.group = groupOf(algorithm, direction, key.length);
    this.single = single;
    this.short = short;
    this.shortTo = short < 0 ? -1 : SHORT_JOBS.get(algorithm.name) ?? -1;
    this.burst = burst;
    // Without a context of that engine, which a single job does not need.
    this.#roundBytes = burst &&
      RECIPES.get(algorithm.name)?.(key.length)?.roundBytes;
    this.#key = new Uint8Array(new ArrayBuffer(key.length));
    copyKey(key, this.#key);
    this.#parts = engine.engines.map(() => undefined);
  }

  get roundBytes(): number | undefined {
    try {
      return this.#roundBytes ?? this.part(this.single).roundBytes;
    } catch {
      // The engine has no memory for the context, and its jobs will fail.
      return undefined;
    }
  }

  get wiped(): boolean {
    return this.#wiped;
  }

  /** The context of one engine, by its index. */
  part(index: number): Context {
    return this.#parts[index] ??= this.engine.engines[index]!.prepare(
      this.algorithm,
      this.direction,
      this.#key,
    );
  }

  wipe(): void {
    this.#wiped = true;
    this.#key.fill(0);
    this.#parts.forEach((part) => part?.wipe());
    this.#parts.fill(undefined);
  }
}

/** The jobs of a batch that go to one engine. */
class Share {
  readonly engine: string;
  readonly jobs: Job[] = [];
  readonly #contexts: (AutoContext | undefined)[] = [];
  count = 0;

  constructor(engine: string) {
    this.engine = engine;
  }

  /** Takes a job in, turned to one engine. */
  add(job: Job, context: AutoContext, part: Context): void {
    this.jobs[this.count] = job;
    this.#contexts[this.count++] = context;
    job.context = part;
    job.ranBy = this.engine;
  }

  /** Turns the jobs back. */
  clear(): void {
    for (let i = 0; i < this.count; i++) {
      this.jobs[i]!.context = this.#contexts[i];
      this.jobs[i] = IDLE;
      this.#contexts[i] = undefined;
    }
    this.count = 0;
  }
}

/**
 * Several engines as one. Which of them runs a job depends on the algorithm,
 * on the job's length and on how many jobs there are, and on nothing else.
 *
 * @example
 * ```ts
 * import { AutoEngine } from "./auto.ts";
 * import { NobleEngine } from "./noble.ts";
 *
 * const engine = new AutoEngine([new NobleEngine()]);
 * engine.wipe();
 * ```
 */
export class AutoEngine implements Engine {
  /** The name of the first engine, which serves most single jobs. */
  readonly name: string;
  /** Number of groups its contexts fall into. */
  readonly groups: number = GROUPS;
  /** The engines. */
  readonly engines: readonly Engine[];
  readonly #burst: IpsecMbEngine | undefined;
  readonly #rules: Bursts;
  readonly #burstIndex: number;
  /** Index of the portable engine, which serves every algorithm; or -1. */
  readonly #portableIndex: number;
  readonly #shares: readonly Share[];

  /**
   * @param engines one engine or more; where several serve an algorithm,
   * `ipsec-mb` runs what it is faster at, the first other one the rest, and the
   * portable engine what of that it is faster at than libcrypto
   * @throws {RangeError} There is no engine
   */
  constructor(engines: readonly Engine[]) {
    const [first] = engines;
    if (first === undefined) {
      throw new RangeError("Cannot do without an engine");
    }
    this.name = first.name;
    this.engines = engines;
    this.#burst = engines.find((engine) => engine instanceof IpsecMbEngine);
    this.#rules = this.#burst ? burstsOn(this.#burst.processor) : {};
    this.#burstIndex = this.#burst ? engines.indexOf(this.#burst) : -1;
    this.#portableIndex = engines.findIndex((engine) =>
      engine instanceof NobleEngine
    );
    this.#shares = engines.map(({ name }) => new Share(name));
  }

  /**
   * Whether one of the engines serves an algorithm.
   *
   * @param algorithm the algorithm
   * @param keyLength key size in bytes; left out: with any key
   * @returns true when one does, in both directions and at every legal length
   */
  serves(algorithm: Algorithm, keyLength?: number): boolean {
    return this.engines.some((engine) => engine.serves(algorithm, keyLength));
  }

  /**
   * Makes a context. The key is copied.
   *
   * @param algorithm an algorithm it serves
   * @param direction the direction
   * @param key the key, of a legal size; empty for a hash
   * @returns the context
   * @throws {RangeError} No engine serves the algorithm, this direction or a
   * key of this size
   */
  prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    const single = this.#single(algorithm, key.length);
    if (single === undefined) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name} with a key of ${key.length} bytes: no engine serves it`,
      );
    }
    if (direction === "decrypt" && directions(algorithm) === 1) {
      throw new RangeError(`Cannot prepare ${algorithm.name} to decrypt`);
    }
    return new AutoContext(
      this,
      algorithm,
      direction,
      key,
      this.engines.indexOf(single),
      single instanceof LibcryptoEngine ? this.#portableIndex : -1,
      this.#bursts(algorithm, direction, key.length),
    );
  }

  /**
   * Runs jobs to their end, each on the engine that is fastest at it, and sets
   * each one's outcome.
   *
   * @param jobs holds the jobs
   * @param count how many of them, from the first
   * @param on the memory they work on
   * @param abandoned as of the engines
   */
  run(
    jobs: readonly Job[],
    count: number,
    on: JobMemory,
    abandoned: () => boolean,
  ): void {
    this.#burst?.begin(on, count);
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      const { context } = job;
      if (
        !(context instanceof AutoContext) || context.engine !== this ||
        context.wiped
      ) job.outcome = FAILED;
      else if (!this.#addToBurst(job, context, count)) {
        this.#share(job, context);
      }
    }
    this.#burst?.finish();
    for (let i = 0; i < this.#shares.length; i++) {
      const share = this.#shares[i]!;
      if (share.count === 0) continue;
      try {
        this.engines[i]!.run(share.jobs, share.count, on, abandoned);
      } finally {
        share.clear();
      }
    }
  }

  /** Overwrites what the engines keep of data between jobs. */
  wipe(): void {
    for (const engine of this.engines) engine.wipe();
  }

  /**
   * The way to run a cipher in place.
   *
   * @param algorithm a cipher that it serves
   * @param direction the direction
   * @param keyLength bytes of the key, of a legal size
   * @param alone whether it is for requests that are alone in their batch
   * @returns that of the engine that gets such jobs, where it has one
   */
  inPlace(
    algorithm: Algorithm,
    direction: Direction,
    keyLength: number,
    alone: boolean,
  ): InPlaceCipher | undefined {
    const burst = this.#bursts(algorithm, direction, keyLength);
    const engine = burst === undefined || (alone && burst.jobs > 1)
      ? this.#single(algorithm, keyLength)
      : this.#burst;
    return engine?.inPlace?.(algorithm, direction, keyLength, alone);
  }

  /** The engine for jobs that are alone. */
  #single(algorithm: Algorithm, keyLength: number): Engine | undefined {
    const serving = this.engines.filter((engine) =>
      engine.serves(algorithm, keyLength)
    );
    return serving.find((engine) => engine !== this.#burst) ?? serving[0];
  }

  /** When jobs go to the engine that runs bursts. */
  #bursts(
    algorithm: Algorithm,
    direction: Direction,
    keyLength: number,
  ): Burst | undefined {
    return this.#burst?.serves(algorithm, keyLength)
      ? this.#rules[`${algorithm.name} ${direction}`] ??
        this.#rules[algorithm.name]
      : undefined;
  }

  /** Gives a job to the engine that runs bursts; false where it is not for it. */
  #addToBurst(job: Job, context: AutoContext, count: number): boolean {
    const { burst } = context;
    const { length } = job.source;
    if (
      burst === undefined || count < burst.jobs || length < burst.from ||
      length > burst.to
    ) return false;
    try {
      return this.#burst!.add(job, context.part(this.#burstIndex));
    } catch {
      // The engine has no memory for the context.
      return false;
    }
  }

  /** Gives a job to the other engine for it. */
  #share(job: Job, context: AutoContext): void {
    const single = job.source.length <= context.shortTo
      ? context.short
      : context.single;
    try {
      this.#shares[single]!.add(job, context, context.part(single));
    } catch {
      // The engine has no memory for the context.
      job.outcome = FAILED;
    }
  }
}
