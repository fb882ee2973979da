/**
 * When the portable engine is faster than libcrypto.
 *
 * @module
 */

/**
 * Bytes of the longest source that the portable engine is faster at, by
 * algorithm, measured against libcrypto 3.0. ARC4 begins with 256 steps that
 * depend on the key alone: libcrypto takes them for each job, and the portable
 * engine for each context.
 */
export const SHORT_JOBS: ReadonlyMap<string, number> = new Map([
  ["arc4", 256],
]);
