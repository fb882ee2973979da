/**
 * 32-bit words in and out of byte arrays. Deno runs on little-endian machines
 * only, and so a Uint32Array over bytes holds little-endian words.
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
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) |
    (word >>> 24);
}

/**
 * Reads the first four words of an array, little-endian.
 *
 * @param bytes 16 bytes or more
 * @param words receives 4 words
 */
export function loadBlock(bytes: Uint8Array, words: Uint32Array): void {
  for (let i = 0; i < 4; i++) {
    words[i] = bytes[4 * i]! | (bytes[4 * i + 1]! << 8) |
      (bytes[4 * i + 2]! << 16) | (bytes[4 * i + 3]! << 24);
  }
}

/**
 * Compares the first bytes of two private arrays in a time that does not
 * depend on what they hold.
 *
 * @param a one array
 * @param b the other
 * @param length number of bytes compared
 * @returns true when they are equal
 */
export function equalBytes(
  a: Uint8Array,
  b: Uint8Array,
  length: number,
): boolean {
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
