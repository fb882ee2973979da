/**
 * The decoding of data requests: header, mode, layout, fixed part.
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
  VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_HASH,
  VIRTIO_CRYPTO_MAC,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
} from "./constants.ts";
import { DATA_HEADER_SIZE, type DataRequest } from "./data_request.ts";
import { decodeSessionPart } from "./data_session_part.ts";
import { decodeStatelessPart } from "./data_stateless_part.ts";
import { OP_HEADER } from "./data_structures.ts";
import type { RequestLayout } from "./request_layout.ts";

const OPCODE = OP_HEADER.at.opcode;
const SESSION_ID_LOW = OP_HEADER.at.session_id;
const SESSION_ID_HIGH = OP_HEADER.at.session_id + 4;
const FLAG = OP_HEADER.at.flag;

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
 * (else NOTSUPP); `flag` is one the negotiation allows (else ERR, or NOTSUPP
 * for a mode of revision 1 that was not negotiated); the fixed part is
 * complete (else ERR).
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
  layout: RequestLayout,
  request: DataRequest,
): number {
  request.clear();
  if (length < DATA_HEADER_SIZE) return VIRTIO_CRYPTO_ERR;
  const opcode = view.getUint32(OPCODE, true);
  const service = serviceOf(opcode);
  if (!isDataOpcode(opcode) || !(layout.services >> service & 1)) {
    return VIRTIO_CRYPTO_NOTSUPP;
  }
  request.opcode = opcode;
  request.service = service;
  request.sessionLow = view.getUint32(SESSION_ID_LOW, true);
  request.sessionHigh = view.getUint32(SESSION_ID_HIGH, true);
  const flag = view.getUint32(FLAG, true);
  switch (layout.kind) {
    case "legacy":
      return complete(decodeSessionPart(view, length, true, request));
    case "revision1":
      return decodeRevision1(view, length, flag, layout, request);
    case "v15":
      return decodeV15(view, length, flag, layout, request);
  }
}

function complete(done: boolean): number {
  return done ? VIRTIO_CRYPTO_OK : VIRTIO_CRYPTO_ERR;
}

/** v15, "Device Operation": `flag` says which mode, and must say it. */
function decodeV15(
  view: DataView,
  length: number,
  flag: number,
  layout: RequestLayout,
  request: DataRequest,
): number {
  if (flag === VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE) {
    return complete(decodeStatelessPart(view, length, false, false, request));
  }
  if (layout.modeServices === 0) {
    // A driver that negotiated no mode is a legacy one; those leave flag 0.
    return flag > VIRTIO_CRYPTO_FLAG_SESSION_MODE
      ? VIRTIO_CRYPTO_ERR
      : complete(decodeSessionPart(view, length, true, request));
  }
  if (
    flag !== VIRTIO_CRYPTO_FLAG_SESSION_MODE ||
    !(layout.modeServices >> request.service & 1)
  ) return VIRTIO_CRYPTO_ERR;
  return complete(decodeStatelessPart(view, length, false, true, request));
}

/** virtio 1.4, 5.9.7.6: only the bit VIRTIO_CRYPTO_FLAG_SESSION_MODE counts. */
function decodeRevision1(
  view: DataView,
  length: number,
  flag: number,
  layout: RequestLayout,
  request: DataRequest,
): number {
  const sessionMode = (flag & VIRTIO_CRYPTO_FLAG_SESSION_MODE) !== 0;
  if (layout.modeServices >> request.service & 1) {
    return complete(
      decodeStatelessPart(view, length, true, sessionMode, request),
    );
  }
  return sessionMode
    ? complete(decodeSessionPart(view, length, false, request))
    : VIRTIO_CRYPTO_NOTSUPP;
}
