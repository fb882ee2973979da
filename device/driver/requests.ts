/**
 * What the builders of requests have in common, and which layout a request has.
 *
 * What they are is told to authors of drivers in `spec.ts`.
 *
 * @module
 */

import {
  serviceOf,
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_F_REVISION_1,
} from "../spec/constants.ts";

/**
 * The rules that requests follow.
 *
 * - legacy: what Linux, DPDK and QEMU use. Fixed parts are padded to 56 bytes
 *   behind a control header, to 48 behind a data header
 * - v15: what the draft of 2017 gives, unpadded
 * - revision1: what virtio 1.1 to 1.4 give with VIRTIO_CRYPTO_F_REVISION_1
 */
export type Layout = "legacy" | "v15" | "revision1";

/**
 * The layout of a data request: in revision 1 it depends on whether the
 * service's stateless bit was negotiated.
 */
export type DataLayout = Layout | "revision1-stateless";

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

/** The mode features by service number. */
const MODE_BITS = [
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
];

/**
 * The layout that follows from a negotiation: revision 1 where its bit was
 * negotiated, else that of the draft as soon as one of its feature bits was.
 *
 * @param features the negotiated feature bits
 * @returns the layout
 */
export function layoutOf(features: bigint): Layout {
  if (features >> BigInt(VIRTIO_CRYPTO_F_REVISION_1) & 1n) return "revision1";
  return modeServicesOf(features) !== 0 ? "v15" : "legacy";
}

/**
 * The services whose mode bit was negotiated: …_SESSION_MODE in v15,
 * …_STATELESS_MODE in virtio 1.4.
 *
 * @param features the negotiated feature bits
 * @returns one bit a service
 */
export function modeServicesOf(features: bigint): number {
  let services = 0;
  MODE_BITS.forEach((bit, service) => {
    if (features >> BigInt(bit) & 1n) services |= 1 << service;
  });
  return services;
}

/**
 * The layout of a service's data requests.
 *
 * @param layout the rules that requests follow
 * @param modeServices one bit a service whose mode bit was negotiated
 * @param opcode opcode of a data request, which tells the service
 * @returns the layout
 */
export function dataLayoutOf(
  layout: Layout,
  modeServices: number,
  opcode: number,
): DataLayout {
  return layout === "revision1" && modeServices >> serviceOf(opcode) & 1
    ? "revision1-stateless"
    : layout;
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
