/**
 * What sessions and requests are made of: algorithms, and sizes that fit them or
 * nearly do.
 *
 * @module
 */

import { MODEL_ALGORITHMS, type ModelAlgorithm } from "./model/algorithms.ts";
import type { Random } from "../random.ts";

/** A session as a generator knows it: it may not exist. */
export interface PlannedSession {
  readonly algorithm: ModelAlgorithm;
  readonly hash: ModelAlgorithm | undefined;
  readonly direction: number;
  readonly resultLength: number;
}

/** Values at which lengths and numbers turn. */
export const EDGES = [
  0,
  1,
  2,
  3,
  4,
  5,
  15,
  16,
  17,
  64,
  65,
  255,
  256,
  512,
  513,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fff0,
  0xffff_ffff,
];
const LENGTHS = [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 128];

/** A length of data that fits an algorithm. */
export function dataLength(random: Random, algorithm: ModelAlgorithm): number {
  const { block, least } = algorithm;
  const length = random.oneIn(12)
    ? random.below(1500)
    : random.oneIn(3)
    ? random.pick(LENGTHS)
    : random.below(100);
  return Math.max(least, length - length % block);
}

function pickAlgorithm(random: Random, service: number): ModelAlgorithm {
  const algorithms = MODEL_ALGORITHMS[service]!;
  // The slow ones and the rare ones are among the others often enough.
  return random.pick(algorithms);
}

function pickResult(
  random: Random,
  { results }: ModelAlgorithm,
): number {
  if (results === undefined) return random.between(1, 80);
  return random.oneIn(3) ? results.at(-1) ?? 0 : random.pick(results);
}

/** What drivers use most, and the device has a short way for. */
const PLAIN = MODEL_ALGORITHMS[0]!.filter(({ name }) =>
  name === "aes-cbc" || name === "aes-ctr"
);

/** A plan for a session, or for a request without one. */
export function planSession(random: Random): PlannedSession {
  if (random.oneIn(3)) {
    return {
      algorithm: random.pick(PLAIN),
      hash: undefined,
      direction: 1 + random.below(2),
      resultLength: 0,
    };
  }
  const service = random.pick([0, 0, 0, 1, 2, 3, 3]);
  const algorithm = pickAlgorithm(random, service);
  const hash = service === 0 && random.oneIn(3)
    ? pickAlgorithm(random, 1 + random.below(2))
    : undefined;
  const digest = service === 0 ? hash : algorithm;
  return {
    algorithm,
    hash,
    direction: 1 + random.below(2),
    resultLength: digest === undefined ? 0 : pickResult(random, digest),
  };
}

export function someKey(random: Random, { keys }: ModelAlgorithm): number {
  return random.oneIn(3) ? keys[0]! : random.pick(keys);
}

/** How long a key is, and that a neighbour of it is tried now and then. */
export function maybeWrong(random: Random, value: number): number {
  if (!random.oneIn(30)) return value;
  return random.oneIn(2)
    ? Math.max(0, value + random.between(-1, 1))
    : random.pick(EDGES);
}
