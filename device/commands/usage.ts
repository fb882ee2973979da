/**
 * What the commands share in reading their arguments.
 *
 * @module
 */

/** The command line is wrong. */
export class UsageError extends Error {
  /** "UsageError". */
  override readonly name = "UsageError";
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
