/**
 * Whether the library computes what it should: one known answer for each
 * algorithm, in both directions, found wrong or right when it is loaded.
 *
 * @module
 */

import { GuestMemory } from "../../memory/guest_memory.ts";
import { SegmentTable, type Span } from "../../memory/segments.ts";
import { type Algorithm, type Direction, hasSize } from "../algorithm.ts";
import { type Context, type Engine, Job, JobOutcome } from "../engine.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";

/** Bytes of the message: whole blocks of every cipher. */
const MESSAGE = 80;
/** Bytes of the AAD. */
const AAD = 20;
/** Bytes of a digest, where the algorithm gives as many. */
const DIGEST = 32;
/** Bytes at the end of a result that the answer has. */
const ANSWER = 16;
/** Where things lie in the memory of the test. */
const AAD_AT = 128;
const RESULT_AT = 256;
const MEMORY = 512;

/** Bytes that are all different from their neighbours. */
function pattern(length: number, step: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * step + 1);
}

/** One context's job in memory of its own. */
class Trial {
  readonly #memory: GuestMemory;
  readonly #segments = new SegmentTable(3);
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #job = new Job();
  readonly #engine: Engine;
  readonly #algorithm: Algorithm;

  constructor(engine: Engine, algorithm: Algorithm) {
    const buffer = new SharedArrayBuffer(MEMORY);
    this.#memory = new GuestMemory([
      { guestAddress: 0, userAddress: 0, size: MEMORY, buffer, offset: 0 },
    ]);
    this.#bytes = this.#memory.bytes[0]!;
    this.#engine = engine;
    this.#algorithm = algorithm;
    const { aad, iv } = this.#job;
    this.#bytes.set(pattern(AAD, 5), AAD_AT);
    if (algorithm.kind === "aead") this.#span(aad, AAD_AT, AAD);
    iv.set(pattern(algorithm.iv.min, 13));
    this.#job.ivLength = algorithm.iv.min;
    this.#job.resultLength = algorithm.kind === "cipher"
      ? 0
      : Math.min(algorithm.result.max, DIGEST);
  }

  /** Runs a source; the result, or undefined where it does not succeed. */
  run(
    direction: Direction,
    source: Uint8Array,
  ): Uint8Array<ArrayBuffer> | undefined {
    const job = this.#job;
    const { kind } = this.#algorithm;
    const tag = job.resultLength;
    const size = kind === "cipher"
      ? source.length
      : kind === "aead"
      ? source.length + (direction === "encrypt" ? tag : -tag)
      : tag;
    this.#bytes.set(source);
    this.#bytes.fill(0, RESULT_AT);
    this.#segments.count = kind === "aead" ? 1 : 0;
    this.#span(job.source, 0, source.length);
    this.#span(job.destination, RESULT_AT, size);
    job.context = this.#prepare(direction);
    try {
      // Twice: the second job has the context as the first one left it.
      for (let i = 0; i < 2; i++) {
        this.#bytes.fill(0, RESULT_AT);
        this.#engine.run(
          [job],
          1,
          { memory: this.#memory, segments: this.#segments },
          () => false,
        );
        if (job.outcome !== JobOutcome.DONE) return undefined;
      }
      return this.#bytes.slice(RESULT_AT, RESULT_AT + size);
    } finally {
      job.context.wipe();
    }
  }

  /** How the last run ended. */
  get outcome(): number {
    return this.#job.outcome;
  }

  #prepare(direction: Direction): Context {
    const { key } = this.#algorithm;
    const length = hasSize(key, 16) ? 16 : key.min;
    return this.#engine.prepare(this.#algorithm, direction, pattern(length, 7));
  }

  #span(span: Span, at: number, length: number): void {
    span.segment = this.#segments.count;
    span.skip = 0;
    span.length = length;
    this.#segments.push(0, at, length);
  }
}

/**
 * What an engine makes of the message of the self-test.
 *
 * @param engine the engine
 * @param algorithm the algorithm
 * @returns the end of the result in hexadecimal, or undefined
 */
export function answerOf(
  engine: Engine,
  algorithm: Algorithm,
): string | undefined {
  return new Trial(engine, algorithm).run("encrypt", pattern(MESSAGE, 29))
    ?.slice(-ANSWER).toHex();
}

/**
 * Whether an engine gives the known answer of an algorithm, deciphers it again,
 * and refuses a wrong tag.
 *
 * @param engine the engine, which need not say yet that it serves it
 * @param algorithm the algorithm
 * @returns false also where it cannot be prepared
 */
export function passesSelfTest(engine: Engine, algorithm: Algorithm): boolean {
  const known = KNOWN_ANSWERS[algorithm.name];
  try {
    if (known === undefined || answerOf(engine, algorithm) !== known) {
      return false;
    }
    if (algorithm.kind !== "cipher" && algorithm.kind !== "aead") return true;
    const trial = new Trial(engine, algorithm);
    const message = pattern(MESSAGE, 29);
    const result = trial.run("encrypt", message);
    if (result === undefined) return false;
    const back = trial.run("decrypt", result);
    if (back === undefined || back.toHex() !== message.toHex()) return false;
    if (algorithm.kind !== "aead") return true;
    result[result.length - 1]! ^= 1;
    return trial.run("decrypt", result) === undefined &&
      trial.outcome === JobOutcome.BAD_TAG;
  } catch {
    return false;
  }
}
