/**
 * When the engine that runs jobs side by side is worth it.
 *
 * @module
 */

import type { Processor } from "../../host/ipsec_mb.ts";

/** The jobs of an algorithm that `ipsec-mb` is faster at than the others. */
export interface Burst {
  /** From this many jobs at hand. */
  readonly jobs: number;
  /** From this many bytes of source. */
  readonly from: number;
  /** Up to this many bytes of source. */
  readonly to: number;
}

/**
 * The jobs that `ipsec-mb` gets, by algorithm, or by algorithm and direction.
 * What is not there it never gets: its KASUMI is the portable engine's at a
 * tenth of the speed.
 */
export type Bursts = Readonly<Record<string, Burst>>;

function burst(jobs: number, from = 0, to = Infinity): Burst {
  return { jobs, from, to };
}

/** What does not depend on the processor. */
const EVERYWHERE: Bursts = {
  "aes-cbc encrypt": burst(2),
  "aes-cbc decrypt": burst(1),
  "aes-ctr": burst(1),
  "aes-ecb": burst(1),
  "aes-ccm": burst(2),
  "zuc-eea3": burst(2),
  "cmac-aes": burst(2),
  "xcbc-aes": burst(1),
  "snow3g-uia2": burst(1),
  "zuc-eia3": burst(1),
};

/** Lanes in registers of 512 bits, on processors with VAES and SHA extensions. */
const WIDE: Bursts = {
  ...EVERYWHERE,
  "aes-gcm": burst(1),
  "chacha20-poly1305": burst(1),
  "des-cbc": burst(6),
  "3des-cbc": burst(6),
  "snow3g-uea2": burst(6),
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
  "gmac-aes": burst(1),
};

/** Lanes in narrower ones, on a processor with AES and no use of VAES. */
const NARROW: Bursts = {
  ...EVERYWHERE,
  "aes-gcm encrypt": burst(1),
  "aes-gcm decrypt": burst(1, 0, 4096),
  "chacha20-poly1305": burst(1, 0, 512),
  "snow3g-uea2": burst(3),
  "hmac-md5": burst(4),
  "hmac-sha1": burst(6),
  "gmac-aes": burst(1, 0, 4096),
};

/** SHA extensions: one message with them is as fast as narrow lanes without. */
const NARROW_WITH_SHA: Bursts = {
  "sha1": burst(6, 256),
  "hmac-sha224": burst(6, 0, 1024),
  "hmac-sha256": burst(6, 0, 1024),
};

const NARROW_WITHOUT_SHA: Bursts = {
  "sha1": burst(4),
  "sha224": burst(4),
  "sha256": burst(4),
  "hmac-sha224": burst(4),
  "hmac-sha256": burst(4),
};

/** Four lanes of 64-bit words; two are no faster than one message. */
const AVX2: Bursts = {
  "sha384": burst(4),
  "sha512": burst(4),
  "hmac-sha384": burst(3),
  "hmac-sha512": burst(3),
};

/**
 * The jobs that `ipsec-mb` gets on a processor.
 *
 * Measured against libcrypto 3.0 and, where that has nothing, the portable
 * engine, with 1 to 64 jobs of 64 bytes to 16 KiB. A job alone has all lanes
 * but one empty: what chains block to block needs company, what does not is
 * faster from one job on.
 *
 * @param processor what the library uses of it
 * @returns the jobs by algorithm
 */
export function burstsOn(processor: Processor): Bursts {
  if (processor.registers >= 512) return WIDE;
  return {
    ...NARROW,
    ...processor.hasSha ? NARROW_WITH_SHA : NARROW_WITHOUT_SHA,
    ...processor.registers >= 256 ? AVX2 : {},
  };
}
