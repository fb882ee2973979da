/**
 * The modes of SP 800-38A over DES and TDEA; the expanded key says which of
 * the two, and in which direction the block cipher runs.
 *
 * Data is given as a range of little-endian words, a whole number of blocks.
 * The block cipher's own words are big-endian.
 *
 * @module
 */

import { desBlock } from "../primitives/des.ts";
import { swap } from "./words.ts";

/**
 * ECB in the direction of the key (SP 800-38A, 6.1).
 *
 * @param key expanded key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param block 2 words to work in
 */
export function desEcb(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  block: Uint32Array,
): void {
  for (let i = from; i < to; i += 2) {
    block[0] = swap(words[i]!);
    block[1] = swap(words[i + 1]!);
    desBlock(key, block);
    words[i] = swap(block[0]!);
    words[i + 1] = swap(block[1]!);
  }
}

/**
 * CBC encryption (SP 800-38A, 6.2).
 *
 * @param key expanded encryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param chain 2 big-endian words: the iv, then the last block of ciphertext
 */
export function desCbcEncrypt(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  chain: Uint32Array,
): void {
  for (let i = from; i < to; i += 2) {
    chain[0] = chain[0]! ^ swap(words[i]!);
    chain[1] = chain[1]! ^ swap(words[i + 1]!);
    desBlock(key, chain);
    words[i] = swap(chain[0]!);
    words[i + 1] = swap(chain[1]!);
  }
}

/**
 * CBC decryption (SP 800-38A, 6.2).
 *
 * @param key expanded decryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param chain 2 big-endian words: the iv, then the last block of ciphertext;
 * and 2 words to work in
 */
export function desCbcDecrypt(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  chain: Uint32Array,
): void {
  for (let i = from; i < to; i += 2) {
    const c0 = swap(words[i]!);
    const c1 = swap(words[i + 1]!);
    chain[2] = c0;
    chain[3] = c1;
    desBlock(key, chain, 2);
    words[i] = swap(chain[2]! ^ chain[0]!);
    words[i + 1] = swap(chain[3]! ^ chain[1]!);
    chain[0] = c0;
    chain[1] = c1;
  }
}

/**
 * CTR in both directions, with the whole block as the counter (SP 800-38A, 6.5
 * with B.1).
 *
 * @param key expanded encryption key
 * @param words the data, replaced
 * @param from index of the first word
 * @param to index after the last word
 * @param counter 2 big-endian words of the next counter block, moved on; and 2
 * words to work in
 */
export function desCtr(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  counter: Uint32Array,
): void {
  for (let i = from; i < to; i += 2) {
    const low = counter[1]!;
    counter[2] = counter[0]!;
    counter[3] = low;
    desBlock(key, counter, 2);
    words[i] = words[i]! ^ swap(counter[2]!);
    words[i + 1] = words[i + 1]! ^ swap(counter[3]!);
    counter[1] = low + 1;
    if (low === 0xffff_ffff) counter[0] = counter[0]! + 1;
  }
}

/**
 * The chaining of CBC-MAC: CBC encryption of which only the last block is
 * kept (SP 800-38B, 6.2, step 6).
 *
 * @param key expanded encryption key
 * @param words the data, left as it is
 * @param from index of the first word
 * @param to index after the last word
 * @param chain 2 little-endian words: zeros, then the last block
 */
export function desCbcMac(
  key: Uint32Array,
  words: Uint32Array,
  from: number,
  to: number,
  chain: Uint32Array,
): void {
  chain[0] = swap(chain[0]!);
  chain[1] = swap(chain[1]!);
  for (let i = from; i < to; i += 2) {
    chain[0] = chain[0]! ^ swap(words[i]!);
    chain[1] = chain[1]! ^ swap(words[i + 1]!);
    desBlock(key, chain);
  }
  chain[0] = swap(chain[0]!);
  chain[1] = swap(chain[1]!);
}
