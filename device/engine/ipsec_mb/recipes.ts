/**
 * How each algorithm is asked of the library, and how its key is expanded.
 *
 * @module
 */

import type { CHash } from "@noble/hashes/utils.js";
import type { IpsecMbFunctions } from "../../host/ipsec_mb.ts";
import { HASHES } from "../noble/hashes.ts";
import { HALF, type NativeMemory } from "./native_memory.ts";

/** By which of the library's functions jobs are submitted. */
export const Via = {
  /** submit_cipher_burst: an array of jobs, all at once. */
  CIPHER_BURST: 0,
  /** submit_hash_burst: the same for HMACs. */
  HASH_BURST: 1,
  /** get_next_job, submit_job, flush_job: the manager's own ring. */
  JOBS: 2,
} as const;

/** What goes into the union `u` of a job. */
export const Extra = {
  /** Up to three addresses of key material. */
  KEYS: 0,
  /** Address and length of the AAD. */
  AAD: 1,
  /** Address of the key, then of the iv. */
  KEY_IV: 2,
  /** Address of the key, address of the iv, length of the iv. */
  KEY_IV_LENGTH: 3,
} as const;

// IMB_CIPHER_MODE
export const IMB_CIPHER_CBC = 1;
export const IMB_CIPHER_CNTR = 2;
const IMB_CIPHER_NULL = 3;
const IMB_CIPHER_GCM = 5;
const IMB_CIPHER_DES = 7;
const IMB_CIPHER_CCM = 9;
const IMB_CIPHER_DES3 = 10;
const IMB_CIPHER_ECB = 12;
const IMB_CIPHER_ZUC_EEA3 = 14;
const IMB_CIPHER_SNOW3G_UEA2_BITLEN = 15;
const IMB_CIPHER_KASUMI_UEA1_BITLEN = 16;
const IMB_CIPHER_CHACHA20_POLY1305 = 19;

// IMB_HASH_ALG
const IMB_AUTH_HMAC_SHA_1 = 1;
const IMB_AUTH_AES_XCBC = 6;
const IMB_AUTH_MD5 = 7;
const IMB_AUTH_NULL = 8;
const IMB_AUTH_AES_GMAC = 9;
const IMB_AUTH_AES_CCM = 11;
const IMB_AUTH_AES_CMAC = 12;
const IMB_AUTH_SHA_1 = 13;
const IMB_AUTH_ZUC_EIA3_BITLEN = 20;
const IMB_AUTH_SNOW3G_UIA2_BITLEN = 22;
const IMB_AUTH_KASUMI_UIA1 = 23;
const IMB_AUTH_AES_GMAC_128 = 24;
const IMB_AUTH_AES_CMAC_256 = 27;
const IMB_AUTH_CHACHA20_POLY1305 = 29;

// IMB_CHAIN_ORDER
const IMB_ORDER_CIPHER_HASH = 1;
const IMB_ORDER_HASH_CIPHER = 2;

/**
 * The longest job in bytes that is submitted: lanes count in 16 bits, and a
 * job of 65,536 bytes comes back as done with nothing done.
 */
export const MOST_BYTES = 65520;

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

/** What of the library's structures does not depend on a job. */
export interface Recipe {
  /** A value of {@linkcode Via}. */
  readonly via: number;
  /** IMB_CIPHER_MODE */
  readonly cipher: number;
  /** IMB_HASH_ALG */
  readonly hash: number;
  /** IMB_CHAIN_ORDER to encrypt; the other one to decrypt. */
  readonly order: number;
  /** key_len_in_bytes */
  readonly keyLength: number;
  /** A value of {@linkcode Extra}. */
  readonly extra: number;
  /** What a length in bytes is multiplied by: 8 where lengths are in bits. */
  readonly lengthScale: number;
  /** The longest message in bytes. */
  readonly most: number;
  /** The longest AAD in bytes. */
  readonly mostAad: number;
  /** The shortest iv in bytes that the library takes as is. */
  readonly leastIv: number;
  /** The longest such iv. */
  readonly mostIv: number;
  /** Bytes of digest the library gives; 0 for AEADs, whose tags have any size. */
  readonly digest: number;
  /**
   * Bytes, source and result together, that bursts work on in about a
   * millisecond.
   */
  readonly roundBytes: number;
  /** Bits of the registers below which it has no lanes. */
  readonly registers: number;
  /** Bytes of key material. */
  readonly room: number;
  /** Offsets of key material in it: enc_keys, dec_keys, then the union's. */
  readonly places: readonly [number, number, number, number, number];
  /**
   * Expands a key.
   *
   * @param functions the library's
   * @param key address of the key
   * @param memory receives the key material; its first `room` bytes are zero
   * @param bytes the key
   */
  expand(
    functions: IpsecMbFunctions,
    key: bigint,
    memory: NativeMemory,
    bytes: Uint8Array,
  ): void;
}

const AES_BLOCK = 16;
/** Where the schedule to decrypt is: 15 round keys are before it. */
const DECRYPT_AT = 256;
const AES_ROOM = 512;
/** struct gcm_key_data: 1008 bytes in version 1.3. */
const GCM_ROOM = 4096;
/** IMB_DES_KEY_SCHED_SIZE */
const DES_SCHEDULE = 128;

const STANDARD = {
  via: Via.JOBS,
  cipher: IMB_CIPHER_NULL,
  hash: IMB_AUTH_NULL,
  order: IMB_ORDER_CIPHER_HASH,
  keyLength: 0,
  extra: Extra.KEYS,
  lengthScale: 1,
  most: MOST_BYTES,
  mostAad: 0,
  leastIv: 0,
  mostIv: 0,
  digest: 0,
  roundBytes: 4 * MIB,
  registers: 0,
  room: 0,
  places: [0, 0, 0, 0, 0],
  expand() {},
} as const satisfies Recipe;

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
