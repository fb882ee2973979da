/**
 * Expanded AES keys (FIPS 197, 5.2) of `@noble/ciphers`, whose copies of them
 * go through vector registers.
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { clearVectorRegisters } from "../../memory/secrets.ts";

/** Bytes of keys. */
const SIZES = [16, 24, 32];

/** How often keys of each size are expanded before the first real one. */
const REHEARSALS = 8;

let rehearsed = false;

/**
 * Has the runtime see every branch of the library's functions with keys of
 * zeros. They copy the key through vector registers first. Optimised code that
 * comes to a branch which none of the keys before has taken is discarded there,
 * and the registers are written to memory that is not cleared.
 */
function rehearse(): void {
  if (rehearsed) return;
  rehearsed = true;
  for (let i = 0; i < REHEARSALS; i++) {
    for (const size of SIZES) {
      unsafe.expandKeyLE(new Uint8Array(size));
      unsafe.expandKeyDecLE(new Uint8Array(size));
    }
  }
}

/**
 * Expands a key for encryption.
 *
 * @param key 16, 24 or 32 bytes
 * @returns the round keys in the order they are used
 */
export function expandKey(key: Uint8Array): Uint32Array {
  rehearse();
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
  rehearse();
  const expanded = unsafe.expandKeyDecLE(key);
  clearVectorRegisters();
  return expanded;
}
