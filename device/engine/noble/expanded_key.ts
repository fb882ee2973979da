/**
 * Expanded AES keys (FIPS 197, 5.2) of `@noble/ciphers`, whose copies of them
 * go through vector registers.
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { clearVectorRegisters } from "../../memory/secrets.ts";

/**
 * Expands a key for encryption.
 *
 * @param key 16, 24 or 32 bytes
 * @returns the round keys in the order they are used
 */
export function expandKey(key: Uint8Array): Uint32Array {
  const expanded = unsafe.expandKeyLE(key);
  clearVectorRegisters();
  return expanded;
}

/**
 * Expands a key for decryption (FIPS 197, 5.3.5).
 *
 * @param key 16, 24 or 32 bytes
 * @returns the round keys in the order they are used
 */
export function expandInverseKey(key: Uint8Array): Uint32Array {
  const expanded = unsafe.expandKeyDecLE(key);
  clearVectorRegisters();
  return expanded;
}
