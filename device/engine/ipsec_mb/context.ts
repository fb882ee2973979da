/**
 * A prepared operation of the ipsec-mb engine.
 *
 * @module
 */

import type { IpsecMbFunctions, Processor } from "../../host/ipsec_mb.ts";
import { copyKey } from "../../memory/secrets.ts";
import type { Algorithm, Direction } from "../algorithm.ts";
import type { Context, Engine } from "../engine.ts";
import type { NativeMemory, NativePool } from "./native_memory.ts";
import type { Recipe } from "./recipe.ts";

/** What a context is made by. */
export interface Makers {
  /** The engine that makes it. */
  readonly engine: Engine;
  /** Number of the combination of algorithm, direction and key size. */
  readonly group: number;
  /** What serves jobs that the library does not take. */
  readonly aside: Engine;
  /** Where its memory comes from. */
  readonly pool: NativePool;
  /** The library's functions. */
  readonly functions: IpsecMbFunctions;
  /** What they are made for. */
  readonly processor: Processor;
}

/** A key, expanded by the library once, where the library reaches it. */
export class IpsecMbContext implements Context {
  readonly engine: Engine;
  readonly algorithm: Algorithm;
  readonly direction: Direction;
  readonly group: number;
  /** How the library is asked. */
  readonly recipe: Recipe;
  /** Whether the library has lanes for it on this processor. */
  readonly hasLanes: boolean;
  /** Whether the direction is "decrypt". */
  readonly decrypts: boolean;
  /** Whether the algorithm is an AEAD. */
  readonly isAead: boolean;
  /** Key material, then the key itself. */
  readonly memory: NativeMemory;
  readonly #makers: Makers;
  readonly #key: Uint8Array<ArrayBuffer>;
  #aside: Context | undefined = undefined;
  #wiped = false;

  /**
   * @param makers what makes it
   * @param algorithm the algorithm
   * @param direction the direction
   * @param key the key; it is copied
   * @param recipe how the library is asked
   */
  constructor(
    makers: Makers,
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
    recipe: Recipe,
  ) {
    this.#makers = makers;
    this.engine = makers.engine;
    this.algorithm = algorithm;
    this.direction = direction;
    this.group = makers.group;
    this.recipe = recipe;
    this.hasLanes = recipe.registers <= makers.processor.registers;
    this.decrypts = direction === "decrypt";
    this.isAead = algorithm.kind === "aead";
    // The key starts where the material ends, at a multiple of 16.
    const keyAt = (recipe.room + 15) & ~15;
    this.memory = makers.pool.take((keyAt + key.length + 19) & ~15);
    this.#key = this.memory.bytes.subarray(keyAt, keyAt + key.length);
    copyKey(key, this.#key);
    const keyAddress = this.memory.address + BigInt(keyAt);
    try {
      recipe.expand(makers.functions, keyAddress, this.memory, this.#key);
    } catch (error) {
      this.wipe();
      throw error;
    }
  }

  /** Bytes that it works on in about a millisecond. */
  get roundBytes(): number | undefined {
    return this.hasLanes ? this.recipe.roundBytes : this.aside.roundBytes;
  }

  /** Whether the key is gone. */
  get wiped(): boolean {
    return this.#wiped;
  }

  /**
   * The same operation of the engine that serves what the library does not
   * take: very long jobs, empty ones, rare sizes of iv. Made when first asked
   * for.
   */
  get aside(): Context {
    return this.#aside ??= this.#makers.aside.prepare(
      this.algorithm,
      this.direction,
      this.#key,
    );
  }

  /** Overwrites the key and all that was derived from it. */
  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    this.#makers.pool.giveBack(this.memory);
    this.#aside?.wipe();
    this.#aside = undefined;
  }
}
