/**
 * What the builders of requests have in common.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
} from "../spec/constants.ts";

/**
 * A layout of requests.
 *
 * - legacy: what Linux, DPDK and QEMU use. Fixed parts are padded to 56 bytes
 *   behind a control header, to 48 behind a data header
 * - v15: what the document gives, unpadded
 */
export type Layout = "legacy" | "v15";

/**
 * The bytes of a request. Fields of no bytes are left out; the driver may cut
 * the rest over descriptors as it likes.
 */
export interface RequestBytes {
  /** What the device reads: header and fixed part first, then the rest. */
  readonly readable: readonly Uint8Array[];
  /** Lengths in bytes of what the device writes; the last one has the status. */
  readonly writable: readonly number[];
}

const SESSION_MODES = [
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
].reduce((bits, bit) => bits | 1n << BigInt(bit), 0n);

/**
 * The layout that follows from a negotiation: that of the document as soon as
 * one of its feature bits was negotiated.
 *
 * @param features the negotiated feature bits
 * @returns the layout
 */
export function layoutOf(features: bigint): Layout {
  return (features & SESSION_MODES) !== 0n ? "v15" : "legacy";
}

/**
 * A request's bytes from its fields.
 *
 * @param fixed header and fixed part
 * @param fields variable fields, in order
 * @param writable lengths of the writable fields in bytes, in order
 * @returns the same without what is empty
 */
export function requestBytes(
  fixed: Uint8Array,
  fields: readonly Uint8Array[],
  writable: readonly number[],
): RequestBytes {
  return {
    readable: [fixed, ...fields.filter((field) => field.length > 0)],
    writable: writable.filter((length) => length > 0),
  };
}
