/**
 * The fixed part of data requests as v15 gives it: the parameters of a session
 * (`sess_para`) stand inside, and no part is padded to another's size but the
 * union of the symmetric structure.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "./constants.ts";
import { DATA_HEADER_SIZE, type DataRequest } from "./data_request.ts";

const AT = DATA_HEADER_SIZE;

/** Size of the symmetric fixed part: the union of 72, op_type, padding. */
export const V15_SYM_SIZE = 80;
/** Size of the HASH fixed part. */
export const V15_HASH_SIZE = 16;
/** Size of the MAC fixed part. */
export const V15_MAC_SIZE = 16;
/** Size of the AEAD fixed part. */
export const V15_AEAD_SIZE = 32;

// struct virtio_crypto_cipher_para: le32 algo, keylen, op of sess_para, then
/** le32. */
const CIPHER_IV_LEN = AT + 12;
/** le32. */
const CIPHER_SRC_DATA_LEN = AT + 16;
/** le32. */
const CIPHER_DST_DATA_LEN = AT + 20;
/** le32, then le32 padding. */
const SYM_OP_TYPE = AT + 72;

// struct virtio_crypto_hash_para: le32 algo of sess_para, then
/** le32. */
const HASH_SRC_DATA_LEN = AT + 4;
/** le32, then le32 reserved. */
const HASH_RESULT_LEN = AT + 8;

// struct virtio_crypto_mac_para: le32 algo, auth_key_len of sess_para, then
/** le32. */
const MAC_SRC_DATA_LEN = AT + 8;
/** le32. */
const MAC_RESULT_LEN = AT + 12;

// struct virtio_crypto_aead_para: le32 algo, key_len, op of sess_para, then
/** le32. */
const AEAD_IV_LEN = AT + 12;
/** le32. */
const AEAD_TAG_LEN = AT + 16;
/** le32. */
const AEAD_AAD_LEN = AT + 20;
/** le32. */
const AEAD_SRC_DATA_LEN = AT + 24;
/** le32. */
const AEAD_DST_DATA_LEN = AT + 28;

/**
 * Reads the fixed part of a request whose header was read. In session mode
 * `sess_para` is not looked at.
 *
 * @param view header and fixed part, in private memory
 * @param length bytes of the readable part that `view` holds
 * @param request receives the fields; its service is set
 * @returns false when the fixed part is incomplete
 */
export function decodeV15Fixed(
  view: DataView,
  length: number,
  request: DataRequest,
): boolean {
  request.exact = true;
  let size: number;
  switch (request.service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      size = V15_SYM_SIZE;
      if (length < AT + size) return false;
      request.opType = view.getUint32(SYM_OP_TYPE, true);
      if (request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER) {
        request.ivLength = view.getUint32(CIPHER_IV_LEN, true);
        request.sourceLength = view.getUint32(CIPHER_SRC_DATA_LEN, true);
        request.destinationLength = view.getUint32(CIPHER_DST_DATA_LEN, true);
      }
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      size = V15_HASH_SIZE;
      if (length < AT + size) return false;
      request.sourceLength = view.getUint32(HASH_SRC_DATA_LEN, true);
      request.resultLength = view.getUint32(HASH_RESULT_LEN, true);
      break;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      size = V15_AEAD_SIZE;
      if (length < AT + size) return false;
      request.ivLength = view.getUint32(AEAD_IV_LEN, true);
      request.tagLength = view.getUint32(AEAD_TAG_LEN, true);
      request.aadLength = view.getUint32(AEAD_AAD_LEN, true);
      request.sourceLength = view.getUint32(AEAD_SRC_DATA_LEN, true);
      request.destinationLength = view.getUint32(AEAD_DST_DATA_LEN, true);
      break;
    default:
      size = V15_MAC_SIZE;
      if (length < AT + size) return false;
      request.sourceLength = view.getUint32(MAC_SRC_DATA_LEN, true);
      request.resultLength = view.getUint32(MAC_RESULT_LEN, true);
  }
  request.variableAt = AT + size;
  return true;
}
