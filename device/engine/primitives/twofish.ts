/**
 * The block cipher Twofish, encryption only: "Twofish: A 128-Bit Block
 * Cipher" (Schneier, Kelsey, Whiting, Wagner, Hall, Ferguson; 15 June 1998).
 *
 * Lookups go to places that depend on secret data.
 *
 * @module
 */

/** The 4-bit tables t0 to t3 of q0 and of q1, a digit an entry (4.3.5). */
const NIBBLES: readonly (readonly [string, string, string, string])[] = [
  [
    "817d6f320b59eca4",
    "ecb81235f4a6709d",
    "ba5e6d90c8f32471",
    "d7f4126e9b3085ca",
  ],
  [
    "28bdf76e31940ac5",
    "1e2b4c376da5f908",
    "4c75169a0ed82b3f",
    "b951c3de647f208a",
  ],
];

/** The permutation that four 4-bit tables make (4.3.5). */
function permutation(tables: readonly string[]): Uint8Array {
  const [t0, t1, t2, t3] = tables.map((digits) =>
    Uint8Array.from(digits, (digit) => parseInt(digit, 16))
  );
  const mixed = (a: number, b: number) =>
    (a ^ (b >> 1) ^ (b << 3) ^ (a << 3)) & 15;
  return Uint8Array.from({ length: 256 }, (_, x) => {
    const a1 = (x >> 4) ^ (x & 15);
    const b1 = mixed(x >> 4, x & 15);
    const a2 = t0![a1]!;
    const b2 = t1![b1]!;
    return (t3![mixed(a2, b2)]! << 4) | t2![a2 ^ b2]!;
  });
}

const [Q0, Q1] = NIBBLES.map(permutation) as [Uint8Array, Uint8Array];

/**
 * The permutations of each byte of h, the one applied last first: between
 * them bytes of the list are added (4.3.2).
 */
const STAGES: readonly (readonly Uint8Array[])[] = [
  [Q1, Q0, Q0, Q1, Q1],
  [Q0, Q0, Q1, Q1, Q0],
  [Q1, Q1, Q0, Q0, Q0],
  [Q0, Q1, Q1, Q0, Q1],
];

/** Rows of the MDS matrix (4.2). */
const MDS: readonly (readonly number[])[] = [
  [0x01, 0xef, 0x5b, 0x5b],
  [0x5b, 0xef, 0xef, 0x01],
  [0xef, 0x5b, 0x01, 0xef],
  [0xef, 0x01, 0xef, 0x5b],
];
/** v(x) = x^8 + x^6 + x^5 + x^3 + 1, the field of MDS. */
const MDS_FIELD = 0x169;

/** Rows of the RS matrix (4.3). */
const RS: readonly (readonly number[])[] = [
  [0x01, 0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e],
  [0xa4, 0x56, 0x82, 0xf3, 0x1e, 0xc6, 0x68, 0xe5],
  [0x02, 0xa1, 0xfc, 0xc1, 0x47, 0xae, 0x3d, 0x19],
  [0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e, 0x03],
];
/** w(x) = x^8 + x^6 + x^3 + x^2 + 1, the field of RS. */
const RS_FIELD = 0x14d;

/** Product in GF(2^8). */
function multiply(a: number, b: number, field: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    product ^= a & -((b >> bit) & 1);
    a = (a << 1) ^ (field & -(a >> 7));
  }
  return product;
}

/** Each byte times each column of MDS, as words: 4 tables of 256. */
const COLUMNS: Uint32Array = Uint32Array.from({ length: 1024 }, (_, i) => {
  let word = 0;
  for (let row = 0; row < 4; row++) {
    word |= multiply(i & 255, MDS[row]![i >> 8]!, MDS_FIELD) << (8 * row);
  }
  return word;
});

/**
 * One byte's part in the function h (4.3.2).
 *
 * @param position which byte of the word, 0 to 3
 * @param value the byte
 * @param list bytes of the list L
 * @param from index of byte 0 of L0
 * @param step from one word of the list to the next, in bytes
 * @param words length of the list
 */
function part(
  position: number,
  value: number,
  list: Uint8Array,
  from: number,
  step: number,
  words: number,
): number {
  const stages = STAGES[position]!;
  for (let i = words - 1; i >= 0; i--) {
    value = stages[i + 1]![value]! ^ list[from + i * step + position]!;
  }
  return COLUMNS[position << 8 | stages[0]![value]!]!;
}

/** The words of the list S, from S(k-1) down to S0 (4.3). */
function sboxKey(key: Uint8Array): Uint8Array {
  const words = key.length / 8;
  const list = new Uint8Array(4 * words);
  for (let i = 0; i < words; i++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let column = 0; column < 8; column++) {
        sum ^= multiply(key[8 * i + column]!, RS[row]![column]!, RS_FIELD);
      }
      list[4 * (words - 1 - i) + row] = sum;
    }
  }
  return list;
}

/** Words of a schedule before its S-boxes: the subkeys K0 to K39. */
const SUBKEYS = 40;

/**
 * Expands a key (4.3): 40 subkeys, then the four key-dependent S-boxes, each
 * with its column of MDS multiplied in.
 *
 * @param key 16, 24 or 32 bytes
 * @returns 1064 words; overwrite them when done
 */
export function expandTwofishKey(key: Uint8Array): Uint32Array<ArrayBuffer> {
  const words = key.length / 8;
  const schedule = new Uint32Array(SUBKEYS + 1024);
  for (let i = 0; i < SUBKEYS; i += 2) {
    let a = 0;
    let b = 0;
    for (let position = 0; position < 4; position++) {
      // Me is every other word of the key from the first, Mo from the second.
      a ^= part(position, i, key, 0, 8, words);
      b ^= part(position, i + 1, key, 4, 8, words);
    }
    b = (b << 8) | (b >>> 24);
    schedule[i] = a + b;
    const sum = a + 2 * b;
    schedule[i + 1] = (sum << 9) | (sum >>> 23);
  }
  const list = sboxKey(key);
  for (let i = 0; i < 1024; i++) {
    schedule[SUBKEYS + i] = part(i >> 8, i & 255, list, 0, 4, words);
  }
  list.fill(0);
  return schedule;
}

/** The function g (4.2), of a word turned left by `8 * turn` bits. */
function g(schedule: Uint32Array, x: number, turn: number): number {
  // Byte i of the turned word is byte (i - turn) mod 4 of x.
  return schedule[SUBKEYS + ((x >>> (-8 * turn & 31)) & 255)]! ^
    schedule[SUBKEYS + 256 + ((x >>> ((8 - 8 * turn) & 31)) & 255)]! ^
    schedule[SUBKEYS + 512 + ((x >>> ((16 - 8 * turn) & 31)) & 255)]! ^
    schedule[SUBKEYS + 768 + ((x >>> ((24 - 8 * turn) & 31)) & 255)]!;
}

/**
 * Encrypts one block in place (4, figure 1).
 *
 * @param schedule an expanded key
 * @param words holds the block as 4 little-endian words
 * @param at index of the first of them
 */
export function twofishEncryptBlock(
  schedule: Uint32Array,
  words: Uint32Array,
  at = 0,
): void {
  let a = words[at]! ^ schedule[0]!;
  let b = words[at + 1]! ^ schedule[1]!;
  let c = words[at + 2]! ^ schedule[2]!;
  let d = words[at + 3]! ^ schedule[3]!;
  // Two rounds each, so that the halves change places by themselves.
  for (let k = 8; k < SUBKEYS; k += 4) {
    let t0 = g(schedule, a, 0);
    let t1 = g(schedule, b, 1);
    c ^= t0 + t1 + schedule[k]!;
    c = (c >>> 1) | (c << 31);
    d = ((d << 1) | (d >>> 31)) ^ (t0 + 2 * t1 + schedule[k + 1]!);
    t0 = g(schedule, c, 0);
    t1 = g(schedule, d, 1);
    a ^= t0 + t1 + schedule[k + 2]!;
    a = (a >>> 1) | (a << 31);
    b = ((b << 1) | (b >>> 31)) ^ (t0 + 2 * t1 + schedule[k + 3]!);
  }
  words[at] = c ^ schedule[4]!;
  words[at + 1] = d ^ schedule[5]!;
  words[at + 2] = a ^ schedule[6]!;
  words[at + 3] = b ^ schedule[7]!;
}
