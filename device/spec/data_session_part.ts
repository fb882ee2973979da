/**
 * The fixed part of a data request without the parameters of a session, as
 * virtio 1.1 to 1.4 have it in session mode: unpadded with REVISION_1, padded
 * to 48 bytes without, which is what Linux, DPDK and QEMU speak.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "./constants.ts";
import type { DataRequest } from "./data_request.ts";
import {
  AEAD_PARA,
  CHAIN_PARA,
  CIPHER_PARA,
  HASH_PARA,
  MAC_PARA,
  OP_HEADER,
  SYM_TAIL,
} from "./data_structures.ts";

const AT = OP_HEADER.size;

/** Sizes by service, unpadded. */
const UNPADDED: readonly number[] = [
  CIPHER_PARA.size + SYM_TAIL.size,
  HASH_PARA.size,
  MAC_PARA.size,
  AEAD_PARA.size,
];

/** Size every fixed part is padded to (virtio 1.1, 5.9.7.6). */
const PADDED = 48;

const CIPHER_IV_LEN = AT + CIPHER_PARA.at.iv_len;
const CIPHER_SRC_DATA_LEN = AT + CIPHER_PARA.at.src_data_len;
const CIPHER_DST_DATA_LEN = AT + CIPHER_PARA.at.dst_data_len;

const CHAIN_IV_LEN = AT + CHAIN_PARA.at.iv_len;
const CHAIN_SRC_DATA_LEN = AT + CHAIN_PARA.at.src_data_len;
const CHAIN_DST_DATA_LEN = AT + CHAIN_PARA.at.dst_data_len;
const CHAIN_CIPHER_START = AT + CHAIN_PARA.at.cipher_start_src_offset;
const CHAIN_LEN_TO_CIPHER = AT + CHAIN_PARA.at.len_to_cipher;
const CHAIN_HASH_START = AT + CHAIN_PARA.at.hash_start_src_offset;
const CHAIN_LEN_TO_HASH = AT + CHAIN_PARA.at.len_to_hash;
const CHAIN_AAD_LEN = AT + CHAIN_PARA.at.aad_len;
const CHAIN_HASH_RESULT_LEN = AT + CHAIN_PARA.at.hash_result_len;

const SYM_OP_TYPE = AT + CIPHER_PARA.size + SYM_TAIL.at.op_type;

const HASH_SRC_DATA_LEN = AT + HASH_PARA.at.src_data_len;
const HASH_RESULT_LEN = AT + HASH_PARA.at.hash_result_len;

const AEAD_IV_LEN = AT + AEAD_PARA.at.iv_len;
const AEAD_AAD_LEN = AT + AEAD_PARA.at.aad_len;
const AEAD_SRC_DATA_LEN = AT + AEAD_PARA.at.src_data_len;
const AEAD_DST_DATA_LEN = AT + AEAD_PARA.at.dst_data_len;
const AEAD_TAG_LEN = AT + AEAD_PARA.at.tag_len;

/**
 * Reads the fixed part of a session mode request whose header was read.
 *
 * @param view header and fixed part, in private memory
 * @param length bytes of the readable part that `view` holds
 * @param padded whether it is padded to 48 bytes, as without REVISION_1
 * @param request receives the fields; its service is set
 * @returns false when the fixed part is incomplete
 */
export function decodeSessionPart(
  view: DataView,
  length: number,
  padded: boolean,
  request: DataRequest,
): boolean {
  const size = padded ? PADDED : UNPADDED[request.service]!;
  if (length < AT + size) return false;
  request.sessionMode = true;
  request.variableAt = AT + size;
  // Drivers of the padded form hand over more than the lengths name: Linux
  // gives a scatterlist whole.
  request.exact = !padded;
  switch (request.service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      request.opType = view.getUint32(SYM_OP_TYPE, true);
      if (request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER) {
        request.ivLength = view.getUint32(CIPHER_IV_LEN, true);
        request.sourceLength = view.getUint32(CIPHER_SRC_DATA_LEN, true);
        request.destinationLength = view.getUint32(CIPHER_DST_DATA_LEN, true);
      } else if (request.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
        request.ivLength = view.getUint32(CHAIN_IV_LEN, true);
        request.sourceLength = view.getUint32(CHAIN_SRC_DATA_LEN, true);
        request.destinationLength = view.getUint32(CHAIN_DST_DATA_LEN, true);
        request.cipherStart = view.getUint32(CHAIN_CIPHER_START, true);
        request.cipherLength = view.getUint32(CHAIN_LEN_TO_CIPHER, true);
        request.hashStart = view.getUint32(CHAIN_HASH_START, true);
        request.hashLength = view.getUint32(CHAIN_LEN_TO_HASH, true);
        request.aadLength = view.getUint32(CHAIN_AAD_LEN, true);
        request.resultLength = view.getUint32(CHAIN_HASH_RESULT_LEN, true);
      }
      break;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      request.ivLength = view.getUint32(AEAD_IV_LEN, true);
      request.aadLength = view.getUint32(AEAD_AAD_LEN, true);
      request.sourceLength = view.getUint32(AEAD_SRC_DATA_LEN, true);
      request.destinationLength = view.getUint32(AEAD_DST_DATA_LEN, true);
      // Linux' structure ends before tag_len: there the session's counts.
      if (!padded) request.tagLength = view.getUint32(AEAD_TAG_LEN, true);
      request.exact = true;
      break;
    default:
      request.sourceLength = view.getUint32(HASH_SRC_DATA_LEN, true);
      request.resultLength = view.getUint32(HASH_RESULT_LEN, true);
  }
  return true;
}
