/**
 * How the library is asked for an algorithm: its numbers for what it does, and
 * what of a job is the same for all of an algorithm and a key size.
 *
 * @module
 */

import type { IpsecMbFunctions } from "../../host/ipsec_mb.ts";
import type { NativeMemory } from "./native_memory.ts";

/** By which of the library's functions jobs are submitted. */
export const Via = {
  /** submit_cipher_burst: an array of jobs, all at once. */
  CIPHER_BURST: 0,
  /** submit_hash_burst: the same for HMACs. */
  HASH_BURST: 1,
  /** get_next_job, submit_job, flush_job: the manager's own ring. */
  JOBS: 2,
} as const;

/** What goes into the union `u` of a job. */
export const Extra = {
  /** Up to three addresses of key material. */
  KEYS: 0,
  /** Address and length of the AAD. */
  AAD: 1,
  /** Address of the key, then of the iv. */
  KEY_IV: 2,
  /** Address of the key, address of the iv, length of the iv. */
  KEY_IV_LENGTH: 3,
} as const;

/**
 * The longest job in bytes that is submitted: lanes count in 16 bits, and a
 * job of 65,536 bytes comes back as done with nothing done.
 */
export const MOST_BYTES = 65520;

// IMB_CIPHER_MODE
export const IMB_CIPHER_CBC = 1;
export const IMB_CIPHER_CNTR = 2;
export const IMB_CIPHER_NULL = 3;
export const IMB_CIPHER_GCM = 5;
export const IMB_CIPHER_DES = 7;
export const IMB_CIPHER_CCM = 9;
export const IMB_CIPHER_DES3 = 10;
export const IMB_CIPHER_ECB = 12;
export const IMB_CIPHER_ZUC_EEA3 = 14;
export const IMB_CIPHER_SNOW3G_UEA2_BITLEN = 15;
export const IMB_CIPHER_KASUMI_UEA1_BITLEN = 16;
export const IMB_CIPHER_CHACHA20_POLY1305 = 19;

// IMB_HASH_ALG
export const IMB_AUTH_HMAC_SHA_1 = 1;
export const IMB_AUTH_AES_XCBC = 6;
export const IMB_AUTH_MD5 = 7;
export const IMB_AUTH_NULL = 8;
export const IMB_AUTH_AES_GMAC = 9;
export const IMB_AUTH_AES_CCM = 11;
export const IMB_AUTH_AES_CMAC = 12;
export const IMB_AUTH_SHA_1 = 13;
export const IMB_AUTH_ZUC_EIA3_BITLEN = 20;
export const IMB_AUTH_SNOW3G_UIA2_BITLEN = 22;
export const IMB_AUTH_KASUMI_UIA1 = 23;
export const IMB_AUTH_AES_GMAC_128 = 24;
export const IMB_AUTH_AES_CMAC_256 = 27;
export const IMB_AUTH_CHACHA20_POLY1305 = 29;

// IMB_CHAIN_ORDER
export const IMB_ORDER_CIPHER_HASH = 1;
export const IMB_ORDER_HASH_CIPHER = 2;

/** What of the library's structures does not depend on a job. */
export interface Recipe {
  /** A value of {@linkcode Via}. */
  readonly via: number;
  /** IMB_CIPHER_MODE */
  readonly cipher: number;
  /** IMB_HASH_ALG */
  readonly hash: number;
  /** IMB_CHAIN_ORDER to encrypt; the other one to decrypt. */
  readonly order: number;
  /** key_len_in_bytes */
  readonly keyLength: number;
  /** A value of {@linkcode Extra}. */
  readonly extra: number;
  /** What a length in bytes is multiplied by: 8 where lengths are in bits. */
  readonly lengthScale: number;
  /** The longest message in bytes. */
  readonly most: number;
  /** The longest AAD in bytes. */
  readonly mostAad: number;
  /** The shortest iv in bytes that the library takes as is. */
  readonly leastIv: number;
  /** The longest such iv. */
  readonly mostIv: number;
  /** Bytes of digest the library gives; 0 for AEADs, whose tags have any size. */
  readonly digest: number;
  /**
   * Bytes, source and result together, that bursts work on in about a
   * millisecond.
   */
  readonly roundBytes: number;
  /** Bits of the registers below which it has no lanes. */
  readonly registers: number;
  /** Bytes of key material. */
  readonly room: number;
  /** Offsets of key material in it: enc_keys, dec_keys, then the union's. */
  readonly places: readonly [number, number, number, number, number];
  /**
   * Expands a key.
   *
   * @param functions the library's
   * @param key address of the key
   * @param memory receives the key material; its first `room` bytes are zero
   * @param bytes the key
   */
  expand(
    functions: IpsecMbFunctions,
    key: bigint,
    memory: NativeMemory,
    bytes: Uint8Array,
  ): void;
}

/** A recipe that asks for nothing. */
export const STANDARD = {
  via: Via.JOBS,
  cipher: IMB_CIPHER_NULL,
  hash: IMB_AUTH_NULL,
  order: IMB_ORDER_CIPHER_HASH,
  keyLength: 0,
  extra: Extra.KEYS,
  lengthScale: 1,
  most: MOST_BYTES,
  mostAad: 0,
  leastIv: 0,
  mostIv: 0,
  digest: 0,
  roundBytes: 4 << 20,
  registers: 0,
  room: 0,
  places: [0, 0, 0, 0, 0],
  expand() {},
} as const satisfies Recipe;
