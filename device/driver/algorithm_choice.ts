/**
 * Algorithms by the names that programs use, and whether a device offers them.
 *
 * @module
 */

import type { AlgorithmName } from "../engine/algorithm.ts";
import { SERVICE_ALGORITHMS } from "../service/algorithms.ts";
import type { DeviceConfig } from "../spec/config.ts";
import { SERVICE_NUMBERS, type ServiceName } from "../spec/services.ts";

/** An algorithm: its usual name, or its number within the service. */
export type AlgorithmChoice = AlgorithmName | number;

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
