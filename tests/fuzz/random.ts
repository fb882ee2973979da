/**
 * Numbers that look random and are the same for the same seed, and what
 * generators make of them.
 *
 * @module
 */

import { Random as Words } from "../engine/random.ts";

/** A seeded generator. */
export class Random extends Words {
  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of some things. */
  pick<T>(things: readonly T[]): T {
    return things[this.below(things.length)]!;
  }

  /** A number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }
}

/**
 * The seed of a case: neighbouring cases, and those of neighbouring seeds, do
 * not begin alike.
 *
 * @param seed seed of the run
 * @param index number of the case
 * @returns 32 bits
 */
export function seedOf(seed: number, index: number): number {
  let word = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ index;
  word = Math.imul(word ^ (word >>> 16), 0x21f0_aaad);
  word = Math.imul(word ^ (word >>> 15), 0x735a_2d97);
  return (word ^ (word >>> 15)) >>> 0;
}
