/**
 * The groups that contexts of the noble engine fall into: one for each
 * algorithm, direction and key size.
 *
 * @module
 */

import { type Algorithm, ALGORITHMS, type Direction } from "../algorithm.ts";

/**
 * The directions an algorithm has.
 *
 * @param algorithm the algorithm
 * @returns 1 for hashes and MACs, else 2
 */
export function directions(algorithm: Algorithm): number {
  return algorithm.kind === "hash" || algorithm.kind === "mac" ? 1 : 2;
}

/** Key sizes that make a difference: of HMAC keys none does. */
function keySizes(algorithm: Algorithm): number {
  const { max, min, step = 1 } = algorithm.key;
  return step === 1 ? 1 : (max - min) / step + 1;
}

/** The first group of each algorithm, by its name. */
const FIRST = new Map<string, number>();
let next = 0;
for (const algorithm of Object.values(ALGORITHMS)) {
  FIRST.set(algorithm.name, next);
  next += directions(algorithm) * keySizes(algorithm);
}

/** Number of groups. */
export const GROUPS: number = next;

/**
 * The group of a context.
 *
 * @param algorithm an algorithm of the catalogue
 * @param direction the direction
 * @param keyLength a legal key size in bytes
 * @returns its number, from 0 to below {@linkcode GROUPS}
 */
export function groupOf(
  algorithm: Algorithm,
  direction: Direction,
  keyLength: number,
): number {
  const sizes = keySizes(algorithm);
  const { min, step = 1 } = algorithm.key;
  return FIRST.get(algorithm.name)! + (direction === "encrypt" ? 0 : sizes) +
    (sizes === 1 ? 0 : (keyLength - min) / step);
}
