/**
 * EVP_CIPHER_CTX: one cipher with its key.
 *
 * @module
 */

import type { Libcrypto } from "../../host/libcrypto.ts";
import type { Direction } from "../algorithm.ts";
import { FROM, POINTERS } from "./pointers.ts";
import type { PrivateMemory } from "./private_memory.ts";
import { MissingAlgorithmError } from "./provider.ts";

// Imported constants are cells to the compiler, a module's own are not.
const pointers = POINTERS;
const AT_FROM = FROM;

/** EVP_CTRL_AEAD_SET_IVLEN (openssl/evp.h). */
const SET_IV_LENGTH = 0x9;
/** EVP_CTRL_AEAD_GET_TAG. */
const GET_TAG = 0x10;
/** EVP_CTRL_AEAD_SET_TAG. */
const SET_TAG = 0x11;

/** A cipher's key was not taken. */
export class KeyError extends Error {
  /** The name of the class. */
  override readonly name = "KeyError";
}

/**
 * An EVP_CIPHER_CTX whose updates give all blocks they take. Padding is turned
 * off only where it would keep the last one back, in decryption: each start of
 * a message takes half as long again where it is off. Calls return whether
 * they succeeded.
 */
export class CipherHandle {
  /** Its address; 0 once it was freed. */
  pointer: bigint;
  /** The enc argument: 1 encrypts, 0 decrypts. */
  readonly #encrypts: number;
  readonly #library: Libcrypto;
  readonly #memory: PrivateMemory;

  /**
   * @param library the library's functions
   * @param memory holds keys and ivs on their way
   * @param cipher the EVP_CIPHER
   * @param direction the direction
   * @param keyLength bytes of its keys, where the cipher takes several sizes
   * @throws {MissingAlgorithmError} The library cannot make it
   */
  constructor(
    library: Libcrypto,
    memory: PrivateMemory,
    cipher: bigint,
    direction: Direction,
    keyLength?: number,
  ) {
    this.#library = library;
    this.#memory = memory;
    this.#encrypts = direction === "encrypt" ? 1 : 0;
    this.pointer = library.EVP_CIPHER_CTX_new();
    if (
      this.pointer === 0n || !this.#init(cipher, 0n, 0n) ||
      (direction === "decrypt" &&
        library.EVP_CIPHER_get_block_size(cipher) > 1 &&
        library.EVP_CIPHER_CTX_set_padding(this.pointer, 0) !== 1) ||
      (keyLength !== undefined &&
        library.EVP_CIPHER_CTX_set_key_length(this.pointer, keyLength) !== 1)
    ) {
      this.free();
      throw new MissingAlgorithmError("Cannot make an EVP_CIPHER_CTX");
    }
  }

  /**
   * Sets the key.
   *
   * @param key the key, of the cipher's size
   * @returns whether it was taken
   */
  setKey(key: Uint8Array): boolean {
    this.#memory.setKey(key);
    const taken = this.#init(0n, this.#memory.keyAt, 0n);
    this.#memory.wipeKey();
    return taken;
  }

  /**
   * Sets the key, and frees the handle where it is not taken.
   *
   * @param key the key, of the cipher's size
   * @returns the handle itself
   * @throws {KeyError} It was not taken
   */
  withKey(key: Uint8Array): this {
    if (!this.setKey(key)) {
      this.free();
      throw new KeyError("Cannot set the key of an EVP_CIPHER_CTX");
    }
    return this;
  }

  /**
   * Starts a message with an iv.
   *
   * @param iv holds the iv
   * @param length its bytes; 0 where the cipher has none
   * @returns whether it was taken
   */
  start(iv: Uint8Array, length: number): boolean {
    this.#memory.setIv(iv, length);
    return this.#init(0n, 0n, length === 0 ? 0n : this.#memory.ivAt);
  }

  /**
   * Passes additional data, from the address that `setFrom` was given.
   *
   * @param length number of bytes below 2^31
   * @returns whether it was taken
   */
  authenticate(length: number): boolean {
    return this.#library.EVP_CipherUpdate(
      this.pointer,
      0n,
      this.#memory.writtenAt,
      pointers[AT_FROM]!,
      length,
    ) === 1;
  }

  /**
   * Passes the length of the data to come, which CCM begins with.
   *
   * @param length number of bytes below 2^31
   * @returns whether it was taken
   */
  announce(length: number): boolean {
    return this.#library.EVP_CipherUpdate(
      this.pointer,
      0n,
      this.#memory.writtenAt,
      0n,
      length,
    ) === 1;
  }

  /**
   * Passes data of no bytes.
   *
   * @returns whether it was taken
   */
  passNothing(): boolean {
    return this.#library.EVP_CipherUpdate(
      this.pointer,
      this.#memory.resultPointer,
      this.#memory.writtenAt,
      this.#memory.resultPointer,
      0,
    ) === 1;
  }

  /**
   * Ends a message; of a decryption, verifies it.
   *
   * @returns whether it succeeded: false where the tag is wrong
   */
  finish(): boolean {
    return this.#library.EVP_CipherFinal_ex(
      this.pointer,
      this.#memory.resultPointer,
      this.#memory.writtenAt,
    ) === 1;
  }

  /**
   * Sets the size of ivs.
   *
   * @param length in bytes
   * @returns whether it was taken
   */
  setIvLength(length: number): boolean {
    return this.#control(SET_IV_LENGTH, length, 0n);
  }

  /**
   * Sets the size of tags.
   *
   * @param length in bytes
   * @returns whether it was taken
   */
  setTagLength(length: number): boolean {
    return this.#control(SET_TAG, length, 0n);
  }

  /**
   * Gives the tag to expect, from the place of tags in private memory.
   *
   * @param length its bytes
   * @returns whether it was taken
   */
  expectTag(length: number): boolean {
    return this.#control(SET_TAG, length, this.#memory.tagPointer);
  }

  /**
   * Puts the tag to the place of tags in private memory.
   *
   * @param length its bytes
   * @returns whether it succeeded
   */
  takeTag(length: number): boolean {
    return this.#control(GET_TAG, length, this.#memory.tagPointer);
  }

  /** Frees it, which overwrites the key. */
  free(): void {
    this.#library.EVP_CIPHER_CTX_free(this.pointer);
    this.pointer = 0n;
  }

  #control(command: number, length: number, data: bigint): boolean {
    return this.#library.EVP_CIPHER_CTX_ctrl(
      this.pointer,
      command,
      length,
      data,
    ) === 1;
  }

  #init(cipher: bigint, key: bigint, iv: bigint): boolean {
    return this.#library.EVP_CipherInit_ex(
      this.pointer,
      cipher,
      0n,
      key,
      iv,
      this.#encrypts,
    ) === 1;
  }
}
