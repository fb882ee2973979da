/**
 * What the virtio-crypto documents say, without a device: the numbers by their
 * names, the structures with their offsets, and the decoding of requests and of
 * the configuration space.
 *
 * "v15" is the draft specification of January 2017, "1.4" the OASIS virtio
 * standard from 1.1 to 1.4. Nothing here needs a permission.
 *
 * # For authors of drivers
 *
 * The documents give the same requests in several layouts. Which one a device
 * expects follows from the features that were negotiated:
 *
 * | negotiated | layout | control requests | data requests |
 * |---|---|---|---|
 * | none of bits 0 to 4, or no control queue | legacy | padded to 16 + 56 bytes | padded to 24 + 48, session mode only |
 * | one of bits 1 to 4 (…_SESSION_MODE), not bit 0 | v15 | unpadded | with `sess_para` inside, in both modes |
 * | bit 0 (REVISION_1) | revision1 | unpadded only, `queue_id` 0 | unpadded |
 * | bit 0 and the service's bit 1 to 4 (…_STATELESS_MODE) | revision1-stateless | the same | with `sess_para` inside, in both modes |
 *
 * Bits 1 to 4 are the same in v15, where they say that a service has session
 * mode, and in virtio 1.4, where they say that it has stateless mode; bit 0
 * tells the documents apart. Without bit 0 a stateless bit counts for nothing.
 *
 * `flag` of a data request's header:
 *
 * | layout | session mode | keys in the request |
 * |---|---|---|
 * | legacy | 0 | not possible |
 * | v15 | 1, and the service's bit must have been negotiated | 2 |
 * | revision1 | 1 | not possible |
 * | revision1-stateless | 1 | 0 |
 *
 * Behind the fixed part come, in this order and as long as their lengths say:
 *
 * | request | readable | writable |
 * |---|---|---|
 * | CIPHER | \[key\], iv, source | result |
 * | CIPHER, chain | \[cipher key, authentication key\], iv, source, aad; in revision1-stateless iv, aad, source | result, digest |
 * | HASH | source | digest |
 * | MAC | \[key\], source | MAC |
 * | AEAD | \[key\], iv, source, aad | result |
 *
 * Keys are there only in requests without a session. The last writable byte is
 * the status, and on failure the only one that is written. A MAC request has no
 * field for an iv: those of SNOW 3G UIA2, ZUC EIA3 (16 bytes) and GMAC (12) are
 * the first bytes of the source, and in a chain the whole of the aad. AEAD
 * ciphertext is followed by its tag, which both lengths count.
 *
 * Statuses: 0 OK, 1 ERR (a length, value or direction is wrong), 2 BADMSG (a
 * tag is wrong), 3 NOTSUPP (opcode, operation or algorithm are not offered, or
 * the mode was not negotiated in revision1), 4 INVSESS (no such session), 5
 * NOSPC (no session is free; revision1 only).
 *
 * Sources: v15, "Device Operation"; virtio 1.1 to 1.4, 5.9.7.
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
