/**
 * How much the library works on in about a millisecond.
 *
 * @module
 */

import type { Algorithm, AlgorithmName } from "../algorithm.ts";

const KIB = 1024;

/** Ciphers and AEADs of AES, and what is about as fast. */
const FAST = 1024 * KIB;

/** Hashes with instructions of their own, and their HMACs. */
const HASH = 512 * KIB;

/** What is slower, in bytes of source and result together. */
const SLOWER: { readonly [name in AlgorithmName]?: number } = {
  "arc4": 256 * KIB,
  "des-ecb": 96 * KIB,
  "des-cbc": 96 * KIB,
  "3des-ecb": 48 * KIB,
  "3des-cbc": 48 * KIB,
  "3des-ctr": 32 * KIB,
  "aes-ccm": 512 * KIB,
  "sha3-224": 256 * KIB,
  "sha3-256": 256 * KIB,
  "sha3-384": 192 * KIB,
  "sha3-512": 128 * KIB,
  "shake128": 256 * KIB,
  "shake256": 256 * KIB,
  "cmac-aes": 512 * KIB,
  "cmac-3des": 24 * KIB,
};

/**
 * The bytes of a millisecond, on the slower ones of today's processors.
 *
 * @param algorithm the algorithm
 * @returns bytes of source and result together
 */
export function roundBytesOf({ name, kind }: Algorithm): number {
  return SLOWER[name as AlgorithmName] ??
    (kind === "hash" || name.startsWith("hmac-") ? HASH : FAST);
}
