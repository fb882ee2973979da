/**
 * A second implementation of SNOW 3G and ZUC and of what is built on them:
 * slow, plain, and where it can be by another definition than the device's
 * own. Lengths are in bits.
 *
 * @module
 */

/** Multiplication in GF(2^8) with a reduction polynomial of 9 bits. */
function times(a: number, b: number, field: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product <<= 1;
    if (product & 0x100) product ^= field;
    if (b & (1 << bit)) product ^= a;
  }
  return product;
}

/** A table of the inverses of all bytes, 0 for 0. */
function inverses(field: number): number[] {
  const table = new Array(256).fill(0);
  for (let a = 1; a < 256; a++) {
    for (let b = a; table[a] === 0; b++) {
      if (times(a, b, field) === 1) [table[a], table[b]] = [b, a];
    }
  }
  return table;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

const RIJNDAEL = inverses(0x11b).map((x) => {
  let sum = 0x63;
  for (let i = 0; i < 8; i++) {
    for (const j of [0, 4, 5, 6, 7]) sum ^= ((x >> ((i + j) % 8)) & 1) << i;
  }
  return sum;
});

/** g49 is the Dickson polynomial D49(x, 1), which has a recurrence. */
const DICKSON = RIJNDAEL.map((_, x) => {
  let [before, last] = [0, x];
  for (let n = 2; n <= 49; n++) {
    [before, last] = [last, times(x, last, 0x169) ^ before];
  }
  return last ^ 0x25;
});

/** A byte substitution, then MixColumn, with the first byte in front. */
function column(word: number, box: number[], field: number): number {
  const bytes = [24, 16, 8, 0].map((shift) => box[(word >>> shift) & 255]!);
  let sum = 0;
  for (let row = 0; row < 4; row++) {
    const at = (i: number) => bytes[(row + i) % 4]!;
    sum = (sum << 8) |
      (times(at(0), 2, field) ^ at(1) ^ at(2) ^ times(at(3), 3, field));
  }
  return sum;
}

/** beta, a root of x^8 + x^7 + x^5 + x^3 + 1, to a power. */
function beta(power: number): number {
  let product = 1;
  for (; power > 0; power--) product = times(product, 2, 0x1a9);
  return product;
}
const ALPHA = [23, 245, 48, 239].map(beta);
const BETA_INVERSES = inverses(0x1a9);

/** Times alpha, a root of x^4 + b^23 x^3 + b^245 x^2 + b^48 x + b^239. */
function timesAlpha(word: number): number {
  return ALPHA.reduce(
    (sum, factor, i) =>
      sum ^ (times(word >>> 24, factor, 0x1a9) << (24 - 8 * i)),
    word << 8,
  );
}

/** Divided by alpha: what times alpha is the word. */
function dividedByAlpha(word: number): number {
  const top = times(word & 255, BETA_INVERSES[ALPHA[3]!]!, 0x1a9);
  return ((word ^ timesAlpha(top << 24)) >>> 8) | (top << 24);
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.slice().buffer);
  return Array.from(
    { length: bytes.length / 4 },
    (_, i) => view.getInt32(4 * i),
  );
}

/** Key stream of SNOW 3G (TS 35.216), word by word. */
function snow3g(key: Uint8Array, iv: Uint8Array): () => number {
  const k = words(key).reverse();
  const [iv3, iv2, iv1, iv0] = words(iv) as [number, number, number, number];
  const s = Array.from(
    { length: 16 },
    (_, i) => i % 8 < 4 ? ~k[i % 4]! : k[i % 4]!,
  );
  s[15]! ^= iv0;
  s[12]! ^= iv1;
  s[10]! ^= iv2;
  s[9]! ^= iv3;
  let [r1, r2, r3] = [0, 0, 0];
  let at = 0;
  const cell = (i: number) => s[(at + i) % 16]!;
  const clock = (initialising: boolean) => {
    const f = ((cell(15) + r1) | 0) ^ r2;
    const z = f ^ cell(0);
    const r = (r2 + (r3 ^ cell(5))) | 0;
    [r1, r2, r3] = [r, column(r1, RIJNDAEL, 0x11b), column(r2, DICKSON, 0x169)];
    s[at % 16] = timesAlpha(cell(0)) ^ cell(2) ^ dividedByAlpha(cell(11)) ^
      (initialising ? f : 0);
    at++;
    return z;
  };
  for (let i = 0; i < 32; i++) clock(true);
  clock(false);
  return () => clock(false);
}

/** S0 as the network of three 4-bit tables that it was made of. */
const ZUC_S0 = RIJNDAEL.map((_, x) => {
  const [p1, p2, p3] = [
    [9, 15, 0, 14, 15, 15, 2, 10, 0, 4, 0, 12, 7, 5, 3, 9],
    [8, 13, 6, 5, 7, 0, 12, 4, 11, 1, 14, 10, 15, 3, 9, 2],
    [2, 6, 10, 6, 0, 13, 10, 15, 3, 3, 13, 5, 0, 9, 12, 13],
  ] as [number[], number[], number[]];
  let high = x >> 4;
  let low = x & 15;
  high ^= p1[low]!;
  low ^= p2[high]!;
  high ^= p3[low]!;
  const y = (high << 4) | low;
  return ((y << 5) | (y >> 3)) & 255;
});

/** S1 as an affine map of the inverse. */
const ZUC_S1 = inverses(0x18b).map((x) =>
  [0x97, 0x3e, 0x6d, 0xcb, 0xee, 0xdd, 0xbb, 0x77].reduce(
    (sum, vector, bit) => sum ^ ((x >> bit) & 1 ? vector : 0),
    0x55,
  )
);

const ZUC_D = [
  "100010011010111",
  "010011010111100",
  "110001001101011",
  "001001101011110",
  "101011110001001",
  "011010111100010",
  "111000100110101",
  "000100110101111",
  "100110101111000",
  "010111100010011",
  "110101111000100",
  "001101011110001",
  "101111000100110",
  "011110001001101",
  "111100010011010",
  "100011110101100",
].map((bits) => parseInt(bits, 2));

/** Key stream of ZUC (TS 35.222), word by word. */
function zuc(key: Uint8Array, iv: Uint8Array): () => number {
  const s = ZUC_D.map((d, i) => key[i]! * 2 ** 23 + d * 2 ** 8 + iv[i]!);
  let [r1, r2] = [0, 0];
  const high = (i: number) => s[i]! >>> 15;
  const low = (i: number) => s[i]! & 0xffff;
  const boxes = (word: number) =>
    [ZUC_S0, ZUC_S1, ZUC_S0, ZUC_S1].reduce(
      (sum, box, i) => (sum << 8) | box[(word >>> (24 - 8 * i)) & 255]!,
      0,
    );
  const linear = (word: number, turns: number[]) =>
    turns.reduce((sum, turn) => sum ^ rotate(word, turn), word);
  const clock = (initialising: boolean) => {
    const x0 = (high(15) << 16) | low(14);
    const x1 = (low(11) << 16) | high(9);
    const x2 = (low(7) << 16) | high(5);
    const x3 = (low(2) << 16) | high(0);
    const w = ((x0 ^ r1) + r2) | 0;
    const w1 = (r1 + x1) | 0;
    const w2 = r2 ^ x2;
    r1 = boxes(linear((w1 << 16) | (w2 >>> 16), [2, 10, 18, 24]));
    r2 = boxes(linear((w2 << 16) | (w1 >>> 16), [8, 14, 22, 30]));
    // Below 2^53, and so exact.
    const sum = s[15]! * 2 ** 15 + s[13]! * 2 ** 17 + s[10]! * 2 ** 21 +
      s[4]! * 2 ** 20 + s[0]! * 257 + (initialising ? w >>> 1 : 0);
    s.shift();
    s.push(sum % (2 ** 31 - 1) || 2 ** 31 - 1);
    return w ^ x3;
  };
  for (let i = 0; i < 32; i++) clock(true);
  clock(false);
  return () => clock(false);
}

/** Adds a key stream to bits, and clears the other bits of the last byte. */
function add(stream: () => number, data: Uint8Array, bits: number) {
  const out = new Uint8Array(Math.ceil(bits / 8));
  let word = 0;
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 0) word = stream();
    out[i] = data[i]! ^ (word >>> (24 - 8 * (i % 4)));
  }
  if (bits % 8 !== 0) out[out.length - 1]! &= 0xff00 >> (bits % 8);
  return out;
}

/**
 * UEA2 (TS 35.215, 3).
 *
 * @param key 16 bytes
 * @param iv 16 bytes
 * @param data plaintext or ciphertext
 * @param bits its length
 * @returns the other one
 */
export function uea2(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
  bits = 8 * data.length,
): Uint8Array {
  return add(snow3g(key, iv), data, bits);
}

/**
 * 128-EEA3 (TS 35.221, 3).
 *
 * @param key 16 bytes
 * @param iv 16 bytes
 * @param data plaintext or ciphertext
 * @param bits its length
 * @returns the other one
 */
export function eea3(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
  bits = 8 * data.length,
): Uint8Array {
  return add(zuc(key, iv), data, bits);
}

/** MUL of UIA2: product in GF(2^64). */
function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (; b > 0n; b >>= 1n) {
    if (b & 1n) product ^= a;
    a <<= 1n;
    if (a >> 64n) a ^= (1n << 64n) | 0x1bn;
  }
  return product;
}

function bytesOf(word: number): Uint8Array {
  return Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
}

/**
 * UIA2 (TS 35.215, 4).
 *
 * @param key 16 bytes
 * @param iv 16 bytes
 * @param data the message
 * @param bits its length
 * @returns the MAC, 4 bytes
 */
export function uia2(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
  bits = 8 * data.length,
): Uint8Array {
  const stream = snow3g(key, iv);
  const two = () => (BigInt(stream() >>> 0) << 32n) | BigInt(stream() >>> 0);
  const [p, q, otp] = [two(), two(), stream()];
  const padded = new Uint8Array(8 * Math.ceil(bits / 64));
  padded.set(data);
  if (bits % 8 !== 0) padded[bits >> 3]! &= 0xff00 >> (bits % 8);
  const view = new DataView(padded.buffer);
  let sum = 0n;
  for (let at = 0; at < padded.length; at += 8) {
    sum = multiply(p, sum ^ view.getBigUint64(at));
  }
  sum = multiply(q, sum ^ BigInt(bits));
  return bytesOf(Number(sum >> 32n) ^ otp);
}

/**
 * 128-EIA3 (TS 35.221, 4).
 *
 * @param key 16 bytes
 * @param iv 16 bytes
 * @param data the message
 * @param bits its length
 * @returns the MAC, 4 bytes
 */
export function eia3(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
  bits = 8 * data.length,
): Uint8Array {
  const stream = zuc(key, iv);
  const z = Array.from({ length: Math.ceil(bits / 32) + 2 }, stream);
  const word = (bit: number) => {
    const [at, shift] = [bit >> 5, bit & 31];
    return shift === 0
      ? z[at]!
      : (z[at]! << shift) | (z[at + 1]! >>> (32 - shift));
  };
  let sum = 0;
  for (let bit = 0; bit < bits; bit++) {
    if ((data[bit >> 3]! >> (7 - bit % 8)) & 1) sum ^= word(bit);
  }
  return bytesOf(sum ^ word(bits) ^ z.at(-1)!);
}
