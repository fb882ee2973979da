/**
 * GHASH (SP 800-38D, 6.4) with a table that is made once for a key.
 *
 * `@noble/ciphers` makes its table anew for every message and leaves parts of
 * it in unreachable objects. Here it is one typed array, which can be wiped.
 * Like its AES this looks tables up at places that depend on secret data.
 *
 * @module
 */

import { swap } from "./words.ts";

/** Words of a table: 32 nibbles of a block, 16 values each, 4 words a product. */
const TABLE_WORDS = 32 * 16 * 4;

/**
 * Makes the table of a hash subkey: the product of the subkey with each value
 * of each nibble of a block, 8 KiB.
 *
 * @param subkey H, 4 little-endian words
 * @returns the table
 */
export function ghashTable(subkey: Uint32Array): Int32Array<ArrayBuffer> {
  const table = new Int32Array(TABLE_WORDS);
  let v0 = swap(subkey[0]!);
  let v1 = swap(subkey[1]!);
  let v2 = swap(subkey[2]!);
  let v3 = swap(subkey[3]!);
  for (let nibble = 0; nibble < 32; nibble++) {
    const start = nibble * 64;
    // The leftmost bit of a block is the coefficient of x^0 (6.3).
    for (let value = 8; value > 0; value >>= 1) {
      const at = start + value * 4;
      table[at] = swap(v0);
      table[at + 1] = swap(v1);
      table[at + 2] = swap(v2);
      table[at + 3] = swap(v3);
      // Times x: a shift to the right, reduced by R = 0xe1 || 0^120 (6.3).
      const carry = v3 & 1;
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ (0xe1000000 & -carry);
    }
    for (let value = 3; value < 16; value++) {
      const low = value & -value;
      if (low === value) continue;
      for (let word = 0; word < 4; word++) {
        table[start + value * 4 + word] = table[start + low * 4 + word]! ^
          table[start + (value ^ low) * 4 + word]!;
      }
    }
  }
  return table;
}

/**
 * Absorbs whole blocks (SP 800-38D, 6.4, step 3).
 *
 * @param table of {@linkcode ghashTable}
 * @param words the blocks, little-endian words
 * @param from index of the first word
 * @param to index after the last word
 * @param state 4 words: zeros, then the hash so far
 */
export function ghash(
  table: Int32Array,
  words: Uint32Array,
  from: number,
  to: number,
  state: Uint32Array,
): void {
  let y0 = state[0]! | 0;
  let y1 = state[1]! | 0;
  let y2 = state[2]! | 0;
  let y3 = state[3]! | 0;
  for (let i = from; i < to; i += 4) {
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    let start = 0;
    for (let k = 0; k < 4; k++) {
      let word = words[i + k]! ^
        (k === 0 ? y0 : k === 1 ? y1 : k === 2 ? y2 : y3);
      for (let byte = 0; byte < 4; byte++) {
        const high = start + ((word & 0xf0) >> 2);
        const low = start + 64 + ((word & 0x0f) << 2);
        z0 ^= table[high]! ^ table[low]!;
        z1 ^= table[high + 1]! ^ table[low + 1]!;
        z2 ^= table[high + 2]! ^ table[low + 2]!;
        z3 ^= table[high + 3]! ^ table[low + 3]!;
        word >>>= 8;
        start += 128;
      }
    }
    y0 = z0;
    y1 = z1;
    y2 = z2;
    y3 = z3;
  }
  state[0] = y0;
  state[1] = y1;
  state[2] = y2;
  state[3] = y3;
}
