/**
 * A worker's prepared contexts, by session. They are made at the first request
 * of a session on the worker, dropped when the session ends or when too many
 * others were used since.
 *
 * @module
 */

import type { Algorithm } from "../engine/algorithm.ts";
import type { Context } from "../engine/engine.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import {
  MAX_ENDED,
  MAX_KEY_MATERIAL,
  noSessionFields,
  type SessionTable,
} from "./table.ts";

/** A session as a worker uses it. */
export interface PreparedSession {
  /** Low half of the id. */
  readonly low: number;
  /** High half of the id. */
  readonly high: number;
  /** What it was created from. */
  readonly parameters: OperationParameters;
  /** The prepared operation. */
  readonly context: Context;
  /** The operation's algorithm; a chain's cipher. */
  readonly algorithm: Algorithm;
  /** A chain's hash or MAC. */
  readonly hash: Algorithm | undefined;
  /** Bytes of digest or tag given at creation. */
  readonly resultLength: number;
}

/**
 * Makes a context of an operation's parameters.
 *
 * @param parameters the parameters
 * @param key the keys, which the caller wipes
 * @returns the context, or undefined where nothing serves it
 */
export type Prepare = (
  parameters: OperationParameters,
  key: Uint8Array,
) => Context | undefined;

const NONE = -1;

/** Prepared sessions by id, bounded, least recently used out first. */
export class ContextCache {
  readonly #table: SessionTable;
  readonly #prepare: Prepare;
  /** Entry of each slot, or NONE. */
  readonly #entryOf: Int32Array;
  readonly #entries: (PreparedSession | undefined)[];
  /** Doubly linked list of entries in use, most recent first. */
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  #newest = NONE;
  #oldest = NONE;
  /** Entries not in use. */
  readonly #free: number[];
  #retiredSeen: number;
  readonly #ended = new Int32Array(MAX_ENDED);
  readonly #key: Uint8Array = new Uint8Array(MAX_KEY_MATERIAL);

  /**
   * @param table the session table
   * @param capacity most contexts to keep
   * @param prepare makes a context
   */
  constructor(table: SessionTable, capacity: number, prepare: Prepare) {
    const entries = Math.max(1, Math.min(capacity, table.slots));
    this.#table = table;
    this.#prepare = prepare;
    this.#entryOf = new Int32Array(table.slots).fill(NONE);
    this.#entries = new Array(entries).fill(undefined);
    this.#newer = new Int32Array(entries);
    this.#older = new Int32Array(entries);
    this.#free = Array.from({ length: entries }, (_, i) => entries - 1 - i);
    this.#retiredSeen = table.retired;
  }

  /** Number of contexts held. */
  get size(): number {
    return this.#entries.length - this.#free.length;
  }

  /**
   * The prepared session of an id. The context stays valid until the next
   * call of {@linkcode sweep}, or of `get` with as many other ids as the cache
   * holds.
   *
   * @param low low half of the id
   * @param high high half of the id
   * @returns the session, or undefined when the id is not that of a live one
   */
  get(low: number, high: number): PreparedSession | undefined {
    // In full, also when cached: the session may have ended a moment ago.
    if (!this.#table.isLive(low, high)) return undefined;
    const entry = this.#entryOf[low]!;
    if (entry !== NONE) {
      const session = this.#entries[entry]!;
      if (session.high === high) {
        if (entry !== this.#newest) {
          this.#unlink(entry);
          this.#link(entry);
        }
        return session;
      }
      this.#drop(entry);
    }
    return this.#make(low, high);
  }

  /**
   * Wipes the contexts of sessions that ended since it was last called.
   *
   * @returns true when there were any to look for
   */
  sweep(): boolean {
    const retired = this.#table.retired;
    if (retired === this.#retiredSeen) return false;
    const ended = this.#ended;
    const count = this.#table.ended(this.#retiredSeen, ended);
    if (count < 0) {
      this.#retiredSeen = retired;
      for (let entry = 0; entry < this.#entries.length; entry++) {
        this.#dropDead(entry);
      }
      return true;
    }
    this.#retiredSeen = (this.#retiredSeen + count) | 0;
    for (let i = 0; i < count; i++) {
      const entry = this.#entryOf[ended[i]!]!;
      if (entry !== NONE) this.#dropDead(entry);
    }
    return true;
  }

  /** Wipes all contexts. */
  clear(): void {
    for (let entry = 0; entry < this.#entries.length; entry++) {
      if (this.#entries[entry] !== undefined) this.#drop(entry);
    }
  }

  #make(low: number, high: number): PreparedSession | undefined {
    const parameters = noSessionFields();
    const length = this.#table.read(low, high, parameters, this.#key);
    if (length < 0) return undefined;
    let context: Context | undefined;
    try {
      context = this.#prepare(parameters, this.#key.subarray(0, length));
    } finally {
      this.#key.fill(0);
    }
    if (context === undefined) return undefined;
    if (this.#free.length === 0) this.#drop(this.#oldest);
    const entry = this.#free.pop()!;
    const session: PreparedSession = {
      low,
      high,
      parameters,
      context,
      algorithm: context.algorithm,
      hash: context.hash,
      resultLength: parameters.resultLength,
    };
    this.#entries[entry] = session;
    this.#entryOf[low] = entry;
    this.#link(entry);
    return session;
  }

  #dropDead(entry: number): void {
    const session = this.#entries[entry];
    if (
      session !== undefined && !this.#table.isLive(session.low, session.high)
    ) this.#drop(entry);
  }

  #drop(entry: number): void {
    const session = this.#entries[entry]!;
    this.#entries[entry] = undefined;
    this.#entryOf[session.low] = NONE;
    this.#unlink(entry);
    this.#free.push(entry);
    session.context.wipe();
  }

  #link(entry: number): void {
    this.#newer[entry] = NONE;
    this.#older[entry] = this.#newest;
    if (this.#newest === NONE) this.#oldest = entry;
    else this.#newer[this.#newest] = entry;
    this.#newest = entry;
  }

  #unlink(entry: number): void {
    const newer = this.#newer[entry]!;
    const older = this.#older[entry]!;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
    if (older === NONE) this.#oldest = newer;
    else this.#newer[older] = newer;
  }
}
