/**
 * Which layout a data request has, and its decoding from there. The layout
 * follows from what was negotiated and from `flag`.
 *
 * @module
 */

import {
  serviceOf,
  VIRTIO_CRYPTO_AEAD_DECRYPT,
  VIRTIO_CRYPTO_AEAD_ENCRYPT,
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_ENCRYPT,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_HASH,
  VIRTIO_CRYPTO_MAC,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
} from "./constants.ts";
import {
  DATA_FLAG,
  DATA_HEADER_SIZE,
  DATA_OPCODE,
  DATA_SESSION_ID_HIGH,
  DATA_SESSION_ID_LOW,
  type DataRequest,
} from "./data_request.ts";
import { decodeLegacyFixed } from "./data_legacy.ts";
import { decodeV15Fixed } from "./data_v15.ts";

/**
 * What a connection's negotiation says of its data requests. It crosses
 * threads, so it is plain data.
 */
export interface DataLayout {
  /** One bit a service the device offers. */
  readonly services: number;
  /** One bit a service whose SESSION_MODE feature was negotiated. */
  readonly sessionServices: number;
  /**
   * The frontend owns the control queue (vhost-user session messages): the
   * layout is always the legacy one, and `flag` says nothing.
   */
  readonly sessionMessages: boolean;
}

const SESSION_MODE_BITS: readonly number[] = [
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
];

/**
 * The SESSION_MODE features a device offers for its services (v15, "Feature
 * bits").
 *
 * @param services one bit a service
 * @returns feature bits
 */
export function sessionModeFeatures(services: number): bigint {
  let bits = 0n;
  SESSION_MODE_BITS.forEach((bit, service) => {
    if (services >> service & 1) bits |= 1n << BigInt(bit);
  });
  return bits;
}

/**
 * The layout that follows from a negotiation.
 *
 * @param services one bit a service the device offers
 * @param features the negotiated feature bits
 * @param sessionMessages whether the frontend makes sessions by message
 * @returns the layout
 */
export function dataLayout(
  services: number,
  features: bigint,
  sessionMessages: boolean,
): DataLayout {
  let sessionServices = 0;
  SESSION_MODE_BITS.forEach((bit, service) => {
    if (features >> BigInt(bit) & 1n) sessionServices |= 1 << service;
  });
  return { services, sessionServices, sessionMessages };
}

function isDataOpcode(opcode: number): boolean {
  switch (opcode) {
    case VIRTIO_CRYPTO_CIPHER_ENCRYPT:
    case VIRTIO_CRYPTO_CIPHER_DECRYPT:
    case VIRTIO_CRYPTO_HASH:
    case VIRTIO_CRYPTO_MAC:
    case VIRTIO_CRYPTO_AEAD_ENCRYPT:
    case VIRTIO_CRYPTO_AEAD_DECRYPT:
      return true;
    default:
      return false;
  }
}

/**
 * Decodes header and fixed part of a data request. Checked here, in this
 * order: the header is complete (else ERR); opcode and service are offered
 * (else NOTSUPP); `flag` is one the negotiation allows (else ERR); the fixed
 * part is complete (else ERR).
 *
 * @param view the first bytes of the readable part, in private memory
 * @param length how many of them there are, at most DATA_FIXED_MAX
 * @param layout what was negotiated
 * @param request receives the fields
 * @returns VIRTIO_CRYPTO_OK, or the status the request gets
 */
export function decodeDataRequest(
  view: DataView,
  length: number,
  layout: DataLayout,
  request: DataRequest,
): number {
  request.clear();
  if (length < DATA_HEADER_SIZE) return VIRTIO_CRYPTO_ERR;
  const opcode = view.getUint32(DATA_OPCODE, true);
  const service = serviceOf(opcode);
  if (!isDataOpcode(opcode) || !(layout.services >> service & 1)) {
    return VIRTIO_CRYPTO_NOTSUPP;
  }
  request.opcode = opcode;
  request.service = service;
  request.sessionLow = view.getUint32(DATA_SESSION_ID_LOW, true);
  request.sessionHigh = view.getUint32(DATA_SESSION_ID_HIGH, true);
  let complete: boolean;
  if (layout.sessionMessages) {
    complete = decodeLegacyFixed(view, length, request);
  } else {
    const flag = view.getUint32(DATA_FLAG, true);
    if (flag === VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE) {
      return VIRTIO_CRYPTO_NOTSUPP;
    }
    if (layout.sessionServices === 0) {
      // A driver that negotiated no mode is a legacy one; those leave flag 0.
      if (flag > VIRTIO_CRYPTO_FLAG_SESSION_MODE) return VIRTIO_CRYPTO_ERR;
      complete = decodeLegacyFixed(view, length, request);
    } else {
      if (
        flag !== VIRTIO_CRYPTO_FLAG_SESSION_MODE ||
        !(layout.sessionServices >> service & 1)
      ) return VIRTIO_CRYPTO_ERR;
      complete = decodeV15Fixed(view, length, request);
    }
  }
  return complete ? VIRTIO_CRYPTO_OK : VIRTIO_CRYPTO_ERR;
}
