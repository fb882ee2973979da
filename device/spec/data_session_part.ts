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

// Imported constants are cells to the compiler, a module's own are numbers.
const AEAD = VIRTIO_CRYPTO_SERVICE_AEAD;
const CIPHER = VIRTIO_CRYPTO_SERVICE_CIPHER;
const CHAINING = VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING;
const PLAIN_CIPHER = VIRTIO_CRYPTO_SYM_OP_CIPHER;

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

const CIPHER_IV_LEN = (AT + CIPHER_PARA.at.iv_len) / 4;
const CIPHER_SRC_DATA_LEN = (AT + CIPHER_PARA.at.src_data_len) / 4;
const CIPHER_DST_DATA_LEN = (AT + CIPHER_PARA.at.dst_data_len) / 4;

const CHAIN_IV_LEN = (AT + CHAIN_PARA.at.iv_len) / 4;
const CHAIN_SRC_DATA_LEN = (AT + CHAIN_PARA.at.src_data_len) / 4;
const CHAIN_DST_DATA_LEN = (AT + CHAIN_PARA.at.dst_data_len) / 4;
const CHAIN_CIPHER_START = (AT + CHAIN_PARA.at.cipher_start_src_offset) / 4;
const CHAIN_LEN_TO_CIPHER = (AT + CHAIN_PARA.at.len_to_cipher) / 4;
const CHAIN_HASH_START = (AT + CHAIN_PARA.at.hash_start_src_offset) / 4;
const CHAIN_LEN_TO_HASH = (AT + CHAIN_PARA.at.len_to_hash) / 4;
const CHAIN_AAD_LEN = (AT + CHAIN_PARA.at.aad_len) / 4;
const CHAIN_HASH_RESULT_LEN = (AT + CHAIN_PARA.at.hash_result_len) / 4;

const SYM_OP_TYPE = (AT + CIPHER_PARA.size + SYM_TAIL.at.op_type) / 4;

const HASH_SRC_DATA_LEN = (AT + HASH_PARA.at.src_data_len) / 4;
const HASH_RESULT_LEN = (AT + HASH_PARA.at.hash_result_len) / 4;

const AEAD_IV_LEN = (AT + AEAD_PARA.at.iv_len) / 4;
const AEAD_AAD_LEN = (AT + AEAD_PARA.at.aad_len) / 4;
const AEAD_SRC_DATA_LEN = (AT + AEAD_PARA.at.src_data_len) / 4;
const AEAD_DST_DATA_LEN = (AT + AEAD_PARA.at.dst_data_len) / 4;
const AEAD_TAG_LEN = (AT + AEAD_PARA.at.tag_len) / 4;

/**
 * Reads the fixed part of a session mode request whose header was read.
 *
 * @param words memory that holds header and fixed part
 * @param at index of the header's first word
 * @param length bytes of the readable part from there on
 * @param padded whether it is padded to 48 bytes, as without REVISION_1
 * @param request receives the fields; its service is set
 * @returns false when the fixed part is incomplete
 */
export function decodeSessionPart(
  words: Uint32Array,
  at: number,
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
    case CIPHER:
      request.opType = words[at + SYM_OP_TYPE]!;
      if (request.opType === PLAIN_CIPHER) {
        request.ivLength = words[at + CIPHER_IV_LEN]!;
        request.sourceLength = words[at + CIPHER_SRC_DATA_LEN]!;
        request.destinationLength = words[at + CIPHER_DST_DATA_LEN]!;
      } else if (request.opType === CHAINING) {
        request.ivLength = words[at + CHAIN_IV_LEN]!;
        request.sourceLength = words[at + CHAIN_SRC_DATA_LEN]!;
        request.destinationLength = words[at + CHAIN_DST_DATA_LEN]!;
        request.cipherStart = words[at + CHAIN_CIPHER_START]!;
        request.cipherLength = words[at + CHAIN_LEN_TO_CIPHER]!;
        request.hashStart = words[at + CHAIN_HASH_START]!;
        request.hashLength = words[at + CHAIN_LEN_TO_HASH]!;
        request.aadLength = words[at + CHAIN_AAD_LEN]!;
        request.resultLength = words[at + CHAIN_HASH_RESULT_LEN]!;
      }
      break;
    case AEAD:
      request.ivLength = words[at + AEAD_IV_LEN]!;
      request.aadLength = words[at + AEAD_AAD_LEN]!;
      request.sourceLength = words[at + AEAD_SRC_DATA_LEN]!;
      request.destinationLength = words[at + AEAD_DST_DATA_LEN]!;
      // Linux' structure ends before tag_len: there the session's counts.
      if (!padded) request.tagLength = words[at + AEAD_TAG_LEN]!;
      request.exact = true;
      break;
    default:
      request.sourceLength = words[at + HASH_SRC_DATA_LEN]!;
      request.resultLength = words[at + HASH_RESULT_LEN]!;
  }
  return true;
}
