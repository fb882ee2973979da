/**
 * Copies of keys.
 *
 * @module
 */

/**
 * Copies a key byte by byte. A copy by vector registers leaves 16 bytes or more
 * of it in them, and when the runtime discards optimised code it writes its
 * registers to memory that it does not clear afterwards.
 *
 * @param key the bytes to copy
 * @param target where to
 * @param at offset in `target` of the first one; 0 when left out
 */
export function copyKey(key: Uint8Array, target: Uint8Array, at = 0): void {
  for (let i = 0; i < key.length; i++) target[at + i] = key[i]!;
}
