/**
 * The session table that the main thread writes and the workers read: fixed
 * slots and key material in one SharedArrayBuffer, no messages.
 *
 * A slot is published as a sequence lock: its sequence is odd while main
 * changes it, and a reader that saw two different or odd sequences reads again.
 * A session id is the slot in the low 32 bits and the slot's generation in the
 * high 32; a generation is never used twice.
 *
 * @module
 */

import { copyKey } from "../memory/secrets.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";

/** Sessions that ended last and are known by their slots; a power of two. */
export const MAX_ENDED = 1024;
// An exported constant is a cell to the compiler, this is a number.
const ENDED = MAX_ENDED;

/**
 * Words of the head, i32 each: number of slots, retire counter, slots that
 * ended; then the generations.
 */
const HEAD_SLOTS = 0;
const HEAD_RETIRED = 1;
const HEAD_ENDED = 16;
/**
 * The generation of each slot, 0 where no session is live. They are beside each
 * other, not in the slots: every request reads one, of any session.
 */
const GENERATIONS = HEAD_ENDED + ENDED;

/** Bytes of what is before the slots of a table. */
function headSize(slots: number): number {
  return (4 * (GENERATIONS + slots) + 63) & ~63;
}

/** Bytes of a slot. */
const SLOT_SIZE = 128;
const SLOT_WORDS = SLOT_SIZE / 4;
// Words of a slot, i32 each.
const SEQUENCE = 0;
const SERVICE = 2;
const OP_TYPE = 3;
const ALGORITHM = 4;
const OP = 5;
const KEY_LENGTH = 6;
const CHAIN_ORDER = 7;
const HASH_MODE = 8;
const HASH_ALGORITHM = 9;
const AUTH_KEY_LENGTH = 10;
const RESULT_LENGTH = 11;

/**
 * Sizes of key material, in bytes. Each class has one block a slot, so a slot
 * that is free has its block free and nothing needs to be allocated. Blocks
 * that are not used are never touched, and cost no memory.
 */
const KEY_CLASSES: readonly number[] = [64, 320, 768];

/** Longest key material of a session, in bytes. */
export const MAX_KEY_MATERIAL = 768;

/** The largest generation: bit 63 of an id stays clear for QEMU's int64. */
export const MAX_GENERATION = 0x7fff_ffff;
// An exported constant is a cell to the compiler, this is a number.
const LAST_GENERATION = MAX_GENERATION;

/** Most sessions a table can be made for. */
export const MAX_SESSIONS = 1 << 20;

/** What a slot says of its session; a reader fills it. */
export type SessionFields = {
  -readonly [Field in keyof OperationParameters]: OperationParameters[Field];
};

/**
 * Fields of no session.
 *
 * @returns an object for {@linkcode SessionTable.read} to fill
 */
export function noSessionFields(): SessionFields {
  return {
    service: 0,
    opType: 0,
    algorithm: 0,
    op: 0,
    keyLength: 0,
    chainOrder: 0,
    hashMode: 0,
    hashAlgorithm: 0,
    authKeyLength: 0,
    resultLength: 0,
  };
}

function keyBlock(slots: number, slot: number, length: number): number {
  let base = headSize(slots) + slots * SLOT_SIZE;
  for (const size of KEY_CLASSES) {
    if (length <= size) return base + slot * size;
    base += slots * size;
  }
  throw new RangeError(`Cannot hold ${length} bytes of key material`);
}

/**
 * Allocates a table.
 *
 * @param slots number of sessions, 1 to {@linkcode MAX_SESSIONS}
 * @returns the table's memory, for {@linkcode SessionTable}
 * @throws {RangeError} The number is out of range
 */
export function createSessionTable(slots: number): SharedArrayBuffer {
  if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SESSIONS) {
    throw new RangeError(
      `Cannot make a session table of ${slots} slots: 1 to ${MAX_SESSIONS} are possible`,
    );
  }
  const keys = KEY_CLASSES.reduce((sum, size) => sum + size, 0);
  const buffer = new SharedArrayBuffer(
    headSize(slots) + slots * (SLOT_SIZE + keys),
  );
  Atomics.store(new Int32Array(buffer), HEAD_SLOTS, slots);
  return buffer;
}

/** A thread's view of the table. Only the main thread writes. */
export class SessionTable {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  /** Number of slots. */
  readonly slots: number;
  /** Index of the first slot's first word. */
  readonly #first: number;

  /** @param buffer what {@linkcode createSessionTable} made */
  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.slots = Atomics.load(this.#words, HEAD_SLOTS);
    this.#first = headSize(this.slots) >> 2;
  }

  /** Counts destroyed sessions; when it changes, contexts may be stale. */
  get retired(): number {
    return Atomics.load(this.#words, HEAD_RETIRED);
  }

  /**
   * Which sessions ended.
   *
   * @param since what {@linkcode retired} was when it was last asked
   * @param slots receives their slots, {@linkcode MAX_ENDED} words
   * @returns how many they were, or -1: too many, it may be any
   */
  ended(since: number, slots: Int32Array): number {
    const words = this.#words;
    const count = (this.retired - since) | 0;
    if (count < 0 || count >= ENDED) return -1;
    for (let i = 0; i < count; i++) {
      slots[i] = Atomics.load(words, HEAD_ENDED + ((since + i) & (ENDED - 1)));
    }
    // Meanwhile the main thread may have come round; the next one it may be at.
    return ((this.retired - since) | 0) >= ENDED ? -1 : count;
  }

  /**
   * Whether an id is that of a live session.
   *
   * @param low low half of the id
   * @param high high half of the id
   * @returns true when it is
   */
  isLive(low: number, high: number): boolean {
    if (low >= this.slots || high === 0 || high > LAST_GENERATION) return false;
    return Atomics.load(this.#words, GENERATIONS + low) === high;
  }

  /**
   * Reads a live session.
   *
   * @param low low half of its id
   * @param high high half of its id
   * @param fields receives its parameters
   * @param key receives its keys, {@linkcode MAX_KEY_MATERIAL} bytes long
   * @returns the keys' length in bytes, or -1 when the session is not live
   */
  read(
    low: number,
    high: number,
    fields: SessionFields,
    key: Uint8Array,
  ): number {
    const words = this.#words;
    while (this.isLive(low, high)) {
      const at = this.#slot(low);
      const sequence = Atomics.load(words, at + SEQUENCE);
      if (sequence & 1) continue;
      this.describe(low, fields);
      const length = fields.keyLength + fields.authKeyLength;
      const block = keyBlock(this.slots, low, length);
      for (let i = 0; i < length; i++) key[i] = this.#bytes[block + i]!;
      if (
        Atomics.load(words, at + SEQUENCE) === sequence &&
        this.isLive(low, high)
      ) return length;
    }
    return -1;
  }

  /**
   * The parameters in a slot. Only the main thread knows that they are not
   * being changed.
   *
   * @param slot the slot
   * @param fields receives them
   */
  describe(slot: number, fields: SessionFields): void {
    const words = this.#words;
    const at = this.#slot(slot);
    fields.service = words[at + SERVICE]!;
    fields.opType = words[at + OP_TYPE]!;
    fields.algorithm = words[at + ALGORITHM]!;
    fields.op = words[at + OP]!;
    fields.keyLength = words[at + KEY_LENGTH]!;
    fields.chainOrder = words[at + CHAIN_ORDER]!;
    fields.hashMode = words[at + HASH_MODE]!;
    fields.hashAlgorithm = words[at + HASH_ALGORITHM]!;
    fields.authKeyLength = words[at + AUTH_KEY_LENGTH]!;
    fields.resultLength = words[at + RESULT_LENGTH]!;
  }

  /**
   * Publishes a session. Main thread only; the slot holds none.
   *
   * @param slot the slot
   * @param generation a generation the slot never had
   * @param fields the session's parameters
   * @param key its key, then its authentication key: as many bytes as their
   * lengths say, at most {@linkcode MAX_KEY_MATERIAL}
   */
  publish(
    slot: number,
    generation: number,
    fields: OperationParameters,
    key: Uint8Array,
  ): void {
    const words = this.#words;
    const at = this.#slot(slot);
    Atomics.add(words, at + SEQUENCE, 1);
    words[at + SERVICE] = fields.service;
    words[at + OP_TYPE] = fields.opType;
    words[at + ALGORITHM] = fields.algorithm;
    words[at + OP] = fields.op;
    words[at + KEY_LENGTH] = fields.keyLength;
    words[at + CHAIN_ORDER] = fields.chainOrder;
    words[at + HASH_MODE] = fields.hashMode;
    words[at + HASH_ALGORITHM] = fields.hashAlgorithm;
    words[at + AUTH_KEY_LENGTH] = fields.authKeyLength;
    words[at + RESULT_LENGTH] = fields.resultLength;
    copyKey(key, this.#bytes, keyBlock(this.slots, slot, key.length));
    Atomics.store(words, GENERATIONS + slot, generation);
    Atomics.add(words, at + SEQUENCE, 1);
  }

  /**
   * Ends a session: its id is dead at once, slot and key are overwritten, and
   * the retire counter tells the workers to wipe what they made of it. Main
   * thread only.
   *
   * @param slot the slot
   */
  retire(slot: number): void {
    const words = this.#words;
    const at = this.#slot(slot);
    Atomics.add(words, at + SEQUENCE, 1);
    Atomics.store(words, GENERATIONS + slot, 0);
    const length = words[at + KEY_LENGTH]! + words[at + AUTH_KEY_LENGTH]!;
    const block = keyBlock(this.slots, slot, length);
    this.#bytes.fill(0, block, block + length);
    words.fill(0, at + SERVICE, at + SLOT_WORDS);
    Atomics.add(words, at + SEQUENCE, 1);
    const number = Atomics.load(words, HEAD_RETIRED);
    Atomics.store(words, HEAD_ENDED + (number & (ENDED - 1)), slot);
    Atomics.store(words, HEAD_RETIRED, (number + 1) | 0);
  }

  /**
   * The service of a live session.
   *
   * @param slot the slot, which holds a session
   * @returns its VIRTIO_CRYPTO_SERVICE_* number
   */
  service(slot: number): number {
    return this.#words[this.#slot(slot) + SERVICE]!;
  }

  #slot(slot: number): number {
    return this.#first + slot * SLOT_WORDS;
  }
}
