/**
 * The fixed part of data requests as Linux, DPDK and QEMU lay it out: padded
 * to 48 bytes behind the general header, session mode only.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "./constants.ts";
import { DATA_HEADER_SIZE, type DataRequest } from "./data_request.ts";

/** Size of the fixed part in bytes, the same for every service. */
export const LEGACY_FIXED_SIZE = 48;

const AT = DATA_HEADER_SIZE;

// CIPHER: struct virtio_crypto_cipher_para, op_type behind the union of 40.
/** le32. */
const CIPHER_IV_LEN = AT;
/** le32. */
const CIPHER_SRC_DATA_LEN = AT + 4;
/** le32. */
const CIPHER_DST_DATA_LEN = AT + 8;
/** le32, then le32 padding. */
const SYM_OP_TYPE = AT + 40;

// HASH and MAC: struct virtio_crypto_hash_para, struct virtio_crypto_mac_para.
/** le32. */
const HASH_SRC_DATA_LEN = AT;
/** le32. */
const HASH_RESULT_LEN = AT + 4;

// AEAD: struct virtio_crypto_aead_para, without a tag length of its own.
/** le32. */
const AEAD_IV_LEN = AT;
/** le32. */
const AEAD_AAD_LEN = AT + 4;
/** le32. */
const AEAD_SRC_DATA_LEN = AT + 8;
/** le32. */
const AEAD_DST_DATA_LEN = AT + 12;

/**
 * Reads the fixed part of a request whose header was read.
 *
 * @param view header and fixed part, in private memory
 * @param length bytes of the readable part that `view` holds
 * @param request receives the fields; its service is set
 * @returns false when the fixed part is incomplete
 */
export function decodeLegacyFixed(
  view: DataView,
  length: number,
  request: DataRequest,
): boolean {
  if (length < AT + LEGACY_FIXED_SIZE) return false;
  request.variableAt = AT + LEGACY_FIXED_SIZE;
  switch (request.service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      request.opType = view.getUint32(SYM_OP_TYPE, true);
      if (request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER) {
        request.ivLength = view.getUint32(CIPHER_IV_LEN, true);
        request.sourceLength = view.getUint32(CIPHER_SRC_DATA_LEN, true);
        request.destinationLength = view.getUint32(CIPHER_DST_DATA_LEN, true);
      }
      request.exact = false;
      break;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      request.ivLength = view.getUint32(AEAD_IV_LEN, true);
      request.aadLength = view.getUint32(AEAD_AAD_LEN, true);
      request.sourceLength = view.getUint32(AEAD_SRC_DATA_LEN, true);
      request.destinationLength = view.getUint32(AEAD_DST_DATA_LEN, true);
      request.exact = true;
      break;
    default:
      request.sourceLength = view.getUint32(HASH_SRC_DATA_LEN, true);
      request.resultLength = view.getUint32(HASH_RESULT_LEN, true);
      request.exact = false;
  }
  return true;
}
