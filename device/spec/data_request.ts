/**
 * A data request as the device works on it, whatever its layout, and its
 * general header (v15, "Device Operation", struct virtio_crypto_op_header).
 *
 * @module
 */

/** Size of the general header in bytes. */
export const DATA_HEADER_SIZE = 24;
/** le32: VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on. */
export const DATA_OPCODE = 0;
// le32 algo at 4: nothing depends on it
/** le32: low half of le64 session_id. */
export const DATA_SESSION_ID_LOW = 8;
/** le32: high half of le64 session_id. */
export const DATA_SESSION_ID_HIGH = 12;
/** le32: VIRTIO_CRYPTO_FLAG_*. */
export const DATA_FLAG = 16;
// le32 padding at 20

/** The largest header and fixed part of any layout, in bytes: v15, symmetric. */
export const DATA_FIXED_MAX = DATA_HEADER_SIZE + 80;

/**
 * One decoded data request. All lengths are in bytes, as the driver gave them:
 * a decoder reads, and what the values may be is checked later.
 */
export class DataRequest {
  /** VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on. */
  opcode = 0;
  /** VIRTIO_CRYPTO_SERVICE_* number, from the opcode. */
  service = 0;
  /** Low half of session_id: the slot. */
  sessionLow = 0;
  /** High half of session_id: the generation. */
  sessionHigh = 0;
  /** VIRTIO_CRYPTO_SYM_OP_*; only in requests of the CIPHER service. */
  opType = 0;
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
  /** Bytes of the readable part before its first variable-length field. */
  variableAt = 0;
  /** Whether the readable part must hold just what its lengths name. */
  exact = false;

  /** Forgets the fields of an earlier request. */
  clear(): void {
    this.opcode = 0;
    this.service = 0;
    this.sessionLow = 0;
    this.sessionHigh = 0;
    this.opType = 0;
    this.ivLength = 0;
    this.sourceLength = 0;
    this.destinationLength = 0;
    this.aadLength = 0;
    this.resultLength = 0;
    this.tagLength = -1;
    this.variableAt = 0;
    this.exact = false;
  }
}
