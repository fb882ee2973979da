/**
 * The functions of `@noble` called directly. They expand the key in each call.
 *
 * @module
 */

import { ghash } from "@noble/ciphers/_polyval.js";
import { cbc, cmac, ctr, ecb, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import {
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512,
  shake128,
  shake256,
} from "@noble/hashes/sha3.js";
import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import type { Operation } from "../support/operations.ts";
import type { Primitive } from "./primitive.ts";

type Bytes = Uint8Array;

/** Computes an operation's result from its key, iv and data. */
type Compute = (key: Bytes, iv: Bytes, data: Bytes) => Bytes;

const raw = { disablePadding: true };

const ENCRYPT: Partial<Record<AlgorithmName, Compute>> = {
  "aes-ecb": (key, _, data) => ecb(key, raw).encrypt(data),
  "aes-cbc": (key, iv, data) => cbc(key, iv, raw).encrypt(data),
  "aes-ctr": (key, iv, data) => ctr(key, iv).encrypt(data),
  "aes-gcm": (key, iv, data) => gcm(key, iv).encrypt(data),
  "chacha20-poly1305": (key, iv, data) =>
    chacha20poly1305(key, iv).encrypt(data),
  "md5": (_key, _iv, data) => md5(data),
  "sha1": (_key, _iv, data) => sha1(data),
  "sha224": (_key, _iv, data) => sha224(data),
  "sha256": (_key, _iv, data) => sha256(data),
  "sha384": (_key, _iv, data) => sha384(data),
  "sha512": (_key, _iv, data) => sha512(data),
  "sha3-224": (_key, _iv, data) => sha3_224(data),
  "sha3-256": (_key, _iv, data) => sha3_256(data),
  "sha3-384": (_key, _iv, data) => sha3_384(data),
  "sha3-512": (_key, _iv, data) => sha3_512(data),
  "shake128": (_key, _iv, data) => shake128(data, { dkLen: 64 }),
  "shake256": (_key, _iv, data) => shake256(data, { dkLen: 64 }),
  "hmac-md5": (key, _iv, data) => hmac(md5, key, data),
  "hmac-sha1": (key, _iv, data) => hmac(sha1, key, data),
  "hmac-sha224": (key, _iv, data) => hmac(sha224, key, data),
  "hmac-sha256": (key, _iv, data) => hmac(sha256, key, data),
  "hmac-sha384": (key, _iv, data) => hmac(sha384, key, data),
  "hmac-sha512": (key, _iv, data) => hmac(sha512, key, data),
  "cmac-aes": (key, _iv, data) => cmac(data, key),
};

const DECRYPT: Partial<Record<AlgorithmName, Compute>> = {
  "aes-ecb": (key, _, data) => ecb(key, raw).decrypt(data),
  "aes-cbc": (key, iv, data) => cbc(key, iv, raw).decrypt(data),
  "aes-ctr": (key, iv, data) => ctr(key, iv).decrypt(data),
  "aes-gcm": (key, iv, data) => gcm(key, iv).decrypt(data),
  "chacha20-poly1305": (key, iv, data) =>
    chacha20poly1305(key, iv).decrypt(data),
};

function primitiveOf(
  name: string,
  compute: () => Uint8Array,
  count: number,
): Primitive {
  let last: Uint8Array = new Uint8Array(0);
  return {
    name,
    run() {
      for (let i = 0; i < count; i++) last = compute();
    },
    result: () => last,
  };
}

/**
 * What `@noble` has of an operation.
 *
 * @param operation the operation
 * @param count how often a run does it
 * @returns the primitive; undefined where there is none
 */
export function noblePrimitive(
  operation: Operation,
  count: number,
): Primitive | undefined {
  const { direction, iv, key, name, source } = operation;
  const compute = (direction === "encrypt" ? ENCRYPT : DECRYPT)[name];
  return compute &&
    primitiveOf("@noble", () => compute(key, iv, source), count);
}

/**
 * What takes the place of a primitive that nobody else has: `@noble`'s
 * AES-128-CBC of as many bytes, or its GHASH for GMAC.
 *
 * @param operation the operation
 * @param count how often a run does it
 * @returns something else that works on the operation's source
 */
export function yardstick(operation: Operation, count: number): Primitive {
  const { name, source } = operation;
  const key = new Uint8Array(16);
  if (name.startsWith("gmac")) {
    return primitiveOf("@noble's GHASH", () => ghash(source, key), count);
  }
  const data = source.subarray(0, source.length & ~15);
  return primitiveOf(
    "@noble's AES-128-CBC",
    () => cbc(key, key, raw).encrypt(data),
    count,
  );
}
