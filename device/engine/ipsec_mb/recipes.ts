/**
 * How each algorithm is asked of the library, and how its key is expanded.
 *
 * @module
 */

import type { CHash } from "@noble/hashes/utils.js";
import type { IpsecMbFunctions } from "../../host/ipsec_mb.ts";
import { HASHES } from "../noble/hashes.ts";
import { HALF, type NativeMemory } from "./native_memory.ts";
import {
  Extra,
  IMB_AUTH_AES_CCM,
  IMB_AUTH_AES_CMAC,
  IMB_AUTH_AES_CMAC_256,
  IMB_AUTH_AES_GMAC,
  IMB_AUTH_AES_GMAC_128,
  IMB_AUTH_AES_XCBC,
  IMB_AUTH_CHACHA20_POLY1305,
  IMB_AUTH_HMAC_SHA_1,
  IMB_AUTH_KASUMI_UIA1,
  IMB_AUTH_MD5,
  IMB_AUTH_NULL,
  IMB_AUTH_SHA_1,
  IMB_AUTH_SNOW3G_UIA2_BITLEN,
  IMB_AUTH_ZUC_EIA3_BITLEN,
  IMB_CIPHER_CBC,
  IMB_CIPHER_CCM,
  IMB_CIPHER_CHACHA20_POLY1305,
  IMB_CIPHER_CNTR,
  IMB_CIPHER_DES,
  IMB_CIPHER_DES3,
  IMB_CIPHER_ECB,
  IMB_CIPHER_GCM,
  IMB_CIPHER_KASUMI_UEA1_BITLEN,
  IMB_CIPHER_NULL,
  IMB_CIPHER_SNOW3G_UEA2_BITLEN,
  IMB_CIPHER_ZUC_EEA3,
  IMB_ORDER_HASH_CIPHER,
  MOST_BYTES,
  type Recipe,
  STANDARD,
  Via,
} from "./recipe.ts";

/** The longest AAD of a CCM job in bytes: the library has room for no more. */
const MOST_CCM_AAD = 46;

/** The longest ZUC job in bytes (`ZUC_MAX_BYTELEN`: 65,504 bits). */
const MOST_ZUC_BYTES = 8188;

/** The longest KASUMI job in bytes (`KASUMI_MAX_LEN`: 20,000 bits). */
const MOST_KASUMI_BYTES = 2500;

/**
 * Where registers are narrower, the library does one DES job at a time, at a
 * fiftieth of the other engines' speed: 64 KiB of 3DES take a third of a second.
 */
const DES_REGISTERS = 512;

const KIB = 1024;
const MIB = 1024 * KIB;

const AES_BLOCK = 16;
/** Where the schedule to decrypt is: 15 round keys are before it. */
const DECRYPT_AT = 256;
const AES_ROOM = 512;
/** struct gcm_key_data: 1008 bytes in version 1.3. */
const GCM_ROOM = 4096;
/** IMB_DES_KEY_SCHED_SIZE */
const DES_SCHEDULE = 128;

function expandAes(
  functions: IpsecMbFunctions,
  key: bigint,
  { address }: NativeMemory,
  { length }: Uint8Array,
): void {
  const decrypt = address + BigInt(DECRYPT_AT);
  if (length === 16) functions.keyexp128(key, address, decrypt);
  else if (length === 24) functions.keyexp192(key, address, decrypt);
  else functions.keyexp256(key, address, decrypt);
}

function aes(
  cipher: number,
  via: number,
  iv: number,
): (keyLength: number) => Recipe {
  return (keyLength) => ({
    ...STANDARD,
    via,
    cipher,
    keyLength,
    leastIv: iv,
    mostIv: iv,
    room: AES_ROOM,
    places: [0, DECRYPT_AT, 0, 0, 0],
    expand: expandAes,
  });
}

function gcm(keyLength: number): Recipe {
  return {
    ...STANDARD,
    cipher: IMB_CIPHER_GCM,
    hash: IMB_AUTH_AES_GMAC,
    keyLength,
    extra: Extra.AAD,
    mostAad: MOST_BYTES,
    // An iv of 16 bytes would be hashed, and here it is J0 itself.
    leastIv: 12,
    mostIv: 12,
    room: GCM_ROOM,
    expand: expandGcm,
  };
}

function expandGcm(
  functions: IpsecMbFunctions,
  key: bigint,
  { address }: NativeMemory,
  { length }: Uint8Array,
): void {
  if (length === 16) functions.gcm128Pre(key, address);
  else if (length === 24) functions.gcm192Pre(key, address);
  else functions.gcm256Pre(key, address);
}

function gmac(keyLength: number): Recipe {
  return {
    ...STANDARD,
    hash: IMB_AUTH_AES_GMAC_128 + (keyLength - 16) / 8,
    extra: Extra.KEY_IV_LENGTH,
    leastIv: 12,
    mostIv: 12,
    digest: 16,
    room: GCM_ROOM,
    expand: expandGcm,
  };
}

function ccm(keyLength: number): Recipe | undefined {
  if (keyLength === 24) return undefined;
  return {
    ...STANDARD,
    cipher: IMB_CIPHER_CCM,
    hash: IMB_AUTH_AES_CCM,
    order: IMB_ORDER_HASH_CIPHER,
    keyLength,
    extra: Extra.AAD,
    mostAad: MOST_CCM_AAD,
    leastIv: 7,
    mostIv: 13,
    room: AES_ROOM,
    expand: expandAes,
  };
}

function chacha(keyLength: number): Recipe {
  return {
    ...STANDARD,
    cipher: IMB_CIPHER_CHACHA20_POLY1305,
    hash: IMB_AUTH_CHACHA20_POLY1305,
    keyLength,
    extra: Extra.AAD,
    mostAad: MOST_BYTES,
    leastIv: 12,
    mostIv: 12,
    room: keyLength,
    expand: copyKey,
  };
}

function copyKey(
  _functions: IpsecMbFunctions,
  _key: bigint,
  { bytes }: NativeMemory,
  key: Uint8Array,
): void {
  bytes.set(key);
}

function cmac(keyLength: number): Recipe | undefined {
  if (keyLength === 24) return undefined;
  const subkeys = DECRYPT_AT;
  return {
    ...STANDARD,
    hash: keyLength === 16 ? IMB_AUTH_AES_CMAC : IMB_AUTH_AES_CMAC_256,
    digest: AES_BLOCK,
    room: AES_ROOM,
    places: [0, 0, 0, subkeys, subkeys + AES_BLOCK],
    expand(functions, key, memory, bytes) {
      expandAes(functions, key, memory, bytes);
      memory.bytes.fill(0, DECRYPT_AT, AES_ROOM);
      const { address } = memory;
      const first = address + BigInt(subkeys);
      const second = first + BigInt(AES_BLOCK);
      if (keyLength === 16) functions.cmacSubkeyGen128(address, first, second);
      else functions.cmacSubkeyGen256(address, first, second);
    },
  };
}

function xcbc(): Recipe {
  const [second, third] = [192, 208];
  return {
    ...STANDARD,
    hash: IMB_AUTH_AES_XCBC,
    // RFC 3566 truncates: the library gives 96 bits.
    digest: 12,
    room: 224,
    places: [0, 0, 0, second, third],
    expand(functions, key, { address }) {
      functions.xcbcKeyexp(
        key,
        address,
        address + BigInt(second),
        address + BigInt(third),
      );
    },
  };
}

function des(): Recipe {
  return {
    ...STANDARD,
    cipher: IMB_CIPHER_DES,
    roundBytes: 512 * KIB,
    registers: DES_REGISTERS,
    keyLength: 8,
    leastIv: 8,
    mostIv: 8,
    room: DES_SCHEDULE,
    expand(functions, key, { address }) {
      functions.desKeySched(address, key);
    },
  };
}

function tdea(): Recipe {
  const pointers = 3 * DES_SCHEDULE;
  return {
    ...STANDARD,
    cipher: IMB_CIPHER_DES3,
    roundBytes: 192 * KIB,
    registers: DES_REGISTERS,
    keyLength: 24,
    leastIv: 8,
    mostIv: 8,
    room: pointers + 32,
    places: [pointers, pointers, 0, 0, 0],
    expand(functions, key, { address, high, low, words }) {
      for (let i = 0; i < 3; i++) {
        const schedule = address + BigInt(i * DES_SCHEDULE);
        functions.desKeySched(schedule, key + BigInt(8 * i));
        words[(pointers >> 2) + 2 * i] = (low + i * DES_SCHEDULE) % HALF;
        words[(pointers >> 2) + 2 * i + 1] = high;
      }
    },
  };
}

function kasumiF8(): Recipe {
  return {
    ...STANDARD,
    cipher: IMB_CIPHER_KASUMI_UEA1_BITLEN,
    roundBytes: 6 * KIB,
    keyLength: 16,
    lengthScale: 8,
    most: MOST_KASUMI_BYTES,
    leastIv: 8,
    mostIv: 8,
    room: 256,
    expand(functions, key, { address }) {
      functions.kasumiInitF8KeySched(key, address);
    },
  };
}

function kasumiF9(): Recipe {
  return {
    ...STANDARD,
    hash: IMB_AUTH_KASUMI_UIA1,
    roundBytes: 3 * KIB,
    most: MOST_KASUMI_BYTES,
    digest: 4,
    room: 256,
    expand(functions, key, { address }) {
      functions.kasumiInitF9KeySched(key, address);
    },
  };
}

function snow3g(isMac: boolean): Recipe {
  return {
    ...STANDARD,
    cipher: isMac ? IMB_CIPHER_NULL : IMB_CIPHER_SNOW3G_UEA2_BITLEN,
    hash: isMac ? IMB_AUTH_SNOW3G_UIA2_BITLEN : IMB_AUTH_NULL,
    extra: isMac ? Extra.KEY_IV : Extra.KEYS,
    keyLength: 16,
    lengthScale: 8,
    // 65,504 bits, as the lanes of other ciphers of the library.
    most: MOST_ZUC_BYTES,
    roundBytes: MIB,
    leastIv: 16,
    mostIv: 16,
    digest: isMac ? 4 : 0,
    room: 16,
    expand(functions, key, { address }) {
      functions.snow3gInitKeySched(key, address);
    },
  };
}

function zuc(isMac: boolean): Recipe {
  return {
    ...STANDARD,
    cipher: isMac ? IMB_CIPHER_NULL : IMB_CIPHER_ZUC_EEA3,
    hash: isMac ? IMB_AUTH_ZUC_EIA3_BITLEN : IMB_AUTH_NULL,
    extra: isMac ? Extra.KEY_IV : Extra.KEYS,
    keyLength: 16,
    lengthScale: isMac ? 8 : 1,
    most: MOST_ZUC_BYTES,
    roundBytes: MIB,
    leastIv: 16,
    mostIv: 16,
    digest: isMac ? 4 : 0,
    room: 16,
    expand: copyKey,
  };
}

function sha(hash: number, digest: number): () => Recipe {
  return () => ({ ...STANDARD, hash, digest, roundBytes: MIB });
}

type OneBlock =
  | "md5OneBlock"
  | "sha1OneBlock"
  | "sha224OneBlock"
  | "sha256OneBlock"
  | "sha384OneBlock"
  | "sha512OneBlock";

/** Where the state after K XOR ipad is, and after it the one of opad. */
const OPAD_AT = 64;
/** Where the block to hash is. */
const BLOCK_AT = 128;

/** HMAC (RFC 2104): the states of the hash after the two keyed blocks. */
function hmac(
  algorithm: number,
  hash: CHash,
  oneBlock: OneBlock,
  via: number,
): () => Recipe {
  const { blockLen } = hash;
  const recipe: Recipe = {
    ...STANDARD,
    via,
    hash: algorithm,
    digest: hash.outputLen,
    roundBytes: MIB,
    room: BLOCK_AT + blockLen,
    places: [0, 0, 0, OPAD_AT, 0],
    expand(functions, _key, { address, bytes }, key) {
      const hashed = key.length > blockLen ? hash(key) : undefined;
      bytes.set(hashed ?? key, BLOCK_AT);
      hashed?.fill(0);
      const block = address + BigInt(BLOCK_AT);
      for (let i = 0; i < blockLen; i++) bytes[BLOCK_AT + i]! ^= 0x36;
      functions[oneBlock](block, address);
      for (let i = 0; i < blockLen; i++) bytes[BLOCK_AT + i]! ^= 0x36 ^ 0x5c;
      functions[oneBlock](block, address + BigInt(OPAD_AT));
      bytes.fill(0, BLOCK_AT, BLOCK_AT + blockLen);
    },
  };
  // Keys of every size work alike.
  return () => recipe;
}

const HASH_NAMES = ["sha1", "sha224", "sha256", "sha384", "sha512"] as const;

/** Makes a recipe of each key size once: jobs share a burst by their recipe. */
function once(
  make: (keyLength: number) => Recipe | undefined,
): (keyLength: number) => Recipe | undefined {
  const made = new Map<number, Recipe | undefined>();
  return (keyLength) => {
    if (!made.has(keyLength)) made.set(keyLength, make(keyLength));
    return made.get(keyLength);
  };
}

const MAKERS: readonly (readonly [
  name: string,
  make: (keyLength: number) => Recipe | undefined,
])[] = [
  ["aes-cbc", aes(IMB_CIPHER_CBC, Via.CIPHER_BURST, AES_BLOCK)],
  ["aes-ctr", aes(IMB_CIPHER_CNTR, Via.CIPHER_BURST, AES_BLOCK)],
  ["aes-ecb", aes(IMB_CIPHER_ECB, Via.JOBS, 0)],
  ["des-cbc", des],
  ["3des-cbc", tdea],
  ["kasumi-f8", kasumiF8],
  ["snow3g-uea2", () => snow3g(false)],
  ["zuc-eea3", () => zuc(false)],
  ...HASH_NAMES.map((name, i): [string, () => Recipe] => [
    name,
    sha(IMB_AUTH_SHA_1 + i, HASHES[name].outputLen),
  ]),
  ["hmac-md5", hmac(IMB_AUTH_MD5, HASHES.md5, "md5OneBlock", Via.JOBS)],
  ...HASH_NAMES.map((name, i): [string, () => Recipe] => [
    `hmac-${name}`,
    hmac(
      IMB_AUTH_HMAC_SHA_1 + i,
      HASHES[name],
      `${name}OneBlock`,
      Via.HASH_BURST,
    ),
  ]),
  ["cmac-aes", cmac],
  ["xcbc-aes", xcbc],
  ["kasumi-f9", kasumiF9],
  ["cbcmac-kasumi-f9", kasumiF9],
  ["snow3g-uia2", () => snow3g(true)],
  ["zuc-eia3", () => zuc(true)],
  ["gmac-aes", gmac],
  ["aes-gcm", gcm],
  ["aes-ccm", ccm],
  ["chacha20-poly1305", chacha],
];

/**
 * How each algorithm is done, by its name; undefined for a key size it lacks.
 * The same object each time.
 */
export const RECIPES: ReadonlyMap<
  string,
  (keyLength: number) => Recipe | undefined
> = new Map(MAKERS.map(([name, make]) => [name, once(make)]));
