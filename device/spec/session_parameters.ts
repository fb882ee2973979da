/**
 * What a session is created from, however the request for it came: by the
 * control queue in any layout, or by a message of the frontend.
 *
 * @module
 */

/** The parameters of a session. All lengths are in bytes, as the driver gave them. */
export interface SessionParameters {
  /** VIRTIO_CRYPTO_SERVICE_* number. */
  readonly service: number;
  /** VIRTIO_CRYPTO_SYM_OP_*; 0 outside the CIPHER service. */
  readonly opType: number;
  /** Number of the cipher, hash, MAC or AEAD algorithm. */
  readonly algorithm: number;
  /** VIRTIO_CRYPTO_OP_*; 0 for HASH and MAC. */
  readonly op: number;
  /** hash_result_len or tag_len; 0 for a plain cipher. */
  readonly resultLength: number;
  /** Length of the key as the driver gave it; 0 for HASH. */
  readonly keyLength: number;
  /** The key: keyLength bytes, or none where the request was malformed. */
  readonly key: Uint8Array;
}
