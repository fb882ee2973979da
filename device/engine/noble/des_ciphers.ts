/**
 * Contexts of the modes of DES and TDEA: ECB, CBC and CTR.
 *
 * @module
 */

import { expandDesKey } from "../primitives/des.ts";
import { CipherContext } from "./cipher_context.ts";
import type { Purpose } from "./context.ts";
import { desCbcDecrypt, desCbcEncrypt, desCtr, desEcb } from "./des_modes.ts";
import type { Staging } from "./staging.ts";
import { loadBlock, swap } from "./words.ts";

/** A mode of DES or TDEA with its expanded key. */
abstract class DesCipherContext extends CipherContext {
  /** Expanded key of the direction the mode uses. */
  protected readonly key: Uint32Array;

  /**
   * @param purpose what it is for
   * @param key 8 bytes for DES, 24 for TDEA
   * @param inverse whether the mode runs the inverse cipher
   */
  constructor(purpose: Purpose, key: Uint8Array, inverse: boolean) {
    super(purpose);
    this.key = expandDesKey(key, inverse);
  }

  protected override start(iv: Uint8Array, staging: Staging): void {
    const { chain } = staging.scratch;
    loadBlock(iv, chain);
    chain[0] = swap(chain[0]!);
    chain[1] = swap(chain[1]!);
  }

  protected override apply(staging: Staging, at: number, size: number): void {
    const { scratch, words } = staging;
    const to = at / 4 + 2 * Math.ceil(size / 8);
    this.blocks(words, at / 4, to, scratch.chain);
  }

  /**
   * Works on whole blocks in place.
   *
   * @param words the data
   * @param from index of the first word
   * @param to index after the last word
   * @param chain 2 big-endian words: the iv, then what the mode carries on;
   * and 2 words to work in
   */
  protected abstract blocks(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void;

  protected override wipeKey(): void {
    this.key.fill(0);
  }
}

/** DES or TDEA in ECB mode (SP 800-38A, 6.1). */
export class DesEcbContext extends DesCipherContext {
  /**
   * @param purpose what it is for
   * @param key 8 bytes for DES, 24 for TDEA
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose, key, purpose.direction === "decrypt");
  }

  protected override blocks(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void {
    desEcb(this.key, words, from, to, chain);
  }
}

/** DES or TDEA in CBC mode (SP 800-38A, 6.2). */
export class DesCbcContext extends DesCipherContext {
  /**
   * @param purpose what it is for
   * @param key 8 bytes for DES, 24 for TDEA
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose, key, purpose.direction === "decrypt");
  }

  protected override blocks(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void {
    if (this.direction === "encrypt") {
      desCbcEncrypt(this.key, words, from, to, chain);
    } else {
      desCbcDecrypt(this.key, words, from, to, chain);
    }
  }
}

/** TDEA in CTR mode (SP 800-38A, 6.5) with a counter of 64 bits. */
export class DesCtrContext extends DesCipherContext {
  /**
   * @param purpose what it is for
   * @param key 24 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose, key, false);
  }

  protected override blocks(
    words: Uint32Array,
    from: number,
    to: number,
    chain: Uint32Array,
  ): void {
    desCtr(this.key, words, from, to, chain);
  }
}
