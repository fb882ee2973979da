/**
 * The modes of SP 800-38A over the block cipher of `@noble/ciphers`. Unlike
 * that package's own modes these keep an expanded key from job to job, work in
 * place, and go on where the last step ended.
 *
 * Data is given as a range of little-endian words, a whole number of blocks.
 *
 * @module
 */

import { unsafe } from "@noble/ciphers/aes.js";
import { swap } from "./words.ts";

const { decrypt, encrypt } = unsafe;

/**
 * ECB encryption (SP 800-38A, 6.1).
 *
 * @param key expanded encryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 */
export function ecbEncrypt(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i += 4) {
    const { s0, s1, s2, s3 } = encrypt(
      key,
      words[i]!,
      words[i + 1]!,
      words[i + 2]!,
      words[i + 3]!,
    );
    words[i] = s0;
    words[i + 1] = s1;
    words[i + 2] = s2;
    words[i + 3] = s3;
  }
}

/**
 * ECB decryption (SP 800-38A, 6.1).
 *
 * @param key expanded decryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 */
export function ecbDecrypt(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i += 4) {
    const { s0, s1, s2, s3 } = decrypt(
      key,
      words[i]!,
      words[i + 1]!,
      words[i + 2]!,
      words[i + 3]!,
    );
    words[i] = s0;
    words[i + 1] = s1;
    words[i + 2] = s2;
    words[i + 3] = s3;
  }
}

/**
 * CBC encryption (SP 800-38A, 6.2).
 *
 * @param key expanded encryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param chain 4 words: the iv, then the last block of ciphertext
 */
export function cbcEncrypt(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  chain: Uint32Array,
): void {
  let s0 = chain[0]!;
  let s1 = chain[1]!;
  let s2 = chain[2]!;
  let s3 = chain[3]!;
  for (let i = from; i < to; i += 4) {
    ({ s0, s1, s2, s3 } = encrypt(
      key,
      s0 ^ words[i]!,
      s1 ^ words[i + 1]!,
      s2 ^ words[i + 2]!,
      s3 ^ words[i + 3]!,
    ));
    words[i] = s0;
    words[i + 1] = s1;
    words[i + 2] = s2;
    words[i + 3] = s3;
  }
  chain[0] = s0;
  chain[1] = s1;
  chain[2] = s2;
  chain[3] = s3;
}

/**
 * CBC decryption (SP 800-38A, 6.2).
 *
 * @param key expanded decryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param chain 4 words: the iv, then the last block of ciphertext
 */
export function cbcDecrypt(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  chain: Uint32Array,
): void {
  let p0 = chain[0]!;
  let p1 = chain[1]!;
  let p2 = chain[2]!;
  let p3 = chain[3]!;
  for (let i = from; i < to; i += 4) {
    const c0 = words[i]!;
    const c1 = words[i + 1]!;
    const c2 = words[i + 2]!;
    const c3 = words[i + 3]!;
    const { s0, s1, s2, s3 } = decrypt(key, c0, c1, c2, c3);
    words[i] = s0 ^ p0;
    words[i + 1] = s1 ^ p1;
    words[i + 2] = s2 ^ p2;
    words[i + 3] = s3 ^ p3;
    p0 = c0;
    p1 = c1;
    p2 = c2;
    p3 = c3;
  }
  chain[0] = p0;
  chain[1] = p1;
  chain[2] = p2;
  chain[3] = p3;
}

/**
 * The chaining of CBC-MAC: CBC encryption of which only the last block is
 * kept (SP 800-38B, 6.2, step 6).
 *
 * @param key expanded encryption key
 * @param words the data, left as it is
 * @param from index of the first word
 * @param to index after the last word
 * @param chain 4 words: zeros, then the last block
 */
export function cbcMac(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  chain: Uint32Array,
): void {
  let s0 = chain[0]!;
  let s1 = chain[1]!;
  let s2 = chain[2]!;
  let s3 = chain[3]!;
  for (let i = from; i < to; i += 4) {
    ({ s0, s1, s2, s3 } = encrypt(
      key,
      s0 ^ words[i]!,
      s1 ^ words[i + 1]!,
      s2 ^ words[i + 2]!,
      s3 ^ words[i + 3]!,
    ));
  }
  chain[0] = s0;
  chain[1] = s1;
  chain[2] = s2;
  chain[3] = s3;
}

/**
 * CTR in both directions. The counter is the whole block (SP 800-38A, 6.5 with
 * B.1), or its last 32 bits only, as GCM has it (SP 800-38D, 6.5: inc32).
 *
 * @param key expanded encryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param counter 4 little-endian words of the next counter block, moved on
 * @param bits width of the counter
 */
export function ctr(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  counter: Uint32Array,
  bits: 32 | 128,
): void {
  const c0 = counter[0]!;
  const c1 = counter[1]!;
  const c2 = counter[2]!;
  let low = swap(counter[3]!);
  for (let i = from; i < to; i += 4) {
    const { s0, s1, s2, s3 } = encrypt(key, c0, c1, c2, swap(low));
    words[i] = words[i]! ^ s0;
    words[i + 1] = words[i + 1]! ^ s1;
    words[i + 2] = words[i + 2]! ^ s2;
    words[i + 3] = words[i + 3]! ^ s3;
    low = (low + 1) | 0;
    if (low === 0 && bits === 128) {
      // Once in 2^32 blocks: the carry goes on into the other words.
      counter[3] = 0;
      for (let k = 2; k >= 0; k--) {
        const next = (swap(counter[k]!) + 1) | 0;
        counter[k] = swap(next);
        if (next !== 0) break;
      }
      return ctr(key, words, i + 4, to, counter, bits);
    }
  }
  counter[3] = swap(low);
}
