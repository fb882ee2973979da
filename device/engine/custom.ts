/**
 * Engines of one's own, made of a function for each algorithm.
 *
 * @module
 */

import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
  type Sizes,
} from "./algorithm.ts";
import type { EngineAlgorithm } from "./custom/algorithm.ts";
import { CustomContext, type CustomHost } from "./custom/context.ts";
import { checkName, type EngineDefinition } from "./definition.ts";
import type { Context } from "./engine.ts";
import { NobleEngine } from "./noble.ts";
import type { NobleContext, Purpose } from "./noble/context.ts";
import { directions, groupOf } from "./noble/groups.ts";
import { StagedEngine } from "./staged_engine.ts";

/** What {@linkcode defineEngine} makes an engine of. */
export interface EngineOptions {
  /**
   * The engine's name: at most 32 lower-case letters, digits and
   * hyphens; not that of a built-in engine, and neither "auto" nor "other".
   */
  readonly name: string;
  /** How each algorithm is computed that the engine serves. */
  readonly algorithms: Readonly<
    Partial<Record<AlgorithmName, EngineAlgorithm>>
  >;
  /**
   * Hears of what went wrong in the engine's own code: what an operation threw,
   * or a result that is none. Nowhere else is it seen but in the request's
   * status.
   *
   * @param error what was thrown
   * @param algorithm what was to be computed
   */
  onError?(error: unknown, algorithm: AlgorithmName): void;
}

/**
 * Iv sizes to run with where the definition does not say. A 16-byte iv is J0
 * here, which other implementations would hash.
 */
const IV_LENGTHS: Readonly<Record<string, readonly number[]>> = {
  "aes-gcm": [12],
  "gmac-aes": [12],
  "gmac-twofish": [12],
};

/** The engine that a definition makes, one a thread. */
class CustomEngine extends StagedEngine implements CustomHost {
  override readonly name: string;
  readonly #options: EngineOptions;
  /** Its own groups by those of the portable engine, without gaps. */
  readonly #groups = new Map<number, number>();
  #portable: NobleEngine | undefined;

  constructor(options: EngineOptions) {
    super();
    this.name = options.name;
    this.#options = options;
    for (const name of Object.keys(options.algorithms) as AlgorithmName[]) {
      this.#number(ALGORITHMS[name]);
    }
  }

  override get groups(): number {
    return this.#groups.size;
  }

  override serves(algorithm: Algorithm, keyLength?: number): boolean {
    const definition = this.#definition(algorithm);
    if (definition === undefined) return false;
    return keyLength === undefined ||
      (hasSize(algorithm.key, keyLength) &&
        definition.keyLengths?.includes(keyLength) !== false);
  }

  override prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    this.checkServed(algorithm, direction, key);
    const definition = this.#definition(algorithm)!;
    return new CustomContext(
      this,
      {
        engine: this,
        algorithm,
        direction,
        group: this.#groups.get(groupOf(algorithm, direction, key.length))!,
      },
      definition,
      definition.ivLengths ?? IV_LENGTHS[algorithm.name],
      key,
    );
  }

  portable(purpose: Purpose, key: Uint8Array): NobleContext {
    this.#portable ??= new NobleEngine();
    return this.#portable.prepare(
      purpose.algorithm,
      purpose.direction,
      key,
    ) as NobleContext;
  }

  failed(error: unknown, algorithm: AlgorithmName): void {
    this.#options.onError?.(error, algorithm);
  }

  override wipe(): void {
    super.wipe();
    this.#portable?.wipe();
  }

  #number(algorithm: Algorithm): void {
    const { max, min, step = 1 } = algorithm.key;
    for (const direction of ["encrypt", "decrypt"] as const) {
      if (direction === "decrypt" && directions(algorithm) === 1) return;
      for (let size = min; size <= max; size += step) {
        if (!this.serves(algorithm, size)) continue;
        const group = groupOf(algorithm, direction, size);
        if (!this.#groups.has(group)) {
          this.#groups.set(group, this.#groups.size);
        }
      }
    }
  }

  #definition({ name }: Algorithm): EngineAlgorithm | undefined {
    return this.#options.algorithms[name as AlgorithmName];
  }
}

/**
 * Defines an engine of one's own: something that computes some of the
 * algorithms in place of the built-in engines.
 *
 * The device reads each request once into private memory, checks its lengths,
 * hands it over, and writes the result to the guest when all of it is there;
 * an engine sees no guest memory. It has the algorithms' conventions to keep,
 * which are those of the table in the README: no padding, counters of a whole
 * block, keys of the sizes given there. What it does not name is served by the
 * next engine of the device's list, if there is one, and not advertised else.
 *
 * Operations are synchronous and run to their end. One engine is made for each
 * thread: what `prepare` and `run` keep is that thread's own.
 *
 * @param options name and algorithms
 * @returns the engine, for {@linkcode DeviceOptions.engines} of a device with
 * `workers: 0`. For one that has workers, it is the default export of a module
 * that {@linkcode importEngine} imports
 * @throws {TypeError} The name is not one, or an algorithm is not known
 * @throws {RangeError} A key or iv size is not one of the algorithm's
 *
 * @example AES-CTR by node:crypto
 * ```ts
 * import { createCipheriv } from "node:crypto";
 * import { CryptoDriver, defineEngine, InProcessDevice } from "../../mod.ts";
 *
 * const engine = defineEngine({
 *   name: "node",
 *   algorithms: {
 *     // Of CTR both directions are the same.
 *     "aes-ctr": {
 *       prepare: (key) => ({
 *         run: ({ source, iv }) =>
 *           createCipheriv(`aes-${8 * key.length}-ctr`, key, iv)
 *             .update(source),
 *       }),
 *     },
 *   },
 * });
 * await using driver = await CryptoDriver.attach(
 *   new InProcessDevice({ engines: [engine, "noble"], workers: 0 }),
 * );
 * const session = await driver.createSession({
 *   service: "cipher",
 *   algorithm: "aes-ctr",
 *   key: new Uint8Array(16),
 *   direction: "encrypt",
 * });
 * const stream = await session.run({
 *   iv: new Uint8Array(16),
 *   data: new Uint8Array(4),
 * });
 * console.log(stream.toHex()); // 66e94bd4
 * ```
 */
export function defineEngine(options: EngineOptions): EngineDefinition {
  checkName(options.name);
  for (const [name, definition] of Object.entries(options.algorithms)) {
    if (!Object.hasOwn(ALGORITHMS, name)) {
      throw new TypeError(
        `Cannot define the engine ${options.name}: there is no algorithm "${name}"`,
      );
    }
    const { key, iv } = ALGORITHMS[name as AlgorithmName];
    checkSizes(name, "key", key, definition.keyLengths);
    checkSizes(name, "iv", iv, definition.ivLengths);
  }
  return { name: options.name, open: () => new CustomEngine(options) };
}

function checkSizes(
  name: string,
  what: string,
  legal: Sizes,
  sizes: readonly number[] = [],
): void {
  for (const size of sizes) {
    if (hasSize(legal, size)) continue;
    throw new RangeError(
      `Cannot define ${name} with ${what}s of ${size} bytes: it has none such`,
    );
  }
}
