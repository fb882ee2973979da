/**
 * Why the lengths and values of a data request are not legal, in words. What
 * the device itself does with them is in service/data_service.ts and
 * service/chain_service.ts; a test holds the two together.
 *
 * @module
 */

import { type Algorithm, hasSize } from "../engine/algorithm.ts";
import {
  VIRTIO_CRYPTO_AEAD_DECRYPT,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_SERVICE_AEAD,
} from "../spec/constants.ts";
import type { DataRequest } from "../spec/data_request.ts";
import { type Problem, sizesText } from "./problem.ts";

/** What is known of the operation a request asks for. */
export interface KnownOperation {
  /** The algorithm; a chain's cipher. */
  readonly algorithm: Algorithm;
  /** A chain's hash or MAC. */
  readonly hash: Algorithm | undefined;
  /** tag_len of the session, where the request has none. */
  readonly resultLength: number;
}

/** Where a request lies. Sizes are in bytes. */
export interface Room {
  /** Bytes of the readable part. */
  readonly readable: number;
  /** Bytes of the writable part; undefined where that is not known. */
  readonly writable: number | undefined;
  /** Largest content of a request. */
  readonly maxSize: number;
}

/** Bytes of an AEAD iv field in its full form. */
const FULL_IV = 16;

/**
 * Bytes of the readable part that the lengths of a request name.
 *
 * @param request the request
 * @returns the sum, fixed part and header included
 */
export function namedLength(request: DataRequest): number {
  return request.variableAt + request.keyLength + request.authKeyLength +
    request.ivLength + request.sourceLength + request.aadLength;
}

/**
 * Bytes that the iv takes: iv_len, or 16 where GCM or CCM came in the full
 * form (v15, "AEAD Service Operation").
 *
 * @param request the request
 * @param algorithm its algorithm, where that is known
 * @param readable bytes of the readable part
 * @returns bytes
 */
export function ivField(
  request: DataRequest,
  algorithm: Algorithm | undefined,
  readable: number,
): number {
  const { ivLength } = request;
  const may = algorithm === undefined
    ? request.service === VIRTIO_CRYPTO_SERVICE_AEAD
    : algorithm.name === "aes-gcm" || algorithm.name === "aes-ccm";
  return may && readable === namedLength(request) - ivLength + FULL_IV
    ? FULL_IV
    : ivLength;
}

function err(field: string, text: string): Problem {
  return { status: VIRTIO_CRYPTO_ERR, field, text };
}

/**
 * What is wrong with lengths and values.
 *
 * @param request the decoded request
 * @param operation what it asks for, where that is known
 * @param room where it lies
 * @returns nothing where all are legal
 */
export function* jobProblems(
  request: DataRequest,
  operation: KnownOperation | undefined,
  room: Room,
): Generator<Problem> {
  // All of it gets ERR: what other things may come from is told first.
  if (operation !== undefined) yield* ivProblem(request, operation.algorithm);
  yield* lengthProblems(request, operation?.algorithm, room);
  if (operation === undefined) return;
  const { algorithm, hash } = operation;
  if (hash !== undefined) yield* chainProblems(request, algorithm, hash);
  else yield* plainProblems(request, operation);
}

function* ivProblem(
  { ivLength }: DataRequest,
  algorithm: Algorithm,
): Generator<Problem> {
  if (algorithm.kind !== "mac" && !hasSize(algorithm.iv, ivLength)) {
    yield err(
      "iv_len",
      algorithm.iv.max === 0
        ? `iv_len is ${ivLength}: ${algorithm.name} has no iv`
        : `iv_len is ${ivLength}: the iv of ${algorithm.name} has ${
          sizesText(algorithm.iv)
        } bytes`,
    );
  }
}

function* lengthProblems(
  request: DataRequest,
  algorithm: Algorithm | undefined,
  { readable, writable, maxSize }: Room,
): Generator<Problem> {
  const named = namedLength(request);
  const result = request.destinationLength + request.resultLength;
  const content = named - request.variableAt + result;
  if (content > maxSize) {
    yield err(
      "max_size",
      `The lengths sum up to ${content} bytes, more than max_size ${maxSize}`,
    );
  }
  if (writable !== undefined && writable < result + 1) {
    yield err(
      "writable part",
      `The writable part has ${writable} bytes: dst_data_len ${request.destinationLength}, hash_result_len ${request.resultLength} and the status take ${
        result + 1
      }`,
    );
  }
  if (!request.exact) {
    if (readable < named) {
      yield err(
        "readable part",
        `The readable part has ${readable} bytes, and its lengths name ${named}`,
      );
    }
    return;
  }
  const field = ivField(request, algorithm, readable);
  if (readable !== named - request.ivLength + field) {
    yield err(
      "readable part",
      `The readable part has ${readable} bytes, and its lengths name exactly ${named}${
        field === request.ivLength ? otherForm(readable, request) : ""
      }`,
    );
  }
}

/** What a length may come from that is none. */
function otherForm(readable: number, request: DataRequest): string {
  const without = namedLength(request) - request.keyLength -
    request.authKeyLength;
  return readable === without && without !== namedLength(request)
    ? ": the keys are missing"
    : "";
}

function* plainProblems(
  request: DataRequest,
  operation: KnownOperation,
): Generator<Problem> {
  const { algorithm } = operation;
  const { name, kind } = algorithm;
  const before = kind === "mac" ? algorithm.iv.min : 0;
  const source = request.sourceLength - before;
  if (source < algorithm.minimum) {
    yield err(
      "src_data_len",
      `src_data_len is ${request.sourceLength}: ${name} needs ${
        before + algorithm.minimum
      } bytes at least${before > 0 ? `, ${before} of them its iv` : ""}`,
    );
  } else if (source % algorithm.block !== 0) {
    yield err(
      "src_data_len",
      `src_data_len is ${request.sourceLength}: ${name} takes whole blocks of ${algorithm.block} bytes`,
    );
  }
  if (kind === "cipher") return yield* destinationProblem(request, source);
  const { tagLength } = request;
  const result = kind !== "aead"
    ? request.resultLength
    : tagLength < 0
    ? operation.resultLength
    : tagLength;
  if (!hasSize(algorithm.result, result)) {
    const field = kind === "aead" ? "tag_len" : "hash_result_len";
    yield err(
      field,
      `${field} is ${result}: ${name} gives ${
        sizesText(algorithm.result)
      } bytes`,
    );
  } else if (kind === "aead") {
    yield* aeadProblems(request, algorithm, result);
  }
}

function* aeadProblems(
  request: DataRequest,
  algorithm: Algorithm,
  tag: number,
): Generator<Problem> {
  const decrypts = request.opcode === VIRTIO_CRYPTO_AEAD_DECRYPT;
  const source = request.sourceLength;
  if (decrypts && source < tag) {
    return yield err(
      "src_data_len",
      `src_data_len is ${source}: it covers the tag too, which has ${tag} bytes`,
    );
  }
  yield* destinationProblem(request, decrypts ? source - tag : source + tag);
  const length = decrypts ? source - tag : source;
  const { ivLength } = request;
  // SP 800-38C, A.1: the length has to fit into what the nonce leaves.
  if (
    algorithm.name === "aes-ccm" && hasSize(algorithm.iv, ivLength) &&
    length >= 256 ** (15 - ivLength)
  ) {
    yield err(
      "src_data_len",
      `src_data_len is ${source}: with a nonce of ${ivLength} bytes a message of aes-ccm has less than ${
        256 ** (15 - ivLength)
      }`,
    );
  }
}

function* destinationProblem(
  request: DataRequest,
  needed: number,
): Generator<Problem> {
  if (request.destinationLength >= needed) return;
  yield err(
    "dst_data_len",
    `dst_data_len is ${request.destinationLength}: the result has ${needed} bytes`,
  );
}

function* chainProblems(
  request: DataRequest,
  cipher: Algorithm,
  hash: Algorithm,
): Generator<Problem> {
  const { sourceLength, cipherStart, cipherLength, aadLength } = request;
  const { hashStart, hashLength } = request;
  if (cipherStart + cipherLength > sourceLength) {
    yield err(
      "len_to_cipher",
      `cipher_start_src_offset ${cipherStart} and len_to_cipher ${cipherLength} leave the source of ${sourceLength} bytes`,
    );
  }
  if (hashStart + hashLength > sourceLength) {
    yield err(
      "len_to_hash",
      `hash_start_src_offset ${hashStart} and len_to_hash ${hashLength} leave the source of ${sourceLength} bytes`,
    );
  }
  if (cipherLength < cipher.minimum) {
    yield err(
      "len_to_cipher",
      `len_to_cipher is ${cipherLength}: ${cipher.name} needs ${cipher.minimum} bytes at least`,
    );
  } else if (cipherLength % cipher.block !== 0) {
    yield err(
      "len_to_cipher",
      `len_to_cipher is ${cipherLength}: ${cipher.name} takes whole blocks of ${cipher.block} bytes`,
    );
  }
  if (!hasSize(hash.result, request.resultLength)) {
    yield err(
      "hash_result_len",
      `hash_result_len is ${request.resultLength}: ${hash.name} gives ${
        sizesText(hash.result)
      } bytes`,
    );
  }
  const ivFromAad = hash.kind === "mac" && hash.iv.max > 0;
  if (ivFromAad && !hasSize(hash.iv, aadLength)) {
    yield err(
      "aad_len",
      `aad_len is ${aadLength}: in a chain the aad is the iv of ${hash.name}, which has ${
        sizesText(hash.iv)
      } bytes`,
    );
  }
  const hashed = ivFromAad ? hashLength : aadLength + hashLength;
  if (hashed < hash.minimum) {
    yield err(
      "len_to_hash",
      `${hashed} bytes are to be hashed: ${hash.name} needs ${hash.minimum} at least`,
    );
  } else if (hashed % hash.block !== 0) {
    yield err(
      "len_to_hash",
      `${hashed} bytes are to be hashed: ${hash.name} takes whole blocks of ${hash.block}`,
    );
  }
  yield* destinationProblem(request, sourceLength);
}
