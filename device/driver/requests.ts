/**
 * What the builders of requests have in common, and which layout a request has.
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
