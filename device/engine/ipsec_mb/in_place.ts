/**
 * Bursts of ciphers from place to place in guest memory.
 *
 * @module
 */

import type { IpsecMbFunctions } from "../../host/ipsec_mb.ts";
import type { GuestMemory } from "../../memory/guest_memory.ts";
import { type Context, type InPlaceRunner, MOST_IN_PLACE } from "../engine.ts";
import { counterWraps } from "./checks.ts";
import { IpsecMbContext } from "./context.ts";
import {
  IMB_DIR_DECRYPT,
  IMB_DIR_ENCRYPT,
  JobField,
  JobStructure,
  MOST_JOB,
} from "./job_structure.ts";
import { GuestAddresses, NativeMemory } from "./native_memory.ts";
import { IMB_CIPHER_CNTR, type Recipe } from "./recipes.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const CNTR = IMB_CIPHER_CNTR;
const { ENC_KEYS, DEC_KEYS, SRC, DST, CIPHER_LENGTH, STATUS } = JobField;
const MOST = MOST_IN_PLACE;

/** Bytes of each operation's iv, and of a tag that no cipher writes. */
const IV_ROOM = 16;
const SLOT = 2 * IV_ROOM;

/** The burst of one engine. */
export class IpsecMbInPlace implements InPlaceRunner {
  readonly most: number;
  readonly #functions: IpsecMbFunctions;
  readonly #manager: bigint;
  readonly #memory = new NativeMemory(MOST * (MOST_JOB + SLOT));
  readonly #words = this.#memory.words;
  readonly #structure = new JobStructure(this.#memory);
  readonly #stride: number;
  readonly #guest = new GuestAddresses();
  #count = 0;
  #recipe: Recipe | undefined = undefined;
  #decrypts = false;
  /** What the unchanging fields of each job were filled in for. */
  readonly #filled: (Recipe | undefined)[] = new Array(MOST).fill(undefined);
  readonly #filledTo: boolean[] = new Array(MOST).fill(false);
  readonly #completed = new Uint8Array(MOST);

  /**
   * @param functions the library's functions
   * @param manager the manager that runs the bursts
   * @param stride bytes of a job
   * @param most bytes of the longest operation of a batch
   */
  constructor(
    functions: IpsecMbFunctions,
    manager: bigint,
    stride: number,
    most: number,
  ) {
    this.#functions = functions;
    this.#manager = manager;
    this.#stride = stride;
    this.most = most;
  }

  beginInPlace(memory: GuestMemory): void {
    this.#count = 0;
    this.#guest.bind(memory);
  }

  addInPlace(
    context: Context,
    window: number,
    sourceAt: number,
    destinationAt: number,
    length: number,
    ivWords: Uint32Array,
    iv: number,
  ): boolean {
    if (!(context instanceof IpsecMbContext) || context.wiped) return false;
    const { recipe, decrypts } = context;
    const slot = this.#count;
    if (slot === 0) {
      this.#recipe = recipe;
      this.#decrypts = decrypts;
    } else if (
      recipe !== this.#recipe || decrypts !== this.#decrypts || slot === MOST
    ) return false;
    if (
      length < 1 || length > recipe.most ||
      (sourceAt !== destinationAt && sourceAt < destinationAt + length &&
        destinationAt < sourceAt + length)
    ) return false;
    const slotAt = MOST * MOST_JOB + slot * SLOT;
    const words = this.#words;
    const ivAt = slotAt >> 2;
    const counter = ivWords[iv + 3]!;
    words[ivAt] = ivWords[iv]!;
    words[ivAt + 1] = ivWords[iv + 1]!;
    words[ivAt + 2] = ivWords[iv + 2]!;
    words[ivAt + 3] = counter;
    if (recipe.cipher === CNTR && counterWraps(counter, length)) return false;
    const at = (slot * this.#stride) >> 2;
    if (this.#filled[slot] !== recipe || this.#filledTo[slot] !== decrypts) {
      this.#structure.writeKind(at, slotAt, slotAt + IV_ROOM, recipe, decrypts);
      this.#filled[slot] = recipe;
      this.#filledTo[slot] = decrypts;
    }
    const { halves } = this.#guest;
    const low = halves[2 * window]!;
    const high = halves[2 * window + 1]!;
    const source = (low + sourceAt) >>> 0;
    const destination = (low + destinationAt) >>> 0;
    const { keyWords } = context;
    words[at + ENC_KEYS] = keyWords[0]!;
    words[at + ENC_KEYS + 1] = keyWords[1]!;
    words[at + DEC_KEYS] = keyWords[2]!;
    words[at + DEC_KEYS + 1] = keyWords[3]!;
    words[at + SRC] = source;
    words[at + SRC + 1] = high + (source < low ? 1 : 0);
    words[at + DST] = destination;
    words[at + DST + 1] = high + (destination < low ? 1 : 0);
    words[at + CIPHER_LENGTH] = length * recipe.lengthScale;
    words[at + STATUS] = 0;
    this.#count = slot + 1;
    return true;
  }

  finishInPlace(): Uint8Array {
    const count = this.#count;
    const { cipher, keyLength } = this.#recipe!;
    this.#functions.submitCipherBurstNocheck(
      this.#manager,
      this.#memory.address,
      count,
      cipher,
      this.#decrypts ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT,
      keyLength,
    );
    const structure = this.#structure;
    const completed = this.#completed;
    const words = this.#stride >> 2;
    for (let slot = 0, at = 0; slot < count; slot++, at += words) {
      completed[slot] = structure.isDone(at) ? 1 : 0;
    }
    this.#count = 0;
    return completed;
  }

  /** Overwrites ivs, and lets go of the guest. */
  wipe(): void {
    this.#memory.bytes.fill(0, MOST * MOST_JOB);
    this.#guest.forget();
  }
}
