/**
 * What the virtio-crypto documents say, without a device: the numbers by their
 * names, the structures with their offsets, and the decoding of requests and of
 * the configuration space.
 *
 * "v15" is the draft specification of January 2017, "1.4" the OASIS virtio
 * standard from 1.1 to 1.4. Nothing here needs a permission.
 *
 * @example The features and algorithms in a configuration space
 * ```ts
 * import {
 *   decodeConfig,
 *   VIRTIO_CRYPTO_AEAD_GCM,
 *   VIRTIO_CRYPTO_SERVICE_AEAD,
 * } from "./spec.ts";
 * import { InProcessDevice } from "./mod.ts";
 *
 * const device = new InProcessDevice({ workers: 0 });
 * const config = decodeConfig(device.config);
 * console.log(config.cryptoServices >> VIRTIO_CRYPTO_SERVICE_AEAD & 1); // 1
 * console.log(config.aeadAlgo >> VIRTIO_CRYPTO_AEAD_GCM & 1); // 1
 * await device.close();
 * ```
 *
 * @module
 */

export * from "./device/spec/constants.ts";
export * from "./device/spec/config.ts";
export { type NamedKind, nameOf } from "./device/spec/names.ts";
export * from "./device/spec/parse.ts";
export type { SpecName } from "./device/spec/request_layout.ts";
export type {
  OperationParameters,
  SessionParameters,
} from "./device/spec/session_parameters.ts";
