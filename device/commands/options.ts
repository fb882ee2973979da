/**
 * Options that take a value.
 *
 * @module
 */

import { UsageError } from "./usage.ts";

/**
 * The options that take a value, each at most once.
 *
 * @param names their names
 * @param given all values that were given of each
 * @returns the value of each that was given
 * @throws {UsageError} One was given twice, or without a value
 */
export function once<Name extends string>(
  names: readonly Name[],
  given: Readonly<Record<Name, readonly string[]>>,
): Readonly<Partial<Record<Name, string>>> {
  const values: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const [value, another] = given[name];
    if (value === undefined) continue;
    if (another !== undefined) {
      throw new UsageError(`Cannot use --${name} more than once`);
    }
    if (value === "") {
      throw new UsageError(`Cannot use --${name} without a value`);
    }
    values[name] = value;
  }
  return values;
}
