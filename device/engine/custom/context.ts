/**
 * A prepared operation of an engine of one's own: the way between a job and
 * what that engine computes.
 *
 * @module
 */

import type { AlgorithmName } from "../algorithm.ts";
import { type Job, JobOutcome } from "../engine.ts";
import { NobleContext, type Purpose } from "../noble/context.ts";
import type { Staging } from "../noble/staging.ts";
import type { EngineAlgorithm, PreparedOperation } from "./algorithm.ts";

/** What a context needs of its engine. */
export interface CustomHost {
  /**
   * Prepares the same operation on the portable engine.
   *
   * @param purpose algorithm and direction
   * @param key the key
   * @returns the context, which runs in the staging of any engine
   */
  portable(purpose: Purpose, key: Uint8Array): NobleContext;
  /**
   * Hears of what the engine's own code did wrong.
   *
   * @param error what was thrown, or what is wrong with the result
   * @param algorithm what it was to compute
   */
  failed(error: unknown, algorithm: AlgorithmName): void;
}

/** A key, and the operation that was made ready with it. */
export class CustomContext extends NobleContext {
  readonly #host: CustomHost;
  readonly #purpose: Purpose;
  readonly #definition: EngineAlgorithm;
  readonly #ivLengths: readonly number[] | undefined;
  readonly #key: Uint8Array<ArrayBuffer>;
  /** The engine's own copy, with which it may do as it likes. */
  #lentKey: Uint8Array<ArrayBuffer> | undefined;
  #operation: PreparedOperation | undefined;
  #portable: NobleContext | undefined;

  /**
   * @param host the engine
   * @param purpose what it is for
   * @param definition how the engine does it
   * @param ivLengths the iv sizes it is to be run with; undefined: any
   * @param key the key; it is copied
   */
  constructor(
    host: CustomHost,
    purpose: Purpose,
    definition: EngineAlgorithm,
    ivLengths: readonly number[] | undefined,
    key: Uint8Array,
  ) {
    super(purpose);
    this.#host = host;
    this.#purpose = purpose;
    this.#definition = definition;
    this.#ivLengths = ivLengths;
    this.#key = Uint8Array.from(key);
  }

  override run(job: Job, staging: Staging): number {
    if (this.#ivLengths?.includes(job.ivLength) === false) {
      this.#portable ??= this.#host.portable(this.#purpose, this.#key);
      return this.#portable.run(job, staging);
    }
    try {
      return this.#run(job, staging);
    } catch (error) {
      this.#host.failed(error, this.algorithm.name as AlgorithmName);
      return JobOutcome.FAILED;
    }
  }

  #run(job: Job, staging: Staging): number {
    const { kind } = this.algorithm;
    const tagLength = kind === "aead" && this.direction === "decrypt"
      ? job.resultLength
      : 0;
    const length = job.source.length - tagLength;
    const aadLength = kind === "aead" ? job.aad.length : 0;
    const aadAt = job.source.length;
    staging.reserve(aadAt + aadLength);
    staging.seek(job.source);
    staging.read(0, aadAt);
    if (aadLength > 0) {
      staging.seek(job.aad);
      staging.read(aadAt, aadLength);
    }
    const { bytes } = staging;
    const result = this.#prepared().run({
      source: bytes.subarray(0, length),
      iv: job.iv.subarray(0, job.ivLength),
      aad: bytes.subarray(aadAt, aadAt + aadLength),
      tag: bytes.subarray(length, aadAt),
      resultLength: job.resultLength,
    });
    if (result === undefined && tagLength > 0) return JobOutcome.BAD_TAG;
    const size = kind === "cipher" || tagLength > 0
      ? length
      : kind === "aead"
      ? length + job.resultLength
      : job.resultLength;
    this.#hear(result);
    checkResult(result, size, kind === "hash" || kind === "mac");
    staging.write(job.destination, result, size);
    return JobOutcome.DONE;
  }

  #prepared(): PreparedOperation {
    if (this.#operation === undefined) {
      this.#lentKey ??= this.#key.slice();
      const operation = this.#definition.prepare(this.#lentKey, this.direction);
      this.#hear(operation);
      this.#operation = operation;
    }
    return this.#operation;
  }

  /** A promise is of no use, but its failure would end the thread unheard. */
  #hear(value: unknown): void {
    if (!(value instanceof Promise)) return;
    value.catch((error) =>
      this.#host.failed(error, this.algorithm.name as AlgorithmName)
    );
  }

  protected override wipeKey(): void {
    this.#key.fill(0);
    this.#portable?.wipe();
    try {
      this.#operation?.wipe?.();
    } catch (error) {
      this.#host.failed(error, this.algorithm.name as AlgorithmName);
    }
    this.#operation = undefined;
    this.#lentKey?.fill(0);
  }
}

function checkResult(
  result: Uint8Array | undefined,
  size: number,
  mayBeLonger: boolean,
): asserts result is Uint8Array {
  if (!(result instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot use a result that is no Uint8Array: ${
        Object.prototype.toString.call(result)
      }`,
    );
  }
  if (result.length < size || (result.length > size && !mayBeLonger)) {
    throw new RangeError(
      `Cannot use a result of ${result.length} bytes: ${size} are needed`,
    );
  }
}
