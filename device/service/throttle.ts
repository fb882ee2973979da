/**
 * The throttle of a device: how many requests and bytes its data queues may
 * serve in a second, all of them together.
 *
 * @module
 */

import { BUCKET_WORDS, TICKS_PER_MS, TokenBucket } from "./token_bucket.ts";

/** The largest limit that can be set, of requests or bytes a second. */
export const MAX_LIMIT = 2 ** 40;

/** The longest that a queue rests without looking again, in milliseconds. */
const MOST_REST_MS = 1000;

/** What a device's queues make their throttles of. It crosses threads. */
export interface ThrottleSetup {
  /** Requests a second; undefined: any number. */
  readonly limitOps: number | undefined;
  /** Bytes a second; undefined: any number. */
  readonly limitBytes: number | undefined;
  /** The buckets, which the queues share. */
  readonly state: SharedArrayBuffer;
  /** When the clock of the device's thread started; see {@linkcode clockStart}. */
  readonly clockStart: number;
}

/** A clock in ticks of the buckets, as an i32 that wraps. */
export type ThrottleClock = () => number;

/**
 * Each thread's clock counts from the thread's own start. Threads that tell
 * one another the wall-clock time of it can count from the same moment.
 *
 * @returns when this thread's clock stood at 0, in milliseconds
 */
export function clockStart(): number {
  return Date.now() - performance.now();
}

function bucketOf(
  { state }: ThrottleSetup,
  index: number,
  rate: number | undefined,
): TokenBucket | undefined {
  if (rate === undefined) return undefined;
  const words = new Int32Array(state, 4 * BUCKET_WORDS * index, BUCKET_WORDS);
  return new TokenBucket(words, rate);
}

/** A queue's end of its device's throttle. */
export class Throttle {
  readonly #ops: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;
  readonly #clock: ThrottleClock;
  #takenOps = 0;
  #takenBytes = 0;

  /**
   * @param setup limits and buckets
   * @param clock the time; left out: this thread's, counted from where the
   * device's thread counts
   */
  constructor(setup: ThrottleSetup, clock?: ThrottleClock) {
    this.#ops = bucketOf(setup, 0, setup.limitOps);
    this.#bytes = bucketOf(setup, 1, setup.limitBytes);
    const later = clockStart() - setup.clockStart;
    this.#clock = clock ??
      (() => (performance.now() + later) * TICKS_PER_MS | 0);
  }

  /**
   * Makes a device's buckets, full.
   *
   * @param limitOps requests a second, more than 0; undefined: any number
   * @param limitBytes bytes a second, more than 0; undefined: any number
   * @param clock the time, as the constructor has it
   * @returns undefined where there is no limit
   */
  static setup(
    limitOps: number | undefined,
    limitBytes: number | undefined,
    clock?: ThrottleClock,
  ): ThrottleSetup | undefined {
    if (limitOps === undefined && limitBytes === undefined) return undefined;
    const setup: ThrottleSetup = {
      limitOps,
      limitBytes,
      state: new SharedArrayBuffer(2 * 4 * BUCKET_WORDS),
      clockStart: clockStart(),
    };
    const throttle = new Throttle(setup, clock);
    const now = throttle.#clock();
    throttle.#ops?.start(now);
    throttle.#bytes?.start(now);
    return setup;
  }

  /**
   * Takes what a round may serve at most. {@linkcode settle} follows.
   *
   * @param ops requests that it would take without a limit
   * @param bytes bytes that it would take without a limit
   * @returns false when nothing may be served yet
   */
  take(ops: number, bytes: number): boolean {
    const now = this.#clock();
    this.#takenOps = this.#ops?.take(ops, now) ?? ops;
    if (this.#takenOps === 0) return false;
    this.#takenBytes = this.#bytes?.take(bytes, now) ?? bytes;
    if (this.#takenBytes > 0) return true;
    this.#ops?.giveBack(this.#takenOps);
    return false;
  }

  /** Requests that were taken. */
  get ops(): number {
    return this.#takenOps;
  }

  /** Bytes that were taken; one request may have more, and the rest is owed. */
  get bytes(): number {
    return this.#takenBytes;
  }

  /**
   * Gives back what the round did not serve.
   *
   * @param ops requests that it served
   * @param bytes bytes that it served
   */
  settle(ops: number, bytes: number): void {
    this.#ops?.giveBack(this.#takenOps - ops);
    this.#bytes?.giveBack(this.#takenBytes - bytes);
  }

  /** How long to rest until something may be served, in milliseconds, 1 at least. */
  get restMs(): number {
    const wait = Math.max(this.#ops?.wait() ?? 0, this.#bytes?.wait() ?? 0);
    return Math.min(MOST_REST_MS, Math.max(1, Math.ceil(wait)));
  }
}
