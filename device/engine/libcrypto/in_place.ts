/**
 * A cipher from place to place in guest memory, one call for each request.
 *
 * @module
 */

import type { Libcrypto } from "../../host/libcrypto.ts";
import { type InPlaceCipher, MOST_IN_PLACE, overlaps } from "../engine.ts";
import { InPlaceContext } from "./ciphers.ts";
import type { LibcryptoContext } from "./context.ts";

/** Addresses of a request. */
const ADDRESSES = 3;
// Their indices.
const IV = 0;
const SOURCE = 1;
const DESTINATION = 2;

/** Contexts that there is room for at first. */
const FIRST = 64;

/**
 * Runs a batch when all of it was taken in: what one request waits for, the
 * guest's memory, the next ones ask for meanwhile.
 */
export class LibcryptoInPlace implements InPlaceCipher {
  readonly most: number = 65536;
  readonly mostAlike: number = 65536;
  readonly batchBytes: number = 512 * 1024;
  /** Of an EVP_CIPHER_CTX, its cipher's part and what holds it here. */
  readonly keyBytes: number = 2048;
  readonly #library: Libcrypto;
  readonly #make: (key: Uint8Array) => LibcryptoContext;
  /** The contexts, by the numbers of their keys. */
  readonly #contexts: (InPlaceContext | undefined)[] = [];
  readonly #free: number[] = [];
  /** Addresses of the contexts; 0 where there is none. */
  #pointers = new BigUint64Array(new ArrayBuffer(8 * FIRST));
  /** The keys of the batch. */
  readonly #keys = new Int32Array(MOST_IN_PLACE);
  /**
   * Where the ivs, sources and destinations are. They are written by halves and
   * read as a whole, which waits for all earlier writes where it follows soon:
   * so each request has a place of its own, written before any is run.
   */
  readonly #addresses = new BigUint64Array(
    new ArrayBuffer(8 * ADDRESSES * MOST_IN_PLACE),
  );
  readonly #halves = new Uint32Array(this.#addresses.buffer);
  readonly #length = new Int32Array(MOST_IN_PLACE);
  readonly #completed = new Uint8Array(MOST_IN_PLACE);
  #count = 0;
  #touched = 0;

  /**
   * @param library the library's functions
   * @param make makes a context of a key
   */
  constructor(
    library: Libcrypto,
    make: (key: Uint8Array) => LibcryptoContext,
  ) {
    this.#library = library;
    this.#make = make;
  }

  addKey(key: Uint8Array): number {
    let context: LibcryptoContext;
    try {
      context = this.#make(key);
    } catch {
      // The library does not take the key, or has no memory.
      return -1;
    }
    if (!(context instanceof InPlaceContext) || context.pointer === 0n) {
      context.wipe();
      return -1;
    }
    const number = this.#free.pop() ?? this.#contexts.length;
    this.#contexts[number] = context;
    if (number === this.#pointers.length) {
      const more = new BigUint64Array(new ArrayBuffer(16 * number));
      more.set(this.#pointers);
      this.#pointers = more;
    }
    this.#pointers[number] = context.pointer;
    return number;
  }

  removeKey(number: number): void {
    this.#contexts[number]?.wipe();
    this.#contexts[number] = undefined;
    this.#pointers[number] = 0n;
    this.#free.push(number);
  }

  touchKeys(): number {
    // What the library reads of a context is behind addresses of its own.
    return 0;
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
    words: Uint32Array,
    iv: number,
  ): boolean {
    const slot = this.#count;
    if (
      slot === MOST_IN_PLACE || length < 1 ||
      overlaps(sourceLow, destinationLow, length)
    ) return false;
    this.#keys[slot] = key;
    const halves = this.#halves;
    const at = 2 * ADDRESSES * slot;
    halves[at + 2 * IV] = ivLow;
    halves[at + 2 * IV + 1] = ivHigh;
    halves[at + 2 * SOURCE] = sourceLow;
    halves[at + 2 * SOURCE + 1] = sourceHigh;
    halves[at + 2 * DESTINATION] = destinationLow;
    halves[at + 2 * DESTINATION + 1] = destinationHigh;
    this.#length[slot] = length;
    // Asked for now, it is there when the library reads it.
    this.#touched = words[iv]! | 0;
    this.#count = slot + 1;
    return true;
  }

  finish(): Uint8Array {
    const library = this.#library;
    const addresses = this.#addresses;
    const pointers = this.#pointers;
    const count = this.#count;
    for (let slot = 0; slot < count; slot++) {
      const key = this.#keys[slot]!;
      const at = ADDRESSES * slot;
      // An iv is data like the source: the library copies it from the guest.
      const started = library.EVP_CipherInit_ex(
        pointers[key]!,
        0n,
        0n,
        0n,
        addresses[at + IV]!,
        -1,
      );
      // 0 or negative is a failure; what else it is depends on the cipher.
      const done = started === 1 &&
        library.EVP_Cipher(
            pointers[key]!,
            addresses[at + DESTINATION]!,
            addresses[at + SOURCE]!,
            this.#length[slot]!,
          ) > 0;
      this.#completed[slot] = done ? 1 : 0;
    }
    this.#count = 0;
    return this.#completed;
  }
}
