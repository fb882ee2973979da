/**
 * What is wrong with a request, in words.
 *
 * @module
 */

import type { Sizes } from "../engine/algorithm.ts";
import { nameOf } from "../spec/names.ts";

/** One thing that is wrong. */
export interface Problem {
  /** The status it gets; undefined where no status can be written. */
  readonly status: number | undefined;
  /** The field, or the part of the request. */
  readonly field: string;
  /** What is wrong with it, and by which rule. */
  readonly text: string;
}

/**
 * A number with its name.
 *
 * @param kind what it means
 * @param value the number
 * @returns both
 */
export function named(
  kind: Parameters<typeof nameOf>[0],
  value: number,
): string {
  return `${value}${
    nameOf(kind, value) === undefined ? "" : ` (${nameOf(kind, value)})`
  }`;
}

/**
 * A set of legal sizes, for people.
 *
 * @param sizes the sizes
 * @returns as in "16, 24 or 32"
 */
export function sizesText(sizes: Sizes): string {
  const { min, max, step = 1, also = [] } = sizes;
  const parts: string[] = [];
  if ((max - min) / step > 3) {
    parts.push(`${min} to ${max}${step === 1 ? "" : ` in steps of ${step}`}`);
  } else {
    for (let size = min; size <= max; size += step) parts.push(String(size));
  }
  const single = also.filter((size) => size < min || size > max).map(String);
  const all = [...single, ...parts];
  if (all.length < 2) return all.join("");
  return `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}
