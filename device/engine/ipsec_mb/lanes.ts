/**
 * Bursts of jobs of one algorithm, direction and key size: the library runs
 * them side by side, in place in guest memory where it can.
 *
 * @module
 */

import {
  type IpsecMb,
  ipsecMb,
  type IpsecMbFunctions,
} from "../../host/ipsec_mb.ts";
import { LibraryError } from "../../host/library_error.ts";
import { SegmentCursor, type Span } from "../../memory/segments.ts";
import { Job, type JobMemory, JobOutcome } from "../engine.ts";
import { libraryTakes, textLength } from "./checks.ts";
import type { IpsecMbContext } from "./context.ts";
import { IpsecMbInPlace } from "./in_place.ts";
import {
  IMB_DIR_DECRYPT,
  IMB_DIR_ENCRYPT,
  JobStructure,
  LEAST_JOB,
  MOST_JOB,
} from "./job_structure.ts";
import { GuestAddresses, HALF, NativeMemory } from "./native_memory.ts";
import { Extra, IMB_CIPHER_CBC, type Recipe, Via } from "./recipes.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { DONE, FAILED, BAD_TAG } = JobOutcome;
const { CIPHER_BURST, HASH_BURST, JOBS } = Via;
const { AAD } = Extra;
const TWO_32 = HALF;
const CBC = IMB_CIPHER_CBC;

/** IMB_MAX_BURST_SIZE */
export const MOST_JOBS = 128;

/** Bytes of each job's iv, then of its tag. */
const IV_ROOM = 32;
const TAG_ROOM = 96;
const SLOT = IV_ROOM + TAG_ROOM;

/**
 * Private memory for data: what is not contiguous, what overlaps, and what an
 * AEAD has decrypted but not verified. At least the longest job with its AAD.
 */
const ARENA = 1 << 20;

/**
 * Bytes between buffers in the arena, so that lanes do not all use the same
 * sets of the cache: buffers of power-of-two sizes would.
 */
const STAGGER = 320;

/** What a job takes of the arena at most, over its lengths. */
const ARENA_SLACK = 3 * (STAGGER + 64) + 64;

/** Jobs below this many bytes are not worth moving to other cache sets. */
const LEAST_STAGGERED = 8192;

/** Nor are fewer jobs than this: there are too few lanes to collide. */
const LEAST_LANES = 16;

/**
 * Bytes of the arena above which a burst of whole lanes is run: what was moved
 * stays in the second-level cache.
 */
const MOST_STAGGERED = 256 * 1024;

// Indices of a job's addresses.
const SOURCE = 0;
const DESTINATION = 1;
const AAD_PLACE = 2;

/** Bits of an address that choose a set of the first-level cache. */
const SET_BITS = 4095;

/** The lanes of a manager, and the jobs that are in them. */
export class Lanes {
  /** The way of ciphers whose buffers stay where they are. */
  readonly inPlace: IpsecMbInPlace;
  /** The library's functions. */
  readonly functions: IpsecMbFunctions;
  readonly #library: IpsecMb = ipsecMb();
  readonly #memory: NativeMemory;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #structure: JobStructure;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #low: number;
  readonly #high: number;
  readonly #manager: bigint;
  readonly #burst: bigint;
  /** Offset of the burst's jobs, and bytes of each. */
  readonly #burstAt: number;
  readonly #stride: number;
  readonly #slotsAt: number;
  readonly #arenaAt: number;
  readonly #arenaEnd: number;
  /** End of what is used of the arena. */
  #arena: number;
  /** Highest end since the last wipe. */
  #arenaUsed: number;
  /** What is copied by address: to, from, size. */
  readonly #copy = new BigUint64Array(3);
  readonly #copyWords = new Uint32Array(this.#copy.buffer);

  readonly #guest = new GuestAddresses();
  /** Addresses of the job that is taken in. */
  readonly #addresses = new Float64Array(3);
  #on: JobMemory | undefined = undefined;
  #cursor: SegmentCursor | undefined = undefined;

  #count = 0;
  #recipe: Recipe | undefined = undefined;
  #decrypts = false;
  /** Whether lanes may collide. */
  #crowded = false;
  /** Bits of the last source's address within a page. */
  #lastSet = -1;
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
    const { managerSize } = this.#library;
    const managerRoom = (managerSize + 63) & ~63;
    const slots = MOST_JOBS * SLOT;
    const memory = new NativeMemory(
      managerRoom + MOST_JOBS * MOST_JOB + slots + ARENA,
    );
    this.#memory = memory;
    this.#words = memory.words;
    this.#structure = new JobStructure(memory);
    this.#bytes = memory.bytes;
    this.#low = memory.low;
    this.#high = memory.high;
    const { address, functions } = this.#library.createManager(
      memory.bytes.subarray(0, managerRoom),
      memory.address,
    );
    this.#manager = address;
    this.functions = functions;
    this.#burstAt = managerRoom;
    this.#burst = memory.address + BigInt(managerRoom);
    this.#slotsAt = managerRoom + MOST_JOBS * MOST_JOB;
    this.#arenaAt = this.#slotsAt + slots;
    this.#arenaEnd = this.#arenaAt + ARENA;
    this.#arena = this.#arenaUsed = this.#arenaAt;
    this.#stride = this.#measureStride();
    this.inPlace = new IpsecMbInPlace(
      functions,
      address,
      this.#stride,
      LEAST_STAGGERED - 1,
    );
  }

  /** Whether jobs wait to be run. */
  get pending(): boolean {
    return this.#count > 0;
  }

  /**
   * Turns to the memory of a batch.
   *
   * @param on guest memory and segments
   * @param count number of jobs in the batch
   */
  bind(on: JobMemory, count: number): void {
    this.#crowded = count >= LEAST_LANES;
    if (this.#cursor === undefined || this.#on?.segments !== on.segments) {
      this.#cursor = new SegmentCursor(on.memory, on.segments);
    } else {
      this.#cursor.memory = on.memory;
    }
    this.#on = on;
    this.#guest.bind(on.memory);
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
    const { recipe, decrypts, isAead } = context;
    const tag = isAead ? job.resultLength : 0;
    const length = textLength(job, context);
    if (!libraryTakes(recipe, job, length)) return false;
    if (recipe !== this.#recipe || decrypts !== this.#decrypts) {
      this.finish();
      this.#recipe = recipe;
      this.#decrypts = decrypts;
    } else if (
      this.#count === MOST_JOBS ||
      (this.#count % LEAST_LANES === 0 &&
        this.#arena > this.#arenaAt + MOST_STAGGERED) ||
      this.#arena + 2 * length + job.aad.length + ARENA_SLACK > this.#arenaEnd
    ) this.finish();

    const addresses = this.#addresses;
    let resultAt = -1;
    const placed = (!isAead || !decrypts) &&
      this.#place(job.source, length, SOURCE);
    if (
      placed && length >= LEAST_STAGGERED && this.#crowded &&
      recipe.cipher === CBC && !decrypts
    ) {
      // Where lanes share sets of the cache, a copy costs less.
      const set = addresses[SOURCE]! & SET_BITS;
      if (set === this.#lastSet) {
        resultAt = this.#reserve(length);
        this.#copyIn(resultAt, length);
        this.#setPrivate(SOURCE, resultAt);
      }
      this.#lastSet = set;
    } else if (!placed) {
      resultAt = this.#reserve(job.source.length);
      this.#cursor!.seekSpan(job.source);
      this.#cursor!.read(this.#bytes, resultAt, job.source.length);
      this.#setPrivate(SOURCE, resultAt);
    }

    addresses[DESTINATION] = addresses[SOURCE]!;
    if (recipe.digest > 0) {
      resultAt = -1;
    } else if (!isAead || !decrypts) {
      if (
        this.#place(job.destination, length, DESTINATION) &&
        !this.#overlap(length)
      ) {
        // A copy made to spread the lanes is enciphered in its place: the
        // result would collide again.
        resultAt = -1;
      } else if (resultAt < 0) {
        resultAt = this.#reserve(length);
        this.#setPrivate(DESTINATION, resultAt);
      } else {
        addresses[DESTINATION] = addresses[SOURCE]!;
      }
    }
    this.#fill(job, context, length, tag);
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
    this.#lastSet = -1;
    this.#arena = this.#arenaAt;
  }

  /** Overwrites ivs, tags and data of past jobs, and lets go of the guest. */
  wipe(): void {
    // Up to where the arena was used: all of it would be a megabyte each time.
    this.#bytes.fill(0, this.#slotsAt, this.#arenaUsed);
    this.#arenaUsed = this.#arenaAt;
    this.#guest.forget();
    this.inPlace.wipe();
    this.#on = undefined;
    this.#cursor = undefined;
  }

  /** Whether source and destination have bytes in common, and are not the same. */
  #overlap(length: number): boolean {
    const source = this.#addresses[SOURCE]!;
    const destination = this.#addresses[DESTINATION]!;
    return source !== destination && destination + length > source &&
      source + length > destination;
  }

  /** Notes the address of a span's first byte; false where it is not contiguous. */
  #place(span: Span, length: number, which: number): boolean {
    const { segments } = this.#on!;
    let { segment, skip } = span;
    const { count } = segments;
    if (segment < count && skip + length <= segments.length[segment]!) {
      this.#addresses[which] = this.#guest.at(
        segments.region[segment]!,
        segments.offset[segment]! + skip,
      );
      return true;
    }
    while (segment < count && skip >= segments.length[segment]!) {
      skip -= segments.length[segment]!;
      segment++;
    }
    if (segment >= count) return false;
    const region = segments.region[segment]!;
    const offset = segments.offset[segment]! + skip;
    let end = segments.offset[segment]! + segments.length[segment]!;
    while (end - offset < length) {
      if (++segment >= count) return false;
      const more = segments.length[segment]!;
      if (more === 0) continue;
      // What adjoins is one piece.
      if (
        segments.region[segment]! !== region ||
        segments.offset[segment]! !== end
      ) return false;
      end += more;
    }
    this.#addresses[which] = this.#guest.at(region, offset);
    return true;
  }

  /** Takes bytes of the arena; the caller has seen that there is room. */
  #reserve(length: number): number {
    const at = this.#arena;
    this.#arena = at + ((length + 63) & ~63) + STAGGER;
    if (this.#arena > this.#arenaUsed) this.#arenaUsed = this.#arena;
    return at;
  }

  /** Notes the address of a byte of private memory. */
  #setPrivate(which: number, offset: number): void {
    this.#addresses[which] = this.#high * TWO_32 + this.#low + offset;
  }

  /** Copies the source into the arena. */
  #copyIn(at: number, length: number): void {
    const copy = this.#copyWords;
    const source = this.#addresses[SOURCE]!;
    copy[0] = this.#low + at;
    copy[1] = this.#high;
    copy[2] = source;
    copy[3] = source / TWO_32;
    copy[4] = length;
    this.#library.memcpy(this.#copy[0]!, this.#copy[1]!, this.#copy[2]!);
  }

  /** Writes a job's structure. */
  #fill(
    job: Job,
    context: IpsecMbContext,
    length: number,
    tag: number,
  ): void {
    const { memory, recipe } = context;
    const decrypts = this.#decrypts;
    const slot = this.#count;
    const slotAt = this.#slotsAt + slot * SLOT;
    const at = recipe.via === JOBS
      ? (this.functions.getNextJob(this.#manager) - this.#low) >> 2
      : (this.#burstAt + slot * this.#stride) >> 2;
    this.#wordAt[slot] = at;
    const structure = this.#structure;
    structure.writeJob(at, memory, recipe, this.#addresses, length);
    if (recipe.mostIv > 0) this.#copyIv(slotAt, job.ivWords, 0);
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
      recipe.digest + tag,
    );
    if (recipe.extra !== AAD) {
      structure.writeKeys(at, memory, recipe, slotAt, job.ivLength);
      return;
    }
    const { aad } = job;
    const addresses = this.#addresses;
    addresses[AAD_PLACE] = 0;
    if (aad.length > 0) {
      const placed = this.#place(aad, aad.length, AAD_PLACE);
      const place = addresses[AAD_PLACE]!;
      const destination = addresses[DESTINATION]!;
      // The text may be written before the AAD is read.
      if (
        !placed ||
        place < destination + length && destination < place + aad.length
      ) {
        const aadAt = this.#reserve(aad.length);
        this.#cursor!.seekSpan(aad);
        this.#cursor!.read(this.#bytes, aadAt, aad.length);
        this.#setPrivate(AAD_PLACE, aadAt);
      }
    }
    structure.writeAad(at, addresses, aad.length);
  }

  /** Copies the four words of an iv to a job's place for it. */
  #copyIv(slotAt: number, from: Uint32Array, first: number): void {
    const words = this.#words;
    const at = slotAt >> 2;
    words[at] = from[first]!;
    words[at + 1] = from[first + 1]!;
    words[at + 2] = from[first + 2]!;
    words[at + 3] = from[first + 3]!;
  }

  /** Puts a result that is not yet in its place there. */
  #deliver(job: Job, slot: number): number {
    const { algorithm } = job.context!;
    const cursor = this.#cursor!;
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
