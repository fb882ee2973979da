/**
 * What a device can do with the engines it has: the masks it advertises, and
 * which engine serves a session.
 *
 * @module
 */

import { hasSize } from "../engine/algorithm.ts";
import type { Context, Engine } from "../engine/engine.ts";
import { type DeviceConfig, encodeConfig } from "../spec/config.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
  VIRTIO_CRYPTO_S_HW_READY,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import type { SessionFields } from "../session/table.ts";
import { algorithmOf, SERVICE_ALGORITHMS } from "./algorithms.ts";

/** Two words of an algorithm mask. */
interface Mask {
  low: number;
  high: number;
}

/** What a set of engines serves. Each thread makes its own. */
export class Capabilities {
  /** The engines, the preferred one first. */
  readonly engines: readonly Engine[];
  /** One bit a service. */
  readonly services: number;
  readonly #masks: readonly Mask[];
  readonly #maxCipherKey: number;
  readonly #maxAuthKey: number;

  /** @param engines the engines, the preferred one first */
  constructor(engines: readonly Engine[]) {
    this.engines = engines;
    let services = 0;
    let maxCipherKey = 0;
    let maxAuthKey = 0;
    this.#masks = SERVICE_ALGORITHMS.map((algorithms, service) => {
      const mask: Mask = { low: 0, high: 0 };
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

  /**
   * The configuration space of a device with these engines.
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
   * Judges the parameters of a session, in the order in which a request for it
   * is judged: op_type and algorithm (NOTSUPP), then op, key length and
   * hash_result_len or tag_len (ERR).
   *
   * @param session what the driver asks for
   * @param maxSize largest content of a request in bytes
   * @returns VIRTIO_CRYPTO_OK, or the status the request gets
   */
  checkSession(session: SessionParameters, maxSize: number): number {
    const { service } = session;
    if (
      service === VIRTIO_CRYPTO_SERVICE_CIPHER &&
      session.opType !== VIRTIO_CRYPTO_SYM_OP_CIPHER
    ) return VIRTIO_CRYPTO_NOTSUPP;
    const algorithm = algorithmOf(service, session.algorithm);
    if (
      algorithm === undefined ||
      !this.engines.some((engine) => engine.serves(algorithm))
    ) return VIRTIO_CRYPTO_NOTSUPP;
    const directed = service === VIRTIO_CRYPTO_SERVICE_CIPHER ||
      service === VIRTIO_CRYPTO_SERVICE_AEAD;
    if (
      directed && session.op !== VIRTIO_CRYPTO_OP_ENCRYPT &&
      session.op !== VIRTIO_CRYPTO_OP_DECRYPT
    ) return VIRTIO_CRYPTO_ERR;
    if (
      !hasSize(algorithm.key, session.keyLength) ||
      !this.engines.some((e) => e.serves(algorithm, session.keyLength))
    ) return VIRTIO_CRYPTO_ERR;
    if (
      algorithm.kind !== "cipher" &&
      (!hasSize(algorithm.result, session.resultLength) ||
        session.resultLength > maxSize)
    ) return VIRTIO_CRYPTO_ERR;
    return VIRTIO_CRYPTO_OK;
  }

  /**
   * Prepares the operation of a session.
   *
   * @param session the session's parameters
   * @param key its key; copied
   * @returns the context, or undefined where no engine serves it
   */
  prepare(
    session: Readonly<SessionFields>,
    key: Uint8Array,
  ): Context | undefined {
    const algorithm = algorithmOf(session.service, session.algorithm);
    if (algorithm === undefined) return undefined;
    const engine = this.engines.find((e) => e.serves(algorithm, key.length));
    const direction = session.op === VIRTIO_CRYPTO_OP_DECRYPT
      ? "decrypt"
      : "encrypt";
    return engine?.prepare(algorithm, direction, key);
  }
}
