/**
 * A second implementation of ARC4 and of the modes of DES, TDEA and KASUMI,
 * slow and plain. DES is TDEA with one key three times, which `node:crypto`
 * has; of KASUMI's block cipher there is no other, so its modes are built on
 * the one they are to be compared with.
 *
 * @module
 */

import { createCipheriv } from "node:crypto";
import {
  expandKasumiKey,
  kasumiBlock,
} from "../../device/engine/primitives/kasumi.ts";
import { concat } from "./guest.ts";

/**
 * ARC4.
 *
 * @param key the key
 * @param data plaintext or ciphertext
 * @returns the other one
 */
export function arc4(key: Uint8Array, data: Uint8Array): Uint8Array {
  const s = Array.from({ length: 256 }, (_, i) => i);
  const exchange = (i: number, j: number) => [s[i], s[j]] = [s[j]!, s[i]!];
  let j = 0;
  for (let i = 0; i < 256; i++) {
    j = (j + s[i]! + key[i % key.length]!) % 256;
    exchange(i, j);
  }
  j = 0;
  return data.map((byte, at) => {
    const i = (at + 1) % 256;
    j = (j + s[i]!) % 256;
    exchange(i, j);
    return byte ^ s[(s[i]! + s[j]!) % 256]!;
  });
}

/** TDEA in CBC mode; with a key of 8 bytes, DES. */
function cbcCipher(key: Uint8Array, iv: Uint8Array) {
  const three = key.length === 8 ? concat(key, key, key) : key;
  return createCipheriv("des-ede3-cbc", three, iv).setAutoPadding(false);
}

function cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  return Uint8Array.from(cbcCipher(key, iv).update(data));
}

/** CBC of data that is changed so as to undo the chaining. */
function ecb(key: Uint8Array, data: Uint8Array): Uint8Array {
  const cipher = cbcCipher(key, new Uint8Array(8));
  const out = new Uint8Array(data.length);
  let last: Uint8Array = new Uint8Array(8);
  for (let at = 0; at < data.length; at += 8) {
    last = cipher.update(data.subarray(at, at + 8).map((b, i) => b ^ last[i]!));
    out.set(last, at);
  }
  return out;
}

/**
 * Encryption with DES or TDEA.
 *
 * @param name the algorithm
 * @param key the key
 * @param iv the iv
 * @param data the plaintext
 * @returns the ciphertext
 */
export function des(
  name: "des-ecb" | "des-cbc" | "3des-ecb" | "3des-cbc" | "3des-ctr",
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  switch (name) {
    case "des-ecb":
    case "3des-ecb":
      return ecb(key, data);
    case "des-cbc":
    case "3des-cbc":
      return cbc(key, iv, data);
  }
  const blocks = Math.ceil(data.length / 8);
  const counters = new DataView(new ArrayBuffer(8 * blocks));
  let counter = BigInt("0x" + iv.toHex());
  for (let at = 0; at < data.length; at += 8) {
    counters.setBigUint64(at, counter++);
  }
  const stream = ecb(key, new Uint8Array(counters.buffer));
  return data.map((byte, i) => byte ^ stream[i]!);
}

/**
 * CMAC over TDEA (SP 800-38B, 6.2).
 *
 * @param key the key
 * @param data what is authenticated
 * @returns the whole tag
 */
export function tdeaCmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const zeros = new Uint8Array(8);
  const double = (block: Uint8Array) => {
    const value = BigInt("0x" + block.toHex()) << 1n;
    const reduced = value >> 64n ? value ^ (1n << 64n) ^ 0x1bn : value;
    return Uint8Array.fromHex(reduced.toString(16).padStart(16, "0"));
  };
  const blocks = Math.max(1, Math.ceil(data.length / 8));
  const padded = new Uint8Array(8 * blocks);
  padded.set(data);
  let mask = double(ecb(key, zeros));
  if (data.length < padded.length) {
    padded[data.length] = 0x80;
    mask = double(mask);
  }
  const last = padded.slice(-8).map((byte, i) => byte ^ mask[i]!);
  padded.set(last, padded.length - 8);
  return cbc(key, zeros, padded).subarray(-8);
}

/** KASUMI of one block, with every byte of the key changed by a modifier. */
function kasumi(key: Uint8Array, modifier: number): (block: bigint) => bigint {
  const schedule = expandKasumiKey(key.map((byte) => byte ^ modifier));
  const words = new Uint32Array(2);
  return (block) => {
    words[0] = Number(block >> 32n);
    words[1] = Number(block & 0xffff_ffffn);
    kasumiBlock(schedule, words);
    return BigInt(words[0]!) << 32n | BigInt(words[1]!);
  };
}

function bytesOf(block: bigint): Uint8Array {
  return Uint8Array.fromHex(block.toString(16).padStart(16, "0"));
}

/**
 * f8 (TS 35.201, clause 3).
 *
 * @param key the key
 * @param iv COUNT, BEARER, DIRECTION and zeros
 * @param data plaintext or ciphertext
 * @returns the other one
 */
export function kasumiF8(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const a = kasumi(key, 0x55)(BigInt("0x" + iv.toHex()));
  const encrypt = kasumi(key, 0);
  const out = data.slice();
  let stream = 0n;
  for (let at = 0; at < data.length; at += 8) {
    stream = encrypt(a ^ stream ^ BigInt(at / 8));
    bytesOf(stream).subarray(0, data.length - at).forEach((byte, i) => {
      out[at + i]! ^= byte;
    });
  }
  return out;
}

/**
 * f9 (TS 35.201, clause 4).
 *
 * @param key the key
 * @param padded the padded string
 * @returns the tag
 */
export function kasumiF9(key: Uint8Array, padded: Uint8Array): Uint8Array {
  const encrypt = kasumi(key, 0);
  let a = 0n;
  let b = 0n;
  for (let at = 0; at < padded.length; at += 8) {
    a = encrypt(a ^ BigInt("0x" + padded.subarray(at, at + 8).toHex()));
    b ^= a;
  }
  return bytesOf(kasumi(key, 0xaa)(b)).subarray(0, 4);
}
