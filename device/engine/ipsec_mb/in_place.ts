/**
 * Bursts of a cipher from place to place in guest memory.
 *
 * @module
 */

import type { IpsecMbFunctions } from "../../host/ipsec_mb.ts";
import {
  type InPlaceCipher,
  MOST_IN_PLACE,
  MOST_KEY_BYTES,
  overlaps,
} from "../engine.ts";
import { counterWraps } from "./checks.ts";
import {
  IMB_DIR_DECRYPT,
  IMB_DIR_ENCRYPT,
  JobField,
  JobStructure,
  MOST_JOB,
} from "./job_structure.ts";
import { KeyRows } from "./key_rows.ts";
import { NativeMemory } from "./native_memory.ts";
import { IMB_CIPHER_CBC, IMB_CIPHER_CNTR, type Recipe } from "./recipe.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const CBC = IMB_CIPHER_CBC;
const CNTR = IMB_CIPHER_CNTR;
const { ENC_KEYS, DEC_KEYS, SRC, DST, CIPHER_LENGTH, IV, STATUS } = JobField;
const MOST = MOST_IN_PLACE;

/** Where the tag would be that no cipher writes, behind the jobs. */
const TAG_AT = MOST * MOST_JOB;
const TAG_ROOM = 16;

/** Bytes of the longest key. */
const KEY_ROOM = 32;

/** An AES cipher with keys of one size, by the library's bursts. */
export class IpsecMbInPlace implements InPlaceCipher {
  readonly most: number;
  readonly mostAlike: number;
  readonly batchBytes: number;
  readonly keyBytes: number;
  readonly #functions: IpsecMbFunctions;
  readonly #manager: bigint;
  readonly #recipe: Recipe;
  readonly #isCounter: boolean;
  readonly #direction: number;
  readonly #memory = new NativeMemory(TAG_AT + TAG_ROOM);
  readonly #words = this.#memory.words;
  readonly #structure = new JobStructure(this.#memory);
  /** Words of a job. */
  readonly #stride: number;
  readonly #keys: KeyRows;
  /** Where a key is expanded, both ways; then the key. */
  readonly #expansion: NativeMemory;
  /** Index of the expansion's first word that this direction needs. */
  readonly #expandedAt: number;
  #count = 0;
  /** What was read to have it come, kept so that it is read. */
  #touched = 0;
  readonly #completed = new Uint8Array(MOST);

  /**
   * @param functions the library's functions
   * @param manager the manager that runs the bursts
   * @param stride bytes of a job
   * @param recipe how the library is asked: by bursts of AES
   * @param decrypts whether it decrypts
   * @param mostAlike bytes of the longest request of a batch whose sources are
   * at one offset in a page, where that matters
   */
  constructor(
    functions: IpsecMbFunctions,
    manager: bigint,
    stride: number,
    recipe: Recipe,
    decrypts: boolean,
    mostAlike: number,
  ) {
    this.#functions = functions;
    this.#manager = manager;
    this.#stride = stride >> 2;
    this.#recipe = recipe;
    this.#isCounter = recipe.cipher === CNTR;
    this.#direction = decrypts ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
    this.most = recipe.most;
    // Lanes go through their sources side by side; what is not chained block to
    // block goes through one after the other.
    this.mostAlike = recipe.cipher === CBC && !decrypts
      ? mostAlike
      : recipe.most;
    // That counts sources and results.
    this.batchBytes = recipe.roundBytes / 2;
    // FIPS 197, 5.2: 4 * (Nr + 1) words, and Nr is the key's words and 6.
    this.#keys = new KeyRows(recipe.keyLength + 28, MOST_KEY_BYTES);
    this.keyBytes = this.#keys.size;
    this.#expansion = new NativeMemory(recipe.room + KEY_ROOM);
    // A counter is enciphered both ways.
    const [encrypts, otherwise] = recipe.places;
    this.#expandedAt = (decrypts && !this.#isCounter ? otherwise : encrypts) >>
      2;
    for (let slot = 0; slot < MOST; slot++) {
      const at = slot * this.#stride;
      // Each job's iv is the guest's own.
      this.#structure.writeKind(at, TAG_AT, TAG_AT, recipe, decrypts);
    }
  }

  addKey(key: Uint8Array): number {
    const { keyLength, room } = this.#recipe;
    if (key.length !== keyLength) return -1;
    const number = this.#keys.take();
    if (number < 0) return -1;
    const expansion = this.#expansion;
    try {
      for (let i = 0; i < keyLength; i++) expansion.bytes[room + i] = key[i]!;
      const keyAt = expansion.address + BigInt(room);
      this.#recipe.expand(this.#functions, keyAt, expansion, key);
      this.#keys.write(number, expansion.words, this.#expandedAt);
      return number;
    } finally {
      expansion.wipe();
    }
  }

  removeKey(number: number): void {
    this.#keys.giveBack(number);
  }

  touchKeys(numbers: Int32Array, count: number): number {
    return this.#keys.touch(numbers, count);
  }

  begin(): void {
    this.#count = 0;
  }

  add(
    key: number,
    length: number,
    sourceLow: number,
    sourceHigh: number,
    destinationLow: number,
    destinationHigh: number,
    ivLow: number,
    ivHigh: number,
    guest: Uint32Array,
    iv: number,
  ): boolean {
    if (overlaps(sourceLow, destinationLow, length)) return false;
    const at = this.#fill(key, length, guest, iv);
    if (at < 0) return false;
    const words = this.#words;
    words[at + IV] = ivLow;
    words[at + IV + 1] = ivHigh;
    words[at + SRC] = sourceLow;
    words[at + SRC + 1] = sourceHigh;
    words[at + DST] = destinationLow;
    words[at + DST + 1] = destinationHigh;
    this.#count++;
    return true;
  }

  /** Fills all but the addresses of the next job: its first word, or -1. */
  #fill(
    key: number,
    length: number,
    ivWords: Uint32Array,
    iv: number,
  ): number {
    const slot = this.#count;
    if (slot === MOST || length < 1 || length > this.#recipe.most) return -1;
    if (this.#isCounter) {
      if (counterWraps(ivWords[iv + 3]!, length)) return -1;
    } else {
      // Asked for now, it is there when the library reads it.
      this.#touched = ivWords[iv]! | 0;
    }
    const words = this.#words;
    const at = slot * this.#stride;
    this.#keys.writeAddress(key, words, at + ENC_KEYS);
    words[at + DEC_KEYS] = words[at + ENC_KEYS]!;
    words[at + DEC_KEYS + 1] = words[at + ENC_KEYS + 1]!;
    words[at + CIPHER_LENGTH] = length * this.#recipe.lengthScale;
    words[at + STATUS] = 0;
    return at;
  }

  finish(): Uint8Array {
    const count = this.#count;
    const { cipher, keyLength } = this.#recipe;
    this.#functions.submitCipherBurstNocheck(
      this.#manager,
      this.#memory.address,
      count,
      cipher,
      this.#direction,
      keyLength,
    );
    const structure = this.#structure;
    const completed = this.#completed;
    const stride = this.#stride;
    for (let slot = 0, at = 0; slot < count; slot++, at += stride) {
      completed[slot] = structure.isDone(at) ? 1 : 0;
    }
    this.#count = 0;
    return completed;
  }
}
