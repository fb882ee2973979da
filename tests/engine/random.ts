/**
 * Random data that is the same in every run.
 *
 * @module
 */

/** A seeded generator (mulberry32): good for test data and for nothing else. */
export class Random {
  #state: number;

  /** @param seed equal seeds give equal data */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** @returns 32 bits */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /**
   * @param limit a positive number
   * @returns an integer from 0 to below the limit
   */
  below(limit: number): number {
    return this.word() % limit;
  }

  /**
   * @param length number of bytes
   * @returns that many random bytes
   */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.word() >>> 24;
    return bytes;
  }
}
