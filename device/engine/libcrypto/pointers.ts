/**
 * Addresses and sizes as the BigInts that a foreign function takes, without the
 * cost of `BigInt()` and without an object: the halves of a number are stored,
 * and the whole is read as the argument of the call.
 *
 * @module
 */

/** 2^32. */
const HIGH = 0x1_0000_0000;

/** What was stored last: at {@linkcode FROM}, {@linkcode TO}, {@linkcode SIZE}. */
export const POINTERS: BigUint64Array<ArrayBuffer> = new BigUint64Array(
  new ArrayBuffer(24),
);
/** Little-endian, as every platform of Deno is. */
const halves = new Uint32Array(POINTERS.buffer);

/** Index of the address that is read from. */
export const FROM = 0;
/** Index of the address that is written to. */
export const TO = 1;
/** Index of a number of bytes. */
export const SIZE = 2;

/**
 * Stores the address that is read from.
 *
 * @param address a whole number from 0 to below 2^53
 */
export function setFrom(address: number): void {
  // Storing to a Uint32Array reduces modulo 2^32 and drops the fraction.
  halves[0] = address;
  halves[1] = address / HIGH;
}

/**
 * Stores the address that is written to.
 *
 * @param address a whole number from 0 to below 2^53
 */
export function setTo(address: number): void {
  halves[2] = address;
  halves[3] = address / HIGH;
}

/**
 * Stores a number of bytes.
 *
 * @param length a whole number from 0 to below 2^53
 */
export function setSize(length: number): void {
  halves[4] = length;
  halves[5] = length / HIGH;
}
