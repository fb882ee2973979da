/**
 * What the commands share in reading their arguments.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { ManualOption } from "./manual.ts";

/** The command line is wrong. */
export class UsageError extends Error {
  /** "UsageError". */
  override readonly name = "UsageError";
}

/** The arguments of a command, read by the options of its manual. */
export interface Arguments {
  /**
   * Whether an option without a value was given.
   *
   * @param name its name
   */
  has(name: string): boolean;
  /**
   * The value of an option.
   *
   * @param name its name
   * @returns undefined where it was not given
   */
  one(name: string): string | undefined;
  /**
   * The values of an option that may be given several times.
   *
   * @param name its name
   */
  all(name: string): readonly string[];
  /** What is no option. */
  readonly rest: readonly string[];
}

/**
 * Reads arguments.
 *
 * @param args the arguments behind the command's name
 * @param options what the command takes
 * @param takesOthers whether it takes arguments that are no options; "-" is one
 * @returns what was given
 * @throws {UsageError} There is something that it does not take, an option
 * without its value, or one more than once
 */
export function readArguments(
  args: readonly string[],
  options: readonly ManualOption[],
  takesOthers = false,
): Arguments {
  const valued = options.filter(({ value }) => value !== undefined);
  const names = valued.map(({ name }) => name);
  const given = parseArgs([...args], {
    string: [...names, "_"],
    boolean: options.filter((o) => o.value === undefined).map((o) => o.name),
    // All of them, or the last one given would silently count.
    collect: names,
    unknown: (arg: string) => {
      if (takesOthers && (arg === "-" || !arg.startsWith("-"))) return true;
      throw new UsageError(`Cannot understand "${arg}"`);
    },
  });
  for (const { name, repeats = false } of valued) {
    const values = given[name] as string[];
    if (values.length > 1 && !repeats) {
      throw new UsageError(`Cannot use --${name} more than once`);
    }
    if (values.includes("")) {
      throw new UsageError(`Cannot use --${name} without a value`);
    }
  }
  return {
    has: (name) => given[name] === true,
    one: (name) => (given[name] as string[])[0],
    all: (name) => given[name] as string[],
    rest: given._.map(String),
  };
}
/**
 * Reads an option that is a whole number.
 *
 * @param name the option's name, for messages
 * @param text what was given; undefined when nothing was
 * @param min smallest value
 * @param max largest value
 * @returns the number, or undefined when nothing was given
 * @throws {UsageError} It is not a number, or out of its range
 */
export function integerOption(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(
      `Cannot use --${name}=${text}: a number from ${min} to ${max} is needed`,
    );
  }
  return value;
}

/**
 * Reads an option that is one of some words.
 *
 * @param name the option's name, for messages
 * @param text what was given; undefined when nothing was
 * @param words the words
 * @returns the word, or undefined when nothing was given
 * @throws {UsageError} It is none of them
 */
export function wordOption<Word extends string>(
  name: string,
  text: string | undefined,
  words: readonly Word[],
): Word | undefined {
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found === undefined) {
    throw new UsageError(
      `Cannot use --${name}=${text}: one of ${words.join(", ")} is needed`,
    );
  }
  return found;
}
