/**
 * What a program asks a session to be, and the parameters of the document that
 * this comes to.
 *
 * @module
 */

import type { Algorithm, Direction } from "../engine/algorithm.ts";
import type { ChainOrder } from "../engine/chain.ts";
import { algorithmOf } from "../service/algorithms.ts";
import {
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_CIPHER_THEN_HASH,
  VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_HASH_THEN_CIPHER,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import { type AlgorithmChoice, algorithmNumber } from "./algorithm_choice.ts";
import { SERVICE_NUMBERS, type ServiceName } from "../spec/services.ts";

export type { AlgorithmChoice, ChainOrder, ServiceName };

/** What every session has. */
export interface CommonSessionOptions {
  /** As in "aes-cbc" or VIRTIO_CRYPTO_CIPHER_AES_CBC. */
  readonly algorithm: AlgorithmChoice;
  /** The data queue its requests go to; 0 when left out. */
  readonly queue?: number;
}

/** A session of the CIPHER service. */
export interface CipherSessionOptions extends CommonSessionOptions {
  /** The service. */
  readonly service: "cipher";
  /** The key, of a size that the algorithm has: see {@linkcode ALGORITHMS}. */
  readonly key: Uint8Array;
  /** The only direction the session will work in. */
  readonly direction: Direction;
}

/** A session of the HASH service. */
export interface HashSessionOptions extends CommonSessionOptions {
  /** The service. */
  readonly service: "hash";
  /** Bytes of the digest; the whole of it when left out. */
  readonly resultLength?: number;
}

/** A session of the MAC service. */
export interface MacSessionOptions extends CommonSessionOptions {
  /** The service. */
  readonly service: "mac";
  /** The key, of a size that the algorithm has: see {@linkcode ALGORITHMS}. */
  readonly key: Uint8Array;
  /** Bytes of the MAC; the whole of it when left out. */
  readonly resultLength?: number;
}

/** A session of the AEAD service. */
export interface AeadSessionOptions extends CommonSessionOptions {
  /** The service. */
  readonly service: "aead";
  /** The key, of a size that the algorithm has: see {@linkcode ALGORITHMS}. */
  readonly key: Uint8Array;
  /** The only direction the session will work in. */
  readonly direction: Direction;
  /** Bytes of the tag; 16 when left out. */
  readonly tagLength?: number;
  /** Bytes of additional authenticated data, as a hint; 0 when left out. */
  readonly aadLength?: number;
}

/** The cipher of a chain. */
export interface ChainCipherOptions {
  /** As in "aes-cbc" or VIRTIO_CRYPTO_CIPHER_AES_CBC. */
  readonly algorithm: AlgorithmChoice;
  /** The key, of a size that the algorithm has: see {@linkcode ALGORITHMS}. */
  readonly key: Uint8Array;
  /** The only direction the session will work in. */
  readonly direction: Direction;
}

/** The hash or MAC of a chain. */
export interface ChainHashOptions {
  /**
   * As in "sha256" or VIRTIO_CRYPTO_HASH_SHA_256 without a key, as in
   * "hmac-sha256" or VIRTIO_CRYPTO_MAC_HMAC_SHA_256 with one.
   */
  readonly algorithm: AlgorithmChoice;
  /**
   * The key, which makes it a MAC (VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH); a plain
   * hash when left out (_PLAIN).
   */
  readonly key?: Uint8Array;
  /** Bytes of digest or MAC; the whole of it when left out. */
  readonly resultLength?: number;
}

/**
 * A session of the CIPHER service that chains a cipher with a hash or MAC (v15,
 * "Session operation: Symmetric algorithms session").
 */
export interface ChainSessionOptions {
  /** The service, and what of it. */
  readonly service: "chain";
  /** The cipher. */
  readonly cipher: ChainCipherOptions;
  /** The hash or MAC. */
  readonly hash: ChainHashOptions;
  /**
   * Which comes first, in both directions of the cipher: the digest is of the
   * source, or of what the cipher makes of it.
   */
  readonly order: ChainOrder;
  /** Bytes of additional authenticated data, as a hint; 0 when left out. */
  readonly aadLength?: number;
  /** The data queue its requests go to; 0 when left out. */
  readonly queue?: number;
}

/** What a program asks a session to be, unless it is a chain. */
export type SessionOptions =
  | CipherSessionOptions
  | HashSessionOptions
  | MacSessionOptions
  | AeadSessionOptions;

const DEFAULT_TAG_LENGTH = 16;

/** Above this a digest has no length of its own: it is a SHAKE's bound. */
const LONGEST_DIGEST = 64;

/**
 * The parameters of the document for a session. Whether the device can serve
 * them is for the device to say.
 *
 * @param options what a program asks for
 * @returns the parameters, with the key itself; a chain's two keys are copied
 * into one array
 * @throws {TypeError} The algorithm's name, a direction or an order is unknown,
 * or a length is missing that the algorithm does not imply
 */
export function sessionParameters(
  options: SessionOptions | ChainSessionOptions,
): SessionParameters {
  if (options.service === "chain") return chainParameters(options);
  const service = SERVICE_NUMBERS[options.service];
  const algorithm = algorithmNumber(options.service, options.algorithm);
  const base = { ...NO_PARAMETERS, service, algorithm };
  switch (options.service) {
    case "cipher":
      return {
        ...base,
        ...keyOf(options.key),
        opType: VIRTIO_CRYPTO_SYM_OP_CIPHER,
        op: opOf(options.direction),
      };
    case "hash":
      return {
        ...base,
        resultLength: options.resultLength ??
          fullLength(algorithmOf(service, algorithm), options.algorithm),
      };
    case "mac":
      return {
        ...base,
        ...keyOf(options.key),
        resultLength: options.resultLength ??
          fullLength(algorithmOf(service, algorithm), options.algorithm),
      };
    case "aead":
      return {
        ...base,
        ...keyOf(options.key),
        op: opOf(options.direction),
        resultLength: options.tagLength ?? DEFAULT_TAG_LENGTH,
      };
  }
}

const NO_PARAMETERS: SessionParameters = {
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
  key: new Uint8Array(0),
};

function chainParameters(options: ChainSessionOptions): SessionParameters {
  const { cipher, hash, order } = options;
  const authKey = hash.key ?? NO_PARAMETERS.key;
  const hashService = hash.key === undefined ? "hash" : "mac";
  const hashAlgorithm = algorithmNumber(hashService, hash.algorithm);
  const resultLength = hash.resultLength ?? fullLength(
    algorithmOf(SERVICE_NUMBERS[hashService], hashAlgorithm),
    hash.algorithm,
  );
  const algorithm = algorithmNumber("cipher", cipher.algorithm);
  const op = opOf(cipher.direction);
  const chainOrder = chainOrderOf(order);
  // Behind all that can be refused: nobody would overwrite it then.
  const key = new Uint8Array(cipher.key.length + authKey.length);
  key.set(cipher.key);
  key.set(authKey, cipher.key.length);
  return {
    service: VIRTIO_CRYPTO_SERVICE_CIPHER,
    opType: VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
    algorithm,
    op,
    keyLength: cipher.key.length,
    chainOrder,
    hashMode: hash.key === undefined
      ? VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN
      : VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
    hashAlgorithm,
    authKeyLength: authKey.length,
    resultLength,
    key,
  };
}

function keyOf(key: Uint8Array): { key: Uint8Array; keyLength: number } {
  return { key, keyLength: key.length };
}

// A misspelt word that no type checker has seen must not decrypt.
function opOf(direction: Direction): number {
  switch (direction) {
    case "encrypt":
      return VIRTIO_CRYPTO_OP_ENCRYPT;
    case "decrypt":
      return VIRTIO_CRYPTO_OP_DECRYPT;
    default:
      throw new TypeError(
        `Cannot work in direction "${direction as string}": "encrypt" or "decrypt" is needed`,
      );
  }
}

function chainOrderOf(order: ChainOrder): number {
  switch (order) {
    case "hash-then-cipher":
      return VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_HASH_THEN_CIPHER;
    case "cipher-then-hash":
      return VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_CIPHER_THEN_HASH;
    default:
      throw new TypeError(
        `Cannot chain in order "${order as string}": "hash-then-cipher" or "cipher-then-hash" is needed`,
      );
  }
}

function fullLength(
  algorithm: Algorithm | undefined,
  choice: AlgorithmChoice,
): number {
  if (algorithm === undefined || algorithm.result.max > LONGEST_DIGEST) {
    throw new TypeError(
      `Cannot tell the result length of algorithm ${choice}: give resultLength`,
    );
  }
  return algorithm.result.max;
}
