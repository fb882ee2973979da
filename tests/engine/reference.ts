/**
 * A second implementation to compare engines with: `node:crypto`, and on top
 * of it, slow and plain, what it does not have (CMAC, GCM from J0, and the
 * modes of AES-192, of which Deno has ECB and CTR only).
 *
 * @module
 */

import { createCipheriv, createHash, createHmac } from "node:crypto";
import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import {
  expandTwofishKey,
  twofishEncryptBlock,
} from "../../device/engine/primitives/twofish.ts";
import { concat, type Input } from "./guest.ts";
import { arc4, des, kasumiF8, kasumiF9, tdeaCmac } from "./reference_64.ts";
import { cbcMac, ccm, f8, xcbc, xts } from "./reference_modes.ts";
import { eea3, eia3, uea2, uia2 } from "./reference_streams.ts";

/**
 * What encryption, hashing or authentication of an input gives.
 *
 * @param name the algorithm
 * @param key the key
 * @param input the rest
 * @returns ciphertext, digest, tag, or ciphertext and tag
 */
export function reference(
  name: AlgorithmName,
  key: Uint8Array,
  input: Input,
): Uint8Array {
  const { source, iv = new Uint8Array(0), resultLength = 0 } = input;
  const { aad = new Uint8Array(0) } = input;
  switch (name) {
    case "aes-ecb":
      return node("ecb", key, null, source);
    case "aes-cbc":
      return cbc(key, iv, source);
    case "aes-ctr":
      return node("ctr", key, iv, source);
    case "aes-gcm":
      return gcm(key, iv, aad, source, resultLength);
    case "chacha20-poly1305": {
      const cipher = createCipheriv("chacha20-poly1305", key, iv, {
        authTagLength: 16,
      });
      cipher.setAAD(aad, { plaintextLength: source.length });
      const text = cipher.update(source);
      cipher.final();
      return concat(text, cipher.getAuthTag());
    }
    case "aes-ccm":
      return ccm(key, iv, aad, source, resultLength);
    case "aes-f8":
      return f8(key, iv, source);
    case "aes-xts":
      return xts(key, iv, source);
    case "snow3g-uea2":
      return uea2(key, iv, source);
    case "zuc-eea3":
      return eea3(key, iv, source);
    case "snow3g-uia2":
      return uia2(key, iv, source).subarray(0, resultLength);
    case "zuc-eia3":
      return eia3(key, iv, source).subarray(0, resultLength);
    case "gmac-aes":
      return gcm(key, iv, source, new Uint8Array(0), resultLength);
    case "gmac-twofish":
      return twofishGmac(key, iv, source).subarray(0, resultLength);
    case "cbcmac-aes":
      return cbcMac(key, source).subarray(0, resultLength);
    case "xcbc-aes":
      return xcbc(key, source).subarray(0, resultLength);
    case "arc4":
      return arc4(key, source);
    case "des-ecb":
    case "des-cbc":
    case "3des-ecb":
    case "3des-cbc":
    case "3des-ctr":
      return des(name, key, iv, source);
    case "kasumi-f8":
      return kasumiF8(key, iv, source);
    case "cmac-3des":
      return tdeaCmac(key, source).subarray(0, resultLength);
    case "kasumi-f9":
    case "cbcmac-kasumi-f9":
      return kasumiF9(key, source).subarray(0, resultLength);
    case "cmac-aes":
      return cmac(key, source).subarray(0, resultLength);
    case "shake128":
    case "shake256":
      return createHash(name, { outputLength: resultLength }).update(source)
        .digest();
  }
  const digest = name.startsWith("hmac-")
    ? createHmac(name.slice(5), key).update(source).digest()
    : createHash(name).update(source).digest();
  return digest.subarray(0, resultLength);
}

/**
 * The pre-counter block that an iv of another size than 12 bytes hashes to
 * (SP 800-38D, 7.1, step 2).
 *
 * @param key the key
 * @param iv the iv
 * @returns J0
 */
export function hashedIv(key: Uint8Array, iv: Uint8Array): Uint8Array {
  return ghash(hashSubkey(key), new Uint8Array(0), iv);
}

function node(
  mode: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  data: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(`aes-${8 * key.length}-${mode}`, key, iv);
  cipher.setAutoPadding(false);
  return concat(cipher.update(data), cipher.final());
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(a, (byte, i) => byte ^ b[i]!);
}

function cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  if (key.length !== 24) return node("cbc", key, iv, data);
  const ecb = createCipheriv("aes-192-ecb", key, null).setAutoPadding(false);
  const out = new Uint8Array(data.length);
  let last = iv;
  for (let at = 0; at < data.length; at += 16) {
    last = ecb.update(xor(data.subarray(at, at + 16), last));
    out.set(last, at);
  }
  return out;
}

/** SP 800-38B, 6.2. */
function cmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(data.length / 16));
  const double = (block: Uint8Array) => {
    const value = BigInt("0x" + block.toHex()) << 1n;
    const reduced = value >> 128n ? value ^ (1n << 128n) ^ 0x87n : value;
    return Uint8Array.fromHex(reduced.toString(16).padStart(32, "0"));
  };
  const padded = new Uint8Array(16 * blocks);
  padded.set(data);
  let mask = double(node("ecb", key, null, new Uint8Array(16)));
  if (data.length < padded.length) {
    padded[data.length] = 0x80;
    mask = double(mask);
  }
  const last = xor(padded.subarray(-16), mask);
  padded.set(last, padded.length - 16);
  return cbc(key, new Uint8Array(16), padded).subarray(-16);
}

/** What AES makes of a block of zeros. */
function hashSubkey(key: Uint8Array): Uint8Array {
  return node("ecb", key, null, new Uint8Array(16));
}

/** GHASH of AAD, data and lengths, or of an iv (SP 800-38D, 6.3 and 6.4). */
function ghash(
  subkey: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const powers: bigint[] = [];
  for (let i = 0, v = BigInt("0x" + subkey.toHex()); i < 128; i++) {
    powers.push(v);
    v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
  }
  let hash = 0n;
  const absorb = (block: bigint) => {
    const bits = (hash ^ block).toString(2).padStart(128, "0");
    hash = 0n;
    for (let i = 0; i < 128; i++) if (bits[i] === "1") hash ^= powers[i]!;
  };
  for (const part of [aad, data]) {
    for (let at = 0; at < part.length; at += 16) {
      const block = part.subarray(at, at + 16).toHex().padEnd(32, "0");
      absorb(BigInt("0x" + block));
    }
  }
  absorb((BigInt(8 * aad.length) << 64n) | BigInt(8 * data.length));
  return Uint8Array.fromHex(hash.toString(16).padStart(32, "0"));
}

/** SP 800-38D, 7.1, with a tag cut short. */
function gcm(
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
  tagLength: number,
): Uint8Array {
  if (iv.length === 12 && key.length !== 24) {
    const name = `aes-${8 * key.length}-gcm` as "aes-128-gcm";
    const cipher = createCipheriv(name, key, iv);
    cipher.setAAD(aad);
    const text = concat(cipher.update(data), cipher.final());
    return concat(text, cipher.getAuthTag().subarray(0, tagLength));
  }
  const first = iv.length === 16 ? iv : concat(iv, Uint8Array.of(0, 0, 0, 1));
  const counter = first.slice();
  const view = new DataView(counter.buffer);
  view.setUint32(12, view.getUint32(12) + 1);
  // node's counter has 128 bits: stop where 32 bits wrap, and begin anew.
  const before = Math.min(
    data.length,
    16 * (2 ** 32 - view.getUint32(12)),
  );
  const part = node("ctr", key, counter, data.subarray(0, before));
  view.setUint32(12, 0);
  const rest = node("ctr", key, counter, data.subarray(before));
  const text = concat(part, rest);
  const tag = xor(
    ghash(hashSubkey(key), aad, text),
    node("ecb", key, null, first),
  );
  return concat(text, tag.subarray(0, tagLength));
}

/** GMAC over Twofish, of which there is no second implementation. */
function twofishGmac(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const encipher = (block: Uint8Array) => {
    const bytes = Uint8Array.from(block);
    twofishEncryptBlock(expandTwofishKey(key), new Uint32Array(bytes.buffer));
    return bytes;
  };
  const first = iv.length === 16 ? iv : concat(iv, Uint8Array.of(0, 0, 0, 1));
  const subkey = encipher(new Uint8Array(16));
  return xor(ghash(subkey, data, new Uint8Array(0)), encipher(first));
}
