/**
 * Work whose results are known: every algorithm, with inputs of many sizes.
 *
 * @module
 */

import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
} from "../../device/engine/algorithm.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import { concat } from "../engine/guest.ts";
import type { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";

/** Lengths of sources in bytes, about. */
const LENGTHS = [64, 1500, 16_384] as const;

/** What one request is given, and what it must give. */
export interface Input {
  readonly data: Uint8Array;
  readonly iv: Uint8Array;
  readonly aad: Uint8Array;
  readonly expected: Uint8Array;
}

/** A session to make, and requests for it. */
export interface Case {
  readonly algorithm: Algorithm;
  readonly options: SessionOptions;
  readonly inputs: readonly Input[];
}

function isWhole(length: number, { block, minimum }: Algorithm): number {
  return Math.max(minimum, length - length % block);
}

/** An algorithm's cases: one a direction. */
function* casesOf(algorithm: Algorithm, random: Random): Generator<Case> {
  const { kind: service, key: { min, max } } = algorithm;
  const name = algorithm.name as AlgorithmName;
  const key = random.bytes(Math.min(max, Math.max(min, 16)));
  const resultLength = service === "cipher"
    ? 0
    : Math.min(algorithm.result.max, 64);
  const ivLength = algorithm.iv.min === 7 ? 12 : algorithm.iv.min;
  const forth = LENGTHS.map((length): Input => {
    const data = random.bytes(isWhole(length, algorithm));
    const iv = random.bytes(ivLength);
    const aad = random.bytes(service === "aead" ? 20 : 0);
    const input = { source: data, iv, aad, resultLength };
    return { data, iv, aad, expected: reference(name, key, input) };
  });
  const directions: Direction[] = service === "cipher" || service === "aead"
    ? ["encrypt", "decrypt"]
    : ["encrypt"];
  for (const direction of directions) {
    yield {
      algorithm,
      options: {
        service,
        algorithm: name,
        key,
        direction,
        ...(service === "aead"
          ? { tagLength: resultLength }
          : service === "cipher"
          ? {}
          : { resultLength }),
      } as unknown as SessionOptions,
      inputs: direction === "encrypt" ? forth : forth.map((input) => ({
        ...input,
        data: concat(input.expected),
        expected: input.data,
      })),
    };
  }
}

/**
 * Makes the cases; the second implementation takes a second or two for it.
 *
 * @param random a generator
 * @returns a case for each algorithm and direction
 */
export function makeCases(random: Random): Case[] {
  return Object.values<Algorithm>(ALGORITHMS)
    .flatMap((algorithm) => [...casesOf(algorithm, random)]);
}
