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

const CIPHER_ALGO = AT + CIPHER_PARA_STATELESS.at["sess_para.algo"];
const CIPHER_KEYLEN = AT + CIPHER_PARA_STATELESS.at["sess_para.keylen"];
const CIPHER_OP = AT + CIPHER_PARA_STATELESS.at["sess_para.op"];
const CIPHER_IV_LEN = AT + CIPHER_PARA_STATELESS.at.iv_len;
const CIPHER_SRC_DATA_LEN = AT + CIPHER_PARA_STATELESS.at.src_data_len;
const CIPHER_DST_DATA_LEN = AT + CIPHER_PARA_STATELESS.at.dst_data_len;

const CHAIN = CHAIN_PARA_STATELESS.at;
const CHAIN_ORDER = AT + CHAIN["sess_para.alg_chain_order"];
const CHAIN_CIPHER_ALGO = AT + CHAIN["sess_para.cipher.algo"];
const CHAIN_CIPHER_KEYLEN = AT + CHAIN["sess_para.cipher.keylen"];
const CHAIN_CIPHER_OP = AT + CHAIN["sess_para.cipher.op"];
const CHAIN_HASH_ALGO = AT + CHAIN["sess_para.hash.algo"];
const CHAIN_AUTH_KEY_LEN = AT + CHAIN["sess_para.hash.auth_key_len"];
const CHAIN_HASH_MODE = AT + CHAIN["sess_para.hash.hash_mode"];
const CHAIN_IV_LEN = AT + CHAIN.iv_len;
const CHAIN_SRC_DATA_LEN = AT + CHAIN.src_data_len;
const CHAIN_DST_DATA_LEN = AT + CHAIN.dst_data_len;
const CHAIN_CIPHER_START = AT + CHAIN.cipher_start_src_offset;
const CHAIN_LEN_TO_CIPHER = AT + CHAIN.len_to_cipher;
const CHAIN_HASH_START = AT + CHAIN.hash_start_src_offset;
const CHAIN_LEN_TO_HASH = AT + CHAIN.len_to_hash;
const CHAIN_AAD_LEN = AT + CHAIN.aad_len;
const CHAIN_HASH_RESULT_LEN = AT + CHAIN.hash_result_len;

const SYM_OP_TYPE = AT + CIPHER_PARA_STATELESS.size + SYM_TAIL.at.op_type;

const HASH_ALGO = AT + HASH_PARA_STATELESS.at["sess_para.algo"];
const HASH_SRC_DATA_LEN = AT + HASH_PARA_STATELESS.at.src_data_len;
const HASH_RESULT_LEN = AT + HASH_PARA_STATELESS.at.hash_result_len;

const MAC_ALGO = AT + MAC_PARA_STATELESS.at["sess_para.algo"];
const MAC_AUTH_KEY_LEN = AT + MAC_PARA_STATELESS.at["sess_para.auth_key_len"];
const MAC_SRC_DATA_LEN = AT + MAC_PARA_STATELESS.at.src_data_len;
const MAC_RESULT_LEN = AT + MAC_PARA_STATELESS.at.hash_result_len;

const AEAD = AEAD_PARA_STATELESS.at;
const AEAD_ALGO = AT + AEAD["sess_para.algo"];
const AEAD_KEY_LEN = AT + AEAD["sess_para.key_len"];
const AEAD_OP = AT + AEAD["sess_para.op"];
const AEAD_IV_LEN = AT + AEAD.iv_len;
const AEAD_TAG_LEN = AT + AEAD.tag_len;
const AEAD_AAD_LEN = AT + AEAD.aad_len;
const AEAD_SRC_DATA_LEN = AT + AEAD.src_data_len;
const AEAD_DST_DATA_LEN = AT + AEAD.dst_data_len;

/**
 * Reads the fixed part of a request whose header was read. In session mode
 * `sess_para` is not looked at.
 *
 * @param view header and fixed part, in private memory
 * @param length bytes of the readable part that `view` holds
 * @param revision1 whether it is virtio 1.4's; else v15's
 * @param sessionMode whether the request names a session
 * @param request receives the fields; its service is set
 * @returns false when the fixed part is incomplete
 */
export function decodeStatelessPart(
  view: DataView,
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
      request.opType = view.getUint32(SYM_OP_TYPE, true);
      if (request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER) {
        decodeCipher(view, request);
      } else if (request.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
        decodeChain(view, request);
        request.aadFirst = revision1;
      }
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      request.sourceLength = view.getUint32(HASH_SRC_DATA_LEN, true);
      request.resultLength = view.getUint32(HASH_RESULT_LEN, true);
      if (!sessionMode) request.algorithm = view.getUint32(HASH_ALGO, true);
      break;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      decodeAead(view, request);
      break;
    default:
      request.sourceLength = view.getUint32(MAC_SRC_DATA_LEN, true);
      request.resultLength = view.getUint32(MAC_RESULT_LEN, true);
      if (!sessionMode) {
        request.algorithm = view.getUint32(MAC_ALGO, true);
        request.keyLength = view.getUint32(MAC_AUTH_KEY_LEN, true);
      }
  }
  return true;
}

function decodeCipher(view: DataView, request: DataRequest): void {
  request.ivLength = view.getUint32(CIPHER_IV_LEN, true);
  request.sourceLength = view.getUint32(CIPHER_SRC_DATA_LEN, true);
  request.destinationLength = view.getUint32(CIPHER_DST_DATA_LEN, true);
  if (request.sessionMode) return;
  request.algorithm = view.getUint32(CIPHER_ALGO, true);
  request.keyLength = view.getUint32(CIPHER_KEYLEN, true);
  request.op = view.getUint32(CIPHER_OP, true);
}

function decodeChain(view: DataView, request: DataRequest): void {
  request.ivLength = view.getUint32(CHAIN_IV_LEN, true);
  request.sourceLength = view.getUint32(CHAIN_SRC_DATA_LEN, true);
  request.destinationLength = view.getUint32(CHAIN_DST_DATA_LEN, true);
  request.cipherStart = view.getUint32(CHAIN_CIPHER_START, true);
  request.cipherLength = view.getUint32(CHAIN_LEN_TO_CIPHER, true);
  request.hashStart = view.getUint32(CHAIN_HASH_START, true);
  request.hashLength = view.getUint32(CHAIN_LEN_TO_HASH, true);
  request.aadLength = view.getUint32(CHAIN_AAD_LEN, true);
  request.resultLength = view.getUint32(CHAIN_HASH_RESULT_LEN, true);
  if (request.sessionMode) return;
  request.chainOrder = view.getUint32(CHAIN_ORDER, true);
  request.algorithm = view.getUint32(CHAIN_CIPHER_ALGO, true);
  request.keyLength = view.getUint32(CHAIN_CIPHER_KEYLEN, true);
  request.op = view.getUint32(CHAIN_CIPHER_OP, true);
  request.hashAlgorithm = view.getUint32(CHAIN_HASH_ALGO, true);
  request.hashMode = view.getUint32(CHAIN_HASH_MODE, true);
  // A plain hash has no key, whatever the field holds.
  if (request.hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH) {
    request.authKeyLength = view.getUint32(CHAIN_AUTH_KEY_LEN, true);
  }
}

function decodeAead(view: DataView, request: DataRequest): void {
  request.ivLength = view.getUint32(AEAD_IV_LEN, true);
  request.tagLength = view.getUint32(AEAD_TAG_LEN, true);
  request.aadLength = view.getUint32(AEAD_AAD_LEN, true);
  request.sourceLength = view.getUint32(AEAD_SRC_DATA_LEN, true);
  request.destinationLength = view.getUint32(AEAD_DST_DATA_LEN, true);
  if (request.sessionMode) return;
  request.algorithm = view.getUint32(AEAD_ALGO, true);
  request.keyLength = view.getUint32(AEAD_KEY_LEN, true);
  request.op = view.getUint32(AEAD_OP, true);
}
