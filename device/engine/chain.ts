/**
 * Algorithm chaining over any two engines: a cipher on one range of the source,
 * a hash or MAC on another (v15, "Symmetric algorithms Operation").
 *
 * The source is read once, into private memory, and both work there: the hash
 * sees what the cipher sees, whatever the guest does meanwhile, and nothing is
 * written before both are done.
 *
 * @module
 */

import { GuestMemory } from "../memory/guest_memory.ts";
import { SegmentCursor, SegmentTable } from "../memory/segments.ts";
import type { Algorithm, Direction } from "./algorithm.ts";
import {
  type Context,
  Job,
  type JobMemory,
  JobOutcome,
  type Runner,
} from "./engine.ts";

/** Which of the two comes first. */
export type ChainOrder = "hash-then-cipher" | "cipher-then-hash";

/** Room for the longest digest that is no SHAKE's. */
const LEAST_SCRATCH = 64 * 1024;

/** What is kept between jobs; a larger scratch goes after its job. */
const MOST_KEPT = 1024 * 1024;

/** Aad, hashed range, ciphered range, digest. */
const SEGMENTS = 4;

/** A prepared chain. */
class ChainContext implements Context {
  readonly group = 0;
  readonly engine: Runner;
  readonly cipher: Context;
  readonly digest: Context;
  readonly order: ChainOrder;

  constructor(
    engine: Runner,
    cipher: Context,
    digest: Context,
    order: ChainOrder,
  ) {
    this.engine = engine;
    this.cipher = cipher;
    this.digest = digest;
    this.order = order;
  }

  get algorithm(): Algorithm {
    return this.cipher.algorithm;
  }

  get hash(): Algorithm {
    return this.digest.algorithm;
  }

  get roundBytes(): number | undefined {
    const { cipher, digest } = this;
    if (cipher.roundBytes === undefined || digest.roundBytes === undefined) {
      return undefined;
    }
    return Math.min(cipher.roundBytes, digest.roundBytes) / 2;
  }

  get direction(): Direction {
    return this.cipher.direction;
  }

  wipe(): void {
    this.cipher.wipe();
    this.digest.wipe();
  }
}

/** Runs chains. Each thread has one of its own. */
export class ChainRunner implements Runner, JobMemory {
  readonly groups = 1;
  /** The private memory, as the inner jobs see it. */
  memory: GuestMemory;
  readonly segments: SegmentTable = new SegmentTable(SEGMENTS);
  #scratch: Uint8Array<SharedArrayBuffer>;
  readonly #cipherJob = new Job();
  readonly #hashJob = new Job();
  readonly #cipherJobs = [this.#cipherJob];
  readonly #hashJobs = [this.#hashJob];
  /** Bytes of the scratch that hold something. */
  #used = 0;

  /** Makes a runner. */
  constructor() {
    this.#scratch = new Uint8Array(new SharedArrayBuffer(LEAST_SCRATCH));
    this.memory = this.#memoryOf(this.#scratch);
  }

  /**
   * Makes a context of two. It owns them, and wipes them with itself.
   *
   * @param cipher the cipher's context
   * @param digest the hash's or MAC's context
   * @param order which comes first, in both directions of the cipher
   * @returns the context of both
   */
  prepare(cipher: Context, digest: Context, order: ChainOrder): Context {
    return new ChainContext(this, cipher, digest, order);
  }

  run(
    jobs: readonly Job[],
    count: number,
    on: JobMemory,
    abandoned: () => boolean,
  ): void {
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      job.outcome = this.#runOne(job, on, abandoned);
      const { cipherLength } = job.chain;
      job.ranBy = (cipherLength > 0 ? this.#cipherJob : this.#hashJob).ranBy;
      if (this.#scratch.length > MOST_KEPT) this.#replace(LEAST_SCRATCH);
    }
  }

  wipe(): void {
    this.#scratch.fill(0, 0, this.#used);
    this.#used = 0;
  }

  #runOne(job: Job, on: JobMemory, abandoned: () => boolean): number {
    const context = job.context;
    if (!(context instanceof ChainContext)) return JobOutcome.FAILED;
    const outside = new SegmentCursor(on.memory, on.segments);
    try {
      this.#load(job, outside);
    } catch {
      // Out of memory for the scratch.
      return JobOutcome.FAILED;
    }
    const cipherFirst = context.order === "cipher-then-hash";
    const first = cipherFirst
      ? this.#runCipher(context, job, abandoned)
      : this.#runHash(context, abandoned);
    if (first !== JobOutcome.DONE) return first;
    const second = cipherFirst
      ? this.#runHash(context, abandoned)
      : this.#runCipher(context, job, abandoned);
    if (second !== JobOutcome.DONE) return second;
    const { source, destination, chain } = job;
    outside.seekSpan(destination);
    outside.write(this.#scratch, job.aad.length, source.length);
    outside.seekSpan(chain.digest);
    outside.write(
      this.#scratch,
      job.aad.length + source.length,
      chain.digest.length,
    );
    return JobOutcome.DONE;
  }

  /** Copies aad and source to the scratch, and lays the inner jobs out. */
  #load(job: Job, outside: SegmentCursor): void {
    const { aad, source, chain } = job;
    const sourceAt = aad.length;
    const digestAt = sourceAt + source.length;
    const needed = digestAt + chain.digest.length;
    if (needed > this.#scratch.length) this.#replace(needed);
    this.#used = Math.max(this.#used, needed);
    outside.seekSpan(aad);
    outside.read(this.#scratch, 0, aad.length);
    outside.seekSpan(source);
    outside.read(this.#scratch, sourceAt, source.length);

    const { segments } = this;
    segments.clear();
    segments.push(0, 0, aad.length);
    segments.push(0, sourceAt + chain.hashStart, chain.hashLength);
    segments.push(0, sourceAt + chain.cipherStart, chain.cipherLength);
    segments.push(0, digestAt, chain.digest.length);

    const hash = this.#hashJob;
    hash.source.segment = 0;
    hash.source.skip = 0;
    hash.source.length = aad.length + chain.hashLength;
    hash.destination.segment = 3;
    hash.destination.skip = 0;
    hash.destination.length = chain.digest.length;
    hash.resultLength = chain.digest.length;
    hash.iv.set(chain.authIv);
    hash.ivLength = chain.authIvLength;

    const cipher = this.#cipherJob;
    cipher.source.segment = cipher.destination.segment = 2;
    cipher.source.skip = cipher.destination.skip = 0;
    cipher.source.length = cipher.destination.length = chain.cipherLength;
    cipher.iv.set(job.iv);
    cipher.ivLength = job.ivLength;
  }

  #runCipher(
    context: ChainContext,
    job: Job,
    abandoned: () => boolean,
  ): number {
    if (job.chain.cipherLength === 0) return JobOutcome.DONE;
    return this.#runInner(
      context.cipher,
      this.#cipherJob,
      this.#cipherJobs,
      abandoned,
    );
  }

  #runHash(context: ChainContext, abandoned: () => boolean): number {
    return this.#runInner(
      context.digest,
      this.#hashJob,
      this.#hashJobs,
      abandoned,
    );
  }

  #runInner(
    context: Context,
    job: Job,
    jobs: readonly Job[],
    abandoned: () => boolean,
  ): number {
    job.context = context;
    job.outcome = JobOutcome.PENDING;
    context.engine.run(jobs, 1, this, abandoned);
    job.context = undefined;
    return job.outcome;
  }

  #replace(size: number): void {
    this.wipe();
    this.#scratch = new Uint8Array(new SharedArrayBuffer(size));
    this.memory = this.#memoryOf(this.#scratch);
  }

  #memoryOf(bytes: Uint8Array<SharedArrayBuffer>): GuestMemory {
    return new GuestMemory([{
      guestAddress: 0,
      userAddress: 0,
      size: bytes.length,
      buffer: bytes.buffer,
      offset: 0,
    }]);
  }
}
