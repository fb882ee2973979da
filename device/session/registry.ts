/**
 * The sessions of one device: who gets which id. Main thread only; the workers
 * read what it publishes in the session table.
 *
 * @module
 */

import type { OperationParameters } from "../spec/session_parameters.ts";
import { MAX_GENERATION, noSessionFields, type SessionTable } from "./table.ts";

/** The id of a session, in halves. */
export interface SessionId {
  /** Low 32 bits: the slot. */
  readonly low: number;
  /** High 32 bits: the slot's generation, 1 to 2^31 - 1. */
  readonly high: number;
}

/**
 * A session's id as it is written.
 *
 * @param id the id
 * @returns 16 hexadecimal digits behind 0x
 */
export function sessionIdText({ low, high }: SessionId): string {
  const hex = (half: number) => half.toString(16).padStart(8, "0");
  return `0x${hex(high)}${hex(low)}`;
}

/** A live session, without its keys. */
export interface LiveSession {
  /** Its id. */
  readonly id: SessionId;
  /** What it was created from. */
  readonly parameters: OperationParameters;
}

/** Creates and destroys sessions in a table. */
export class SessionRegistry {
  readonly #table: SessionTable;
  /** The generation before any slot's first session. */
  readonly #before: number;
  /** Generation each slot had last. */
  readonly #generations: Int32Array;
  /** Slots that hold no session, the next one to use last. */
  readonly #free: Int32Array;
  #freeCount: number;
  #live = 0;

  /**
   * @param table an empty table, which this registry alone writes
   * @param first the generation of each slot's first session; 1 when left out
   */
  constructor(table: SessionTable, first = 1) {
    this.#table = table;
    this.#before = first - 1;
    this.#generations = new Int32Array(table.slots).fill(this.#before);
    this.#free = new Int32Array(table.slots);
    for (let i = 0; i < table.slots; i++) this.#free[i] = table.slots - 1 - i;
    this.#freeCount = table.slots;
  }

  /** Number of live sessions. */
  get size(): number {
    return this.#live;
  }

  /**
   * Creates a session.
   *
   * @param fields its parameters, already checked
   * @param key its key; copied
   * @returns its id, or undefined when the table is full
   */
  create(
    fields: OperationParameters,
    key: Uint8Array,
  ): SessionId | undefined {
    if (this.#freeCount === 0) return undefined;
    const low = this.#free[--this.#freeCount]!;
    const high = ++this.#generations[low]!;
    this.#table.publish(low, high, fields, key);
    this.#live++;
    return { low, high };
  }

  /**
   * The service of a session.
   *
   * @param low low half of the id
   * @param high high half of the id
   * @returns its VIRTIO_CRYPTO_SERVICE_* number, or -1 when it is not live
   */
  service(low: number, high: number): number {
    return this.#table.isLive(low, high) ? this.#table.service(low) : -1;
  }

  /**
   * Lists live sessions.
   *
   * @param most how many at most
   * @returns their ids and parameters, without keys
   */
  list(most: number): readonly LiveSession[] {
    const list: LiveSession[] = [];
    const wanted = Math.min(most, this.#live);
    for (let low = 0; list.length < wanted; low++) {
      const high = this.#generations[low]!;
      if (!this.#table.isLive(low, high)) continue;
      const parameters = noSessionFields();
      this.#table.describe(low, parameters);
      list.push({ id: { low, high }, parameters });
    }
    return list;
  }

  /**
   * Destroys a session. Its key is overwritten here; the workers, once woken,
   * wipe their contexts.
   *
   * @param low low half of the id
   * @param high high half of the id
   * @returns false when the id is not that of a live session
   */
  destroy(low: number, high: number): boolean {
    if (!this.#table.isLive(low, high)) return false;
    this.#table.retire(low);
    this.#live--;
    // A slot whose generations are used up would repeat an id: it stays out.
    if (high < MAX_GENERATION) this.#free[this.#freeCount++] = low;
    return true;
  }

  /**
   * Destroys all sessions.
   *
   * @returns how many there were
   */
  clear(): number {
    let count = 0;
    for (let slot = 0; slot < this.#table.slots; slot++) {
      const generation = this.#generations[slot]!;
      if (generation === this.#before) continue;
      if (this.destroy(slot, generation)) count++;
    }
    return count;
  }
}
