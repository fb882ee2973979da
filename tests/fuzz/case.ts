/**
 * Cases of all targets: made from a seed, changed, run, written and read.
 *
 * @module
 */

import { type Choice, makeGuestCase, some } from "./guest/generate.ts";
import {
  makeMessageCase,
  messageSetup,
  someMessages,
} from "./messages/generate.ts";
import { planSession } from "./guest/plan.ts";
import type { MessageCase } from "./messages/operations.ts";
import type { GuestCase } from "./guest/operations.ts";
import { Random, seedOf } from "./random.ts";
import { runGuestCase } from "./guest/run.ts";
import { runMessageCase } from "./messages/run.ts";

/** A case. */
export type FuzzCase = GuestCase | MessageCase;

/** What can be fuzzed. */
export const TARGETS = ["requests", "rings", "sessions", "messages"] as const;

/** The name of a target. */
export type TargetName = typeof TARGETS[number];

/** What a run is made of. Plain data. */
export interface RunOptions extends Choice {
  readonly seed: number;
  readonly targets: readonly TargetName[];
}

/** One in so many cases of the target with workers: they are slow. */
const MESSAGES_EVERY = 24;
/** One in so many cases begins as one of the corpus. */
const CORPUS_EVERY = 3;

/**
 * Runs a case.
 *
 * @param fuzzCase the case
 * @returns what went wrong; undefined for nothing
 */
export async function runCase(
  fuzzCase: FuzzCase,
): Promise<string | undefined> {
  return fuzzCase.target === "messages"
    ? await runMessageCase(fuzzCase)
    : runGuestCase(fuzzCase);
}

function pickTarget(
  random: Random,
  targets: readonly TargetName[],
): TargetName {
  const fast = targets.filter((name) => name !== "messages");
  if (fast.length === 0) return "messages";
  if (fast.length < targets.length && random.oneIn(MESSAGES_EVERY)) {
    return "messages";
  }
  return random.pick(fast);
}

/**
 * Makes the case of a number: the same for the same options and corpus.
 *
 * @param options what the run is made of
 * @param corpus cases to begin with
 * @param index number of the case
 * @returns the case
 */
export function makeCase(
  options: RunOptions,
  corpus: readonly FuzzCase[],
  index: number,
): FuzzCase {
  const random = new Random(seedOf(options.seed, index));
  const target = pickTarget(random, options.targets);
  const seeds = corpus.filter((seed) => seed.target === target);
  if (seeds.length > 0 && random.oneIn(CORPUS_EVERY)) {
    return mutate(random, options, random.pick(seeds), random.pick(seeds));
  }
  return target === "messages"
    ? makeMessageCase(random, options)
    : makeGuestCase(random, target, options);
}

/** Changes a case of the corpus: some operations go, come or are another's. */
function mutate(
  random: Random,
  options: RunOptions,
  seed: FuzzCase,
  other: FuzzCase,
): FuzzCase {
  const { operations } = seed;
  const at = random.below(operations.length + 1);
  const end = at + random.below(4);
  const from = random.below(other.operations.length);
  const grafted = random.oneIn(2)
    ? other.operations.slice(from, from + random.between(1, 6))
    : [];
  const splice = <T>(own: readonly T[], made: readonly T[]): T[] => [
    ...own.slice(0, at),
    ...made,
    ...grafted as T[],
    ...own.slice(end),
  ];
  if (seed.target === "messages") {
    const made = Array.from({ length: 3 }, () => someMessages(random)).flat();
    return {
      ...seed,
      setup: messageSetup(options),
      operations: splice(seed.operations, made),
    };
  }
  const setup = {
    ...seed.setup,
    engine: random.pick(options.engines),
    ring: random.pick(options.rings),
  };
  // Sessions that may be there: what they are is not known here.
  const sessions = Array.from({ length: 3 }, () => planSession(random));
  const made = Array.from(
    { length: 3 },
    () => some(random, seed.target, setup, sessions),
  ).flat();
  return { ...seed, setup, operations: splice(seed.operations, made) };
}

/**
 * A case as it is written to a file.
 *
 * @param fuzzCase the case
 * @param found what it finds, if something
 * @returns JSON, one operation a line
 */
export function formatCase(fuzzCase: FuzzCase, found?: string): string {
  const { target, setup, operations } = fuzzCase;
  const lines = operations.map((operation) =>
    `    ${JSON.stringify(operation)}`
  );
  return [
    "{",
    ...(found === undefined ? [] : [`  "found": ${JSON.stringify(found)},`]),
    `  "target": ${JSON.stringify(target)},`,
    `  "setup": ${JSON.stringify(setup)},`,
    '  "operations": [',
    lines.join(",\n"),
    "  ]",
    "}",
    "",
  ].join("\n");
}

/**
 * Reads what {@linkcode formatCase} wrote.
 *
 * @param text the text of a file
 * @returns the case
 * @throws {SyntaxError} It is no case
 */
export function parseCase(text: string): FuzzCase {
  const value = JSON.parse(text);
  if (
    !TARGETS.includes(value?.target) || typeof value.setup !== "object" ||
    !Array.isArray(value.operations)
  ) throw new SyntaxError("Cannot replay it: it is no case of the fuzzer");
  const { target, setup, operations } = value;
  return { target, setup, operations } as FuzzCase;
}

/**
 * Reads the cases of a folder, in the order of their names.
 *
 * @param folder path of the folder
 * @returns the cases by file name
 */
export function readCorpus(folder: string): Map<string, FuzzCase> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort();
  return new Map(
    names.map((name) => [
      name,
      parseCase(Deno.readTextFileSync(`${folder}/${name}`)),
    ]),
  );
}
