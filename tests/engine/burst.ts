/**
 * Batches of many jobs in one guest's memory, for tests of engines that run
 * them side by side.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
} from "../../device/engine/algorithm.ts";
import {
  type Context,
  type Engine,
  type Job,
  JobOutcome,
} from "../../device/engine/engine.ts";
import { assertSame, Guest, type Input, never, resultOf } from "./guest.ts";
import type { Random } from "./random.ts";

/** Every algorithm's name. */
export const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];

/** Key sizes of an algorithm that engines take alike or not. */
const KEY_SIZES = [0, 8, 16, 20, 24, 32, 48, 64, 200];

/**
 * The key sizes that an engine serves, of those worth trying.
 *
 * @param engine the engine
 * @param algorithm the algorithm
 * @returns sizes in bytes
 */
export function servedSizes(engine: Engine, algorithm: Algorithm): number[] {
  return KEY_SIZES.filter((size) =>
    hasSize(algorithm.key, size) && engine.serves(algorithm, size)
  );
}

/**
 * The directions of an algorithm.
 *
 * @param algorithm the algorithm
 * @returns one or both
 */
export function directions(algorithm: Algorithm): Direction[] {
  return algorithm.kind === "cipher" || algorithm.kind === "aead"
    ? ["encrypt", "decrypt"]
    : ["encrypt"];
}

/** Jobs of a batch, and what each should give. */
interface Batch {
  readonly guest: Guest;
  readonly jobs: Job[];
  readonly expected: Uint8Array[];
}

/** How long sources are at most, and how many keys there are. */
export interface Shape {
  readonly count: number;
  readonly longest: number;
  readonly keys: number;
}

/**
 * Makes a batch of random jobs: lengths and keys are mixed, some work in
 * place, on what overlaps, or on pieces.
 *
 * @param engine the engine under test
 * @param other the engine whose results are expected
 * @param algorithm the algorithm
 * @param direction the direction
 * @param keyLength key size in bytes
 * @param shape how many jobs, how long, with how many keys
 * @param random where all of it comes from
 * @returns the batch
 */
export function randomBatch(
  engine: Engine,
  other: Engine,
  algorithm: Algorithm,
  direction: Direction,
  keyLength: number,
  shape: Shape,
  random: Random,
): Batch {
  const { block, kind, minimum } = algorithm;
  const contexts = Array.from({ length: shape.keys }, () => {
    const key = random.bytes(keyLength);
    return [
      engine.prepare(algorithm, direction, key),
      other.prepare(algorithm, direction, key),
      other.prepare(algorithm, "encrypt", key),
    ] as const;
  });
  const room = 2 * shape.longest + 400;
  const guest = new Guest(shape.count * room);
  const jobs: Job[] = [];
  const expected: Uint8Array[] = [];
  for (let i = 0; i < shape.count; i++) {
    const [context, reference, sealing] = contexts[i % shape.keys]!;
    let length = Math.max(minimum, random.below(shape.longest + 1));
    length -= length % block;
    let resultLength = 0;
    while (kind !== "cipher" && !hasSize(algorithm.result, resultLength)) {
      resultLength = 1 + random.below(Math.min(algorithm.result.max, 64));
    }
    const input: Input = {
      source: random.bytes(length),
      aad: random.bytes(kind === "aead" ? random.below(60) : 0),
      iv: random.bytes(algorithm.iv.min),
      resultLength,
    };
    const given = direction === "decrypt" && kind === "aead"
      ? { ...input, source: resultOf(other, sealing, input) }
      : input;
    const at = i * room;
    const offset = [undefined, 0, 1, 48][random.below(4)];
    const cuts = random.below(4) === 0
      ? [random.below(length + 1)].filter((cut) => cut > 0)
      : [];
    jobs.push(guest.job(context, given, {
      source: at,
      ...(offset === undefined ? {} : { destination: at + offset }),
      sourceCuts: cuts,
    }));
    expected.push(resultOf(other, reference, given));
  }
  return { guest, jobs, expected };
}

/**
 * Runs a batch and checks every result.
 *
 * @param engine the engine under test
 * @param batch the batch
 * @param what said when something is wrong
 */
export function checkBatch(engine: Engine, batch: Batch, what: string): void {
  const { expected, guest, jobs } = batch;
  const contexts = jobs.map((job) => job.context);
  engine.run(jobs, jobs.length, guest, never);
  jobs.forEach((job, i) => {
    assertEquals(job.outcome, JobOutcome.DONE, `${what}, job ${i}`);
    assertEquals(job.context, contexts[i]);
    assertSame(guest.result(job), expected[i]!, `${what}, job ${i}`);
  });
  for (const context of new Set<Context>(contexts as Context[])) context.wipe();
}
