/**
 * The numbers of the virtio-crypto documents, in their own spelling. "v15" is
 * the draft specification of January 2017; "1.1" to "1.4" are the OASIS virtio
 * standards.
 *
 * @module
 */

/** Device id of a crypto device (v15, "Device ID"; virtio 1.4, 5.9.1). */
export const VIRTIO_ID_CRYPTO = 20;

// Feature bits of the device type (v15, "Feature bits").

/** Session mode is available for the CIPHER service. */
export const VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE = 1;
/** Session mode is available for the HASH service. */
export const VIRTIO_CRYPTO_F_HASH_SESSION_MODE = 2;
/** Session mode is available for the MAC service. */
export const VIRTIO_CRYPTO_F_MAC_SESSION_MODE = 3;
/** Session mode is available for the AEAD service. */
export const VIRTIO_CRYPTO_F_AEAD_SESSION_MODE = 4;

// The same bits in virtio 1.1 and later (virtio 1.4, 5.9.3).

/** Requests have no padding, and services may have a stateless mode. */
export const VIRTIO_CRYPTO_F_REVISION_1 = 0;
/** Stateless requests are available for the CIPHER service. */
export const VIRTIO_CRYPTO_F_CIPHER_STATELESS_MODE = 1;
/** Stateless requests are available for the HASH service. */
export const VIRTIO_CRYPTO_F_HASH_STATELESS_MODE = 2;
/** Stateless requests are available for the MAC service. */
export const VIRTIO_CRYPTO_F_MAC_STATELESS_MODE = 3;
/** Stateless requests are available for the AEAD service. */
export const VIRTIO_CRYPTO_F_AEAD_STATELESS_MODE = 4;

// Reserved feature bits (virtio 1.1, 6).

/** Buffers may be given by indirect tables (virtio 1.1, 2.6.5.3). */
export const VIRTIO_F_RING_INDIRECT_DESC = 28;
/** The used_event and avail_event fields are in use (virtio 1.1, 2.6.7). */
export const VIRTIO_F_RING_EVENT_IDX = 29;
/** The device conforms to virtio 1.0 or later (virtio 1.1, 6.1). */
export const VIRTIO_F_VERSION_1 = 32;
/** Rings are packed ones (virtio 1.1, 2.7). */
export const VIRTIO_F_RING_PACKED = 34;
/** Buffers are used in the order in which they were made available. */
export const VIRTIO_F_IN_ORDER = 35;

/** Bit of `status` in the configuration space: the device is ready. */
export const VIRTIO_CRYPTO_S_HW_READY = 1;

// Services: bits of crypto_services, and the high byte of an opcode.

/** Symmetric ciphers and algorithm chaining. */
export const VIRTIO_CRYPTO_SERVICE_CIPHER = 0;
/** Message digests. */
export const VIRTIO_CRYPTO_SERVICE_HASH = 1;
/** Message authentication codes. */
export const VIRTIO_CRYPTO_SERVICE_MAC = 2;
/** Authenticated encryption with associated data. */
export const VIRTIO_CRYPTO_SERVICE_AEAD = 3;

/** Number of services the document defines. */
export const SERVICE_COUNT = 4;

// Algorithms: bits of the masks in the configuration space.

/** RC4 as RFC 6229 tests it. */
export const VIRTIO_CRYPTO_CIPHER_ARC4 = 1;
/** AES in ECB mode. */
export const VIRTIO_CRYPTO_CIPHER_AES_ECB = 2;
/** AES in CBC mode. */
export const VIRTIO_CRYPTO_CIPHER_AES_CBC = 3;
/** AES in CTR mode. */
export const VIRTIO_CRYPTO_CIPHER_AES_CTR = 4;
/** DES in ECB mode. */
export const VIRTIO_CRYPTO_CIPHER_DES_ECB = 5;
/** DES in CBC mode. */
export const VIRTIO_CRYPTO_CIPHER_DES_CBC = 6;
/** Triple DES in ECB mode. */
export const VIRTIO_CRYPTO_CIPHER_3DES_ECB = 7;
/** Triple DES in CBC mode. */
export const VIRTIO_CRYPTO_CIPHER_3DES_CBC = 8;
/** Triple DES in CTR mode. */
export const VIRTIO_CRYPTO_CIPHER_3DES_CTR = 9;
/** KASUMI in F8 mode. */
export const VIRTIO_CRYPTO_CIPHER_KASUMI_F8 = 10;
/** SNOW 3G in UEA2 mode. */
export const VIRTIO_CRYPTO_CIPHER_SNOW3G_UEA2 = 11;
/** AES in F8 mode. */
export const VIRTIO_CRYPTO_CIPHER_AES_F8 = 12;
/** AES in XTS mode. */
export const VIRTIO_CRYPTO_CIPHER_AES_XTS = 13;
/** ZUC in EEA3 mode. */
export const VIRTIO_CRYPTO_CIPHER_ZUC_EEA3 = 14;

/** MD5. */
export const VIRTIO_CRYPTO_HASH_MD5 = 1;
/** SHA-1. */
export const VIRTIO_CRYPTO_HASH_SHA1 = 2;
/** SHA-224. */
export const VIRTIO_CRYPTO_HASH_SHA_224 = 3;
/** SHA-256. */
export const VIRTIO_CRYPTO_HASH_SHA_256 = 4;
/** SHA-384. */
export const VIRTIO_CRYPTO_HASH_SHA_384 = 5;
/** SHA-512. */
export const VIRTIO_CRYPTO_HASH_SHA_512 = 6;
/** SHA3-224. */
export const VIRTIO_CRYPTO_HASH_SHA3_224 = 7;
/** SHA3-256. */
export const VIRTIO_CRYPTO_HASH_SHA3_256 = 8;
/** SHA3-384. */
export const VIRTIO_CRYPTO_HASH_SHA3_384 = 9;
/** SHA3-512. */
export const VIRTIO_CRYPTO_HASH_SHA3_512 = 10;
/** SHAKE128. */
export const VIRTIO_CRYPTO_HASH_SHA3_SHAKE128 = 11;
/** SHAKE256. */
export const VIRTIO_CRYPTO_HASH_SHA3_SHAKE256 = 12;

/** HMAC with MD5. */
export const VIRTIO_CRYPTO_MAC_HMAC_MD5 = 1;
/** HMAC with SHA-1. */
export const VIRTIO_CRYPTO_MAC_HMAC_SHA1 = 2;
/** HMAC with SHA-224. */
export const VIRTIO_CRYPTO_MAC_HMAC_SHA_224 = 3;
/** HMAC with SHA-256. */
export const VIRTIO_CRYPTO_MAC_HMAC_SHA_256 = 4;
/** HMAC with SHA-384. */
export const VIRTIO_CRYPTO_MAC_HMAC_SHA_384 = 5;
/** HMAC with SHA-512. */
export const VIRTIO_CRYPTO_MAC_HMAC_SHA_512 = 6;
/** CMAC with triple DES. */
export const VIRTIO_CRYPTO_MAC_CMAC_3DES = 25;
/** CMAC with AES. */
export const VIRTIO_CRYPTO_MAC_CMAC_AES = 26;
/** KASUMI in F9 mode. */
export const VIRTIO_CRYPTO_MAC_KASUMI_F9 = 27;
/** SNOW 3G in UIA2 mode. */
export const VIRTIO_CRYPTO_MAC_SNOW3G_UIA2 = 28;
/** GMAC with AES. */
export const VIRTIO_CRYPTO_MAC_GMAC_AES = 41;
/** GMAC with Twofish. */
export const VIRTIO_CRYPTO_MAC_GMAC_TWOFISH = 42;
/** CBC-MAC with AES. */
export const VIRTIO_CRYPTO_MAC_CBCMAC_AES = 49;
/** CBC-MAC with KASUMI. */
export const VIRTIO_CRYPTO_MAC_CBCMAC_KASUMI_F9 = 50;
/** AES-XCBC-MAC. */
export const VIRTIO_CRYPTO_MAC_XCBC_AES = 53;
/** ZUC in EIA3 mode. */
export const VIRTIO_CRYPTO_MAC_ZUC_EIA3 = 54;

/** AES-GCM. */
export const VIRTIO_CRYPTO_AEAD_GCM = 1;
/** AES-CCM. */
export const VIRTIO_CRYPTO_AEAD_CCM = 2;
/** ChaCha20-Poly1305. */
export const VIRTIO_CRYPTO_AEAD_CHACHA20_POLY1305 = 3;

// Opcodes: VIRTIO_CRYPTO_OPCODE(service, op) = service << 8 | op.

/** Data queue: encrypt. */
export const VIRTIO_CRYPTO_CIPHER_ENCRYPT = 0x000;
/** Data queue: decrypt. */
export const VIRTIO_CRYPTO_CIPHER_DECRYPT = 0x001;
/** Control queue: create a cipher or chaining session. */
export const VIRTIO_CRYPTO_CIPHER_CREATE_SESSION = 0x002;
/** Control queue: destroy a cipher or chaining session. */
export const VIRTIO_CRYPTO_CIPHER_DESTROY_SESSION = 0x003;
/** Data queue: digest. */
export const VIRTIO_CRYPTO_HASH = 0x100;
/** Control queue: create a hash session. */
export const VIRTIO_CRYPTO_HASH_CREATE_SESSION = 0x102;
/** Control queue: destroy a hash session. */
export const VIRTIO_CRYPTO_HASH_DESTROY_SESSION = 0x103;
/** Data queue: message authentication code. */
export const VIRTIO_CRYPTO_MAC = 0x200;
/** Control queue: create a MAC session. */
export const VIRTIO_CRYPTO_MAC_CREATE_SESSION = 0x202;
/** Control queue: destroy a MAC session. */
export const VIRTIO_CRYPTO_MAC_DESTROY_SESSION = 0x203;
/** Data queue: encrypt and authenticate. */
export const VIRTIO_CRYPTO_AEAD_ENCRYPT = 0x300;
/** Data queue: verify and decrypt. */
export const VIRTIO_CRYPTO_AEAD_DECRYPT = 0x301;
/** Control queue: create an AEAD session. */
export const VIRTIO_CRYPTO_AEAD_CREATE_SESSION = 0x302;
/** Control queue: destroy an AEAD session. */
export const VIRTIO_CRYPTO_AEAD_DESTROY_SESSION = 0x303;

/** `op` of a session: encryption. */
export const VIRTIO_CRYPTO_OP_ENCRYPT = 1;
/** `op` of a session: decryption. */
export const VIRTIO_CRYPTO_OP_DECRYPT = 2;

/** `op_type`: no operation. */
export const VIRTIO_CRYPTO_SYM_OP_NONE = 0;
/** `op_type`: cipher only. */
export const VIRTIO_CRYPTO_SYM_OP_CIPHER = 1;
/** `op_type`: a cipher chained with a hash or MAC. */
export const VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING = 2;

/** `alg_chain_order`: the hash is of the source. */
export const VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_HASH_THEN_CIPHER = 1;
/** `alg_chain_order`: the hash is of the cipher's result. */
export const VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_CIPHER_THEN_HASH = 2;

/** `hash_mode`: a plain hash. */
export const VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN = 1;
/** `hash_mode`: a MAC. */
export const VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH = 2;
/** `hash_mode`: a nested hash. */
export const VIRTIO_CRYPTO_SYM_HASH_MODE_NESTED = 3;

/** `flag` of a data request: the session was created before. */
export const VIRTIO_CRYPTO_FLAG_SESSION_MODE = 1;
/** `flag` of a data request: the keys are in the request. */
export const VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE = 2;

// Statuses (v15, "Device Operation").

/** Success. */
export const VIRTIO_CRYPTO_OK = 0;
/** Failure, or an error of the device. */
export const VIRTIO_CRYPTO_ERR = 1;
/** The tag of an AEAD decryption is wrong. */
export const VIRTIO_CRYPTO_BADMSG = 2;
/** Not supported. */
export const VIRTIO_CRYPTO_NOTSUPP = 3;
/** The session id is not that of a session. */
export const VIRTIO_CRYPTO_INVSESS = 4;
/** No session is free (virtio 1.4, with REVISION_1 only). */
export const VIRTIO_CRYPTO_NOSPC = 5;

/**
 * The service an opcode belongs to.
 *
 * @param opcode opcode of a control or data request
 * @returns a VIRTIO_CRYPTO_SERVICE_* number, or a larger one
 */
export function serviceOf(opcode: number): number {
  return opcode >>> 8;
}
