/**
 * What a session is created from, however the request for it came: by the
 * control queue in any layout, by a message of the frontend, or as the
 * parameters of a stateless request.
 *
 * @module
 */

/** The parameters of an operation. All lengths are in bytes, as the driver gave them. */
export interface OperationParameters {
  /** VIRTIO_CRYPTO_SERVICE_* number. */
  readonly service: number;
  /** VIRTIO_CRYPTO_SYM_OP_*; 0 outside the CIPHER service. */
  readonly opType: number;
  /** Number of the cipher, hash, MAC or AEAD algorithm. */
  readonly algorithm: number;
  /** VIRTIO_CRYPTO_OP_*; 0 for HASH and MAC. */
  readonly op: number;
  /** Length of the key; 0 for HASH. */
  readonly keyLength: number;
  /** VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_* of a chain, else 0. */
  readonly chainOrder: number;
  /** VIRTIO_CRYPTO_SYM_HASH_MODE_* of a chain, else 0. */
  readonly hashMode: number;
  /** Number of a chain's hash or MAC algorithm, else 0. */
  readonly hashAlgorithm: number;
  /** Length of a chain's authentication key; 0 for a plain hash, or no chain. */
  readonly authKeyLength: number;
  /** hash_result_len or tag_len; 0 for a plain cipher. */
  readonly resultLength: number;
}

/** The parameters of a session, with its keys. */
export interface SessionParameters extends OperationParameters {
  /**
   * The key, then a chain's authentication key: as many bytes as their lengths
   * say, or none where the request was malformed.
   */
  readonly key: Uint8Array;
}
