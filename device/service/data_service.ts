/**
 * What one decoded data request of a session comes down to: its lengths and
 * values judged, and a job for an engine.
 *
 * @module
 */

import { hasSize } from "../engine/algorithm.ts";
import type { Job } from "../engine/engine.ts";
import type { SegmentCursor } from "../memory/segments.ts";
import type { PreparedSession } from "../session/context_cache.ts";
import {
  VIRTIO_CRYPTO_AEAD_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import type { DataRequest } from "../spec/data_request.ts";
import type { Chain } from "../virtqueue/chain.ts";

/** Bytes of struct virtio_crypto_inhdr: the last one of the writable part. */
const STATUS_SIZE = 1;

/** v15, "AEAD Service Operation": "a full 16 bytes needs to be allocated". */
const AEAD_IV_ROOM = 16;

/**
 * Judges a request against its session and its chain, and fills a job.
 * Checked in this order: op_type (NOTSUPP where the device has no such
 * operation, ERR where the session is of another), direction, the lengths
 * against each other, against max_size and against the chain, the values
 * (all ERR).
 *
 * @param request the decoded request
 * @param session its session, of the request's service
 * @param chain where the request lies
 * @param maxSize largest content of a request in bytes
 * @param cursor a cursor over the chain's segments
 * @param job receives the work to do, when the request is good
 * @returns VIRTIO_CRYPTO_OK, or the status the request gets
 */
export function prepareJob(
  request: DataRequest,
  session: PreparedSession,
  chain: Chain,
  maxSize: number,
  cursor: SegmentCursor,
  job: Job,
): number {
  if (request.service === VIRTIO_CRYPTO_SERVICE_CIPHER) {
    if (request.opType !== VIRTIO_CRYPTO_SYM_OP_CIPHER) {
      return VIRTIO_CRYPTO_NOTSUPP;
    }
    if (request.opType !== session.opType) return VIRTIO_CRYPTO_ERR;
  }
  if (!directionFits(request, session)) return VIRTIO_CRYPTO_ERR;

  const { kind } = session;
  const source = request.sourceLength;
  // Sums of at most six fields below 2^32 each are exact: nothing wraps.
  const content = request.ivLength + source + request.aadLength +
    request.destinationLength + request.resultLength;
  if (content > maxSize) return VIRTIO_CRYPTO_ERR;
  let ivRoom = request.ivLength;
  const readable = request.variableAt + ivRoom + source + request.aadLength;
  if (request.exact && chain.readableLength !== readable) {
    ivRoom = AEAD_IV_ROOM;
    if (
      kind.name !== "aes-gcm" ||
      chain.readableLength !== readable - request.ivLength + ivRoom
    ) return VIRTIO_CRYPTO_ERR;
  } else if (chain.readableLength < readable) {
    return VIRTIO_CRYPTO_ERR;
  }
  if (
    chain.writableLength <
      request.destinationLength + request.resultLength + STATUS_SIZE
  ) return VIRTIO_CRYPTO_ERR;

  if (
    !hasSize(kind.iv, request.ivLength) || source < kind.minimum ||
    source % kind.block !== 0
  ) return VIRTIO_CRYPTO_ERR;
  let resultLength = 0;
  let written: number;
  let room = request.destinationLength;
  switch (request.service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      written = source;
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
    case VIRTIO_CRYPTO_SERVICE_MAC:
      resultLength = request.resultLength;
      if (!hasSize(kind.result, resultLength)) return VIRTIO_CRYPTO_ERR;
      written = resultLength;
      room = resultLength;
      break;
    default:
      resultLength = request.tagLength < 0
        ? session.resultLength
        : request.tagLength;
      if (!hasSize(kind.result, resultLength)) return VIRTIO_CRYPTO_ERR;
      written = request.opcode === VIRTIO_CRYPTO_AEAD_DECRYPT
        ? source - resultLength
        : source + resultLength;
      if (written < 0) return VIRTIO_CRYPTO_ERR;
  }
  if (room < written) return VIRTIO_CRYPTO_ERR;

  job.context = session.context;
  job.ivLength = request.ivLength;
  job.resultLength = resultLength;
  cursor.seek(chain.readableFirst);
  cursor.skip(request.variableAt);
  cursor.read(job.iv, 0, request.ivLength);
  cursor.skip(ivRoom - request.ivLength);
  cursor.take(job.source, source);
  cursor.take(job.aad, request.aadLength);
  cursor.seek(chain.writableFirst);
  cursor.take(job.destination, written);
  return VIRTIO_CRYPTO_OK;
}

/** Whether the opcode runs the way the session was made for. */
function directionFits(
  request: DataRequest,
  session: PreparedSession,
): boolean {
  switch (request.service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
    case VIRTIO_CRYPTO_SERVICE_AEAD: {
      const decrypts = request.opcode === VIRTIO_CRYPTO_CIPHER_DECRYPT ||
        request.opcode === VIRTIO_CRYPTO_AEAD_DECRYPT;
      return decrypts === (session.op === VIRTIO_CRYPTO_OP_DECRYPT);
    }
    default:
      return true;
  }
}
