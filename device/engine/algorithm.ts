/**
 * The algorithms an engine can serve, with the sizes each one takes. This is
 * the cryptographic side only: numbers of the virtio documents are mapped to
 * these entries elsewhere.
 *
 * @module
 */

/** What an algorithm does. */
export type AlgorithmKind = "cipher" | "hash" | "mac" | "aead";

/** The way a prepared operation runs; hashes and MACs only encrypt. */
export type Direction = "encrypt" | "decrypt";

/** A set of legal sizes: `min` to `max` in steps of `step`. All in bytes. */
export interface Sizes {
  /** Smallest legal size. */
  readonly min: number;
  /** Largest legal size. */
  readonly max: number;
  /** Distance between legal sizes; 1 when left out. */
  readonly step?: number;
  /** Single sizes that are legal too. */
  readonly also?: readonly number[];
}

/**
 * Whether a size is one of a set.
 *
 * @param sizes the legal sizes
 * @param size size in bytes
 * @returns true when it is legal
 */
export function hasSize(sizes: Sizes, size: number): boolean {
  if (size === sizes.min) return true;
  if (size >= sizes.min && size <= sizes.max) {
    if ((size - sizes.min) % (sizes.step ?? 1) === 0) return true;
  }
  return sizes.also !== undefined && sizes.also.includes(size);
}

/** One algorithm and the sizes it takes. All sizes are in bytes. */
export interface Algorithm {
  /** What it does. */
  readonly kind: AlgorithmKind;
  /** Its usual name, in lower case: "aes-cbc". */
  readonly name: string;
  /** The standard that defines it. */
  readonly standard: string;
  /** Legal key sizes; 0 only for hashes. */
  readonly key: Sizes;
  /** Legal iv sizes; 0 only where it has none. */
  readonly iv: Sizes;
  /** The source is a whole number of blocks of this size; 1 for any length. */
  readonly block: number;
  /** The shortest source it takes. */
  readonly minimum: number;
  /** Legal sizes of the digest or tag; 0 only for ciphers. */
  readonly result: Sizes;
}

const NONE: Sizes = { min: 0, max: 0 };
const AES_KEY: Sizes = { min: 16, max: 32, step: 8 };
/** Bound of a HMAC key here: RFC 2104 itself sets none. */
const HMAC_KEY: Sizes = { min: 1, max: 512 };

function only(...sizes: [number, ...number[]]): Sizes {
  const [first, ...also] = sizes;
  return { min: first, max: first, also };
}

function cipher(
  name: string,
  standard: string,
  key: Sizes,
  iv: Sizes,
  block: number,
  minimum = 0,
): Algorithm {
  return {
    kind: "cipher",
    name,
    standard,
    key,
    iv,
    block,
    minimum,
    result: NONE,
  };
}

function hash(name: string, standard: string, digest: number): Algorithm {
  return {
    kind: "hash",
    name,
    standard,
    key: NONE,
    iv: NONE,
    block: 1,
    minimum: 0,
    result: { min: 1, max: digest },
  };
}

function mac(
  name: string,
  standard: string,
  key: Sizes,
  tag: number,
  block = 1,
  minimum = 0,
  iv = NONE,
): Algorithm {
  return {
    kind: "mac",
    name,
    standard,
    key,
    iv,
    block,
    minimum,
    result: { min: 1, max: tag },
  };
}

function aead(
  name: string,
  standard: string,
  key: Sizes,
  iv: Sizes,
  tag: Sizes,
): Algorithm {
  return {
    kind: "aead",
    name,
    standard,
    key,
    iv,
    block: 1,
    minimum: 0,
    result: tag,
  };
}

/** A SHAKE gives as many bytes as are asked for; what bounds it is the request. */
const EXTENDABLE = 0xffff_ffff;

/** The name of an algorithm known here. */
export type AlgorithmName =
  | "arc4"
  | "aes-ecb"
  | "aes-cbc"
  | "aes-ctr"
  | "des-ecb"
  | "des-cbc"
  | "3des-ecb"
  | "3des-cbc"
  | "3des-ctr"
  | "kasumi-f8"
  | "snow3g-uea2"
  | "aes-f8"
  | "aes-xts"
  | "zuc-eea3"
  | "md5"
  | "sha1"
  | "sha224"
  | "sha256"
  | "sha384"
  | "sha512"
  | "sha3-224"
  | "sha3-256"
  | "sha3-384"
  | "sha3-512"
  | "shake128"
  | "shake256"
  | "hmac-md5"
  | "hmac-sha1"
  | "hmac-sha224"
  | "hmac-sha256"
  | "hmac-sha384"
  | "hmac-sha512"
  | "cmac-3des"
  | "cmac-aes"
  | "kasumi-f9"
  | "snow3g-uia2"
  | "gmac-aes"
  | "gmac-twofish"
  | "cbcmac-aes"
  | "cbcmac-kasumi-f9"
  | "xcbc-aes"
  | "zuc-eia3"
  | "aes-gcm"
  | "aes-ccm"
  | "chacha20-poly1305";

/**
 * Every algorithm known here, by its name, with the sizes of key, iv and result
 * that are legal for it. A device offers those that its engines serve.
 *
 * @example The key sizes of AES-CCM
 * ```ts
 * import { ALGORITHMS } from "../../mod.ts";
 *
 * console.log(ALGORITHMS["aes-ccm"].key); // { min: 16, max: 32, step: 8 }
 * ```
 */
export const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  "arc4": cipher("arc4", "RFC 6229", { min: 1, max: 256 }, NONE, 1),
  "aes-ecb": cipher("aes-ecb", "SP 800-38A 6.1", AES_KEY, NONE, 16),
  "aes-cbc": cipher("aes-cbc", "SP 800-38A 6.2", AES_KEY, only(16), 16),
  "aes-ctr": cipher("aes-ctr", "SP 800-38A 6.5", AES_KEY, only(16), 1),
  "des-ecb": cipher("des-ecb", "FIPS 46-3, FIPS 81", only(8), NONE, 8),
  "des-cbc": cipher("des-cbc", "FIPS 46-3, FIPS 81", only(8), only(8), 8),
  "3des-ecb": cipher("3des-ecb", "SP 800-67, SP 800-38A", only(24), NONE, 8),
  "3des-cbc": cipher("3des-cbc", "SP 800-67, SP 800-38A", only(24), only(8), 8),
  "3des-ctr": cipher("3des-ctr", "SP 800-67, SP 800-38A", only(24), only(8), 1),
  "kasumi-f8": cipher("kasumi-f8", "TS 35.201", only(16), only(8), 1),
  "snow3g-uea2": cipher("snow3g-uea2", "TS 35.215 3", only(16), only(16), 1),
  // The key is followed by the mask m, which is as long.
  "aes-f8": cipher(
    "aes-f8",
    "RFC 3711 4.1.2",
    { min: 32, max: 64, step: 16 },
    only(16),
    1,
  ),
  // Two keys; the iv is the tweak i.
  "aes-xts": cipher(
    "aes-xts",
    "IEEE 1619",
    { min: 32, max: 64, step: 32 },
    only(16),
    1,
    16,
  ),
  "zuc-eea3": cipher("zuc-eea3", "TS 35.221 3", only(16), only(16), 1),
  "md5": hash("md5", "RFC 1321", 16),
  "sha1": hash("sha1", "FIPS 180-4", 20),
  "sha224": hash("sha224", "FIPS 180-4", 28),
  "sha256": hash("sha256", "FIPS 180-4", 32),
  "sha384": hash("sha384", "FIPS 180-4", 48),
  "sha512": hash("sha512", "FIPS 180-4", 64),
  "sha3-224": hash("sha3-224", "FIPS 202", 28),
  "sha3-256": hash("sha3-256", "FIPS 202", 32),
  "sha3-384": hash("sha3-384", "FIPS 202", 48),
  "sha3-512": hash("sha3-512", "FIPS 202", 64),
  "shake128": hash("shake128", "FIPS 202", EXTENDABLE),
  "shake256": hash("shake256", "FIPS 202", EXTENDABLE),
  "hmac-md5": mac("hmac-md5", "RFC 2104", HMAC_KEY, 16),
  "hmac-sha1": mac("hmac-sha1", "RFC 2104", HMAC_KEY, 20),
  "hmac-sha224": mac("hmac-sha224", "RFC 2104", HMAC_KEY, 28),
  "hmac-sha256": mac("hmac-sha256", "RFC 2104", HMAC_KEY, 32),
  "hmac-sha384": mac("hmac-sha384", "RFC 2104", HMAC_KEY, 48),
  "hmac-sha512": mac("hmac-sha512", "RFC 2104", HMAC_KEY, 64),
  "cmac-3des": mac("cmac-3des", "SP 800-38B, SP 800-67", only(24), 8),
  "cmac-aes": mac("cmac-aes", "SP 800-38B", AES_KEY, 16),
  // The source is the padded string, in whole blocks: COUNT, FRESH, message,
  // DIRECTION, a bit 1, zeros.
  "kasumi-f9": mac("kasumi-f9", "TS 35.201", only(16), 4, 8, 8),
  // The iv is COUNT and FRESH, and both again with DIRECTION added.
  "snow3g-uia2": mac(
    "snow3g-uia2",
    "TS 35.215 4",
    only(16),
    4,
    1,
    0,
    only(16),
  ),
  // A 16-byte iv is the pre-counter block J0 itself, here and below.
  "gmac-aes": mac("gmac-aes", "SP 800-38D", AES_KEY, 16, 1, 0, only(12, 16)),
  "gmac-twofish": mac(
    "gmac-twofish",
    "SP 800-38D",
    AES_KEY,
    16,
    1,
    0,
    only(12, 16),
  ),
  // The tag of no block at all would be the same with every key.
  "cbcmac-aes": mac("cbcmac-aes", "ISO/IEC 9797-1", only(16), 16, 16, 16),
  // Nobody defines it: it is f9 by another name.
  "cbcmac-kasumi-f9": mac("cbcmac-kasumi-f9", "TS 35.201", only(16), 4, 8, 8),
  "xcbc-aes": mac("xcbc-aes", "RFC 3566", only(16), 16),
  // The iv is COUNT and BEARER, and both again with DIRECTION added.
  "zuc-eia3": mac("zuc-eia3", "TS 35.221 4", only(16), 4, 1, 0, only(16)),
  // A 16-byte iv is the pre-counter block J0 itself, not an iv to be hashed.
  "aes-gcm": aead(
    "aes-gcm",
    "SP 800-38D",
    AES_KEY,
    only(12, 16),
    { min: 12, max: 16, also: [4, 8] },
  ),
  // The longer the nonce, the shorter the longest message.
  "aes-ccm": aead(
    "aes-ccm",
    "SP 800-38C",
    AES_KEY,
    { min: 7, max: 13 },
    { min: 4, max: 16, step: 2 },
  ),
  "chacha20-poly1305": aead(
    "chacha20-poly1305",
    "RFC 8439",
    only(32),
    only(12),
    only(16),
  ),
};
