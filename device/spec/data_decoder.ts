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

// Imported constants are cells to the compiler, a module's own are numbers.
const AEAD_DECRYPT = VIRTIO_CRYPTO_AEAD_DECRYPT;
const AEAD_ENCRYPT = VIRTIO_CRYPTO_AEAD_ENCRYPT;
const CIPHER_DECRYPT = VIRTIO_CRYPTO_CIPHER_DECRYPT;
const CIPHER_ENCRYPT = VIRTIO_CRYPTO_CIPHER_ENCRYPT;
const HASH = VIRTIO_CRYPTO_HASH;
const MAC = VIRTIO_CRYPTO_MAC;
const ERR = VIRTIO_CRYPTO_ERR;
const NOTSUPP = VIRTIO_CRYPTO_NOTSUPP;
const OK = VIRTIO_CRYPTO_OK;
const NONE_SESSION_MODE = VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE;
const SESSION_MODE = VIRTIO_CRYPTO_FLAG_SESSION_MODE;
const HEADER_SIZE = DATA_HEADER_SIZE;

// Indices of 32-bit words.
const OPCODE = OP_HEADER.at.opcode / 4;
const SESSION_ID_LOW = OP_HEADER.at.session_id / 4;
const SESSION_ID_HIGH = SESSION_ID_LOW + 1;
const FLAG = OP_HEADER.at.flag / 4;

function isDataOpcode(opcode: number): boolean {
  switch (opcode) {
    case CIPHER_ENCRYPT:
    case CIPHER_DECRYPT:
    case HASH:
    case MAC:
    case AEAD_ENCRYPT:
    case AEAD_DECRYPT:
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
 * Each field is read once, so the words may be the guest's own.
 *
 * @param words memory that holds the first bytes of the readable part
 * @param at index of their first word
 * @param length how many of these bytes there are, at most DATA_FIXED_MAX
 * @param layout what was negotiated
 * @param request receives the fields
 * @returns VIRTIO_CRYPTO_OK, or the status the request gets
 */
export function decodeDataRequest(
  words: Uint32Array,
  at: number,
  length: number,
  layout: RequestLayout,
  request: DataRequest,
): number {
  request.clear();
  if (length < HEADER_SIZE) return ERR;
  const opcode = words[at + OPCODE]!;
  const service = serviceOf(opcode);
  if (!isDataOpcode(opcode) || !(layout.services >> service & 1)) {
    return NOTSUPP;
  }
  request.opcode = opcode;
  request.service = service;
  request.sessionLow = words[at + SESSION_ID_LOW]!;
  request.sessionHigh = words[at + SESSION_ID_HIGH]!;
  const flag = words[at + FLAG]!;
  switch (layout.kind) {
    case "legacy":
      return complete(decodeSessionPart(words, at, length, true, request));
    case "revision1":
      return decodeRevision1(words, at, length, flag, layout, request);
    case "v15":
      return decodeV15(words, at, length, flag, layout, request);
  }
}

function complete(done: boolean): number {
  return done ? OK : ERR;
}

/** v15, "Device Operation": `flag` says which mode, and must say it. */
function decodeV15(
  words: Uint32Array,
  at: number,
  length: number,
  flag: number,
  layout: RequestLayout,
  request: DataRequest,
): number {
  if (flag === NONE_SESSION_MODE) {
    return complete(
      decodeStatelessPart(words, at, length, false, false, request),
    );
  }
  if (layout.modeServices === 0) {
    // A driver that negotiated no mode is a legacy one; those leave flag 0.
    return flag > SESSION_MODE
      ? ERR
      : complete(decodeSessionPart(words, at, length, true, request));
  }
  if (
    flag !== SESSION_MODE ||
    !(layout.modeServices >> request.service & 1)
  ) return ERR;
  return complete(decodeStatelessPart(words, at, length, false, true, request));
}

/** virtio 1.4, 5.9.7.6: only the bit VIRTIO_CRYPTO_FLAG_SESSION_MODE counts. */
function decodeRevision1(
  words: Uint32Array,
  at: number,
  length: number,
  flag: number,
  layout: RequestLayout,
  request: DataRequest,
): number {
  const sessionMode = (flag & SESSION_MODE) !== 0;
  if (layout.modeServices >> request.service & 1) {
    return complete(
      decodeStatelessPart(words, at, length, true, sessionMode, request),
    );
  }
  return sessionMode
    ? complete(decodeSessionPart(words, at, length, false, request))
    : NOTSUPP;
}
