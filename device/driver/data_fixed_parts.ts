/**
 * The fixed parts of data requests in every layout (v15, "Data Virtqueue";
 * virtio 1.4, 5.9.7.4 and after). The offsets are written out here a second
 * time, apart from those the device decodes by: a mistake in one is seen
 * against the other.
 *
 * @module
 */

import type { DataLayout } from "./requests.ts";

/** A le32 field of a fixed part. All but those of `sess_para` are lengths. */
export type FieldName =
  // sess_para
  | "chainOrder"
  | "sessionAadLen"
  | "algo"
  | "keyLen"
  | "op"
  | "hashAlgo"
  | "authKeyLen"
  | "hashMode"
  // the request's own
  | "ivLen"
  | "srcDataLen"
  | "dstDataLen"
  | "cipherStart"
  | "lenToCipher"
  | "hashStart"
  | "lenToHash"
  | "aadLen"
  | "resultLen"
  | "tagLen"
  | "opType";

/** What kind of request a fixed part is of. */
export type PartName = "cipher" | "chain" | "hash" | "mac" | "aead";

/** A fixed part: where its fields stand behind the header, in bytes. */
export interface FixedPart {
  /** Its size, padding included. */
  readonly size: number;
  /** Offsets of its fields. What it does not name is not in the layout. */
  readonly at: Readonly<Partial<Record<FieldName, number>>>;
}

/** struct virtio_crypto_cipher_para, without sess_para. */
const CIPHER = { ivLen: 0, srcDataLen: 4, dstDataLen: 8 };

/** struct virtio_crypto_alg_chain_data_para, without sess_para: 40 bytes. */
const CHAIN = {
  ivLen: 0,
  srcDataLen: 4,
  dstDataLen: 8,
  cipherStart: 12,
  lenToCipher: 16,
  hashStart: 20,
  lenToHash: 24,
  aadLen: 28,
  resultLen: 32,
};

/** struct virtio_crypto_hash_para and _mac_para, without sess_para. */
const DIGEST = { srcDataLen: 0, resultLen: 4 };

/** struct virtio_crypto_aead_para, without sess_para. */
const AEAD = { ivLen: 0, aadLen: 4, srcDataLen: 8, dstDataLen: 12 };

/** op_type behind a union of 40 bytes; padding follows. */
const OP_TYPE = { opType: 40 };

/** struct virtio_crypto_cipher_para: algo, keylen, op are sess_para. */
const CIPHER_WITH_SESSION = {
  algo: 0,
  keyLen: 4,
  op: 8,
  ivLen: 12,
  srcDataLen: 16,
  dstDataLen: 20,
};

/**
 * struct virtio_crypto_alg_chain_data_para: 32 bytes of sess_para, which are
 * order, aad_len, cipher {algo, keylen, op}, hash {algo, auth_key_len,
 * hash_mode}; then 40 of its own.
 */
const CHAIN_WITH_SESSION = {
  chainOrder: 0,
  sessionAadLen: 4,
  algo: 8,
  keyLen: 12,
  op: 16,
  hashAlgo: 20,
  authKeyLen: 24,
  hashMode: 28,
  ivLen: 32,
  srcDataLen: 36,
  dstDataLen: 40,
  cipherStart: 44,
  lenToCipher: 48,
  hashStart: 52,
  lenToHash: 56,
  aadLen: 60,
  resultLen: 64,
};

/** op_type behind a union of 72 bytes. */
const OP_TYPE_WITH_SESSION = { opType: 72 };

/** The other fixed parts with sess_para, the same in v15 and revision 1. */
const OTHERS_WITH_SESSION = {
  // algo is sess_para; reserved at 12.
  hash: { size: 16, at: { algo: 0, srcDataLen: 4, resultLen: 8 } },
  // algo, auth_key_len are sess_para.
  mac: { size: 16, at: { algo: 0, keyLen: 4, srcDataLen: 8, resultLen: 12 } },
  // algo, key_len, op are sess_para.
  aead: {
    size: 32,
    at: {
      algo: 0,
      keyLen: 4,
      op: 8,
      ivLen: 12,
      tagLen: 16,
      aadLen: 20,
      srcDataLen: 24,
      dstDataLen: 28,
    },
  },
} as const;

/** Every fixed part of the legacy layout is padded to this. */
const LEGACY_SIZE = 48;

/** The fixed parts of each layout. */
export const FIXED_PARTS: Readonly<
  Record<DataLayout, Readonly<Record<PartName, FixedPart>>>
> = {
  legacy: {
    cipher: { size: LEGACY_SIZE, at: { ...CIPHER, ...OP_TYPE } },
    chain: { size: LEGACY_SIZE, at: { ...CHAIN, ...OP_TYPE } },
    hash: { size: LEGACY_SIZE, at: DIGEST },
    mac: { size: LEGACY_SIZE, at: DIGEST },
    aead: { size: LEGACY_SIZE, at: AEAD },
  },
  v15: {
    cipher: {
      size: 80,
      at: { ...CIPHER_WITH_SESSION, ...OP_TYPE_WITH_SESSION },
    },
    chain: { size: 80, at: { ...CHAIN_WITH_SESSION, ...OP_TYPE_WITH_SESSION } },
    ...OTHERS_WITH_SESSION,
  },
  revision1: {
    cipher: { size: 48, at: { ...CIPHER, ...OP_TYPE } },
    chain: { size: 48, at: { ...CHAIN, ...OP_TYPE } },
    hash: { size: 8, at: DIGEST },
    mac: { size: 8, at: DIGEST },
    // reserved at 20.
    aead: { size: 24, at: { ...AEAD, tagLen: 16 } },
  },
  // Nothing follows op_type.
  "revision1-stateless": {
    cipher: {
      size: 76,
      at: { ...CIPHER_WITH_SESSION, ...OP_TYPE_WITH_SESSION },
    },
    chain: { size: 76, at: { ...CHAIN_WITH_SESSION, ...OP_TYPE_WITH_SESSION } },
    ...OTHERS_WITH_SESSION,
  },
};
