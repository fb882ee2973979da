/**
 * The fixed part of a data request with the parameters of a session inside
 * (`sess_para`): v15 in both of its modes, and virtio 1.4 for a service whose
 * stateless bit was negotiated. They differ in the padding behind op_type, and
 * in where a chain's aad is.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "./constants.ts";
import type { DataRequest } from "./data_request.ts";
import {
  AEAD_PARA_STATELESS,
  CHAIN_PARA_STATELESS,
  CIPHER_PARA_STATELESS,
  HASH_PARA_STATELESS,
  MAC_PARA_STATELESS,
  OP_HEADER,
  SYM_TAIL,
  SYM_TAIL_UNPADDED,
} from "./data_structures.ts";

const AT = OP_HEADER.size;

const OTHER_SIZES = [
  HASH_PARA_STATELESS.size,
  MAC_PARA_STATELESS.size,
  AEAD_PARA_STATELESS.size,
];
/** Sizes by service in v15. */
const V15_SIZES: readonly number[] = [
  CIPHER_PARA_STATELESS.size + SYM_TAIL.size,
  ...OTHER_SIZES,
];
/** Sizes by service in virtio 1.4. */
const REVISION_1_SIZES: readonly number[] = [
  CIPHER_PARA_STATELESS.size + SYM_TAIL_UNPADDED.size,
  ...OTHER_SIZES,
];

const CIPHER_ALGO = (AT + CIPHER_PARA_STATELESS.at["sess_para.algo"]) / 4;
const CIPHER_KEYLEN = (AT + CIPHER_PARA_STATELESS.at["sess_para.keylen"]) / 4;
const CIPHER_OP = (AT + CIPHER_PARA_STATELESS.at["sess_para.op"]) / 4;
const CIPHER_IV_LEN = (AT + CIPHER_PARA_STATELESS.at.iv_len) / 4;
const CIPHER_SRC_DATA_LEN = (AT + CIPHER_PARA_STATELESS.at.src_data_len) / 4;
const CIPHER_DST_DATA_LEN = (AT + CIPHER_PARA_STATELESS.at.dst_data_len) / 4;

const CHAIN = CHAIN_PARA_STATELESS.at;
const CHAIN_ORDER = (AT + CHAIN["sess_para.alg_chain_order"]) / 4;
const CHAIN_CIPHER_ALGO = (AT + CHAIN["sess_para.cipher.algo"]) / 4;
const CHAIN_CIPHER_KEYLEN = (AT + CHAIN["sess_para.cipher.keylen"]) / 4;
const CHAIN_CIPHER_OP = (AT + CHAIN["sess_para.cipher.op"]) / 4;
const CHAIN_HASH_ALGO = (AT + CHAIN["sess_para.hash.algo"]) / 4;
const CHAIN_AUTH_KEY_LEN = (AT + CHAIN["sess_para.hash.auth_key_len"]) / 4;
const CHAIN_HASH_MODE = (AT + CHAIN["sess_para.hash.hash_mode"]) / 4;
const CHAIN_IV_LEN = (AT + CHAIN.iv_len) / 4;
const CHAIN_SRC_DATA_LEN = (AT + CHAIN.src_data_len) / 4;
const CHAIN_DST_DATA_LEN = (AT + CHAIN.dst_data_len) / 4;
const CHAIN_CIPHER_START = (AT + CHAIN.cipher_start_src_offset) / 4;
const CHAIN_LEN_TO_CIPHER = (AT + CHAIN.len_to_cipher) / 4;
const CHAIN_HASH_START = (AT + CHAIN.hash_start_src_offset) / 4;
const CHAIN_LEN_TO_HASH = (AT + CHAIN.len_to_hash) / 4;
const CHAIN_AAD_LEN = (AT + CHAIN.aad_len) / 4;
const CHAIN_HASH_RESULT_LEN = (AT + CHAIN.hash_result_len) / 4;

const SYM_OP_TYPE = (AT + CIPHER_PARA_STATELESS.size + SYM_TAIL.at.op_type) / 4;

const HASH_ALGO = (AT + HASH_PARA_STATELESS.at["sess_para.algo"]) / 4;
const HASH_SRC_DATA_LEN = (AT + HASH_PARA_STATELESS.at.src_data_len) / 4;
const HASH_RESULT_LEN = (AT + HASH_PARA_STATELESS.at.hash_result_len) / 4;

const MAC_ALGO = (AT + MAC_PARA_STATELESS.at["sess_para.algo"]) / 4;
const MAC_AUTH_KEY_LEN =
  (AT + MAC_PARA_STATELESS.at["sess_para.auth_key_len"]) / 4;
const MAC_SRC_DATA_LEN = (AT + MAC_PARA_STATELESS.at.src_data_len) / 4;
const MAC_RESULT_LEN = (AT + MAC_PARA_STATELESS.at.hash_result_len) / 4;

const AEAD = AEAD_PARA_STATELESS.at;
const AEAD_ALGO = (AT + AEAD["sess_para.algo"]) / 4;
const AEAD_KEY_LEN = (AT + AEAD["sess_para.key_len"]) / 4;
const AEAD_OP = (AT + AEAD["sess_para.op"]) / 4;
const AEAD_IV_LEN = (AT + AEAD.iv_len) / 4;
const AEAD_TAG_LEN = (AT + AEAD.tag_len) / 4;
const AEAD_AAD_LEN = (AT + AEAD.aad_len) / 4;
const AEAD_SRC_DATA_LEN = (AT + AEAD.src_data_len) / 4;
const AEAD_DST_DATA_LEN = (AT + AEAD.dst_data_len) / 4;

/**
 * Reads the fixed part of a request whose header was read. In session mode
 * `sess_para` is not looked at.
 *
 * @param words memory that holds header and fixed part
 * @param at index of the header's first word
 * @param length bytes of the readable part from there on
 * @param revision1 whether it is virtio 1.4's; else v15's
 * @param sessionMode whether the request names a session
 * @param request receives the fields; its service is set
 * @returns false when the fixed part is incomplete
 */
export function decodeStatelessPart(
  words: Uint32Array,
  at: number,
  length: number,
  revision1: boolean,
  sessionMode: boolean,
  request: DataRequest,
): boolean {
  const size = (revision1 ? REVISION_1_SIZES : V15_SIZES)[request.service]!;
  if (length < AT + size) return false;
  request.sessionMode = sessionMode;
  request.variableAt = AT + size;
  request.exact = true;
  switch (request.service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      request.opType = words[at + SYM_OP_TYPE]!;
      if (request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER) {
        decodeCipher(words, at, request);
      } else if (request.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
        decodeChain(words, at, request);
        request.aadFirst = revision1;
      }
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      request.sourceLength = words[at + HASH_SRC_DATA_LEN]!;
      request.resultLength = words[at + HASH_RESULT_LEN]!;
      if (!sessionMode) request.algorithm = words[at + HASH_ALGO]!;
      break;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      decodeAead(words, at, request);
      break;
    default:
      request.sourceLength = words[at + MAC_SRC_DATA_LEN]!;
      request.resultLength = words[at + MAC_RESULT_LEN]!;
      if (!sessionMode) {
        request.algorithm = words[at + MAC_ALGO]!;
        request.keyLength = words[at + MAC_AUTH_KEY_LEN]!;
      }
  }
  return true;
}

function decodeCipher(
  words: Uint32Array,
  at: number,
  request: DataRequest,
): void {
  request.ivLength = words[at + CIPHER_IV_LEN]!;
  request.sourceLength = words[at + CIPHER_SRC_DATA_LEN]!;
  request.destinationLength = words[at + CIPHER_DST_DATA_LEN]!;
  if (request.sessionMode) return;
  request.algorithm = words[at + CIPHER_ALGO]!;
  request.keyLength = words[at + CIPHER_KEYLEN]!;
  request.op = words[at + CIPHER_OP]!;
}

function decodeChain(
  words: Uint32Array,
  at: number,
  request: DataRequest,
): void {
  request.ivLength = words[at + CHAIN_IV_LEN]!;
  request.sourceLength = words[at + CHAIN_SRC_DATA_LEN]!;
  request.destinationLength = words[at + CHAIN_DST_DATA_LEN]!;
  request.cipherStart = words[at + CHAIN_CIPHER_START]!;
  request.cipherLength = words[at + CHAIN_LEN_TO_CIPHER]!;
  request.hashStart = words[at + CHAIN_HASH_START]!;
  request.hashLength = words[at + CHAIN_LEN_TO_HASH]!;
  request.aadLength = words[at + CHAIN_AAD_LEN]!;
  request.resultLength = words[at + CHAIN_HASH_RESULT_LEN]!;
  if (request.sessionMode) return;
  request.chainOrder = words[at + CHAIN_ORDER]!;
  request.algorithm = words[at + CHAIN_CIPHER_ALGO]!;
  request.keyLength = words[at + CHAIN_CIPHER_KEYLEN]!;
  request.op = words[at + CHAIN_CIPHER_OP]!;
  request.hashAlgorithm = words[at + CHAIN_HASH_ALGO]!;
  request.hashMode = words[at + CHAIN_HASH_MODE]!;
  // A plain hash has no key, whatever the field holds.
  if (request.hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH) {
    request.authKeyLength = words[at + CHAIN_AUTH_KEY_LEN]!;
  }
}

function decodeAead(
  words: Uint32Array,
  at: number,
  request: DataRequest,
): void {
  request.ivLength = words[at + AEAD_IV_LEN]!;
  request.tagLength = words[at + AEAD_TAG_LEN]!;
  request.aadLength = words[at + AEAD_AAD_LEN]!;
  request.sourceLength = words[at + AEAD_SRC_DATA_LEN]!;
  request.destinationLength = words[at + AEAD_DST_DATA_LEN]!;
  if (request.sessionMode) return;
  request.algorithm = words[at + AEAD_ALGO]!;
  request.keyLength = words[at + AEAD_KEY_LEN]!;
  request.op = words[at + AEAD_OP]!;
}
