/**
 * When the engine that runs jobs side by side is worth it.
 *
 * @module
 */

/** The jobs of an algorithm that `ipsec-mb` is faster at than the others. */
export interface Burst {
  /** From this many jobs at hand. */
  readonly jobs: number;
  /** From this many bytes of source. */
  readonly from: number;
}

function burst(jobs: number, from = 0): Burst {
  return { jobs, from };
}

/**
 * The jobs that `ipsec-mb` gets, by algorithm, or by algorithm and direction.
 * What is not here it never gets: its KASUMI is the portable engine's at a
 * tenth of the speed.
 *
 * Measured against libcrypto 3.0 and, where that has nothing, the portable
 * engine, with 1 to 64 jobs of 64 bytes to 16 KiB, on a processor with VAES
 * and SHA extensions. A job alone has all lanes but one empty: what chains
 * block to block needs company, what does not is faster from one job on.
 */
export const BURSTS: Readonly<Record<string, Burst>> = {
  "aes-cbc encrypt": burst(2),
  "aes-cbc decrypt": burst(1),
  "aes-ctr": burst(1),
  "aes-ecb": burst(1),
  "aes-gcm": burst(1),
  "aes-ccm": burst(2),
  "chacha20-poly1305": burst(1),
  "des-cbc": burst(6),
  "3des-cbc": burst(6),
  "snow3g-uea2": burst(6),
  "zuc-eea3": burst(2),
  "sha1": burst(6),
  "sha224": burst(12),
  "sha256": burst(12),
  "sha384": burst(3),
  "sha512": burst(3),
  "hmac-md5": burst(2),
  "hmac-sha1": burst(6),
  "hmac-sha224": burst(8),
  "hmac-sha256": burst(8),
  "hmac-sha384": burst(3),
  "hmac-sha512": burst(3),
  "cmac-aes": burst(2),
  "xcbc-aes": burst(1),
  "gmac-aes": burst(1),
  "snow3g-uia2": burst(1),
  "zuc-eia3": burst(1, 100),
};
