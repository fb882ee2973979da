/**
 * What the library computes, compared with what it should, before anything of
 * it is used: another version may lay its structures out otherwise.
 *
 * @module
 */

import { GuestMemory } from "../../memory/guest_memory.ts";
import { SegmentTable } from "../../memory/segments.ts";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
} from "../algorithm.ts";
import {
  type Context,
  Job,
  type JobMemory,
  JobOutcome,
  type Runner,
} from "../engine.ts";
import { EXPECTED } from "./expected.ts";
import { RECIPES } from "./recipes.ts";

/** What makes contexts and runs jobs. */
export interface Subject extends Pick<Runner, "run"> {
  /** As of an engine. */
  prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context;
}

/** Message lengths in blocks, or in bytes where there are none. */
const BLOCKS = [1, 2, 3, 4, 7, 9, 16, 5, 33, 17, 8, 64];
const BYTES = [1, 2, 15, 16, 17, 31, 64, 65, 100, 127, 128, 500];

const AAD = 13;
/** Bytes of guest memory for each source or result. */
const ROOM = 2048;
const AAD_AT = 2 * BYTES.length * ROOM;

/** HMAC keys of all sizes work alike, but for those longer than a block. */
const HMAC_KEYS = [20, 200];

/**
 * The key sizes that are tried.
 *
 * @param algorithm the algorithm
 * @returns sizes in bytes
 */
export function sizesToCheck(algorithm: Algorithm): readonly number[] {
  if (algorithm.kind === "hash") return [0];
  if (algorithm.name.startsWith("hmac-")) return HMAC_KEYS;
  return [8, 16, 24, 32].filter((size) => hasSize(algorithm.key, size));
}

/** Bytes that look random and are the same each time. */
function fill(bytes: Uint8Array, seed: number): void {
  let state = seed >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
}

/** FNV-1a, 32 bits. */
function checksum(sum: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) {
    sum = Math.imul(sum ^ bytes[i]!, 0x0100_0193);
  }
  return sum >>> 0;
}

/** Jobs over memory of this process. */
class Trial implements JobMemory {
  readonly memory: GuestMemory;
  readonly segments = new SegmentTable(3 * BYTES.length);
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #jobs: Job[] = BYTES.map(() => new Job());

  constructor() {
    const size = AAD_AT + AAD;
    const buffer = new SharedArrayBuffer(size);
    this.memory = new GuestMemory([
      { guestAddress: 0, userAddress: 0, size, buffer, offset: 0 },
    ]);
    this.#bytes = this.memory.bytes[0]!;
  }

  /** The checksum of all results, or undefined where a job failed. */
  encrypt(
    subject: Subject,
    algorithm: Algorithm,
    keyLength: number,
  ): number | undefined {
    fill(this.#bytes, 1);
    return this.#run(subject, algorithm, keyLength, "encrypt", 0);
  }

  /** Whether the results of {@linkcode encrypt} decrypt to what was given. */
  decrypts(
    subject: Subject,
    algorithm: Algorithm,
    keyLength: number,
  ): boolean {
    const { kind } = algorithm;
    if (kind !== "cipher" && kind !== "aead") return true;
    const given = new Uint8Array(this.#bytes);
    const half = AAD_AT / 2;
    this.#bytes.fill(0, 0, half);
    if (
      this.#run(subject, algorithm, keyLength, "decrypt", half) === undefined
    ) return false;
    return this.#jobs.every((job, i) => {
      const from = i * ROOM;
      const length = job.destination.length;
      return this.#bytes.subarray(from, from + length).every((byte, at) =>
        byte === given[from + at]
      );
    });
  }

  #run(
    subject: Subject,
    algorithm: Algorithm,
    keyLength: number,
    direction: Direction,
    sourcesAt: number,
  ): number | undefined {
    const { block, iv, kind } = algorithm;
    const { digest = 0 } = RECIPES.get(algorithm.name)?.(keyLength) ?? {};
    const result = digest === 0 ? algorithm.result.max : digest;
    const contexts = [2, 3].map((seed) => {
      const key = new Uint8Array(keyLength);
      fill(key, seed);
      return subject.prepare(algorithm, direction, key);
    });
    const resultsAt = AAD_AT / 2 - sourcesAt;
    this.segments.clear();
    this.#jobs.forEach((job, i) => {
      const text = block > 1 ? block * BLOCKS[i]! : BYTES[i]!;
      const [sealed, opened] = kind === "aead"
        ? [text + result, text]
        : [text, text];
      const [source, destination] = direction === "encrypt"
        ? [opened, kind === "cipher" || kind === "aead" ? sealed : result]
        : [sealed, opened];
      job.context = contexts[i % 2];
      this.#point(job.source, sourcesAt + i * ROOM, source);
      this.#point(job.destination, resultsAt + i * ROOM, destination);
      this.#point(job.aad, AAD_AT, kind === "aead" ? AAD : 0);
      job.ivLength = iv.min;
      fill(job.iv, 4 + i);
      job.resultLength = result;
    });
    subject.run(this.#jobs, this.#jobs.length, this, () => false);
    for (const context of contexts) context.wipe();
    let sum = 0x811c_9dc5;
    for (const [i, job] of this.#jobs.entries()) {
      if (job.outcome !== JobOutcome.DONE) return undefined;
      const at = resultsAt + i * ROOM;
      sum = checksum(
        sum,
        this.#bytes.subarray(at, at + job.destination.length),
      );
    }
    return sum;
  }

  #point(span: Job["source"], at: number, length: number): void {
    span.segment = this.segments.count;
    span.skip = 0;
    span.length = length;
    this.segments.push(0, at, length);
  }
}

/** The name of an operation in the table of what is expected. */
function nameOf(algorithm: Algorithm, keyLength: number): string {
  return keyLength === 0
    ? algorithm.name
    : `${algorithm.name} ${8 * keyLength}`;
}

/**
 * The checksum of each operation's results.
 *
 * @param subject what computes
 * @returns checksums by name and key size in bits; operations that fail are
 * left out
 */
export function checksums(subject: Subject): Map<string, number> {
  const trial = new Trial();
  const sums = new Map<string, number>();
  for (const [name, recipe] of RECIPES) {
    const algorithm = ALGORITHMS[name as AlgorithmName];
    for (const keyLength of sizesToCheck(algorithm)) {
      if (recipe(keyLength) === undefined) continue;
      const sum = trial.encrypt(subject, algorithm, keyLength);
      if (
        sum !== undefined && trial.decrypts(subject, algorithm, keyLength)
      ) sums.set(nameOf(algorithm, keyLength), sum);
    }
  }
  return sums;
}

/**
 * The key sizes whose results are right, in both directions.
 *
 * @param subject what computes
 * @returns key sizes in bytes by the algorithm's name; no entry where none is
 */
export function checkedSizes(
  subject: Subject,
): ReadonlyMap<string, ReadonlySet<number>> {
  const sums = checksums(subject);
  const served = new Map<string, ReadonlySet<number>>();
  for (const name of RECIPES.keys()) {
    const algorithm = ALGORITHMS[name as AlgorithmName];
    const sizes = sizesToCheck(algorithm);
    const right = sizes.filter((size) => {
      const operation = nameOf(algorithm, size);
      return EXPECTED[operation] !== undefined &&
        sums.get(operation) === EXPECTED[operation];
    });
    // Of HMAC, where sizes stand for all others, all of them have to be right.
    const stands = sizes === HMAC_KEYS;
    if (stands ? right.length === sizes.length : right.length > 0) {
      served.set(name, new Set(right));
    }
  }
  return served;
}
