/**
 * The engine of OpenSSL's libcrypto, called through FFI. It works in guest
 * memory itself, by address.
 *
 * @module
 */

import { libcrypto } from "../host/libcrypto.ts";
import { LibraryError } from "../host/library_error.ts";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
} from "./algorithm.ts";
import {
  type Context,
  type Engine,
  type EngineName,
  type InPlaceCipher,
  type Job,
  type JobMemory,
  JobOutcome,
} from "./engine.ts";
import { resultSize } from "./job_lengths.ts";
import { LIBRARY_CHECKS } from "./library_checks.ts";
import {
  IN_PLACE,
  type Maker,
  MAKERS,
  type Workshop,
} from "./libcrypto/catalogue.ts";
import { LibcryptoContext } from "./libcrypto/context.ts";
import { directions, Groups } from "./libcrypto/groups.ts";
import { Provider } from "./libcrypto/provider.ts";
import { passesSelfTest } from "./libcrypto/self_test.ts";
import { LibcryptoInPlace } from "./libcrypto/in_place.ts";
import { Work } from "./libcrypto/work.ts";

/** The thread's algorithms, loaded once. */
let provider: Provider | undefined;

/**
 * The engine of OpenSSL's libcrypto.
 *
 * Sources and results are read and written where they lie, with no copy, when
 * each is one range of memory (segments that adjoin are one) and they are the
 * same or have no byte in common. Otherwise the result is computed in private
 * memory and copied. The plaintext of an AEAD comes from private memory always,
 * when its tag is verified, and its ciphertext is read once.
 *
 * What OpenSSL lacks in an algorithm it has is done by the portable engine: an
 * iv that is J0, XTS with two equal keys or of more than 16 MiB, CCM and SHAKE
 * output of more than 64 MiB.
 *
 * @example
 * ```ts ignore
 * import { openLibcryptoEngine } from "./libcrypto.ts";
 * import { ALGORITHMS } from "./algorithm.ts";
 *
 * const engine = openLibcryptoEngine();
 * const context = engine.prepare(
 *   ALGORITHMS["aes-cbc"],
 *   "encrypt",
 *   new Uint8Array(16),
 * );
 * context.wipe();
 * ```
 */
export class LibcryptoEngine implements Engine {
  /** The engine's name. */
  readonly name: EngineName = "libcrypto";
  readonly #shop: Workshop;
  readonly #work: Work;
  /** The ways to run ciphers in place that were asked for, by group. */
  readonly #inPlace = new Map<number, LibcryptoInPlace>();
  readonly #served: ReadonlySet<string>;
  readonly #groups: Groups;

  /**
   * Made by {@linkcode openLibcryptoEngine}.
   *
   * @param provider what the library provides
   * @param served names of the algorithms to serve, of those that
   * {@linkcode workingAlgorithms} found
   */
  constructor(provider: Provider, served: ReadonlySet<string>) {
    this.#work = new Work(provider.library);
    this.#shop = { provider, memory: this.#work.memory };
    this.#served = served;
    this.#groups = new Groups(
      Object.values(ALGORITHMS).filter(({ name }) => served.has(name)),
    );
  }

  /** Number of groups its contexts fall into. */
  get groups(): number {
    return this.#groups.count;
  }

  /**
   * Whether the engine serves an algorithm: it passed its self-test.
   *
   * @param algorithm the algorithm
   * @param keyLength key size in bytes; left out: with any key
   * @returns true when it does, in both directions and at every legal length
   */
  serves(algorithm: Algorithm, keyLength?: number): boolean {
    return this.#served.has(algorithm.name) &&
      (keyLength === undefined || hasSize(algorithm.key, keyLength));
  }

  /**
   * Makes a context. The key is copied.
   *
   * @param algorithm an algorithm it serves
   * @param direction the direction
   * @param key the key, of a legal size; empty for a hash
   * @returns the context
   * @throws {RangeError} The algorithm is not served, not in this direction,
   * or not with a key of this size
   * @throws {Error} The library refuses the key, or has no memory
   */
  prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    const maker = MAKERS[algorithm.name as AlgorithmName];
    if (maker === undefined || !this.#served.has(algorithm.name)) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name}: the libcrypto engine does not serve it`,
      );
    }
    if (direction === "decrypt" && directions(algorithm) === 1) {
      throw new RangeError(`Cannot prepare ${algorithm.name} to decrypt`);
    }
    if (!hasSize(algorithm.key, key.length)) {
      throw new RangeError(
        `Cannot prepare ${algorithm.name} with a key of ${key.length} bytes`,
      );
    }
    return this.#make(maker, algorithm, direction, key);
  }

  /**
   * Runs jobs to their end, one after the other, and sets each one's outcome:
   * a job may read what an earlier one of the same batch wrote.
   *
   * @param jobs holds the jobs
   * @param count how many of them, from the first
   * @param on the memory they work on
   * @param abandoned asked every 128 KiB at least when there is one job only:
   * true gives the job up, before anything of it was written. Jobs that take
   * no longer than about 0.1 s may run to their end
   */
  run(
    jobs: readonly Job[],
    count: number,
    on: JobMemory,
    abandoned: () => boolean,
  ): void {
    this.#work.bind(on, count === 1 ? abandoned : undefined);
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      job.outcome = this.#runOne(job);
      job.ranBy = this.name;
    }
    this.#work.release();
  }

  /**
   * The way to run a cipher in place.
   *
   * @param algorithm a cipher that it serves
   * @param direction the direction
   * @param keyLength bytes of the key, of a legal size
   * @returns calls from place to place, where a request can be one call
   */
  inPlace(
    algorithm: Algorithm,
    direction: Direction,
    keyLength: number,
  ): InPlaceCipher | undefined {
    const name = algorithm.name as AlgorithmName;
    const maker = MAKERS[name];
    if (
      maker === undefined || !IN_PLACE.has(name) ||
      !this.serves(algorithm, keyLength)
    ) return undefined;
    const group = this.#groups.of(algorithm, direction, keyLength);
    let cipher = this.#inPlace.get(group);
    if (cipher === undefined) {
      cipher = new LibcryptoInPlace(
        this.#work.library,
        (key) => this.#make(maker, algorithm, direction, key),
      );
      this.#inPlace.set(group, cipher);
    }
    return cipher;
  }

  /** Overwrites what the engine keeps of data between jobs. */
  wipe(): void {
    this.#work.wipe();
  }

  #make(
    maker: Maker,
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): LibcryptoContext {
    const group = this.#groups.of(algorithm, direction, key.length);
    const purpose = { engine: this, algorithm, direction, group };
    try {
      return maker(this.#shop, purpose, key);
    } finally {
      this.#work.library.ERR_clear_error();
    }
  }

  #runOne(job: Job): number {
    const { context } = job;
    if (
      !(context instanceof LibcryptoContext) || context.engine !== this ||
      context.wiped
    ) return JobOutcome.FAILED;
    const size = resultSize(job, context);
    if (size < 0) return JobOutcome.FAILED;
    const work = this.#work;
    try {
      const hasAad = context.algorithm.kind === "aead";
      if (!work.locate(job, size, hasAad)) return JobOutcome.FAILED;
      const outcome = context.run(job, work);
      if (outcome !== JobOutcome.DONE) this.#clean();
      return work.givenUp ? JobOutcome.ABANDONED : outcome;
    } catch {
      // Out of memory.
      this.#clean();
      return JobOutcome.FAILED;
    }
  }

  /** Overwrites what a failed job left, and goes on with the batch. */
  #clean(): void {
    this.#work.memory.wipe();
    this.#work.library.ERR_clear_error();
  }
}

/**
 * Tests what a library provides, every algorithm in both directions.
 *
 * @param provider what the library provides
 * @returns the names of the algorithms that work
 */
export function workingAlgorithms(provider: Provider): ReadonlySet<string> {
  const engine = new LibcryptoEngine(provider, new Set(Object.keys(MAKERS)));
  const working = Object.values(ALGORITHMS).filter((algorithm) =>
    passesSelfTest(engine, algorithm)
  );
  engine.wipe();
  return new Set(working.map(({ name }) => name));
}

/**
 * Makes a thread's engine. A thread's first one loads the library and its
 * algorithms; the process's first one tests each of them, which takes some tens
 * of milliseconds.
 *
 * @returns the engine
 * @throws {LibraryError} The library cannot be loaded, or nothing of it works
 */
export function openLibcryptoEngine(): LibcryptoEngine {
  provider ??= new Provider(libcrypto());
  const passed = LIBRARY_CHECKS.libcrypto ??= workingAlgorithms(provider);
  if (passed.size === 0) {
    throw new LibraryError(
      "Cannot use libcrypto.so.3: no algorithm of it passes its self-test",
    );
  }
  return new LibcryptoEngine(provider, passed);
}
