/**
 * The key stream generator SNOW 3G (TS 35.216), for UEA2 and UIA2.
 *
 * Lookups go to places that depend on secret data.
 *
 * @module
 */

import { CHUNK, KeyStream } from "./key_stream.ts";
import { readWord } from "./words.ts";

/** MULx of a byte (3.1.1): times x, reduced by x^8 + `c`. */
function mulx(v: number, c: number): number {
  return ((v << 1) & 0xff) ^ (c & -(v >> 7));
}

/** MULxPOW of a byte (3.1.2): times x^`i`, reduced by x^8 + `c`. */
function mulxPow(v: number, i: number, c: number): number {
  for (; i > 0; i--) v = mulx(v, c);
  return v;
}

/** Product of two bytes, reduced by x^8 + `c`. */
function multiply(a: number, b: number, c: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    product ^= a & -((b >> bit) & 1);
    a = mulx(a, c);
  }
  return product;
}

/** A byte to a power, reduced by x^8 + `c`. */
function power(x: number, exponent: number, c: number): number {
  let product = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) product = multiply(product, x, c);
    x = multiply(x, x, c);
  }
  return product;
}

/** The constants of the two S-boxes' fields (3.3.1, 3.3.2). */
const R_FIELD = 0x1b;
const Q_FIELD = 0x69;

/** The S-box S_R, that of Rijndael (3.3.1, 5.1.1). */
function sR(x: number): number {
  // x^254 is the inverse of x, and 0 of 0.
  const inverse = power(x, 254, R_FIELD);
  let y = 0x63;
  for (let turn = 0; turn < 5; turn++) {
    y ^= (inverse << turn) | (inverse >> (8 - turn));
  }
  return y & 0xff;
}

/** Exponents of the Dickson polynomial g49. */
const DICKSON: readonly number[] = [1, 9, 13, 15, 33, 41, 45, 47, 49];

/** The S-box S_Q, a Dickson polynomial plus 0x25 (3.3.2, 5.1.2). */
function sQ(x: number): number {
  return DICKSON.reduce((sum, e) => sum ^ power(x, e, Q_FIELD), 0x25);
}

/**
 * The tables of a 32-bit S-box (3.3.1, 3.3.2): what each value of each byte
 * adds to the result, 256 words for the most significant byte, then the next.
 */
function sboxTables(box: (x: number) => number, c: number): Int32Array {
  const tables = new Int32Array(1024);
  for (let x = 0; x < 256; x++) {
    const s = box(x);
    const twice = mulx(s, c);
    let word = (twice << 24) | ((twice ^ s) << 16) | (s << 8) | s;
    for (let byte = 0; byte < 4; byte++) {
      tables[256 * byte + x] = word;
      word = (word >>> 8) | (word << 24);
    }
  }
  return tables;
}

const S1 = sboxTables(sR, R_FIELD);
const S2 = sboxTables(sQ, Q_FIELD);

/** Powers of x, reduced by x^8 + 0xa9, times each byte, as words. */
function multiples(...powers: number[]): Int32Array {
  const factors = powers.map((i) => mulxPow(1, i, 0xa9));
  return Int32Array.from(
    { length: 256 },
    (_, v) =>
      factors.reduce((word, f) => (word << 8) | multiply(v, f, 0xa9), 0),
  );
}

/** MULalpha (3.4.2). */
const MUL_ALPHA = multiples(23, 245, 48, 239);
/** DIValpha (3.4.3). */
const DIV_ALPHA = multiples(16, 39, 6, 64);

/** Clocks of the initialisation (4.1). */
const ROUNDS = 32;

/** SNOW 3G with its key. */
export class Snow3g extends KeyStream {
  /** k0 to k3 (4.1). */
  readonly #key: Int32Array<ArrayBuffer> = new Int32Array(4);
  /** s0 to s15 of the shift register (3.2), then what is shifted in. */
  readonly #register: Int32Array<ArrayBuffer> = new Int32Array(16 + CHUNK);
  /** R1 to R3 of the finite state machine (3.3). */
  readonly #machine: Int32Array<ArrayBuffer> = new Int32Array(3);
  /** Output of the initialisation, which is discarded or fed back. */
  readonly #discarded: Int32Array<ArrayBuffer> = new Int32Array(ROUNDS);

  /** @param key 16 bytes, copied */
  constructor(key: Uint8Array) {
    super();
    for (let i = 0; i < 4; i++) this.#key[i] = readWord(key, 12 - 4 * i);
  }

  /** Initialisation (4.1), and the first clock of 4.2. */
  override start(iv: Uint8Array): void {
    const key = this.#key;
    const s = this.#register;
    for (let i = 0; i < 4; i++) {
      s[i] = s[8 + i] = ~key[i]!;
      s[4 + i] = s[12 + i] = key[i]!;
    }
    s[15] = s[15]! ^ readWord(iv, 12);
    s[12] = s[12]! ^ readWord(iv, 8);
    s[10] = s[10]! ^ readWord(iv, 4);
    s[9] = s[9]! ^ readWord(iv, 0);
    this.#machine.fill(0);
    this.#clock(this.#discarded, ROUNDS, -1);
    this.generate(this.#discarded, 1);
  }

  override generate(words: Int32Array, count: number): void {
    this.#clock(words, count, 0);
  }

  /**
   * Clocks register and state machine (3.4.4 to 3.4.6).
   *
   * @param words receives the words of 4.2
   * @param count how often, up to {@linkcode CHUNK}
   * @param mode -1 in initialisation mode, 0 in key stream mode
   */
  #clock(words: Int32Array, count: number, mode: number): void {
    const s = this.#register;
    const machine = this.#machine;
    let r1 = machine[0]!;
    let r2 = machine[1]!;
    let r3 = machine[2]!;
    for (let i = 0; i < count; i++) {
      const s0 = s[i]!;
      const s11 = s[i + 11]!;
      const f = ((s[i + 15]! + r1) | 0) ^ r2;
      words[i] = f ^ s0;
      s[i + 16] = (s0 << 8) ^ MUL_ALPHA[s0 >>> 24]! ^ s[i + 2]! ^
        (s11 >>> 8) ^ DIV_ALPHA[s11 & 255]! ^ (f & mode);
      const r = (r2 + (r3 ^ s[i + 5]!)) | 0;
      r3 = S2[r2 >>> 24]! ^ S2[256 + ((r2 >>> 16) & 255)]! ^
        S2[512 + ((r2 >>> 8) & 255)]! ^ S2[768 + (r2 & 255)]!;
      r2 = S1[r1 >>> 24]! ^ S1[256 + ((r1 >>> 16) & 255)]! ^
        S1[512 + ((r1 >>> 8) & 255)]! ^ S1[768 + (r1 & 255)]!;
      r1 = r;
    }
    machine[0] = r1;
    machine[1] = r2;
    machine[2] = r3;
    for (let i = 0; i < 16; i++) s[i] = s[count + i]!;
  }

  override wipe(): void {
    super.wipe();
    this.#key.fill(0);
    this.#register.fill(0);
    this.#machine.fill(0);
    this.#discarded.fill(0);
  }
}
