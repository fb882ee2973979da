/**
 * Where a job's text, result and AAD are: in guest memory where they are one
 * piece there, else in private memory.
 *
 * @module
 */

import { guestAddresses } from "../../host/guest_addresses.ts";
import { type IpsecMb, ipsecMb } from "../../host/ipsec_mb.ts";
import type { GuestMemory } from "../../memory/guest_memory.ts";
import { SegmentCursor, type Span } from "../../memory/segments.ts";
import type { Job, JobMemory } from "../engine.ts";
import type { IpsecMbContext } from "./context.ts";
import { HALF, type NativeMemory } from "./native_memory.ts";
import { IMB_CIPHER_CBC } from "./recipe.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const TWO_32 = HALF;
const CBC = IMB_CIPHER_CBC;

/**
 * Bytes of private memory for data: what is not contiguous, what overlaps, and
 * what an AEAD has decrypted but not verified. At least the longest job with its
 * AAD.
 */
export const ARENA = 1 << 20;

/**
 * Bytes between buffers in the arena, so that lanes do not all use the same
 * sets of the cache: buffers of power-of-two sizes would.
 */
const STAGGER = 320;

/** What a job takes of the arena at most, over its lengths. */
const ARENA_SLACK = 3 * (STAGGER + 64) + 64;

/** Texts below this many bytes are not worth moving to other cache sets. */
export const LEAST_STAGGERED = 8192;

/** Nor are fewer jobs than this: there are too few lanes to collide. */
export const LEAST_LANES = 16;

/**
 * Bytes of the arena above which a burst of whole lanes is run: what was moved
 * stays in the second-level cache.
 */
const MOST_STAGGERED = 256 * 1024;

/** Bits of an address that choose a set of the first-level cache. */
const SET_BITS = 4095;

// Indices of a job's addresses.
const SOURCE = 0;
const DESTINATION = 1;
const AAD = 2;

const NOWHERE = new Float64Array(0);

/** The buffers of the jobs that are in the lanes. */
export class JobBuffers {
  /** Addresses of the job that is taken in: source, destination, AAD. */
  readonly addresses: Float64Array<ArrayBuffer> = new Float64Array(3);
  readonly #library: IpsecMb = ipsecMb();
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #low: number;
  readonly #high: number;
  readonly #start: number;
  readonly #end: number;
  /** End of what is used of the arena. */
  #used: number;
  /** Highest end since the last wipe. */
  #mostUsed: number;
  /** What is copied by address: to, from, size. */
  readonly #copy = new BigUint64Array(3);
  readonly #copyWords = new Uint32Array(this.#copy.buffer);
  #guest: GuestMemory | undefined = undefined;
  /** Addresses of the windows of guest memory. */
  #starts: Float64Array = NOWHERE;
  #on: JobMemory | undefined = undefined;
  #cursor: SegmentCursor | undefined = undefined;
  /** Whether lanes may collide. */
  #crowded = false;
  /** Bits of the last source's address within a page. */
  #lastSet = -1;

  /**
   * @param memory private memory
   * @param start offset of the arena's {@linkcode ARENA} bytes in it
   */
  constructor(memory: NativeMemory, start: number) {
    this.#bytes = memory.bytes;
    this.#low = memory.low;
    this.#high = memory.high;
    this.#start = this.#used = this.#mostUsed = start;
    this.#end = start + ARENA;
  }

  /** A cursor over the batch's segments. */
  get cursor(): SegmentCursor {
    return this.#cursor!;
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
    if (on.memory !== this.#guest) {
      this.#guest = on.memory;
      this.#starts = guestAddresses(on.memory).start;
    }
  }

  /**
   * Whether the jobs at hand should run before another one is taken in.
   *
   * @param count how many they are
   * @param length bytes of the next text
   * @param aad bytes of its AAD
   * @returns true when its buffers could not be placed, or not well
   */
  isFull(count: number, length: number, aad: number): boolean {
    return (count % LEAST_LANES === 0 &&
      this.#used > this.#start + MOST_STAGGERED) ||
      this.#used + 2 * length + aad + ARENA_SLACK > this.#end;
  }

  /**
   * Places source and destination of a job.
   *
   * @param job the job
   * @param context its context
   * @param length bytes of its text
   * @returns offset of the result in private memory, -1 where it is in its
   * place
   * @throws {RangeError} Its spans leave the segments
   */
  place(job: Job, context: IpsecMbContext, length: number): number {
    const { recipe, decrypts, isAead } = context;
    const { addresses } = this;
    const isPrivate = isAead && decrypts;
    let resultAt = -1;
    const placed = !isPrivate && this.#place(job.source, length, SOURCE);
    if (!placed) {
      resultAt = this.#copyOf(job.source, SOURCE);
    } else if (
      length >= LEAST_STAGGERED && this.#crowded && recipe.cipher === CBC &&
      !decrypts
    ) {
      resultAt = this.#spread(length);
    }
    if (
      recipe.digest === 0 && !isPrivate &&
      this.#place(job.destination, length, DESTINATION) &&
      !this.#overlap(length)
    ) {
      // A copy made to spread the lanes is enciphered in its place: the result
      // would collide again.
      return -1;
    }
    addresses[DESTINATION] = addresses[SOURCE]!;
    if (recipe.digest > 0) return -1;
    if (resultAt < 0) {
      resultAt = this.#reserve(length);
      this.#setPrivate(DESTINATION, resultAt);
    }
    return resultAt;
  }

  /**
   * Places the AAD of the job that was placed last.
   *
   * @param aad the AAD; address 0 where it has no bytes
   * @param length bytes of the job's text
   * @throws {RangeError} It leaves the segments
   */
  placeAad(aad: Span, length: number): void {
    const { addresses } = this;
    addresses[AAD] = 0;
    if (aad.length === 0) return;
    if (this.#place(aad, aad.length, AAD)) {
      const place = addresses[AAD]!;
      const destination = addresses[DESTINATION]!;
      // The text may be written before the AAD is read.
      if (
        place >= destination + length || destination >= place + aad.length
      ) return;
    }
    this.#copyOf(aad, AAD);
  }

  /** Ends a burst: its buffers are free. */
  release(): void {
    this.#lastSet = -1;
    this.#used = this.#start;
  }

  /**
   * Lets go of the guest.
   *
   * @returns end of the private memory that was used, which is to be
   * overwritten: all of it would be a megabyte each time
   */
  forget(): number {
    const end = this.#mostUsed;
    this.#mostUsed = this.#start;
    this.#guest = undefined;
    this.#starts = NOWHERE;
    this.#on = undefined;
    this.#cursor = undefined;
    return end;
  }

  /**
   * Where lanes share sets of the cache, a copy of the source costs less.
   *
   * @returns offset of the copy, -1 where there is none
   */
  #spread(length: number): number {
    const set = this.addresses[SOURCE]! & SET_BITS;
    const collides = set === this.#lastSet;
    this.#lastSet = set;
    if (!collides) return -1;
    const at = this.#reserve(length);
    this.#copyIn(at, length);
    this.#setPrivate(SOURCE, at);
    return at;
  }

  /** Whether source and destination have bytes in common, and are not the same. */
  #overlap(length: number): boolean {
    const source = this.addresses[SOURCE]!;
    const destination = this.addresses[DESTINATION]!;
    return source !== destination && destination + length > source &&
      source + length > destination;
  }

  /** Notes the address of a span's first byte; false where it is not contiguous. */
  #place(span: Span, length: number, which: number): boolean {
    const { segments } = this.#on!;
    let { segment, skip } = span;
    const { count } = segments;
    if (segment < count && skip + length <= segments.length[segment]!) {
      this.addresses[which] = this.#at(
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
    this.addresses[which] = this.#at(region, offset);
    return true;
  }

  /**
   * The address of a byte of guest memory. Written out where it is used, it
   * leaves garbage (V8 15.0, bench:garbage).
   */
  #at(region: number, offset: number): number {
    return this.#starts[region]! + offset;
  }

  /** Takes bytes of the arena; the caller has seen that there is room. */
  #reserve(length: number): number {
    const at = this.#used;
    this.#used = at + ((length + 63) & ~63) + STAGGER;
    if (this.#used > this.#mostUsed) this.#mostUsed = this.#used;
    return at;
  }

  /** Copies a span into the arena; returns where. */
  #copyOf(span: Span, which: number): number {
    const at = this.#reserve(span.length);
    this.#cursor!.seekSpan(span);
    this.#cursor!.read(this.#bytes, at, span.length);
    this.#setPrivate(which, at);
    return at;
  }

  /** Notes the address of a byte of private memory. */
  #setPrivate(which: number, offset: number): void {
    this.addresses[which] = this.#high * TWO_32 + (this.#low >>> 0) + offset;
  }

  /** Copies the source, which is one piece of guest memory, into the arena. */
  #copyIn(at: number, length: number): void {
    const copy = this.#copyWords;
    const source = this.addresses[SOURCE]!;
    copy[0] = this.#low + at;
    copy[1] = this.#high;
    copy[2] = source;
    copy[3] = source / TWO_32;
    copy[4] = length;
    this.#library.memcpy(this.#copy[0]!, this.#copy[1]!, this.#copy[2]!);
  }
}
