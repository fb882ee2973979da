/**
 * 32-bit words as the standards here have them, big-endian, against words of
 * a Uint32Array over bytes, which are little-endian on every machine Deno runs
 * on.
 *
 * @module
 */

/**
 * Reverses the bytes of a word.
 *
 * @param word 32 bits
 * @returns the word reversed, as a signed number
 */
export function swap(word: number): number {
  return (((word << 24) | (word >>> 8)) & 0xff00ff00) |
    (((word << 8) | (word >>> 24)) & 0x00ff00ff);
}

/**
 * Reads a big-endian word.
 *
 * @param bytes 4 bytes or more from `at`
 * @param at index of the first one
 * @returns the word, as a signed number
 */
export function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) |
    bytes[at + 3]!;
}
