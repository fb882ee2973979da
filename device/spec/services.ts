/**
 * The services by the names that programs and command lines use.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
} from "./constants.ts";

/** A service by name. */
export type ServiceName = "cipher" | "hash" | "mac" | "aead";

/** Services by name, as VIRTIO_CRYPTO_SERVICE_* numbers. */
export const SERVICE_NUMBERS: Readonly<Record<ServiceName, number>> = {
  cipher: VIRTIO_CRYPTO_SERVICE_CIPHER,
  hash: VIRTIO_CRYPTO_SERVICE_HASH,
  mac: VIRTIO_CRYPTO_SERVICE_MAC,
  aead: VIRTIO_CRYPTO_SERVICE_AEAD,
};

/** Their names, for messages. */
export const SERVICE_LIST: string = Object.keys(SERVICE_NUMBERS).join(",");

/** All services, one bit each. */
export const ALL_SERVICES = 0b1111;

/**
 * Whether a word is a service's name.
 *
 * @param word any word
 * @returns true for those of {@linkcode ServiceName}
 */
export function isServiceName(word: string): word is ServiceName {
  return Object.hasOwn(SERVICE_NUMBERS, word);
}

/**
 * Services as crypto_services has them.
 *
 * @param names their names; all when left out
 * @returns one bit a service
 * @throws {RangeError} There is none, or a word that is no service
 */
export function serviceBits(
  names: readonly ServiceName[] | undefined,
): number {
  if (names === undefined) return ALL_SERVICES;
  if (names.length === 0 || !names.every(isServiceName)) {
    throw new RangeError(
      `Cannot offer services "${names}": some of ${SERVICE_LIST} are needed`,
    );
  }
  return names.reduce((bits, name) => bits | 1 << SERVICE_NUMBERS[name], 0);
}
