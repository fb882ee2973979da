/**
 * The groups that contexts fall into: one for each algorithm that is served,
 * direction and key size.
 *
 * @module
 */

import type { Algorithm, Direction } from "../algorithm.ts";

/**
 * The directions an algorithm has.
 *
 * @param algorithm the algorithm
 * @returns 1 for hashes and MACs, else 2
 */
export function directions(algorithm: Algorithm): number {
  return algorithm.kind === "hash" || algorithm.kind === "mac" ? 1 : 2;
}

/** Key sizes that make a difference: of HMAC and RC4 keys none does. */
function keySizes(algorithm: Algorithm): number {
  const { max, min, step = 1 } = algorithm.key;
  return step === 1 ? 1 : (max - min) / step + 1;
}

/** The groups of a set of algorithms. */
export class Groups {
  /** Number of groups. */
  readonly count: number;
  /** The first group of each algorithm, by its name. */
  readonly #first = new Map<string, number>();

  /** @param algorithms the algorithms that are served */
  constructor(algorithms: readonly Algorithm[]) {
    let next = 0;
    for (const algorithm of algorithms) {
      this.#first.set(algorithm.name, next);
      next += directions(algorithm) * keySizes(algorithm);
    }
    this.count = next;
  }

  /**
   * The group of a context.
   *
   * @param algorithm an algorithm of the set
   * @param direction the direction
   * @param keyLength a legal key size in bytes
   * @returns its number, from 0 to below {@linkcode Groups.count}
   */
  of(algorithm: Algorithm, direction: Direction, keyLength: number): number {
    const sizes = keySizes(algorithm);
    const { min, step = 1 } = algorithm.key;
    return (this.#first.get(algorithm.name) ?? 0) +
      (direction === "encrypt" ? 0 : sizes) +
      (sizes === 1 ? 0 : (keyLength - min) / step);
  }
}
