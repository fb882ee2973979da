/**
 * A second implementation of modes of AES that `node:crypto` does not have
 * under Deno, slow and plain, on its AES in ECB mode.
 *
 * @module
 */

import { createCipheriv } from "node:crypto";
import { concat } from "./guest.ts";

/** Enciphers block after block. */
function blocks(key: Uint8Array): (block: Uint8Array) => Uint8Array {
  const name = `aes-${8 * key.length}-ecb`;
  const cipher = createCipheriv(name, key, null).setAutoPadding(false);
  return (block) => Uint8Array.from(cipher.update(block));
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]!);
}

/** The last block of CBC over whole blocks with an iv of zeros. */
function lastBlock(key: Uint8Array, data: Uint8Array): Uint8Array {
  const encipher = blocks(key);
  let last: Uint8Array = new Uint8Array(16);
  for (let at = 0; at < data.length; at += 16) {
    last = encipher(xor(last, data.subarray(at)));
  }
  return last;
}

/** Pads with zeros to whole blocks. */
function padded(data: Uint8Array): Uint8Array {
  return concat(data, new Uint8Array(-data.length & 15));
}

/**
 * XTS-AES encryption (IEEE 1619).
 *
 * @param key both keys
 * @param tweak the tweak i
 * @param data 16 bytes or more
 * @returns the ciphertext
 */
export function xts(
  key: Uint8Array,
  tweak: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const half = key.length / 2;
  const count = Math.ceil(data.length / 16);
  const tweaks = new Uint8Array(16 * count);
  let t = BigInt(
    "0x" + blocks(key.subarray(half))(tweak).reverse().toHex(),
  );
  for (let at = 0; at < tweaks.length; at += 16) {
    const hex = t.toString(16).padStart(32, "0");
    tweaks.set(Uint8Array.fromHex(hex).reverse(), at);
    t <<= 1n;
    if (t >> 128n) t ^= (1n << 128n) | 0x87n;
  }
  const encipher = blocks(key.subarray(0, half));
  const apply = (block: Uint8Array, at: number) => {
    const mask = tweaks.subarray(at, at + block.length);
    return xor(encipher(xor(block, mask)), mask);
  };
  const rest = data.length % 16;
  if (rest === 0) return apply(data, 0);
  const whole = data.length - rest;
  const text = apply(data.subarray(0, whole), 0);
  const stolen = text.slice(whole - 16);
  const block = concat(data.subarray(whole), stolen.subarray(rest));
  return concat(
    text.subarray(0, whole - 16),
    apply(block, whole),
    stolen.subarray(0, rest),
  );
}

/**
 * AES in f8-mode (RFC 3711, 4.1.2), in either direction.
 *
 * @param key AES key, then mask
 * @param iv the iv
 * @param data plaintext or ciphertext
 * @returns the other one
 */
export function f8(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const half = key.length / 2;
  const [first, mask] = [key.subarray(0, half), key.subarray(half)];
  const start = blocks(xor(first, mask))(iv);
  const encipher = blocks(first);
  const out = data.slice();
  let last: Uint8Array = new Uint8Array(16);
  for (let at = 0; at < data.length; at += 16) {
    const counter = new Uint8Array(16);
    new DataView(counter.buffer).setUint32(12, at / 16);
    last = encipher(xor(xor(start, counter), last));
    for (let i = at; i < Math.min(at + 16, out.length); i++) {
      out[i]! ^= last[i - at]!;
    }
  }
  return out;
}

/**
 * AES-CCM encryption (SP 800-38C).
 *
 * @param key the key
 * @param nonce 7 to 13 bytes
 * @param aad additional data
 * @param data the plaintext
 * @param tagLength bytes of tag
 * @returns ciphertext and tag
 */
export function ccm(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
  tagLength: number,
): Uint8Array {
  const q = 15 - nonce.length;
  const number = (value: number, size: number) =>
    Uint8Array.fromHex(value.toString(16).padStart(2 * size, "0"));
  const t = (tagLength - 2) / 2;
  const flags = (aad.length > 0 ? 0x40 : 0) + 8 * t + q - 1;
  let encoded: Uint8Array = new Uint8Array(0);
  if (aad.length >= 2 ** 16 - 2 ** 8) {
    encoded = concat(Uint8Array.of(0xff, 0xfe), number(aad.length, 4), aad);
  } else if (aad.length > 0) {
    encoded = concat(number(aad.length, 2), aad);
  }
  const first = concat(Uint8Array.of(flags), nonce, number(data.length, q));
  const mac = lastBlock(key, concat(first, padded(encoded), padded(data)));
  const counters = new Uint8Array(16 + padded(data).length);
  for (let i = 0; 16 * i < counters.length; i++) {
    counters[16 * i] = q - 1;
    counters.set(nonce, 16 * i + 1);
    counters.set(number(i, q), 16 * i + 1 + nonce.length);
  }
  const stream = blocks(key)(counters);
  return concat(
    xor(data, stream.subarray(16)),
    xor(mac.subarray(0, tagLength), stream),
  );
}

/**
 * CBC-MAC (ISO/IEC 9797-1, MAC algorithm 1).
 *
 * @param key the key
 * @param data whole blocks
 * @returns the tag, 16 bytes
 */
export function cbcMac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return lastBlock(key, data);
}

/**
 * AES-XCBC-MAC (RFC 3566).
 *
 * @param key the key
 * @param data the message
 * @returns the tag, 16 bytes
 */
export function xcbc(key: Uint8Array, data: Uint8Array): Uint8Array {
  const derive = (byte: number) => blocks(key)(new Uint8Array(16).fill(byte));
  const whole = data.length > 0 && data.length % 16 === 0;
  const text = whole ? data.slice() : padded(concat(data, Uint8Array.of(0x80)));
  text.set(xor(text.slice(-16), derive(whole ? 2 : 3)), text.length - 16);
  return lastBlock(derive(1), text);
}
