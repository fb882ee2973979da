/**
 * A data request as the device works on it, whatever its layout.
 *
 * @module
 */

import { VIRTIO_CRYPTO_SERVICE_AEAD } from "./constants.ts";
import { OP_HEADER } from "./data_structures.ts";
import type { OperationParameters } from "./session_parameters.ts";

/** Size of the general header in bytes. */
export const DATA_HEADER_SIZE: number = OP_HEADER.size;

/** The largest header and fixed part of any layout, in bytes: v15, symmetric. */
export const DATA_FIXED_MAX: number = DATA_HEADER_SIZE + 80;

/**
 * One decoded data request. All lengths and offsets are in bytes, as the
 * driver gave them: a decoder reads, and what the values may be is judged
 * later.
 */
export class DataRequest {
  /** VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on. */
  opcode = 0;
  /** VIRTIO_CRYPTO_SERVICE_* number, from the opcode. */
  service = 0;
  /** Whether it names a session; else its keys are in the request. */
  sessionMode = false;
  /** Low half of session_id: the slot. */
  sessionLow = 0;
  /** High half of session_id: the generation. */
  sessionHigh = 0;
  /** VIRTIO_CRYPTO_SYM_OP_*; only in requests of the CIPHER service. */
  opType = 0;

  // The parameters of a session: only where sessionMode is false.
  /** Number of the cipher, hash, MAC or AEAD algorithm. */
  algorithm = 0;
  /** keylen, auth_key_len of the MAC service, or key_len. */
  keyLength = 0;
  /** VIRTIO_CRYPTO_OP_*; 0 for HASH and MAC. */
  op = 0;
  /** VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_* of a chain. */
  chainOrder = 0;
  /** VIRTIO_CRYPTO_SYM_HASH_MODE_* of a chain. */
  hashMode = 0;
  /** Number of a chain's hash or MAC algorithm. */
  hashAlgorithm = 0;
  /** auth_key_len of a chain. */
  authKeyLength = 0;

  /** iv_len. */
  ivLength = 0;
  /** src_data_len. */
  sourceLength = 0;
  /** dst_data_len. */
  destinationLength = 0;
  /** aad_len. */
  aadLength = 0;
  /** hash_result_len. */
  resultLength = 0;
  /** tag_len, or -1 where the layout has none and the session's counts. */
  tagLength = -1;
  /** cipher_start_src_offset of a chain. */
  cipherStart = 0;
  /** len_to_cipher of a chain. */
  cipherLength = 0;
  /** hash_start_src_offset of a chain. */
  hashStart = 0;
  /** len_to_hash of a chain. */
  hashLength = 0;

  /** Bytes of the readable part before its first variable-length field. */
  variableAt = 0;
  /** Whether the readable part must hold just what its lengths name. */
  exact = false;
  /** Whether aad comes before the source, instead of behind it. */
  aadFirst = false;

  /** Forgets the fields of an earlier request. */
  clear(): void {
    this.opcode = 0;
    this.service = 0;
    this.sessionMode = false;
    this.sessionLow = 0;
    this.sessionHigh = 0;
    this.opType = 0;
    this.algorithm = 0;
    this.keyLength = 0;
    this.op = 0;
    this.chainOrder = 0;
    this.hashMode = 0;
    this.hashAlgorithm = 0;
    this.authKeyLength = 0;
    this.ivLength = 0;
    this.sourceLength = 0;
    this.destinationLength = 0;
    this.aadLength = 0;
    this.resultLength = 0;
    this.tagLength = -1;
    this.cipherStart = 0;
    this.cipherLength = 0;
    this.hashStart = 0;
    this.hashLength = 0;
    this.variableAt = 0;
    this.exact = false;
    this.aadFirst = false;
  }
}

/**
 * The parameters that a request without a session brings along.
 *
 * @param request the decoded request
 * @returns what a session would be created from
 */
export function parametersOf(request: DataRequest): OperationParameters {
  return {
    service: request.service,
    opType: request.opType,
    algorithm: request.algorithm,
    op: request.op,
    keyLength: request.keyLength,
    chainOrder: request.chainOrder,
    hashMode: request.hashMode,
    hashAlgorithm: request.hashAlgorithm,
    authKeyLength: request.authKeyLength,
    resultLength: request.service === VIRTIO_CRYPTO_SERVICE_AEAD
      ? request.tagLength
      : request.resultLength,
  };
}
