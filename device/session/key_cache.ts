/**
 * The expanded keys of sessions whose requests run in place, by session: a few
 * words each in tables, so that a request of any of many sessions touches as
 * little memory as can be.
 *
 * @module
 */

import {
  type InPlaceCipher,
  MOST_IN_PLACE,
  MOST_KEY_BYTES,
} from "../engine/engine.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import {
  MAX_ENDED,
  MAX_KEY_MATERIAL,
  noSessionFields,
  type SessionTable,
} from "./table.ts";

/** What sessions of one kind have in common. */
export interface SessionKind {
  /** What runs their requests. */
  readonly cipher: InPlaceCipher;
  /** What runs one that is alone; undefined where that is not run in place. */
  readonly cipherAlone: InPlaceCipher | undefined;
}

const NONE = -1;

// A row of the table, i32 each.
const HIGH = 0;
const WORD = 1;
const ROW = 2;

// What a session's word says: its key with the kind's cipher, and its kind, each
// by its number and 1, or 0 where there is none; and whether it was used since
// the hand came by.
const KEY_BITS = 18;
const KEY = (1 << KEY_BITS) - 1;
const KIND = 0xfff;
const USED = 1 << 30;

/** A key for what is alone that was not asked for yet. */
const UNKNOWN = -2;

/**
 * Expanded keys by session, bounded in bytes. Which one goes is chosen by the
 * clock algorithm: one that was not used since the hand came by last.
 */
export class KeyCache<Kind extends SessionKind> {
  readonly #table: SessionTable;
  readonly #kindOf: (parameters: OperationParameters) => Kind | undefined;
  readonly #most: number;
  readonly #slots: number;
  /**
   * For each slot the high half of its session's id, 0 where nothing is known of
   * it, then its word. No more: there are many sessions, and caches are small.
   */
  readonly #rows: Int32Array;
  /** Its key's number with the cipher for what is alone, NONE or UNKNOWN. */
  readonly #alone: Int32Array;
  /** Whether all that is known is of live sessions, in this batch. */
  #settled = false;
  /** The slots of which something is known, and where each one is there. */
  readonly #held: Int32Array;
  readonly #position: Int32Array;
  #count = 0;
  #hand = 0;
  #bytes = 0;
  readonly #kinds: Kind[] = [];
  /** Number of each kind, or NONE, by what it follows from. */
  readonly #numbers = new Map<number, number>();
  #retiredSeen: number;
  readonly #ended = new Int32Array(MAX_ENDED);
  readonly #touchedKeys = new Int32Array(MOST_IN_PLACE);
  /** What {@linkcode touch} read, kept so that it is read. */
  #touched = 0;
  readonly #fields = noSessionFields();
  readonly #key = new Uint8Array(new ArrayBuffer(MAX_KEY_MATERIAL));

  /**
   * @param table the session table
   * @param kindOf the kind of sessions of such parameters, if their requests
   * run in place; asked once for all of the same service, algorithm, direction
   * and key size
   * @param most bytes that expanded keys may take, as their ciphers count them;
   * enough for those of a batch
   */
  constructor(
    table: SessionTable,
    kindOf: (parameters: OperationParameters) => Kind | undefined,
    most: number = MOST_KEY_BYTES,
  ) {
    this.#table = table;
    this.#kindOf = kindOf;
    this.#most = most;
    this.#slots = table.slots;
    this.#rows = new Int32Array(ROW * table.slots);
    this.#alone = new Int32Array(table.slots);
    this.#held = new Int32Array(table.slots);
    this.#position = new Int32Array(table.slots);
    this.#retiredSeen = table.retired;
  }

  /** Bytes that the expanded keys take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of sessions that it knows of. */
  get size(): number {
    return this.#count;
  }

  /**
   * Turns to the sessions of a batch, which were live when this was called, or
   * when they are found. To be called when all of it was offered.
   */
  begin(): void {
    this.#settled = this.#table.retired === this.#retiredSeen;
  }

  /**
   * The kind of a session.
   *
   * @param low low half of its id
   * @param high high half of its id
   * @param mayDrop whether keys may be dropped for it: those of an earlier
   * request in the same batch could be among them
   * @returns number of the kind, or -1: the session is not live, its requests
   * are not run in place, or there is no room
   */
  find(low: number, high: number, mayDrop: boolean): number {
    if (low >= this.#slots) return NONE;
    if (
      (!this.#settled || this.#rows[ROW * low + HIGH] !== high || high === 0) &&
      !this.#openLive(low, high, mayDrop)
    ) return NONE;
    const word = this.#rows[ROW * low + WORD]!;
    if ((word & USED) === 0) this.#rows[ROW * low + WORD] = word | USED;
    return (word >> KEY_BITS & KIND) - 1;
  }

  /**
   * What is common to a kind.
   *
   * @param number what {@linkcode find} gave
   * @returns the kind
   */
  kind(number: number): Kind {
    return this.#kinds[number]!;
  }

  /**
   * The key of a session that {@linkcode find} has just found.
   *
   * @param low low half of its id
   * @returns its number with the kind's `cipher`, or -1
   */
  key(low: number): number {
    return (this.#rows[ROW * low + WORD]! & KEY) - 1;
  }

  /**
   * The key, for a request that is alone, of a session that {@linkcode find}
   * has just found. Other keys may be dropped for it.
   *
   * @param low low half of its id
   * @returns its number with the kind's `cipherAlone`, or -1
   */
  keyAlone(low: number): number {
    const key = this.#alone[low]!;
    if (key !== UNKNOWN) return key;
    const { cipher, cipherAlone } = this.#kindOfSlot(low)!;
    if (cipherAlone === undefined) return this.#alone[low] = NONE;
    if (cipherAlone === cipher) return this.#alone[low] = this.key(low);
    const length = this.#read(low, this.#rows[ROW * low + HIGH]!);
    try {
      return this.#alone[low] = length < 0
        ? NONE
        : this.#expand(cipherAlone, length, true, low);
    } finally {
      this.#key.fill(0);
    }
  }

  /**
   * Reads what {@linkcode find} and the ciphers will read of some sessions, of
   * all at once: so they wait for memory together.
   *
   * @param ids holds the low halves of their ids
   * @param first index of the first one
   * @param stride from one to the next
   * @param count how many they are, at most `MOST_IN_PLACE`
   */
  touch(ids: Int32Array, first: number, stride: number, count: number): void {
    const rows = this.#rows;
    const keys = this.#touchedKeys;
    const slots = this.#slots;
    let sum = 0;
    const end = first + stride * count;
    for (let i = first; i < end; i += stride) {
      const low = ids[i]! >>> 0;
      if (low < slots) sum ^= rows[ROW * low]!;
    }
    let kind = 0;
    let found = 0;
    for (let i = first; i < end; i += stride) {
      const low = ids[i]! >>> 0;
      if (low >= slots) continue;
      const word = rows[ROW * low + WORD]!;
      const key = word & KEY;
      if (key === 0) continue;
      // A batch is of one kind: what is of another is not in it.
      if (found === 0) kind = word >> KEY_BITS & KIND;
      else if ((word >> KEY_BITS & KIND) !== kind) break;
      keys[found++] = key - 1;
    }
    if (found > 0) sum ^= this.#kinds[kind - 1]!.cipher.touchKeys(keys, found);
    this.#touched = sum;
  }

  /** Overwrites the keys of sessions that ended since it was last called. */
  sweep(): void {
    const retired = this.#table.retired;
    if (retired === this.#retiredSeen) return;
    const ended = this.#ended;
    const count = this.#table.ended(this.#retiredSeen, ended);
    if (count < 0) {
      this.#retiredSeen = retired;
      for (let i = this.#count - 1; i >= 0; i--) this.#dropDead(this.#held[i]!);
      return;
    }
    this.#retiredSeen = (this.#retiredSeen + count) | 0;
    for (let i = 0; i < count; i++) this.#dropDead(ended[i]!);
  }

  /** Overwrites all keys. */
  clear(): void {
    while (this.#count > 0) this.#drop(this.#held[this.#count - 1]!);
  }

  /** Knows a session, if it is live; false where it is not, or has no room. */
  #openLive(low: number, high: number, mayDrop: boolean): boolean {
    if (!this.#table.isLive(low, high)) return false;
    if (this.#rows[ROW * low + HIGH] === high) return true;
    if (this.#rows[ROW * low + HIGH] !== 0) {
      // Of the slot's session before.
      if (!mayDrop) return false;
      this.#drop(low);
    }
    const length = this.#read(low, high);
    if (length < 0) return false;
    try {
      const kind = this.#kindNumber();
      let key = NONE;
      if (kind !== NONE) {
        const { cipher } = this.#kinds[kind]!;
        if (!mayDrop && this.#bytes + cipher.keyBytes > this.#most) {
          return false;
        }
        key = this.#expand(cipher, length, mayDrop, low);
      }
      this.#rows[ROW * low + HIGH] = high;
      this.#rows[ROW * low + WORD] = (kind + 1) << KEY_BITS | (key + 1);
      this.#alone[low] = UNKNOWN;
    } finally {
      this.#key.fill(0);
    }
    this.#position[low] = this.#count;
    this.#held[this.#count++] = low;
    return true;
  }

  /** Reads a session; the bytes of its keys, or NONE where it has ended. */
  #read(low: number, high: number): number {
    return this.#table.read(low, high, this.#fields, this.#key);
  }

  /** The kind of the session that was read. */
  #kindNumber(): number {
    const { service, opType, algorithm, op, keyLength } = this.#fields;
    // All were judged when the session was created: each below its factor.
    const name = (((service * 4 + opType) * 64 + algorithm) * 4 + op) * 1024 +
      keyLength;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      const kind = this.#newKind();
      number = kind === undefined ? NONE : this.#kinds.push(kind) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  #newKind(): Kind | undefined {
    try {
      return this.#kindOf({ ...this.#fields });
    } catch {
      // An engine has no memory for it: requests are served in the other way.
      return undefined;
    }
  }

  /** Expands the key that was read, and makes room for it where it may. */
  #expand(
    cipher: InPlaceCipher,
    length: number,
    mayDrop: boolean,
    low: number,
  ): number {
    while (
      mayDrop && this.#bytes + cipher.keyBytes > this.#most &&
      this.#dropOne(low)
    );
    const number = cipher.addKey(this.#key.subarray(0, length));
    if (number < 0) return NONE;
    if (number >= KEY) {
      // It has no place in a word.
      cipher.removeKey(number);
      return NONE;
    }
    this.#bytes += cipher.keyBytes;
    return number;
  }

  /** Drops one that was not used lately, not that of one slot; false: none. */
  #dropOne(kept: number): boolean {
    // Two times round: at the second one no session counts as used.
    for (let left = 2 * this.#count; left > 0; left--) {
      if (this.#hand >= this.#count) this.#hand = 0;
      const low = this.#held[this.#hand]!;
      if (low !== kept && (this.#rows[ROW * low + WORD]! & USED) === 0) {
        this.#drop(low);
        return true;
      }
      this.#rows[ROW * low + WORD]! &= ~USED;
      this.#hand++;
    }
    return false;
  }

  #dropDead(low: number): void {
    const high = this.#rows[ROW * low + HIGH]!;
    if (high !== 0 && !this.#table.isLive(low, high)) this.#drop(low);
  }

  #drop(low: number): void {
    const kind = this.#kindOfSlot(low);
    if (kind !== undefined) {
      const { cipher, cipherAlone } = kind;
      this.#remove(cipher, this.key(low));
      if (cipherAlone !== cipher) this.#remove(cipherAlone, this.#alone[low]!);
    }
    this.#rows[ROW * low + HIGH] = 0;
    this.#rows[ROW * low + WORD] = 0;
    const position = this.#position[low]!;
    const last = this.#held[--this.#count]!;
    this.#held[position] = last;
    this.#position[last] = position;
  }

  #kindOfSlot(low: number): Kind | undefined {
    return this.#kinds[(this.#rows[ROW * low + WORD]! >> KEY_BITS & KIND) - 1];
  }

  #remove(cipher: InPlaceCipher | undefined, key: number): void {
    if (cipher === undefined || key < 0) return;
    cipher.removeKey(key);
    this.#bytes -= cipher.keyBytes;
  }
}
