/**
 * What an engine of one's own says of each algorithm.
 *
 * @module
 */

import type { Direction } from "../algorithm.ts";

/**
 * What one operation is given. All of it is private memory of the engine: the
 * guest cannot change it, and nothing reaches the guest but what is returned.
 * The arrays are valid until `run` returns, and may be written to.
 */
export interface EngineInput {
  /** Plaintext, ciphertext without its tag, or the message of a hash or MAC. */
  readonly source: Uint8Array<ArrayBuffer>;
  /** The iv; of no bytes where the algorithm has none. */
  readonly iv: Uint8Array<ArrayBuffer>;
  /** Additional authenticated data; of no bytes outside AEAD. */
  readonly aad: Uint8Array<ArrayBuffer>;
  /** The tag that came with an AEAD ciphertext; of no bytes elsewhere. */
  readonly tag: Uint8Array<ArrayBuffer>;
  /** Bytes of the digest, MAC or tag; 0 for ciphers. */
  readonly resultLength: number;
}

/** An algorithm, a key and a direction made ready. */
export interface PreparedOperation {
  /**
   * Does one operation. The lengths are legal for the algorithm: they were
   * checked. It is not called while another one of this thread runs.
   *
   * It returns
   *
   * - cipher: as many bytes as `source` has; `source` itself where it was
   *   worked on in place
   * - hash, MAC: `resultLength` bytes or more, of which the first are taken
   * - AEAD, encrypt: the ciphertext, then the tag of `resultLength` bytes
   * - AEAD, decrypt: the plaintext, or undefined where `tag` is wrong
   *
   * A result of another length, or an exception, is an error of the engine: the
   * driver gets VIRTIO_CRYPTO_ERR, and `onError` of the engine is told. A
   * promise is no result.
   *
   * @param input what to work on
   * @returns the result, which is copied; undefined where a tag is wrong
   */
  run(input: EngineInput): Uint8Array | undefined;
  /**
   * Overwrites what was derived from the key. Called once, when the session
   * has ended; the key itself is overwritten by the device.
   */
  wipe?(): void;
}

/** One algorithm of an engine. */
export interface EngineAlgorithm {
  /**
   * Key sizes it is served with, in bytes; all that the algorithm has when
   * left out. Other sizes are another engine's, where there is one.
   */
  readonly keyLengths?: readonly number[];
  /**
   * Iv sizes that operations are to be run with, in bytes. When left out: all
   * that the algorithm has, but for GCM and GMAC 12, since an iv of 16 bytes
   * is the counter block J0 itself there and no iv to be hashed (SP 800-38D,
   * 7.1). Operations with other sizes are done by the portable engine.
   */
  readonly ivLengths?: readonly number[];
  /**
   * Makes an operation ready; called when the first request of a session comes.
   *
   * @param key a private copy of the key, overwritten when the session has
   * ended; of no bytes for a hash
   * @param direction "encrypt" for hashes and MACs
   * @returns the operation; an exception fails the request
   */
  prepare(
    key: Uint8Array<ArrayBuffer>,
    direction: Direction,
  ): PreparedOperation;
}
