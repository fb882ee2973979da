/**
 * libcrypto's EVP functions called directly: a context with its key, and for
 * each message an iv, the data and the end of it.
 *
 * @module
 */

import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import { cString } from "../../device/host/libc.ts";
import { type Libcrypto, libcrypto } from "../../device/host/libcrypto.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import type { Operation } from "../support/operations.ts";
import { NativeBuffers, type Primitive } from "./primitive.ts";

const SET_IV_LENGTH = 0x9;
const GET_TAG = 0x10;
const SET_TAG = 0x11;
const TAG = 16;
/** OSSL_PARAM_UTF8_STRING */
const UTF8_STRING = 4;

// Offsets in scratch memory.
const WRITTEN = 0;
const IV = 64;
const KEY = 128;
const PARAMETERS = 512;
const TEXT = 640;

/** EVP's names; a number is put in for the key's bits. */
const CIPHERS: Partial<Record<AlgorithmName, string>> = {
  "aes-ecb": "AES-#-ECB",
  "aes-cbc": "AES-#-CBC",
  "aes-ctr": "AES-#-CTR",
  "aes-gcm": "AES-#-GCM",
  "aes-ccm": "AES-#-CCM",
  "3des-ecb": "DES-EDE3-ECB",
  "3des-cbc": "DES-EDE3-CBC",
  "chacha20-poly1305": "ChaCha20-Poly1305",
};

type Body = Pick<Primitive, "run">;

function cipher(
  library: Libcrypto,
  name: string,
  operation: Operation,
  memory: NativeBuffers,
): Body {
  const { algorithm, direction, iv, key, source } = operation;
  const { results, scratch, scratchAt, sources } = memory;
  const encrypts = direction === "encrypt" ? 1 : 0;
  const isAead = algorithm.kind === "aead";
  const isCcm = operation.name === "aes-ccm";
  const length = isAead && !encrypts ? source.length - TAG : source.length;
  const tagOffset = BigInt(length);
  const context = library.EVP_CIPHER_CTX_new();
  const written = scratchAt + BigInt(WRITTEN);
  const ivAt = iv.length > 0 ? scratchAt + BigInt(IV) : 0n;
  const bits = String(8 * (operation.name === "aes-xts" ? 16 : key.length));
  const evp = library.EVP_CIPHER_fetch(
    0n,
    cString(name.replace("#", bits)),
    0n,
  );
  if (evp === 0n) throw new Error(`Cannot find ${name} in libcrypto`);
  scratch.set(iv, IV);
  scratch.set(key, KEY);
  library.EVP_CipherInit_ex(context, evp, 0n, 0n, 0n, encrypts);
  if (isAead) {
    library.EVP_CIPHER_CTX_ctrl(context, SET_IV_LENGTH, iv.length, 0n);
  }
  if (isCcm) library.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, 0n);
  library.EVP_CipherInit_ex(
    context,
    0n,
    0n,
    scratchAt + BigInt(KEY),
    0n,
    encrypts,
  );
  library.EVP_CIPHER_CTX_set_padding(context, 0);
  return {
    run() {
      for (let i = 0; i < sources.length; i++) {
        const read = sources[i]!;
        const write = results[i]!;
        library.EVP_CipherInit_ex(context, 0n, 0n, 0n, ivAt, encrypts);
        if (isAead && !encrypts) {
          library.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, read + tagOffset);
        }
        if (isCcm) {
          library.EVP_CipherUpdate(context, 0n, written, 0n, length);
        }
        library.EVP_CipherUpdate(context, write, written, read, length);
        if (!isAead) continue;
        if (!isCcm) library.EVP_CipherFinal_ex(context, write, written);
        if (encrypts) {
          library.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG, write + tagOffset);
        }
      }
    },
  };
}

function digest(
  library: Libcrypto,
  name: string,
  operation: Operation,
  memory: NativeBuffers,
): Body {
  const { results, sources } = memory;
  const length = BigInt(operation.source.length);
  const resultLength = BigInt(operation.resultLength);
  const context = library.EVP_MD_CTX_new();
  const evp = library.EVP_MD_fetch(0n, cString(name), 0n);
  if (evp === 0n) throw new Error(`Cannot find ${name} in libcrypto`);
  const isExtendable = operation.name.startsWith("shake");
  return {
    run() {
      for (let i = 0; i < sources.length; i++) {
        library.EVP_DigestInit_ex(context, evp, 0n);
        library.EVP_DigestUpdate(context, sources[i]!, length);
        if (isExtendable) {
          library.EVP_DigestFinalXOF(context, results[i]!, resultLength);
        } else {
          library.EVP_DigestFinal_ex(context, results[i]!, 0n);
        }
      }
    },
  };
}

function mac(
  library: Libcrypto,
  [name, parameter, value]: readonly [string, string, string],
  operation: Operation,
  memory: NativeBuffers,
): Body {
  const { results, scratch, scratchAt, sources } = memory;
  const { key, source } = operation;
  const length = BigInt(source.length);
  const evp = library.EVP_MAC_fetch(0n, cString(name), 0n);
  const context = library.EVP_MAC_CTX_new(evp);
  // OSSL_PARAM: key, type, data, size, size of what is returned; then the end.
  const view = new DataView(scratch.buffer, scratch.byteOffset);
  scratch.set(cString(parameter), TEXT);
  scratch.set(cString(value), TEXT + 64);
  view.setBigUint64(PARAMETERS, scratchAt + BigInt(TEXT), true);
  view.setUint32(PARAMETERS + 8, UTF8_STRING, true);
  view.setBigUint64(PARAMETERS + 16, scratchAt + BigInt(TEXT + 64), true);
  view.setBigUint64(PARAMETERS + 24, BigInt(value.length), true);
  scratch.set(key, KEY);
  const initialised = library.EVP_MAC_init(
    context,
    scratchAt + BigInt(KEY),
    BigInt(key.length),
    scratchAt + BigInt(PARAMETERS),
  );
  if (initialised !== 1) throw new Error(`Cannot use ${name} of libcrypto`);
  return {
    run() {
      for (let i = 0; i < sources.length; i++) {
        library.EVP_MAC_init(context, 0n, 0n, 0n);
        library.EVP_MAC_update(context, sources[i]!, length);
        library.EVP_MAC_final(context, results[i]!, scratchAt, 64n);
      }
    },
  };
}

function bodyOf(
  library: Libcrypto,
  operation: Operation,
  memory: NativeBuffers,
): Body | undefined {
  const { key, name } = operation;
  if (name === "aes-xts") {
    return cipher(library, "AES-128-XTS", operation, memory);
  }
  const cipherName = CIPHERS[name];
  if (cipherName !== undefined) {
    return cipher(library, cipherName, operation, memory);
  }
  if (operation.algorithm.kind === "hash") {
    return digest(library, name.toUpperCase(), operation, memory);
  }
  if (name.startsWith("hmac-")) {
    const hash = name.slice("hmac-".length).toUpperCase();
    return mac(library, ["HMAC", "digest", hash], operation, memory);
  }
  if (name === "cmac-aes") {
    const aes = `AES-${8 * key.length}-CBC`;
    return mac(library, ["CMAC", "cipher", aes], operation, memory);
  }
  if (name === "cmac-3des") {
    return mac(library, ["CMAC", "cipher", "DES-EDE3-CBC"], operation, memory);
  }
  return undefined;
}

/**
 * EVP's own computation of an operation.
 *
 * @param operation the operation
 * @param count how often a run does it, each time on buffers of its own
 * @returns the primitive; undefined where libcrypto is not there, or has none
 */
export function evpPrimitive(
  operation: Operation,
  count: number,
): Primitive | undefined {
  let library: Libcrypto;
  try {
    library = libcrypto();
  } catch (error) {
    if (error instanceof LibraryError) return undefined;
    throw error;
  }
  const memory = new NativeBuffers(operation, count);
  const body = bodyOf(library, operation, memory);
  return body && {
    name: "EVP",
    run: body.run,
    result: (index) => memory.result(index),
  };
}
