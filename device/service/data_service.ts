/**
 * What one decoded data request comes down to: its lengths and values judged,
 * and a job for an engine.
 *
 * @module
 */

import { type Algorithm, hasSize } from "../engine/algorithm.ts";
import type { Job } from "../engine/engine.ts";
import type { SegmentCursor } from "../memory/segments.ts";
import {
  VIRTIO_CRYPTO_AEAD_DECRYPT,
  VIRTIO_CRYPTO_AEAD_ENCRYPT,
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_ENCRYPT,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
} from "../spec/constants.ts";
import type { DataRequest } from "../spec/data_request.ts";
import type { Chain } from "../virtqueue/chain.ts";
import { chainFits, fillChain } from "./chain_service.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const AEAD_DECRYPT = VIRTIO_CRYPTO_AEAD_DECRYPT;
const AEAD_ENCRYPT = VIRTIO_CRYPTO_AEAD_ENCRYPT;
const CIPHER_DECRYPT = VIRTIO_CRYPTO_CIPHER_DECRYPT;
const CIPHER_ENCRYPT = VIRTIO_CRYPTO_CIPHER_ENCRYPT;
const ERR = VIRTIO_CRYPTO_ERR;
const OK = VIRTIO_CRYPTO_OK;
const OP_DECRYPT = VIRTIO_CRYPTO_OP_DECRYPT;
const OP_ENCRYPT = VIRTIO_CRYPTO_OP_ENCRYPT;

/** Bytes of struct virtio_crypto_inhdr: the last one of the writable part. */
const STATUS_SIZE = 1;

/** v15, "AEAD Service Operation": "a full 16 bytes needs to be allocated". */
const AEAD_IV_ROOM = 16;

/** What a request asks to be done, whether a session says so or it does itself. */
export interface Operation {
  /** The algorithm; a chain's cipher. */
  readonly algorithm: Algorithm;
  /** A chain's hash or MAC. */
  readonly hash: Algorithm | undefined;
  /** tag_len of the session, where the request has none. */
  readonly resultLength: number;
}

/**
 * Whether the opcode runs the way the operation does. The rule holds for every
 * algorithm, also where both directions compute the same.
 *
 * @param opcode the request's opcode
 * @param op VIRTIO_CRYPTO_OP_* of the operation
 * @returns true when it does; always for HASH and MAC, which have no direction
 */
export function directionFits(opcode: number, op: number): boolean {
  switch (opcode) {
    case CIPHER_ENCRYPT:
    case AEAD_ENCRYPT:
      return op === OP_ENCRYPT;
    case CIPHER_DECRYPT:
    case AEAD_DECRYPT:
      return op === OP_DECRYPT;
    default:
      return true;
  }
}

/**
 * Judges the lengths and values of a request, and fills a job. Checked: the
 * lengths against max_size and against the chain, then iv, source, result and
 * ranges against the algorithm, then the room for the result. Whatever fails
 * gives ERR.
 *
 * @param request the decoded request, whose direction fits
 * @param operation what it asks to be done
 * @param chain where the request lies
 * @param maxSize largest content of a request in bytes
 * @param cursor a cursor over the chain's segments
 * @param job receives the work to do, when the request is good
 * @returns VIRTIO_CRYPTO_OK or VIRTIO_CRYPTO_ERR
 */
export function prepareJob(
  request: DataRequest,
  operation: Operation,
  chain: Chain,
  maxSize: number,
  cursor: SegmentCursor,
  job: Job,
): number {
  const { algorithm, hash } = operation;
  const ivRoom = ivRoomOf(request, algorithm, chain, maxSize);
  if (ivRoom < 0) return ERR;
  if (!hasSize(algorithm.iv, request.ivLength) && algorithm.kind !== "mac") {
    return ERR;
  }
  const resultLength = resultLengthOf(request, operation);
  const written = hash === undefined
    ? writtenBy(request, algorithm, resultLength)
    : chainFits(request, algorithm, hash)
    ? request.sourceLength
    : -1;
  const room = algorithm.kind === "hash" || algorithm.kind === "mac"
    ? resultLength
    : request.destinationLength;
  if (written < 0 || written > room) return ERR;

  job.resultLength = resultLength;
  if (
    algorithm.kind === "cipher" && hash === undefined &&
    fillStraight(request, chain, written, cursor, job)
  ) return OK;
  cursor.seek(chain.readableFirst);
  cursor.skip(request.variableAt + request.keyLength + request.authKeyLength);
  fillIv(request, algorithm, ivRoom, cursor, job);
  if (request.aadFirst) cursor.take(job.aad, request.aadLength);
  cursor.take(job.source, request.sourceLength - sourceIv(algorithm));
  if (!request.aadFirst) cursor.take(job.aad, request.aadLength);
  cursor.seek(chain.writableFirst);
  cursor.take(job.destination, written);
  if (hash !== undefined) fillChain(request, hash, chain, cursor, job);
  return OK;
}

/**
 * Fills the job of a cipher whose iv and source are segments of their own, and
 * whose destination starts the writable part, as drivers have it: then no field
 * needs to be searched for.
 *
 * @returns false where the chain is cut otherwise
 */
function fillStraight(
  request: DataRequest,
  chain: Chain,
  written: number,
  cursor: SegmentCursor,
  job: Job,
): boolean {
  const { length } = cursor.table;
  const { readableFirst, writableFirst } = chain;
  const { ivLength, sourceLength } = request;
  if (
    writableFirst - readableFirst !== 3 ||
    length[readableFirst] !== request.variableAt + request.keyLength ||
    length[readableFirst + 1] !== ivLength ||
    length[readableFirst + 2] !== sourceLength ||
    sourceLength === 0
  ) return false;
  job.ivLength = ivLength;
  cursor.seek(readableFirst + 1);
  cursor.readWords(job.ivWords, job.iv, ivLength);
  job.source.open(readableFirst + 2, sourceLength);
  job.aad.open(writableFirst, 0);
  job.destination.open(writableFirst, written);
  return true;
}

/** hash_result_len or tag_len: the request's own, else the session's. */
function resultLengthOf(request: DataRequest, operation: Operation): number {
  if (operation.algorithm.kind !== "aead") return request.resultLength;
  return request.tagLength < 0 ? operation.resultLength : request.tagLength;
}

/**
 * Judges the lengths of a request against max_size and its chain.
 *
 * @returns bytes that the iv takes in the readable part, or -1
 */
function ivRoomOf(
  request: DataRequest,
  algorithm: Algorithm,
  chain: Chain,
  maxSize: number,
): number {
  const { ivLength } = request;
  const given = request.keyLength + request.authKeyLength + ivLength +
    request.sourceLength + request.aadLength;
  // At most seven fields below 2^32 each: the sums are exact, nothing wraps.
  const result = request.destinationLength + request.resultLength;
  if (given + result > maxSize) return -1;
  if (chain.writableLength < result + STATUS_SIZE) return -1;
  const readable = request.variableAt + given;
  if (!request.exact) return chain.readableLength < readable ? -1 : ivLength;
  if (chain.readableLength === readable) return ivLength;
  return paddedIvAt(algorithm) >= 0 &&
      chain.readableLength === readable - ivLength + AEAD_IV_ROOM
    ? AEAD_IV_ROOM
    : -1;
}

/**
 * Where the iv starts in an iv field of 16 bytes: v15, "AEAD Service
 * Operation", "the nonce should be written starting at &iv[1]" for CCM.
 *
 * @returns bytes before it, or -1 where there is no such form
 */
function paddedIvAt(algorithm: Algorithm): number {
  switch (algorithm.name) {
    case "aes-gcm":
      return 0;
    case "aes-ccm":
      return 1;
    default:
      return -1;
  }
}

/** A MAC request has no iv field: bytes at the source's start that are it. */
function sourceIv(algorithm: Algorithm): number {
  return algorithm.kind === "mac" ? algorithm.iv.min : 0;
}

/**
 * Judges source and result of anything but a chain.
 *
 * @returns bytes that will be written, or -1
 */
function writtenBy(
  request: DataRequest,
  algorithm: Algorithm,
  resultLength: number,
): number {
  const source = request.sourceLength - sourceIv(algorithm);
  const { block } = algorithm;
  if (
    source < algorithm.minimum || (block !== 1 && source % block !== 0)
  ) return -1;
  if (algorithm.kind === "cipher") return source;
  if (!hasSize(algorithm.result, resultLength)) return -1;
  if (algorithm.kind !== "aead") return resultLength;
  return request.opcode === AEAD_DECRYPT
    ? source - resultLength
    : source + resultLength;
}

/** Reads the iv, from its field or from the source's start. */
function fillIv(
  request: DataRequest,
  algorithm: Algorithm,
  ivRoom: number,
  cursor: SegmentCursor,
  job: Job,
): void {
  if (algorithm.kind === "mac") {
    job.ivLength = sourceIv(algorithm);
    cursor.readWords(job.ivWords, job.iv, job.ivLength);
    return;
  }
  const { ivLength } = request;
  const before = ivRoom === ivLength ? 0 : paddedIvAt(algorithm);
  job.ivLength = ivLength;
  cursor.skip(before);
  cursor.readWords(job.ivWords, job.iv, ivLength);
  cursor.skip(ivRoom - ivLength - before);
}
