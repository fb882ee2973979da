/**
 * What a device can do with the engines it has, in the services that it is to
 * offer: the masks it advertises, and which engine serves a session. An
 * algorithm is offered where its bit is in a mask, and nowhere else: a chain,
 * which is of the CIPHER service, needs its hash or MAC offered too.
 *
 * @module
 */

import {
  type Algorithm,
  type Direction,
  hasSize,
} from "../engine/algorithm.ts";
import { AutoEngine } from "../engine/auto.ts";
import { type ChainOrder, ChainRunner } from "../engine/chain.ts";
import type {
  Context,
  Engine,
  InPlaceCipher,
  Runner,
} from "../engine/engine.ts";
import { type DeviceConfig, encodeConfig } from "../spec/config.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
  VIRTIO_CRYPTO_S_HW_READY,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import { ALL_SERVICES } from "../spec/services.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { algorithmOf, SERVICE_ALGORITHMS } from "./algorithms.ts";

/** Two words of an algorithm mask. */
interface Mask {
  low: number;
  high: number;
}

/** What a device offers with a set of engines. Each thread makes its own. */
export class Capabilities {
  /** The engines, the preferred one first. */
  readonly engines: readonly Engine[];
  /** Runs chains of what the engines serve. */
  readonly chains: ChainRunner = new ChainRunner();
  /** The services it offers, one bit each. */
  readonly services: number;
  readonly #masks: readonly Mask[];
  readonly #maxCipherKey: number;
  readonly #maxAuthKey: number;

  /**
   * @param engines the engines, the preferred one first
   * @param wanted the services to offer, as far as an engine serves them; one
   * bit each
   */
  constructor(engines: readonly Engine[], wanted: number = ALL_SERVICES) {
    this.engines = engines;
    let services = 0;
    let maxCipherKey = 0;
    let maxAuthKey = 0;
    this.#masks = SERVICE_ALGORITHMS.map((algorithms, service) => {
      const mask: Mask = { low: 0, high: 0 };
      if (!(wanted >> service & 1)) return mask;
      for (const [number, algorithm] of algorithms) {
        if (!engines.some((engine) => engine.serves(algorithm))) continue;
        if (number < 32) mask.low |= 1 << number;
        else mask.high |= 1 << (number - 32);
        services |= 1 << service;
        if (service === VIRTIO_CRYPTO_SERVICE_MAC) {
          maxAuthKey = Math.max(maxAuthKey, algorithm.key.max);
        } else if (service !== VIRTIO_CRYPTO_SERVICE_HASH) {
          maxCipherKey = Math.max(maxCipherKey, algorithm.key.max);
        }
      }
      return mask;
    });
    this.services = services;
    this.#maxCipherKey = maxCipherKey;
    this.#maxAuthKey = maxAuthKey;
  }

  /** Names of the engines that were loaded, the preferred one first. */
  get engineNames(): readonly string[] {
    return this.engines.flatMap((engine) =>
      engine instanceof AutoEngine ? engine.engines : [engine]
    ).map(({ name }) => name);
  }

  /** All that contexts may come from. */
  get runners(): readonly Runner[] {
    return [...this.engines, this.chains];
  }

  /**
   * The configuration space of such a device.
   *
   * @param dataQueues number of data queues, 1 to 65535
   * @param maxSize largest content of a request in bytes
   * @returns the configuration space's bytes
   */
  config(dataQueues: number, maxSize: number): Uint8Array<ArrayBuffer> {
    const [cipher, hash, mac, aead] = this.#masks as [Mask, Mask, Mask, Mask];
    const config: DeviceConfig = {
      status: VIRTIO_CRYPTO_S_HW_READY,
      maxDataqueues: dataQueues,
      cryptoServices: this.services,
      cipherAlgoL: cipher.low,
      cipherAlgoH: cipher.high,
      hashAlgo: hash.low,
      macAlgoL: mac.low,
      macAlgoH: mac.high,
      aeadAlgo: aead.low,
      maxCipherKeyLen: this.#maxCipherKey,
      maxAuthKeyLen: this.#maxAuthKey,
      maxSize,
    };
    return encodeConfig(config);
  }

  /**
   * Whether an algorithm is offered.
   *
   * @param service a VIRTIO_CRYPTO_SERVICE_* number
   * @param number the algorithm's number within that service
   * @returns true where its bit is in the service's mask
   */
  offers(service: number, number: number): boolean {
    const mask = this.#masks[service];
    // A shift takes its count modulo 32.
    return mask !== undefined && number < 64 &&
      ((number < 32 ? mask.low : mask.high) >>> number & 1) === 1;
  }

  /**
   * Whether an operation is one the device has: op_type, hash_mode,
   * alg_chain_order and the algorithms. What comes out as NOTSUPP is judged
   * before everything else of an operation.
   *
   * @param operation what the driver asks for
   * @returns VIRTIO_CRYPTO_OK or VIRTIO_CRYPTO_NOTSUPP
   */
  checkOffered(operation: OperationParameters): number {
    const { service, opType, hashMode, chainOrder } = operation;
    if (service === VIRTIO_CRYPTO_SERVICE_CIPHER) {
      if (!isSymmetricOperation(opType)) return VIRTIO_CRYPTO_NOTSUPP;
      if (opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
        // No structure can carry the prefixes of a nested hash.
        if (
          (hashMode !== VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN &&
            hashMode !== VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH) ||
          CHAIN_ORDERS[chainOrder] === undefined ||
          !this.offers(digestService(hashMode), operation.hashAlgorithm)
        ) return VIRTIO_CRYPTO_NOTSUPP;
      }
    }
    return this.offers(service, operation.algorithm)
      ? VIRTIO_CRYPTO_OK
      : VIRTIO_CRYPTO_NOTSUPP;
  }

  /**
   * Judges the values of an operation that the device has: op, key lengths,
   * hash_result_len or tag_len.
   *
   * @param operation what the driver asks for
   * @param maxSize largest content of a request in bytes
   * @returns VIRTIO_CRYPTO_OK or VIRTIO_CRYPTO_ERR
   */
  checkValues(operation: OperationParameters, maxSize: number): number {
    const algorithm = algorithmOf(operation.service, operation.algorithm);
    if (algorithm === undefined) return VIRTIO_CRYPTO_ERR;
    if (
      algorithm.kind !== "hash" && algorithm.kind !== "mac" &&
      operation.op !== VIRTIO_CRYPTO_OP_ENCRYPT &&
      operation.op !== VIRTIO_CRYPTO_OP_DECRYPT
    ) return VIRTIO_CRYPTO_ERR;
    if (!this.#servesKey(algorithm, operation.keyLength)) {
      return VIRTIO_CRYPTO_ERR;
    }
    let digest = algorithm;
    if (operation.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
      const hash = chainedHash(operation);
      if (
        hash === undefined || !this.#servesKey(hash, operation.authKeyLength)
      ) return VIRTIO_CRYPTO_ERR;
      digest = hash;
    }
    const { resultLength } = operation;
    if (
      digest.kind !== "cipher" &&
      (!hasSize(digest.result, resultLength) || resultLength > maxSize)
    ) return VIRTIO_CRYPTO_ERR;
    return VIRTIO_CRYPTO_OK;
  }

  /**
   * The algorithms of an operation.
   *
   * @param operation its parameters
   * @returns the algorithm, a chain's cipher; and a chain's hash or MAC
   */
  algorithms(operation: OperationParameters): {
    algorithm: Algorithm | undefined;
    hash: Algorithm | undefined;
  } {
    return {
      algorithm: algorithmOf(operation.service, operation.algorithm),
      hash: operation.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING
        ? chainedHash(operation)
        : undefined,
    };
  }

  /**
   * Prepares an operation that was judged good.
   *
   * @param operation its parameters
   * @param key its keys: the key, then a chain's authentication key; copied
   * @returns the context, or undefined where nothing serves it
   */
  prepare(
    operation: OperationParameters,
    key: Uint8Array,
  ): Context | undefined {
    const { keyLength } = operation;
    const direction = operation.op === VIRTIO_CRYPTO_OP_DECRYPT
      ? "decrypt"
      : "encrypt";
    const first = this.#prepareOne(
      algorithmOf(operation.service, operation.algorithm),
      direction,
      key.subarray(0, keyLength),
    );
    if (operation.opType !== VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
      return first;
    }
    const second = this.#prepareOne(
      chainedHash(operation),
      "encrypt",
      key.subarray(keyLength),
    );
    const order = CHAIN_ORDERS[operation.chainOrder];
    if (first === undefined || second === undefined || order === undefined) {
      first?.wipe();
      second?.wipe();
      return undefined;
    }
    return this.chains.prepare(first, second, order);
  }

  /**
   * The way to run a plain cipher in place.
   *
   * @param operation parameters of a session
   * @param alone whether it is for requests that are alone in their batch
   * @returns it, or undefined where such requests are not run in place
   */
  inPlace(
    operation: OperationParameters,
    alone: boolean,
  ): InPlaceCipher | undefined {
    const { service, opType, op, keyLength } = operation;
    const algorithm = algorithmOf(service, operation.algorithm);
    if (
      service !== VIRTIO_CRYPTO_SERVICE_CIPHER ||
      opType !== VIRTIO_CRYPTO_SYM_OP_CIPHER || algorithm === undefined
    ) return undefined;
    const direction = op === VIRTIO_CRYPTO_OP_DECRYPT ? "decrypt" : "encrypt";
    return this.engines.find((engine) => engine.serves(algorithm, keyLength))
      ?.inPlace?.(algorithm, direction, keyLength, alone);
  }

  #prepareOne(
    algorithm: Algorithm | undefined,
    direction: Direction,
    key: Uint8Array,
  ): Context | undefined {
    if (algorithm === undefined) return undefined;
    return this.engines.find((e) => e.serves(algorithm, key.length))
      ?.prepare(algorithm, direction, key);
  }

  #servesKey(algorithm: Algorithm, keyLength: number): boolean {
    return hasSize(algorithm.key, keyLength) &&
      this.engines.some((engine) => engine.serves(algorithm, keyLength));
  }
}

/**
 * Whether the device has an operation of the CIPHER service: NONE is none.
 *
 * @param opType VIRTIO_CRYPTO_SYM_OP_*
 * @returns true when it has
 */
export function isSymmetricOperation(opType: number): boolean {
  return opType === VIRTIO_CRYPTO_SYM_OP_CIPHER ||
    opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING;
}

/**
 * The service whose algorithms a chain's hash_mode takes.
 *
 * @param hashMode VIRTIO_CRYPTO_SYM_HASH_MODE_*
 * @returns the number of the MAC service for AUTH, else of the HASH service
 */
export function digestService(hashMode: number): number {
  return hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH
    ? VIRTIO_CRYPTO_SERVICE_MAC
    : VIRTIO_CRYPTO_SERVICE_HASH;
}

/** The hash or MAC of a chain. */
function chainedHash(operation: OperationParameters): Algorithm | undefined {
  return algorithmOf(
    digestService(operation.hashMode),
    operation.hashAlgorithm,
  );
}

/** Orders by VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_* number. */
const CHAIN_ORDERS: readonly (ChainOrder | undefined)[] = [
  undefined,
  "hash-then-cipher",
  "cipher-then-hash",
];
