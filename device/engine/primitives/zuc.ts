/**
 * The key stream generator ZUC (TS 35.222), for 128-EEA3 and 128-EIA3.
 *
 * Lookups go to places that depend on secret data.
 *
 * @module
 */

import { CHUNK, KeyStream } from "./key_stream.ts";

/** The S-box S0, two digits an entry (3.4.1, table 3.1). */
const S0 = "3e725b47cae0003304d1549809b96dcb7b1bf932af9d6aa5b82dfc1d08530390" +
  "4d4e8499e4ced991ddb685488b296eaccdc1f81e734369c6b5bdfd396320d438" +
  "767db2a7cfed57c5f32cbb142106559be3ef5e314f7f5aa40d8251495fba581c" +
  "4a16d517a892241f8cffd8ae2e01d3ad3b4bda46ebc9de9a8f87d73a806f2fc8" +
  "b1b437f70a2213287ccc3c89c7c3965607bf7ef00b2b975235417961a64c10fe" +
  "bc2695888ab0a3fbc01894f2e1e5e95dd0dc1166645cec59427512f5749caa23" +
  "0e86abbe2a02e767e644a26cc2939ff1f6fa36d250689e6271153dd640c4e20f" +
  "8e83776b25053f0c30ea70b7a1e8a9658d271adb81b3a0f4457a19dfee783460";

/** The S-box S1, two digits an entry (3.4.1, table 3.2). */
const S1 = "55c263713bc847869f3cda5b29aafd778cc5940ca61a1300e3a8167240f9f842" +
  "4426689681d9453e1076c6a78b3943e13ab5562ac06db3052266bfdc0bfa6248" +
  "dd20110636c9c1cff62752bb69f5d4877f844cd29c57a4bc4f9adffed68d7aeb" +
  "2b53d85ca11417fb23d57d3067730809eeb7703f61b2198e4ee54b938f5ddba9" +
  "adf1ae2ecb0dfcf42d466e1d97e8d1e94d37a5755e839eab829db91ce0cd4989" +
  "01b6bd5824a25f387899159050b895e4d091c7ceed0fb46fa0ccf0024a79c3de" +
  "a3efea51e66b18ec1b2c80f774e7ff215a6a541e41319235c433070aba7e0e34" +
  "88b1987cf33d606c7bcad31f3265042864be859b2f598ad7b025acaf1203e2f2";

/**
 * The 32-bit S-box S (3.4.1): what each value of each byte stands for in the
 * result, 256 words for the most significant byte, then the next.
 */
const S = Int32Array.from({ length: 1024 }, (_, i) => {
  const digits = 2 * (i & 255);
  const byte = i >> 8;
  const box = byte % 2 === 0 ? S0 : S1;
  return parseInt(box.slice(digits, digits + 2), 16) << (24 - 8 * byte);
});

/** d0 to d15, 15 bits each (3.5). */
const D = Uint16Array.of(
  0x44d7,
  0x26bc,
  0x626b,
  0x135e,
  0x5789,
  0x35e2,
  0x7135,
  0x09af,
  0x4d78,
  0x2f13,
  0x6bc4,
  0x1af1,
  0x5e26,
  0x3c4d,
  0x789a,
  0x47ac,
);

/** Clocks of the initialisation (3.6.1). */
const ROUNDS = 32;

/** The modulus of the shift register, which stands for 0 in it (3.2). */
const P = 0x7fff_ffff;

/**
 * Sum modulo 2^31 - 1 (3.2), of numbers up to 2^31 - 1. It is 0 only when both
 * are, and cells never are.
 */
function add(a: number, b: number): number {
  const sum = (a + b) | 0;
  return (sum & P) + (sum >>> 31);
}

/** Times 2^`shift` modulo 2^31 - 1: a rotation of 31 bits (3.2). */
function turn(a: number, shift: number): number {
  return ((a << shift) & P) | (a >>> (31 - shift));
}

/** The linear transform L1 (3.4.2). */
function l1(x: number): number {
  return x ^ ((x << 2) | (x >>> 30)) ^ ((x << 10) | (x >>> 22)) ^
    ((x << 18) | (x >>> 14)) ^ ((x << 24) | (x >>> 8));
}

/** The linear transform L2 (3.4.2). */
function l2(x: number): number {
  return x ^ ((x << 8) | (x >>> 24)) ^ ((x << 14) | (x >>> 18)) ^
    ((x << 22) | (x >>> 10)) ^ ((x << 30) | (x >>> 2));
}

/** ZUC with its key. */
export class Zuc extends KeyStream {
  readonly #key: Uint8Array<ArrayBuffer>;
  /** s0 to s15 of the shift register (3.2), then what is shifted in. */
  readonly #register: Int32Array<ArrayBuffer> = new Int32Array(16 + CHUNK);
  /** R1 and R2 of the function F (3.4). */
  readonly #memory: Int32Array<ArrayBuffer> = new Int32Array(2);
  /** Output of the initialisation, which is discarded or fed back. */
  readonly #discarded: Int32Array<ArrayBuffer> = new Int32Array(ROUNDS);

  /** @param key 16 bytes, copied */
  constructor(key: Uint8Array) {
    super();
    this.#key = Uint8Array.from(key);
  }

  /** Key loading (3.5), initialisation (3.6.1), the first clock of 3.6.2. */
  override start(iv: Uint8Array): void {
    const s = this.#register;
    for (let i = 0; i < 16; i++) {
      s[i] = (this.#key[i]! << 23) | (D[i]! << 8) | iv[i]!;
    }
    this.#memory.fill(0);
    this.#clock(this.#discarded, ROUNDS, -1);
    this.generate(this.#discarded, 1);
  }

  override generate(words: Int32Array, count: number): void {
    this.#clock(words, count, 0);
  }

  /**
   * Runs bit reorganisation, F and shift register (3.2 to 3.4).
   *
   * @param words receives the words of 3.6.2
   * @param count how often, up to {@linkcode CHUNK}
   * @param mode -1 in initialisation mode, 0 in working mode
   */
  #clock(words: Int32Array, count: number, mode: number): void {
    const s = this.#register;
    let r1 = this.#memory[0]!;
    let r2 = this.#memory[1]!;
    for (let i = 0; i < count; i++) {
      const s0 = s[i]!;
      const s15 = s[i + 15]!;
      // X0 to X3 are halves of cells (3.3).
      const x0 = ((s15 & 0x7fff8000) << 1) | (s[i + 14]! & 0xffff);
      const x1 = (s[i + 11]! << 16) | (s[i + 9]! >>> 15);
      const x2 = (s[i + 7]! << 16) | (s[i + 5]! >>> 15);
      const x3 = (s[i + 2]! << 16) | (s0 >>> 15);
      const w = ((x0 ^ r1) + r2) | 0;
      const w1 = (r1 + x1) | 0;
      const w2 = r2 ^ x2;
      const u = l1((w1 << 16) | (w2 >>> 16));
      const v = l2((w2 << 16) | (w1 >>> 16));
      r1 = S[u >>> 24]! | S[256 + ((u >>> 16) & 255)]! |
        S[512 + ((u >>> 8) & 255)]! | S[768 + (u & 255)]!;
      r2 = S[v >>> 24]! | S[256 + ((v >>> 16) & 255)]! |
        S[512 + ((v >>> 8) & 255)]! | S[768 + (v & 255)]!;
      words[i] = w ^ x3;
      const sum = add(
        add(add(turn(s15, 15), turn(s[i + 13]!, 17)), turn(s[i + 10]!, 21)),
        add(add(turn(s[i + 4]!, 20), turn(s0, 8)), s0),
      );
      s[i + 16] = add(sum, (w >>> 1) & mode);
    }
    this.#memory[0] = r1;
    this.#memory[1] = r2;
    for (let i = 0; i < 16; i++) s[i] = s[count + i]!;
  }

  override wipe(): void {
    super.wipe();
    this.#key.fill(0);
    this.#register.fill(0);
    this.#memory.fill(0);
    this.#discarded.fill(0);
  }
}
