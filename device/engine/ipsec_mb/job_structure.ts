/**
 * The library's job structure (IMB_JOB), and how it is filled in.
 *
 * @module
 */

import { HALF, type NativeMemory } from "./native_memory.ts";
import { Extra, type Recipe } from "./recipe.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const TWO_32 = HALF;
const { KEYS, KEY_IV } = Extra;

/**
 * Offsets in words of 32 bits of what differs from one job of a cipher to the
 * next. All fields but those of status to chain_order (u32) are u64.
 */
export const JobField = {
  /** Address of the keys to encrypt. */
  ENC_KEYS: 0,
  /** Address of the keys to decrypt. */
  DEC_KEYS: 2,
  /** Address of the text. */
  SRC: 6,
  /** Address of the result. */
  DST: 8,
  /** Length of the text, in the cipher's unit. */
  CIPHER_LENGTH: 12,
  /** Address of the iv. */
  IV: 18,
  /** IMB_STATUS. */
  STATUS: 32,
} as const;

// Imported constants are cells to the compiler, a module's own are numbers.
const { ENC_KEYS, DEC_KEYS, SRC, DST, CIPHER_LENGTH, IV, STATUS } = JobField;

const KEY_LENGTH = 4;
const CIPHER_START = 10;
const HASH_START = 14;
const HASH_LENGTH = 16;
const IV_LENGTH = 20;
const TAG = 22;
const TAG_LENGTH = 24;
/** The union: 3 fields of u64. */
const U = 26;
const CIPHER = 33;
const DIRECTION = 34;
const HASH = 35;
const ORDER = 36;

/** The least bytes a job can have; later versions have added fields. */
export const LEAST_JOB = 200;
/** The most that is taken for one. */
export const MOST_JOB = 512;

/** IMB_STATUS_COMPLETED */
const COMPLETED = 3;

// IMB_CIPHER_DIRECTION
/** To encrypt. */
export const IMB_DIR_ENCRYPT = 1;
/** To decrypt. */
export const IMB_DIR_DECRYPT = 2;

const IMB_CIPHER_NULL = 3;
const IMB_AUTH_NULL = 8;
const IMB_ORDER_CIPHER_HASH = 1;

/**
 * Writes jobs in native memory. A job is named by the index of its first word;
 * typed arrays take numbers modulo 2^32.
 */
export class JobStructure {
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #low: number;
  readonly #high: number;

  /** @param memory the memory that jobs, ivs and tags are in */
  constructor(memory: NativeMemory) {
    this.#words = memory.words;
    this.#low = memory.low;
    this.#high = memory.high;
  }

  /**
   * Writes what differs from one job of a burst to the next.
   *
   * @param at the job
   * @param keys memory of its key material
   * @param recipe how the library is asked
   * @param addresses where the text is, and where the result goes
   * @param length bytes of the text
   */
  writeJob(
    at: number,
    keys: NativeMemory,
    recipe: Recipe,
    addresses: Float64Array,
    length: number,
  ): void {
    const words = this.#words;
    const { places } = recipe;
    const source = addresses[0]!;
    const destination = addresses[1]!;
    words[at + ENC_KEYS] = keys.low + places[0];
    words[at + ENC_KEYS + 1] = keys.high;
    words[at + DEC_KEYS] = keys.low + places[1];
    words[at + DEC_KEYS + 1] = keys.high;
    words[at + SRC] = source;
    words[at + SRC + 1] = source / TWO_32;
    words[at + DST] = destination;
    words[at + DST + 1] = destination / TWO_32;
    words[at + CIPHER_LENGTH] = length * recipe.lengthScale;
    words[at + STATUS] = 0;
  }

  /**
   * Writes what does not differ among jobs of a burst of a cipher.
   *
   * @param at the job
   * @param ivAt offset of its iv in the memory, in bytes
   * @param tagAt offset of its tag
   * @param recipe how the library is asked
   * @param decrypts whether it decrypts
   */
  writeKind(
    at: number,
    ivAt: number,
    tagAt: number,
    recipe: Recipe,
    decrypts: boolean,
  ): void {
    const words = this.#words;
    const high = this.#high;
    words[at + KEY_LENGTH] = recipe.keyLength;
    words[at + KEY_LENGTH + 1] = 0;
    words[at + CIPHER_START] = 0;
    words[at + CIPHER_START + 1] = 0;
    words[at + CIPHER_LENGTH + 1] = 0;
    words[at + HASH_START] = 0;
    words[at + HASH_START + 1] = 0;
    words[at + HASH_LENGTH + 1] = 0;
    words[at + IV] = this.#low + ivAt;
    words[at + IV + 1] = high;
    words[at + IV_LENGTH] = recipe.leastIv;
    words[at + IV_LENGTH + 1] = 0;
    words[at + TAG] = this.#low + tagAt;
    words[at + TAG + 1] = high;
    words[at + TAG_LENGTH] = recipe.digest;
    words[at + TAG_LENGTH + 1] = 0;
    words[at + CIPHER] = recipe.cipher;
    words[at + DIRECTION] = decrypts ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
    words[at + HASH] = recipe.hash;
    // 1 and 2: the other one to decrypt.
    words[at + ORDER] = decrypts ? 3 - recipe.order : recipe.order;
  }

  /**
   * Writes the lengths that are not those of a cipher alone.
   *
   * @param at the job
   * @param hashed what is hashed, in the library's unit
   * @param iv bytes of the iv
   * @param tag bytes of the tag
   */
  writeLengths(at: number, hashed: number, iv: number, tag: number): void {
    const words = this.#words;
    words[at + HASH_LENGTH] = hashed;
    words[at + IV_LENGTH] = iv;
    words[at + TAG_LENGTH] = tag;
  }

  /**
   * Writes the union for all but AEADs: key material, and the iv where a MAC
   * has one.
   *
   * @param at the job
   * @param keys memory of its key material
   * @param recipe how the library is asked
   * @param ivAt offset of its iv in the memory, in bytes
   * @param ivLength bytes of the iv
   */
  writeKeys(
    at: number,
    keys: NativeMemory,
    recipe: Recipe,
    ivAt: number,
    ivLength: number,
  ): void {
    const words = this.#words;
    const { places, extra } = recipe;
    if (extra === KEYS) {
      words[at + U] = keys.low + places[2];
      words[at + U + 1] = keys.high;
      words[at + U + 2] = keys.low + places[3];
      words[at + U + 3] = keys.high;
      words[at + U + 4] = keys.low + places[4];
      words[at + U + 5] = keys.high;
      return;
    }
    words[at + U] = keys.low;
    words[at + U + 1] = keys.high;
    words[at + U + 2] = this.#low + ivAt;
    words[at + U + 3] = this.#high;
    words[at + U + 4] = extra === KEY_IV ? 0 : ivLength;
    words[at + U + 5] = 0;
  }

  /**
   * Writes the union for AEADs.
   *
   * @param at the job
   * @param addresses the third is that of the AAD; 0 where there is none
   * @param length its bytes
   */
  writeAad(at: number, addresses: Float64Array, length: number): void {
    const words = this.#words;
    const address = addresses[2]!;
    words[at + U] = address;
    words[at + U + 1] = address / TWO_32;
    words[at + U + 2] = length;
    words[at + U + 3] = 0;
    words[at + U + 4] = 0;
    words[at + U + 5] = 0;
  }

  /**
   * Makes a job one that does nothing.
   *
   * @param at the job
   */
  writeNothing(at: number): void {
    const words = this.#words;
    words[at + CIPHER] = IMB_CIPHER_NULL;
    words[at + HASH] = IMB_AUTH_NULL;
    words[at + DIRECTION] = IMB_DIR_ENCRYPT;
    words[at + ORDER] = IMB_ORDER_CIPHER_HASH;
  }

  /**
   * Whether the library did a job.
   *
   * @param at the job
   * @returns true when its status says so
   */
  isDone(at: number): boolean {
    return this.#words[at + STATUS] === COMPLETED;
  }
}
