/**
 * Memory of the engine that no guest sees, at addresses that do not move.
 *
 * @module
 */

import { addressOf } from "../../host/libc.ts";
import { copyKey } from "../../memory/secrets.ts";

/** A buffer above this many bytes is given back when its batch is over. */
const KEPT = 1 << 20;

/** The smallest buffer. */
const LEAST = 1 << 16;

/** Where things lie in the fixed part, in bytes. */
const Place = {
  /** The iv, 16 bytes. */
  IV: 0,
  /** A tag, 16 bytes. */
  TAG: 16,
  /** What a call says how many bytes it has written: int or size_t. */
  WRITTEN: 32,
  /** A digest, 64 bytes at most. */
  RESULT: 64,
  /** A key, 512 bytes at most. */
  KEY: 128,
  /** Two OSSL_PARAM of 40 bytes. */
  PARAMETERS: 640,
  /** Two C strings of 32 bytes. */
  TEXT: 720,
  /** All of it. */
  SIZE: 784,
} as const;

/** Bytes of each C string. */
const TEXT_SIZE = 32;

/** OSSL_PARAM_UTF8_STRING (openssl/core.h). */
const UTF8_STRING = 4;

/** Small places for what a call takes and gives, and one buffer for data. */
export class PrivateMemory {
  /** The iv, 16 bytes. */
  readonly iv: Uint8Array<ArrayBuffer>;
  /** Address of the iv. */
  readonly ivAt: bigint;
  /** Address of a tag's 16 bytes. */
  readonly tagAt: number;
  /** The same as a BigInt. */
  readonly tagPointer: bigint;
  /** Address of a digest's 64 bytes. */
  readonly resultAt: number;
  /** The same as a BigInt. */
  readonly resultPointer: bigint;
  /** Address of the number of bytes that a call has written. */
  readonly writtenAt: bigint;
  /** Address of OSSL_PARAM structures. */
  readonly parametersAt: bigint;
  /** Address of a key. */
  readonly keyAt: bigint;
  /** The data buffer; another one after {@linkcode PrivateMemory.reserve}. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The same memory as words of 32 bits. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Address of the data buffer. */
  at = 0;
  /** Bytes of the data buffer that something was written to. */
  #used = 0;
  readonly #fixed: Uint8Array<ArrayBuffer>;
  readonly #base: bigint;
  readonly #written: Int32Array<ArrayBuffer>;

  /** Makes the fixed part; the data buffer comes when it is needed. */
  constructor() {
    const buffer = new ArrayBuffer(Place.SIZE);
    this.#fixed = new Uint8Array(buffer);
    this.#base = addressOf(this.#fixed);
    this.#written = new Int32Array(buffer, Place.WRITTEN, 1);
    this.iv = new Uint8Array(buffer, Place.IV, 16);
    this.ivAt = this.#base + BigInt(Place.IV);
    this.tagPointer = this.#base + BigInt(Place.TAG);
    this.tagAt = Number(this.tagPointer);
    this.resultPointer = this.#base + BigInt(Place.RESULT);
    this.resultAt = Number(this.resultPointer);
    this.writtenAt = this.#base + BigInt(Place.WRITTEN);
    this.parametersAt = this.#base + BigInt(Place.PARAMETERS);
    this.keyAt = this.#base + BigInt(Place.KEY);
  }

  /** How many bytes the last call has said to have written. */
  get written(): number {
    return this.#written[0]!;
  }

  /**
   * Copies an iv to its place.
   *
   * @param iv holds the iv
   * @param length its bytes, at most 16
   */
  setIv(iv: Uint8Array, length: number): void {
    const own = this.iv;
    for (let i = 0; i < length; i++) own[i] = iv[i]!;
  }

  /**
   * Copies a key to its place, at {@linkcode PrivateMemory.keyAt}.
   *
   * @param key at most 512 bytes
   */
  setKey(key: Uint8Array): void {
    copyKey(key, this.#fixed, Place.KEY);
  }

  /** Overwrites the place of the key. */
  wipeKey(): void {
    this.#fixed.fill(0, Place.KEY, Place.PARAMETERS);
  }

  /**
   * Writes an OSSL_PARAM array of one text: {const char *key, unsigned int
   * data_type, void *data, size_t data_size, size_t return_size}, and the end.
   *
   * @param name name of the parameter, below 32 characters of ASCII
   * @param value its value, as short
   */
  setParameter(name: string, value: string): void {
    const fields = new DataView(this.#fixed.buffer, Place.PARAMETERS, 80);
    for (let i = 0; i < 80; i += 4) fields.setUint32(i, 0);
    fields.setBigUint64(0, this.#setText(0, name), true);
    fields.setUint32(8, UTF8_STRING, true);
    fields.setBigUint64(16, this.#setText(1, value), true);
    fields.setBigUint64(24, BigInt(value.length), true);
  }

  /**
   * Makes room for data. What is there is not defined.
   *
   * @param size number of bytes
   * @returns the address of the first one
   * @throws {RangeError} There is not that much memory
   */
  reserve(size: number): number {
    if (size > this.bytes.length) this.#grow(size);
    if (size > this.#used) this.#used = size;
    return this.at;
  }

  /** Ends a batch: gives a large buffer back. */
  release(): void {
    if (this.bytes.length > KEPT) this.#drop();
  }

  /** Overwrites what jobs left here. */
  wipe(): void {
    this.#fixed.fill(0);
    this.wipeData();
  }

  /** Overwrites what jobs left in the data buffer. */
  wipeData(): void {
    this.bytes.fill(0, 0, this.#used);
    this.#used = 0;
  }

  #grow(size: number): void {
    this.#drop();
    let capacity = LEAST;
    while (capacity < size && capacity < KEPT) capacity *= 2;
    if (capacity < size) capacity = Math.ceil(size / 16) * 16;
    this.bytes = new Uint8Array(new ArrayBuffer(capacity));
    this.words = new Uint32Array(this.bytes.buffer);
    this.at = Number(addressOf(this.bytes));
  }

  #drop(): void {
    this.wipeData();
    this.bytes = new Uint8Array(0);
    this.words = new Uint32Array(0);
    this.at = 0;
  }

  #setText(index: number, text: string): bigint {
    const at = Place.TEXT + index * TEXT_SIZE;
    this.#fixed.fill(0, at, at + TEXT_SIZE);
    new TextEncoder().encodeInto(text, this.#fixed.subarray(at, at + 31));
    return this.#base + BigInt(at);
  }
}
