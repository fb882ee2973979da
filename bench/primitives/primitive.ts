/**
 * Primitives themselves, called without any device: what engines and the whole
 * path are measured against.
 *
 * @module
 */

import { addressOf } from "../../device/host/libc.ts";
import type { Operation } from "../support/operations.ts";

/** A computation that is run a number of times in a row. */
export interface Primitive {
  /** What it is. */
  readonly name: string;
  /** Does it once for each buffer. */
  run(): void;
  /** The result of one of them. */
  result(index: number): Uint8Array;
}

/** Bytes behind each result for a tag or digest. */
const SLACK = 64;
/** Added between buffers, so that they do not share sets of the cache. */
const STAGGER = 320;

/** Sources and results of a number of runs, by address. */
export class NativeBuffers {
  /** Address of each source. */
  readonly sources: BigUint64Array;
  /** Address of each result. */
  readonly results: BigUint64Array;
  /** Memory for what is small: `scratch` bytes. */
  readonly scratch: Uint8Array<ArrayBuffer>;
  /** Its address. */
  readonly scratchAt: bigint;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #resultAt: number[];

  /**
   * @param operation its source is copied to each buffer
   * @param count number of buffers
   * @param scratch bytes of scratch memory
   */
  constructor(operation: Operation, count: number, scratch = 4096) {
    const { source } = operation;
    const each = Math.ceil((source.length + SLACK) / 64) * 64 + STAGGER;
    const bytes = new Uint8Array(new ArrayBuffer(scratch + 2 * count * each));
    const base = addressOf(bytes);
    this.#bytes = bytes;
    this.scratch = bytes.subarray(0, scratch);
    this.scratchAt = base;
    this.sources = new BigUint64Array(count);
    this.results = new BigUint64Array(count);
    this.#resultAt = Array.from(
      { length: count },
      (_, i) => scratch + (2 * i + 1) * each,
    );
    for (let i = 0; i < count; i++) {
      const at = scratch + 2 * i * each;
      bytes.set(source, at);
      this.sources[i] = base + BigInt(at);
      this.results[i] = base + BigInt(at + each);
    }
  }

  /** The bytes from a result on. */
  result(index: number): Uint8Array {
    return this.#bytes.subarray(this.#resultAt[index]!);
  }
}
