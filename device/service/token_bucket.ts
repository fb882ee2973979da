/**
 * A token bucket that threads share: it fills at a steady rate, and whoever
 * takes from it works on one word of shared memory, without a lock.
 *
 * @module
 */

/** Ticks of the bucket's clock in a millisecond. */
export const TICKS_PER_MS = 64;

/** Words of shared memory that a bucket needs, i32 each. */
export const BUCKET_WORDS = 2;

/**
 * How much a bucket holds, in milliseconds of its rate, besides one token.
 * Whoever waits for that one may come so much later, and nothing is lost.
 */
const BURST_MS = 100;

/**
 * What a full bucket is in the units that are counted. A debt of 2047 times as
 * much still fits into the word: of 204 seconds.
 */
const FULL = 2 ** 20;
const DEEPEST = -(2 ** 31);

/** The bucket is filled no more often than this, so that rounding is nothing. */
const LEAST_TICKS = TICKS_PER_MS;

/** Clocks of threads differ by less than this. */
const MOST_SKEW = 1000 * TICKS_PER_MS;

/** A bucket of tokens. Each thread makes its own over the same memory. */
export class TokenBucket {
  /** Units, and the tick up to which they were filled. */
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** Units of one token. */
  readonly #units: number;
  /** What a token may lack because units are whole: one, at most half a token. */
  readonly #lack: number;
  readonly #perTick: number;
  /** What this thread took and has not counted: less than a whole unit. */
  #carry = 0;

  /**
   * @param words {@linkcode BUCKET_WORDS} words of shared memory
   * @param rate tokens a second, more than 0
   */
  constructor(words: Int32Array<SharedArrayBuffer>, rate: number) {
    this.#words = words;
    this.#units = FULL / (1 + rate * BURST_MS / 1000);
    this.#lack = Math.min(0.5, 1 / this.#units);
    this.#perTick = rate * this.#units / (1000 * TICKS_PER_MS);
  }

  /**
   * Fills the bucket for the first time, before threads share it.
   *
   * @param now the time in ticks, as an i32 that wraps
   */
  start(now: number): void {
    this.#words[0] = FULL;
    this.#words[1] = now;
  }

  /**
   * Takes tokens.
   *
   * @param most how many are wanted
   * @param now the time in ticks, as an i32 that wraps
   * @returns how many were taken, whole ones; 0 when there is none
   */
  take(most: number, now: number): number {
    this.#fill(now);
    for (;;) {
      const units = Atomics.load(this.#words, 0);
      const there = (units - this.#carry) / this.#units;
      const taken = Math.min(most, Math.floor(there + this.#lack));
      if (taken < 1) return 0;
      const exact = taken * this.#units + this.#carry;
      const whole = Math.floor(exact);
      if (this.#replace(units, units - whole)) {
        this.#carry = exact - whole;
        return taken;
      }
    }
  }

  /**
   * Gives tokens back.
   *
   * @param tokens how many; a negative number takes more, on credit
   */
  giveBack(tokens: number): void {
    if (tokens === 0) return;
    const exact = this.#carry - tokens * this.#units;
    const whole = Math.floor(exact);
    this.#carry = exact - whole;
    for (;;) {
      const units = Atomics.load(this.#words, 0);
      const next = Math.min(FULL, Math.max(DEEPEST, units - whole));
      if (this.#replace(units, next)) return;
    }
  }

  /**
   * How long until there is a token.
   *
   * @returns milliseconds; 0 when there is one
   */
  wait(): number {
    const units = Atomics.load(this.#words, 0) - this.#carry;
    const missing = 1 - this.#lack - units / this.#units;
    return Math.max(0, missing * this.#units / this.#perTick / TICKS_PER_MS);
  }

  #fill(now: number): void {
    const last = Atomics.load(this.#words, 1);
    const elapsed = now - last | 0;
    // Somewhat back in time is another thread's clock; far back is the wrap of
    // a clock that nobody has looked at for hours.
    if (elapsed < LEAST_TICKS && elapsed > -MOST_SKEW) return;
    // Only one of those who find it due fills it.
    if (Atomics.compareExchange(this.#words, 1, last, now) !== last) return;
    const more = elapsed < 0 ? Infinity : Math.round(elapsed * this.#perTick);
    for (;;) {
      const units = Atomics.load(this.#words, 0);
      if (this.#replace(units, Math.min(FULL, units + more))) return;
    }
  }

  #replace(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, 0, from, to) === from;
  }
}
