/**
 * Guest memory for tests of engines, and jobs that work on it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Context, Engine } from "../../device/engine/engine.ts";
import { Job, JobOutcome } from "../../device/engine/engine.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { SegmentTable, type Span } from "../../device/memory/segments.ts";

/** What guest memory holds where a test has written nothing. */
const UNTOUCHED = 0xa5;

/** What one job is given. */
export interface Input {
  readonly source: Uint8Array;
  readonly aad?: Uint8Array;
  readonly iv?: Uint8Array;
  /** Bytes of digest or tag. */
  readonly resultLength?: number;
}

/** Where in guest memory a job's data lies, and how it is cut. */
export interface Placement {
  /** Offset of the source. */
  readonly source?: number;
  /** Offset of the destination; left out: behind source and AAD. */
  readonly destination?: number;
  /** Where segments of the source end, by bytes from its start. */
  readonly sourceCuts?: readonly number[];
  /** Where segments of the AAD end, by bytes from its start. */
  readonly aadCuts?: readonly number[];
  /** Where segments of the destination end, by bytes from its start. */
  readonly destinationCuts?: readonly number[];
}

/** A guest's memory: one region, and segments to reach it by. */
export class Guest {
  readonly memory: GuestMemory;
  readonly segments: SegmentTable = new SegmentTable(4096);
  readonly bytes: Uint8Array<SharedArrayBuffer>;

  /** @param size bytes of memory */
  constructor(size: number) {
    const buffer = new SharedArrayBuffer(size + 64);
    // Neither guest address nor offset is a multiple of a block.
    this.memory = new GuestMemory([
      { guestAddress: 0x1007, size, userAddress: 0x1007, buffer, offset: 5 },
    ]);
    this.bytes = this.memory.bytes[0]!;
    this.bytes.fill(UNTOUCHED);
  }

  /**
   * Adds segments for a range and points a span at them.
   *
   * @param span receives the range
   * @param at offset of the range
   * @param length number of bytes
   * @param cuts where segments end, by bytes from `at`
   */
  span(
    span: Span,
    at: number,
    length: number,
    cuts: readonly number[] = [],
  ): void {
    span.segment = this.segments.count;
    span.skip = 0;
    span.length = length;
    let from = 0;
    for (const cut of [...cuts, length]) {
      this.segments.push(0, at + from, cut - from);
      from = cut;
    }
  }

  /**
   * Bytes of the result of a job.
   *
   * @param context what it runs with
   * @param input what it is given
   * @returns number of bytes
   */
  static resultSize(context: Context, input: Input): number {
    const tag = input.resultLength ?? 0;
    switch (context.algorithm.kind) {
      case "cipher":
        return input.source.length;
      case "aead":
        return input.source.length +
          (context.direction === "encrypt" ? tag : -tag);
      default:
        return tag;
    }
  }

  /**
   * Writes a job's data to memory and makes the job.
   *
   * @param context what it is to run with
   * @param input what it is given
   * @param placement where its data lies
   * @returns the job
   */
  job(context: Context, input: Input, placement: Placement = {}): Job {
    const job = new Job();
    const { source, aad = new Uint8Array(0), iv = new Uint8Array(0) } = input;
    const sourceAt = placement.source ?? 3;
    const aadAt = sourceAt + source.length + 7;
    const size = Guest.resultSize(context, input);
    this.bytes.set(source, sourceAt);
    this.bytes.set(aad, aadAt);
    job.context = context;
    job.iv.set(iv);
    job.ivLength = iv.length;
    job.resultLength = input.resultLength ?? 0;
    this.span(job.source, sourceAt, source.length, placement.sourceCuts);
    this.span(job.aad, aadAt, aad.length, placement.aadCuts);
    this.span(
      job.destination,
      placement.destination ?? aadAt + aad.length + 11,
      size,
      placement.destinationCuts,
    );
    return job;
  }

  /**
   * Reads where a job's result is.
   *
   * @param job the job
   * @returns a copy of its destination
   */
  result(job: Job): Uint8Array<ArrayBuffer> {
    const result = new Uint8Array(job.destination.length);
    let at = 0;
    for (let i = job.destination.segment; at < result.length; i++) {
      const offset = this.segments.offset[i]!;
      const length = this.segments.length[i]!;
      result.set(this.bytes.subarray(offset, offset + length), at);
      at += length;
    }
    return result;
  }
}

/** Never gives a job up. */
export function never(): boolean {
  return false;
}

/**
 * Runs one job in memory of its own and checks that it writes its result only.
 *
 * @param engine the engine
 * @param context a context of it
 * @param input what the job is given
 * @param placement where its data lies
 * @returns how it ended, and what its destination then holds
 */
export function runJob(
  engine: Engine,
  context: Context,
  input: Input,
  placement: Placement = {},
): { outcome: number; result: Uint8Array<ArrayBuffer> } {
  const size = 2 * input.source.length + (input.aad?.length ?? 0) +
    (input.resultLength ?? 0) + 256;
  const guest = new Guest(size);
  const job = guest.job(context, input, placement);
  const before = guest.bytes.slice();
  engine.run([job], 1, guest, never);
  const result = guest.result(job);
  const at = guest.segments.offset[job.destination.segment]!;
  const after = guest.bytes.slice();
  if (job.outcome === JobOutcome.DONE) {
    after.set(before.subarray(at, at + result.length), at);
  }
  assertSame(after, before, "memory outside of the result");
  return { outcome: job.outcome, result };
}

/**
 * Runs a job that has to succeed.
 *
 * @param engine the engine
 * @param context a context of it
 * @param input what the job is given
 * @param placement where its data lies
 * @returns the result
 */
export function resultOf(
  engine: Engine,
  context: Context,
  input: Input,
  placement: Placement = {},
): Uint8Array<ArrayBuffer> {
  const { outcome, result } = runJob(engine, context, input, placement);
  assertEquals(outcome, JobOutcome.DONE, `${context.algorithm.name} failed`);
  return result;
}

/**
 * Asserts that two arrays hold the same bytes: as `assertEquals`, which takes
 * seconds on large arrays.
 *
 * @param actual what came out
 * @param expected what should have
 * @param what said when they differ
 */
export function assertSame(
  actual: Uint8Array,
  expected: Uint8Array,
  what: string,
): void {
  assertEquals(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== expected[i]) {
      assertEquals(
        [...actual.subarray(i, i + 32)],
        [...expected.subarray(i, i + 32)],
        `${what}: byte ${i}`,
      );
    }
  }
}

/**
 * Puts arrays behind each other.
 *
 * @param parts the arrays
 * @returns one array of all their bytes
 */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
