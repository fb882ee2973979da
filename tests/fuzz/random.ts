/**
 * Numbers that look random and are the same for the same seed.
 *
 * @module
 */

/** A generator (xorshift32). */
export class Random {
  #state: number;

  /** @param seed any number */
  constructor(seed: number) {
    // Neighbouring seeds shall not begin alike, and 0 would stay 0.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A number of 32 bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** A number from 0 to below `limit`. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of some things. */
  pick<T>(things: readonly T[]): T {
    return things[this.below(things.length)]!;
  }

  /** Bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() >>> 24);
  }
}
