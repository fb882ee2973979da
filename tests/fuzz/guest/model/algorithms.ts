/**
 * The algorithms and their sizes, written down a second time, so that a
 * mistake in the device's own table is seen against this one.
 *
 * @module
 */

import type { AlgorithmName } from "../../../../device/engine/algorithm.ts";

/** An algorithm; sizes are in bytes. */
export interface ModelAlgorithm {
  readonly service: number;
  readonly number: number;
  readonly name: AlgorithmName;
  readonly keys: readonly number[];
  /** Empty where it has no iv. */
  readonly ivs: readonly number[];
  /** The source is a whole number of these. */
  readonly block: number;
  /** The shortest source. */
  readonly least: number;
  /** Lengths of digest or tag; undefined: any. */
  readonly results: readonly number[] | undefined;
}

function range(from: number, to: number, step = 1): number[] {
  return Array.from(
    { length: Math.floor((to - from) / step) + 1 },
    (_, i) => from + i * step,
  );
}

const AES = [16, 24, 32];
const AUTH = range(1, 512);

type Row = readonly [
  number: number,
  name: AlgorithmName,
  keys: readonly number[],
  ivs: readonly number[],
  block: number,
  least: number,
  results: readonly number[] | undefined,
];

const CIPHERS: readonly Row[] = [
  [1, "arc4", range(1, 256), [], 1, 0, []],
  [2, "aes-ecb", AES, [], 16, 0, []],
  [3, "aes-cbc", AES, [16], 16, 0, []],
  [4, "aes-ctr", AES, [16], 1, 0, []],
  [5, "des-ecb", [8], [], 8, 0, []],
  [6, "des-cbc", [8], [8], 8, 0, []],
  [7, "3des-ecb", [24], [], 8, 0, []],
  [8, "3des-cbc", [24], [8], 8, 0, []],
  [9, "3des-ctr", [24], [8], 1, 0, []],
  [10, "kasumi-f8", [16], [8], 1, 0, []],
  [11, "snow3g-uea2", [16], [16], 1, 0, []],
  [12, "aes-f8", [32, 48, 64], [16], 1, 0, []],
  [13, "aes-xts", [32, 64], [16], 1, 16, []],
  [14, "zuc-eea3", [16], [16], 1, 0, []],
];

const HASHES: readonly Row[] = [
  [1, "md5", [0], [], 1, 0, range(1, 16)],
  [2, "sha1", [0], [], 1, 0, range(1, 20)],
  [3, "sha224", [0], [], 1, 0, range(1, 28)],
  [4, "sha256", [0], [], 1, 0, range(1, 32)],
  [5, "sha384", [0], [], 1, 0, range(1, 48)],
  [6, "sha512", [0], [], 1, 0, range(1, 64)],
  [7, "sha3-224", [0], [], 1, 0, range(1, 28)],
  [8, "sha3-256", [0], [], 1, 0, range(1, 32)],
  [9, "sha3-384", [0], [], 1, 0, range(1, 48)],
  [10, "sha3-512", [0], [], 1, 0, range(1, 64)],
  [11, "shake128", [0], [], 1, 0, undefined],
  [12, "shake256", [0], [], 1, 0, undefined],
];

const MACS: readonly Row[] = [
  [1, "hmac-md5", AUTH, [], 1, 0, range(1, 16)],
  [2, "hmac-sha1", AUTH, [], 1, 0, range(1, 20)],
  [3, "hmac-sha224", AUTH, [], 1, 0, range(1, 28)],
  [4, "hmac-sha256", AUTH, [], 1, 0, range(1, 32)],
  [5, "hmac-sha384", AUTH, [], 1, 0, range(1, 48)],
  [6, "hmac-sha512", AUTH, [], 1, 0, range(1, 64)],
  [25, "cmac-3des", [24], [], 1, 0, range(1, 8)],
  [26, "cmac-aes", AES, [], 1, 0, range(1, 16)],
  [27, "kasumi-f9", [16], [], 8, 8, range(1, 4)],
  [28, "snow3g-uia2", [16], [16], 1, 0, range(1, 4)],
  [41, "gmac-aes", AES, [12, 16], 1, 0, range(1, 16)],
  [42, "gmac-twofish", AES, [12, 16], 1, 0, range(1, 16)],
  [49, "cbcmac-aes", [16], [], 16, 16, range(1, 16)],
  [50, "cbcmac-kasumi-f9", [16], [], 8, 8, range(1, 4)],
  [53, "xcbc-aes", [16], [], 1, 0, range(1, 16)],
  [54, "zuc-eia3", [16], [16], 1, 0, range(1, 4)],
];

const AEADS: readonly Row[] = [
  [1, "aes-gcm", AES, [12, 16], 1, 0, [4, 8, 12, 13, 14, 15, 16]],
  [2, "aes-ccm", AES, range(7, 13), 1, 0, range(4, 16, 2)],
  [3, "chacha20-poly1305", [32], [12], 1, 0, [16]],
];

/** The algorithms of each service. */
export const MODEL_ALGORITHMS: readonly (readonly ModelAlgorithm[])[] = [
  CIPHERS,
  HASHES,
  MACS,
  AEADS,
].map((rows, service) =>
  rows.map(([number, name, keys, ivs, block, least, results]) => ({
    service,
    number,
    name,
    keys,
    ivs,
    block,
    least,
    results,
  }))
);

/**
 * Finds an algorithm.
 *
 * @param service number of its service
 * @param number its number there
 * @returns the algorithm; undefined where the number stands for none
 */
export function modelAlgorithm(
  service: number,
  number: number,
): ModelAlgorithm | undefined {
  return MODEL_ALGORITHMS[service]?.find((a) => a.number === number);
}

/**
 * Whether an algorithm can give a digest or tag of a length.
 *
 * @param algorithm the algorithm
 * @param length bytes
 * @param maxSize largest content of a request, which bounds what has no bound
 * @returns true when it can
 */
export function givesResult(
  algorithm: ModelAlgorithm,
  length: number,
  maxSize: number,
): boolean {
  return algorithm.results?.includes(length) ??
    (length >= 1 && length <= maxSize);
}
