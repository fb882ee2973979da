/**
 * The configuration space (v15, "Device configuration layout").
 *
 * @module
 */

/** Size of the configuration space in bytes. */
export const CONFIG_SIZE = 56;

/** le32: VIRTIO_CRYPTO_S_HW_READY or 0. */
const STATUS = 0;
/** le32: number of data queues. */
const MAX_DATAQUEUES = 4;
/** le32: one bit a service. */
const CRYPTO_SERVICES = 8;
/** le32: one bit an algorithm, 0 to 31. */
const CIPHER_ALGO_L = 12;
/** le32: one bit an algorithm, 32 to 63. */
const CIPHER_ALGO_H = 16;
/** le32: one bit an algorithm. */
const HASH_ALGO = 20;
/** le32: one bit an algorithm, 0 to 31. */
const MAC_ALGO_L = 24;
/** le32: one bit an algorithm, 32 to 63. */
const MAC_ALGO_H = 28;
/** le32: one bit an algorithm. */
const AEAD_ALGO = 32;
/** le32: bytes. */
const MAX_CIPHER_KEY_LEN = 36;
/** le32: bytes. */
const MAX_AUTH_KEY_LEN = 40;
// le32 reserve at 44
/** le64: bytes. */
const MAX_SIZE = 48;

/** The fields of the configuration space. Lengths and sizes are in bytes. */
export interface DeviceConfig {
  /** VIRTIO_CRYPTO_S_HW_READY or 0. */
  status: number;
  /** Number of data queues, 1 to 65535. */
  maxDataqueues: number;
  /** One bit a service. */
  cryptoServices: number;
  /** One bit a cipher algorithm, 0 to 31. */
  cipherAlgoL: number;
  /** One bit a cipher algorithm, 32 to 63. */
  cipherAlgoH: number;
  /** One bit a hash algorithm. */
  hashAlgo: number;
  /** One bit a MAC algorithm, 0 to 31. */
  macAlgoL: number;
  /** One bit a MAC algorithm, 32 to 63. */
  macAlgoH: number;
  /** One bit an AEAD algorithm. */
  aeadAlgo: number;
  /** Longest cipher or AEAD key. */
  maxCipherKeyLen: number;
  /** Longest MAC key. */
  maxAuthKeyLen: number;
  /** Largest content of a request. */
  maxSize: number;
}

/**
 * Writes a configuration space.
 *
 * @param config its fields
 * @returns {@linkcode CONFIG_SIZE} bytes
 */
export function encodeConfig(config: DeviceConfig): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CONFIG_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(STATUS, config.status, true);
  view.setUint32(MAX_DATAQUEUES, config.maxDataqueues, true);
  view.setUint32(CRYPTO_SERVICES, config.cryptoServices, true);
  view.setUint32(CIPHER_ALGO_L, config.cipherAlgoL, true);
  view.setUint32(CIPHER_ALGO_H, config.cipherAlgoH, true);
  view.setUint32(HASH_ALGO, config.hashAlgo, true);
  view.setUint32(MAC_ALGO_L, config.macAlgoL, true);
  view.setUint32(MAC_ALGO_H, config.macAlgoH, true);
  view.setUint32(AEAD_ALGO, config.aeadAlgo, true);
  view.setUint32(MAX_CIPHER_KEY_LEN, config.maxCipherKeyLen, true);
  view.setUint32(MAX_AUTH_KEY_LEN, config.maxAuthKeyLen, true);
  view.setBigUint64(MAX_SIZE, BigInt(config.maxSize), true);
  return bytes;
}

/**
 * Reads a configuration space.
 *
 * @param bytes at least {@linkcode CONFIG_SIZE} bytes
 * @returns its fields; a max_size above 2^53 loses its low bits
 * @throws {RangeError} There are fewer bytes
 */
export function decodeConfig(bytes: Uint8Array): DeviceConfig {
  if (bytes.length < CONFIG_SIZE) {
    throw new RangeError(
      `Cannot decode a configuration space of ${bytes.length} bytes: it has ${CONFIG_SIZE}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    status: view.getUint32(STATUS, true),
    maxDataqueues: view.getUint32(MAX_DATAQUEUES, true),
    cryptoServices: view.getUint32(CRYPTO_SERVICES, true),
    cipherAlgoL: view.getUint32(CIPHER_ALGO_L, true),
    cipherAlgoH: view.getUint32(CIPHER_ALGO_H, true),
    hashAlgo: view.getUint32(HASH_ALGO, true),
    macAlgoL: view.getUint32(MAC_ALGO_L, true),
    macAlgoH: view.getUint32(MAC_ALGO_H, true),
    aeadAlgo: view.getUint32(AEAD_ALGO, true),
    maxCipherKeyLen: view.getUint32(MAX_CIPHER_KEY_LEN, true),
    maxAuthKeyLen: view.getUint32(MAX_AUTH_KEY_LEN, true),
    maxSize: Number(view.getBigUint64(MAX_SIZE, true)),
  };
}
