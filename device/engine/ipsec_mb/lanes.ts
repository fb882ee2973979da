/**
 * Bursts of jobs of one algorithm, direction and key size: the library runs
 * them side by side, in place in guest memory where it can.
 *
 * @module
 */

import {
  ipsecMb,
  type IpsecMbFunctions,
  type Processor,
} from "../../host/ipsec_mb.ts";
import { LibraryError } from "../../host/library_error.ts";
import { Job, type JobMemory, JobOutcome } from "../engine.ts";
import { libraryTakes, textLength } from "./checks.ts";
import type { IpsecMbContext } from "./context.ts";
import { IpsecMbInPlace } from "./in_place.ts";
import { ARENA, JobBuffers, LEAST_STAGGERED } from "./job_buffers.ts";
import {
  IMB_DIR_DECRYPT,
  IMB_DIR_ENCRYPT,
  JobStructure,
  LEAST_JOB,
  MOST_JOB,
} from "./job_structure.ts";
import { NativeMemory } from "./native_memory.ts";
import { Extra, type Recipe, Via } from "./recipe.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { DONE, FAILED, BAD_TAG } = JobOutcome;
const { CIPHER_BURST, HASH_BURST, JOBS } = Via;
const { AAD } = Extra;

/** IMB_MAX_BURST_SIZE */
export const MOST_JOBS = 128;

/** Bytes of each job's iv, then of its tag. */
const IV_ROOM = 32;
const TAG_ROOM = 96;
const SLOT = IV_ROOM + TAG_ROOM;

/** The lanes of a manager, and the jobs that are in them. */
export class Lanes {
  /** The library's functions. */
  readonly functions: IpsecMbFunctions;
  /** What they are made for. */
  readonly processor: Processor;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #structure: JobStructure;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #low: number;
  readonly #buffers: JobBuffers;
  readonly #manager: bigint;
  readonly #burst: bigint;
  /** Offset of the burst's jobs, and bytes of each. */
  readonly #burstAt: number;
  readonly #stride: number;
  readonly #slotsAt: number;

  #count = 0;
  #recipe: Recipe | undefined = undefined;
  #decrypts = false;
  readonly #idle = new Job();
  readonly #jobs: Job[] = new Array(MOST_JOBS).fill(this.#idle);
  /** Index of the first word of each job. */
  readonly #wordAt = new Int32Array(MOST_JOBS);
  /** Offset of each result in private memory; -1 where it is in its place. */
  readonly #resultAt = new Int32Array(MOST_JOBS);
  /** What the unchanging fields of each job of a burst were filled in for. */
  readonly #filled: (Recipe | undefined)[] = new Array(MOST_JOBS).fill(
    undefined,
  );
  readonly #filledTo: boolean[] = new Array(MOST_JOBS).fill(false);
  /** Bytes of each result, without a tag. */
  readonly #length = new Int32Array(MOST_JOBS);

  /**
   * Makes a manager.
   *
   * @throws {LibraryError} The library cannot be used
   */
  constructor() {
    const library = ipsecMb();
    const { managerSize } = library;
    const managerRoom = (managerSize + 63) & ~63;
    const slots = MOST_JOBS * SLOT;
    const memory = new NativeMemory(
      managerRoom + MOST_JOBS * MOST_JOB + slots + ARENA,
    );
    this.#words = memory.words;
    this.#structure = new JobStructure(memory);
    this.#bytes = memory.bytes;
    this.#low = memory.low;
    const { address, functions, processor } = library.createManager(
      memory.bytes.subarray(0, managerRoom),
      memory.address,
    );
    this.#manager = address;
    this.functions = functions;
    this.processor = processor;
    this.#burstAt = managerRoom;
    this.#burst = memory.address + BigInt(managerRoom);
    this.#slotsAt = managerRoom + MOST_JOBS * MOST_JOB;
    this.#buffers = new JobBuffers(memory, this.#slotsAt + slots);
    this.#stride = this.#measureStride();
  }

  /**
   * Makes a way to run a cipher in place, by this thread's library.
   *
   * @param recipe how the library is asked
   * @param decrypts whether it decrypts
   * @returns it
   */
  inPlace(recipe: Recipe, decrypts: boolean): IpsecMbInPlace {
    return new IpsecMbInPlace(
      this.functions,
      this.#manager,
      this.#stride,
      recipe,
      decrypts,
      LEAST_STAGGERED - 1,
    );
  }

  /**
   * Turns to the memory of a batch.
   *
   * @param on guest memory and segments
   * @param count number of jobs in the batch
   */
  bind(on: JobMemory, count: number): void {
    this.#buffers.bind(on, count);
  }

  /**
   * Takes a job of legal lengths in. It runs when the lanes are full, or with
   * {@linkcode finish}, and gets its outcome then.
   *
   * @param job the job
   * @param context its context
   * @returns false for a job that the library does not take
   * @throws {RangeError} Its spans leave the segments
   */
  add(job: Job, context: IpsecMbContext): boolean {
    const { hasLanes, recipe, decrypts } = context;
    const length = textLength(job, context);
    if (!hasLanes || !libraryTakes(recipe, job, length)) return false;
    if (recipe !== this.#recipe || decrypts !== this.#decrypts) {
      this.finish();
      this.#recipe = recipe;
      this.#decrypts = decrypts;
    } else if (
      this.#count === MOST_JOBS ||
      this.#buffers.isFull(this.#count, length, job.aad.length)
    ) this.finish();
    const resultAt = this.#buffers.place(job, context, length);
    this.#fill(job, context, length);
    const slot = this.#count++;
    this.#jobs[slot] = job;
    this.#resultAt[slot] = resultAt;
    this.#length[slot] = length;
    if (recipe.via === JOBS) {
      this.functions.submitJobNocheck(this.#manager);
    }
    return true;
  }

  /** Runs the jobs taken in, writes their results and sets their outcomes. */
  finish(): void {
    const count = this.#count;
    if (count === 0) return;
    const recipe = this.#recipe!;
    const isAead = recipe.extra === AAD;
    const { functions } = this;
    const manager = this.#manager;
    switch (recipe.via) {
      case CIPHER_BURST:
        functions.submitCipherBurstNocheck(
          manager,
          this.#burst,
          count,
          recipe.cipher,
          this.#decrypts ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT,
          recipe.keyLength,
        );
        break;
      case HASH_BURST:
        functions.submitHashBurstNocheck(
          manager,
          this.#burst,
          count,
          recipe.hash,
        );
        break;
      default:
        while (functions.flushJob(manager) !== 0);
    }
    for (let slot = 0; slot < count; slot++) {
      const job = this.#jobs[slot]!;
      this.#jobs[slot] = this.#idle;
      job.outcome = FAILED;
      if (!this.#structure.isDone(this.#wordAt[slot]!)) continue;
      if (recipe.digest === 0 && !isAead && this.#resultAt[slot]! < 0) {
        // A cipher's result that is in its place.
        job.outcome = DONE;
        continue;
      }
      try {
        job.outcome = this.#deliver(job, slot);
      } catch {
        // Its destination leaves the segments; the others have theirs.
      }
    }
    this.#count = 0;
    this.#buffers.release();
  }

  /** Overwrites ivs, tags and data of past jobs, and lets go of the guest. */
  wipe(): void {
    this.#bytes.fill(0, this.#slotsAt, this.#buffers.forget());
  }

  /** Writes a job's structure. */
  #fill(job: Job, context: IpsecMbContext, length: number): void {
    const { isAead, memory, recipe } = context;
    const { addresses } = this.#buffers;
    const decrypts = this.#decrypts;
    const slot = this.#count;
    const slotAt = this.#slotsAt + slot * SLOT;
    const at = recipe.via === JOBS
      ? (this.functions.getNextJob(this.#manager) - this.#low) >> 2
      : (this.#burstAt + slot * this.#stride) >> 2;
    this.#wordAt[slot] = at;
    const structure = this.#structure;
    structure.writeJob(at, memory, recipe, addresses, length);
    if (recipe.mostIv > 0) this.#copyIv(slotAt, job.ivWords);
    if (recipe.via !== JOBS) {
      // The library leaves these jobs as they are, but for their status. Those
      // of hashes have more that differs, and lie in the same places.
      if (
        recipe.via === CIPHER_BURST && this.#filled[slot] === recipe &&
        this.#filledTo[slot] === decrypts
      ) return;
      this.#filled[slot] = recipe;
      this.#filledTo[slot] = decrypts;
    }
    structure.writeKind(at, slotAt, slotAt + IV_ROOM, recipe, decrypts);
    structure.writeLengths(
      at,
      length * recipe.lengthScale,
      job.ivLength,
      recipe.digest + (isAead ? job.resultLength : 0),
    );
    if (recipe.extra !== AAD) {
      structure.writeKeys(at, memory, recipe, slotAt, job.ivLength);
      return;
    }
    this.#buffers.placeAad(job.aad, length);
    structure.writeAad(at, addresses, job.aad.length);
  }

  /** Copies the four words of an iv to a job's place for it. */
  #copyIv(slotAt: number, iv: Uint32Array): void {
    const words = this.#words;
    const at = slotAt >> 2;
    words[at] = iv[0]!;
    words[at + 1] = iv[1]!;
    words[at + 2] = iv[2]!;
    words[at + 3] = iv[3]!;
  }

  /** Puts a result that is not yet in its place there. */
  #deliver(job: Job, slot: number): number {
    const { algorithm } = job.context!;
    const { cursor } = this.#buffers;
    const resultAt = this.#resultAt[slot]!;
    const length = this.#length[slot]!;
    const tagAt = this.#slotsAt + slot * SLOT + IV_ROOM;
    switch (algorithm.kind) {
      case "hash":
      case "mac":
        cursor.seekSpan(job.destination);
        cursor.write(this.#bytes, tagAt, job.resultLength);
        return DONE;
      case "cipher":
        if (resultAt < 0) return DONE;
        cursor.seekSpan(job.destination);
        cursor.write(this.#bytes, resultAt, length);
        return DONE;
      default:
        break;
    }
    cursor.seekSpan(job.destination);
    if (this.#decrypts) {
      // Both tags are private: the guest cannot change one meanwhile.
      let difference = 0;
      for (let i = 0; i < job.resultLength; i++) {
        difference |= this.#bytes[resultAt + length + i]! ^
          this.#bytes[tagAt + i]!;
      }
      if (difference !== 0) {
        this.#bytes.fill(0, resultAt, resultAt + length);
        return BAD_TAG;
      }
      cursor.write(this.#bytes, resultAt, length);
      return DONE;
    }
    if (resultAt < 0) cursor.skip(length);
    else cursor.write(this.#bytes, resultAt, length);
    cursor.write(this.#bytes, tagAt, job.resultLength);
    return DONE;
  }

  /**
   * Bytes from one job to the next: more than the fields known here in later
   * versions. A job that does nothing is submitted to move the ring on.
   */
  #measureStride(): number {
    const { getNextJob, submitJobNocheck, flushJob } = this.functions;
    const manager = this.#manager;
    const first = getNextJob(manager);
    this.#structure.writeNothing((first - this.#low) >> 2);
    submitJobNocheck(manager);
    const stride = getNextJob(manager) - first;
    while (flushJob(manager) !== 0);
    if (stride < LEAST_JOB || stride > MOST_JOB || stride % 8 !== 0) {
      throw new LibraryError(
        `Cannot use libIPSec_MB.so.1: its jobs have ${stride} bytes`,
      );
    }
    return stride;
  }
}
