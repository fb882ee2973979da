/**
 * The block ciphers DES (FIPS 46-3) and TDEA, which is triple DES (SP 800-67).
 * Bits are counted as there: bit 1 is the leftmost.
 *
 * Lookups go to places that depend on secret data.
 *
 * @module
 */

/** The selection functions S1 to S8: the digits of their four rows. */
const SELECTIONS: readonly (readonly [string, string, string, string])[] = [
  [
    "e4d12fb83a6c5907",
    "0f74e2d1a6cb9538",
    "41e8d62bfc973a50",
    "fc8249175b3ea06d",
  ],
  [
    "f18e6b34972dc05a",
    "3d47f28ec01a69b5",
    "0e7ba4d158c6932f",
    "d8a13f42b67c05e9",
  ],
  [
    "a09e63f51dc7b428",
    "d709346a285ecbf1",
    "d6498f30b12c5ae7",
    "1ad069874fe3b52c",
  ],
  [
    "7de3069a1285bc4f",
    "d8b56f03472c1ae9",
    "a690cb7df13e5284",
    "3f06a1d8945bc72e",
  ],
  [
    "2c417ab6853fd0e9",
    "eb2c47d150fa3986",
    "421bad78f9c5630e",
    "b8c71e2d6f09a453",
  ],
  [
    "c1af92680d34e75b",
    "af427c9561de0b38",
    "9ef528c3704a1db6",
    "432c95fabe17608d",
  ],
  [
    "4b2ef08d3c975a61",
    "d0b7491ae35c2f86",
    "14bdc37eaf680592",
    "6bd814a7950fe23c",
  ],
  [
    "d2846fb1a93e50c7",
    "1fd8a374c56b0e92",
    "7b419ce206adf358",
    "21e74a8dfc90356b",
  ],
];

/** The permutation P: the bit that each bit of its output is. */
// deno-fmt-ignore
const P: readonly number[] = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
  2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

/** Permuted choice 1: bits of the key that make up C0, then D0. */
// deno-fmt-ignore
const PC1: readonly number[] = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
  10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
  14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];

/** Permuted choice 2: bits of C and D that make up a round's key. */
// deno-fmt-ignore
const PC2: readonly number[] = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10,
  23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
  41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48,
  44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/** Left shifts of C and D before each round, a digit a round. */
const SHIFTS = "1122222212222221";

/** Words of the schedule of one DES: two a round. */
const PASS = 32;

/**
 * P of each selection function's output: 8 tables of 64. Turned left by one
 * bit, as both halves are while rounds run.
 */
const SP: Uint32Array = Uint32Array.from({ length: 512 }, (_, i) => {
  // The outer bits of six are the row, the inner ones the column.
  const row = ((i >> 4) & 2) | (i & 1);
  const digit = SELECTIONS[i >> 6]![row]![(i >> 1) & 15]!;
  const selected = parseInt(digit, 16) << (28 - 4 * (i >> 6));
  const permuted = P.reduce(
    (word, bit) => (word << 1) | ((selected >>> (32 - bit)) & 1),
    0,
  );
  return (permuted << 1) | (permuted >>> 31);
});

/** Bit n of up to 56 in two halves of 28. */
function bitOf(c: number, d: number, n: number): number {
  return n <= 28 ? (c >>> (28 - n)) & 1 : (d >>> (56 - n)) & 1;
}

/** Turns 28 bits left. */
function turn(half: number, by: number): number {
  return ((half << by) | (half >>> (28 - by))) & 0xfff_ffff;
}

/**
 * Writes the round keys of one DES. A key's 48 bits are kept as eight groups
 * of six, a byte each: those of S1, S3, S5 and S7, then those of S2, S4, S6
 * and S8.
 *
 * @param key the key's bytes
 * @param keyAt index of the first of 8
 * @param schedule receives 32 words
 * @param at index of the first
 * @param inverse whether the last round's key comes first
 */
function expandPass(
  key: Uint8Array,
  keyAt: number,
  schedule: Uint32Array,
  at: number,
  inverse: boolean,
): void {
  let c = 0;
  let d = 0;
  for (let i = 0; i < 28; i++) {
    const left = PC1[i]! - 1;
    const right = PC1[i + 28]! - 1;
    c = (c << 1) | ((key[keyAt + (left >> 3)]! >> (7 - (left & 7))) & 1);
    d = (d << 1) | ((key[keyAt + (right >> 3)]! >> (7 - (right & 7))) & 1);
  }
  for (let round = 0; round < 16; round++) {
    const by = Number(SHIFTS[round]);
    c = turn(c, by);
    d = turn(d, by);
    const to = at + 2 * (inverse ? 15 - round : round);
    for (let box = 0; box < 8; box++) {
      let bits = 0;
      for (let i = 6 * box; i < 6 * box + 6; i++) {
        bits = (bits << 1) | bitOf(c, d, PC2[i]!);
      }
      const word = to + (box & 1);
      schedule[word] = (schedule[word]! << 8) | bits;
    }
  }
}

/**
 * Expands a key of DES, or one of TDEA: three DES keys, used to encrypt, to
 * decrypt and to encrypt (SP 800-67, 3.1). Parity bits are ignored.
 *
 * @param key 8 or 24 bytes
 * @param inverse whether the schedule is to decrypt
 * @returns 32 words, or 96; overwrite them when done
 */
export function expandDesKey(
  key: Uint8Array,
  inverse: boolean,
): Uint32Array<ArrayBuffer> {
  const passes = key.length / 8;
  const schedule = new Uint32Array(PASS * passes);
  for (let pass = 0; pass < passes; pass++) {
    const keyAt = 8 * (inverse ? passes - 1 - pass : pass);
    const backwards = inverse !== (pass === 1);
    expandPass(key, keyAt, schedule, PASS * pass, backwards);
  }
  return schedule;
}

/** The function f of a half turned left by one bit. */
function f(half: number, first: number, second: number): number {
  // The expansion E: each byte of these two has six bits of its own at its end.
  const odd = ((half >>> 4) | (half << 28)) ^ first;
  const even = half ^ second;
  return SP[(odd >>> 24) & 63]! ^ SP[64 | ((even >>> 24) & 63)]! ^
    SP[128 | ((odd >>> 16) & 63)]! ^ SP[192 | ((even >>> 16) & 63)]! ^
    SP[256 | ((odd >>> 8) & 63)]! ^ SP[320 | ((even >>> 8) & 63)]! ^
    SP[384 | (odd & 63)]! ^ SP[448 | (even & 63)]!;
}

/**
 * Runs DES or TDEA on one block in place; the schedule says which, and in
 * which direction.
 *
 * @param schedule an expanded key
 * @param words hold the block: bits 1 to 32, and bits 33 to 64
 * @param at index of the first of the two
 */
export function desBlock(
  schedule: Uint32Array,
  words: Uint32Array,
  at = 0,
): void {
  let l = words[at]!;
  let r = words[at + 1]!;
  // The initial permutation, by exchanges of bits between the halves.
  let t = ((l >>> 4) ^ r) & 0x0f0f_0f0f;
  r ^= t;
  l ^= t << 4;
  t = ((l >>> 16) ^ r) & 0xffff;
  r ^= t;
  l ^= t << 16;
  t = ((r >>> 2) ^ l) & 0x3333_3333;
  l ^= t;
  r ^= t << 2;
  t = ((r >>> 8) ^ l) & 0x00ff_00ff;
  l ^= t;
  r ^= t << 8;
  // From here on both halves are turned left by one bit.
  r = (r << 1) | (r >>> 31);
  t = (l ^ r) & 0xaaaa_aaaa;
  l ^= t;
  r ^= t;
  l = (l << 1) | (l >>> 31);
  for (let k = 0; k < schedule.length;) {
    for (const end = k + PASS; k < end; k += 4) {
      l ^= f(r, schedule[k]!, schedule[k + 1]!);
      r ^= f(l, schedule[k + 2]!, schedule[k + 3]!);
    }
    // The halves are exchanged. Between passes of TDEA the permutation and
    // its inverse cancel out.
    t = l;
    l = r;
    r = t;
  }
  // The inverse permutation: the same exchanges backwards.
  l = (l >>> 1) | (l << 31);
  t = (l ^ r) & 0xaaaa_aaaa;
  l ^= t;
  r ^= t;
  r = (r >>> 1) | (r << 31);
  t = ((r >>> 8) ^ l) & 0x00ff_00ff;
  l ^= t;
  r ^= t << 8;
  t = ((r >>> 2) ^ l) & 0x3333_3333;
  l ^= t;
  r ^= t << 2;
  t = ((l >>> 16) ^ r) & 0xffff;
  r ^= t;
  l ^= t << 16;
  t = ((l >>> 4) ^ r) & 0x0f0f_0f0f;
  r ^= t;
  l ^= t << 4;
  words[at] = l;
  words[at + 1] = r;
}
