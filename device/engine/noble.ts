/**
 * The portable engine: `@noble/ciphers` and `@noble/hashes`, which need no
 * permission and no library of the system.
 *
 * @module
 */

import { type Algorithm, type Direction, hasSize } from "./algorithm.ts";
import type { Context, EngineName } from "./engine.ts";
import { MAKERS, type RunningDigests } from "./noble/catalogue.ts";
import { groupOf, GROUPS } from "./noble/groups.ts";
import { StagedEngine } from "./staged_engine.ts";

/**
 * The portable engine. It serves every algorithm of `ALGORITHMS`, in private
 * memory (see `StagedEngine`).
 *
 * AES and GHASH look up tables at places that depend on secret data: their
 * time is not constant where an attacker shares the processor's cache.
 *
 * @example
 * ```ts
 * import { ALGORITHMS } from "./algorithm.ts";
 *
 * const engine = new NobleEngine();
 * const context = engine.prepare(
 *   ALGORITHMS["aes-cbc"],
 *   "encrypt",
 *   new Uint8Array(16),
 * );
 * context.wipe();
 * ```
 */
export class NobleEngine extends StagedEngine {
  /** The engine's name. */
  override readonly name: EngineName = "noble";
  /** Number of groups its contexts fall into. */
  override readonly groups: number = GROUPS;
  readonly #running: RunningDigests = new Map();

  /**
   * Whether the engine serves an algorithm.
   *
   * @param algorithm the algorithm
   * @param keyLength key size in bytes; left out: with any key
   * @returns true when it does, in both directions and at every legal length
   */
  override serves(algorithm: Algorithm, keyLength?: number): boolean {
    return MAKERS.has(algorithm.name) &&
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
   */
  override prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context {
    this.checkServed(algorithm, direction, key);
    const maker = MAKERS.get(algorithm.name)!;
    const group = groupOf(algorithm, direction, key.length);
    return maker(
      { engine: this, algorithm, direction, group },
      key,
      this.#running,
    );
  }

  protected override clean(): void {
    super.clean();
    for (const digest of this.#running.values()) digest.destroy();
  }
}
