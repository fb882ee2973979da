/**
 * Addresses and sizes as the BigInts that a foreign function takes.
 *
 * @module
 */

/** 2^32. */
const HIGH = 0x1_0000_0000;

const wide = new BigUint64Array(new ArrayBuffer(24));
/** Little-endian, as every platform of Deno is. */
const halves = new Uint32Array(wide.buffer);

/**
 * A number as a BigInt, without the cost of `BigInt()`: the halves are stored
 * and the whole is read. For the argument that is read from.
 *
 * @param address a whole number from 0 to below 2^53
 * @returns the same as a BigInt
 */
export function from(address: number): bigint {
  // Storing to a Uint32Array reduces modulo 2^32 and drops the fraction.
  halves[0] = address;
  halves[1] = address / HIGH;
  return wide[0]!;
}

/**
 * As {@linkcode from}, for the argument that is written to.
 *
 * @param address a whole number from 0 to below 2^53
 * @returns the same as a BigInt
 */
export function to(address: number): bigint {
  halves[2] = address;
  halves[3] = address / HIGH;
  return wide[1]!;
}

/**
 * As {@linkcode from}, for a number of bytes.
 *
 * @param length a whole number from 0 to below 2^53
 * @returns the same as a BigInt
 */
export function size(length: number): bigint {
  halves[4] = length;
  halves[5] = length / HIGH;
  return wide[2]!;
}
