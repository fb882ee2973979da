/**
 * What a program asks a session to be, and the parameters of the document that
 * this comes to.
 *
 * @module
 */

import type {
  Algorithm,
  AlgorithmName,
  Direction,
} from "../engine/algorithm.ts";
import type { DeviceConfig } from "../spec/config.ts";
import { algorithmOf, SERVICE_ALGORITHMS } from "../service/algorithms.ts";
import {
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";

/** A service by name. */
export type ServiceName = "cipher" | "hash" | "mac" | "aead";

/** An algorithm: its usual name, or its number within the service. */
export type AlgorithmChoice = AlgorithmName | number;

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
  /** The key. */
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
  /** The key. */
  readonly key: Uint8Array;
  /** Bytes of the MAC; the whole of it when left out. */
  readonly resultLength?: number;
}

/** A session of the AEAD service. */
export interface AeadSessionOptions extends CommonSessionOptions {
  /** The service. */
  readonly service: "aead";
  /** The key. */
  readonly key: Uint8Array;
  /** The only direction the session will work in. */
  readonly direction: Direction;
  /** Bytes of the tag; 16 when left out. */
  readonly tagLength?: number;
  /** Bytes of additional authenticated data, as a hint; 0 when left out. */
  readonly aadLength?: number;
}

/** What a program asks a session to be. */
export type SessionOptions =
  | CipherSessionOptions
  | HashSessionOptions
  | MacSessionOptions
  | AeadSessionOptions;

/** Services by name, as numbers. */
export const SERVICE_NUMBERS: Readonly<Record<ServiceName, number>> = {
  cipher: VIRTIO_CRYPTO_SERVICE_CIPHER,
  hash: VIRTIO_CRYPTO_SERVICE_HASH,
  mac: VIRTIO_CRYPTO_SERVICE_MAC,
  aead: VIRTIO_CRYPTO_SERVICE_AEAD,
};

const DEFAULT_TAG_LENGTH = 16;

/** Above this a digest has no length of its own: it is a SHAKE's bound. */
const LONGEST_DIGEST = 64;

const NO_KEY = new Uint8Array(0);

/**
 * The number of an algorithm within its service.
 *
 * @param service the service
 * @param algorithm name or number
 * @returns the number; one that is given is not judged
 * @throws {TypeError} The service has no algorithm of that name
 */
export function algorithmNumber(
  service: ServiceName,
  algorithm: AlgorithmChoice,
): number {
  if (typeof algorithm === "number") return algorithm;
  const found = SERVICE_ALGORITHMS[SERVICE_NUMBERS[service]]
    ?.find(([, { name }]) => name === algorithm);
  if (found === undefined) {
    throw new TypeError(
      `Cannot find algorithm "${algorithm}" in the ${service} service`,
    );
  }
  return found[0];
}

/**
 * Whether a configuration space offers an algorithm (v15, "Device
 * configuration layout").
 *
 * @param config the configuration space
 * @param service the service
 * @param algorithm the algorithm's number
 * @returns true where the service's bit and its own are set
 */
export function isOffered(
  config: DeviceConfig,
  service: ServiceName,
  algorithm: number,
): boolean {
  if (!(config.cryptoServices >> SERVICE_NUMBERS[service] & 1)) return false;
  const masks: Record<ServiceName, readonly number[]> = {
    cipher: [config.cipherAlgoL, config.cipherAlgoH],
    hash: [config.hashAlgo],
    mac: [config.macAlgoL, config.macAlgoH],
    aead: [config.aeadAlgo],
  };
  const mask = masks[service][Math.floor(algorithm / 32)] ?? 0;
  return (mask >>> (algorithm % 32) & 1) === 1;
}

/**
 * The parameters of the document for a session. Whether the device can serve
 * them is for the device to say.
 *
 * @param options what a program asks for
 * @returns the parameters, with the key itself and not a copy
 * @throws {TypeError} The algorithm's name is unknown, or a length is missing
 * that the algorithm does not imply
 */
export function sessionParameters(options: SessionOptions): SessionParameters {
  const service = SERVICE_NUMBERS[options.service];
  const algorithm = algorithmNumber(options.service, options.algorithm);
  const base = {
    service,
    algorithm,
    opType: 0,
    op: 0,
    chainOrder: 0,
    hashMode: 0,
    hashAlgorithm: 0,
    authKeyLength: 0,
    resultLength: 0,
    keyLength: 0,
    key: NO_KEY,
  };
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
          fullLength(algorithmOf(service, algorithm), options),
      };
    case "mac":
      return {
        ...base,
        ...keyOf(options.key),
        resultLength: options.resultLength ??
          fullLength(algorithmOf(service, algorithm), options),
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

function keyOf(key: Uint8Array): { key: Uint8Array; keyLength: number } {
  return { key, keyLength: key.length };
}

function opOf(direction: Direction): number {
  return direction === "encrypt"
    ? VIRTIO_CRYPTO_OP_ENCRYPT
    : VIRTIO_CRYPTO_OP_DECRYPT;
}

function fullLength(
  algorithm: Algorithm | undefined,
  options: HashSessionOptions | MacSessionOptions,
): number {
  if (algorithm === undefined || algorithm.result.max > LONGEST_DIGEST) {
    throw new TypeError(
      `Cannot tell the result length of algorithm ${options.algorithm}: give resultLength`,
    );
  }
  return algorithm.result.max;
}
