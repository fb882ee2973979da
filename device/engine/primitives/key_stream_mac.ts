/**
 * What the 3GPP integrity algorithms on key streams have in common.
 *
 * @module
 */

/** A MAC of 32 bits over a number of bits, under way. */
export interface KeyStreamMac {
  /**
   * Starts a message.
   *
   * @param iv 16 bytes: COUNT, FRESH or BEARER, and DIRECTION
   */
  start(iv: Uint8Array): void;
  /**
   * Absorbs the next part of the message.
   *
   * @param words the part as little-endian words; it has room for whole blocks
   * of 64 bits, of which those after the part may hold anything
   * @param bits length of the part; only the last is no multiple of 64
   */
  update(words: Uint32Array, bits: number): void;
  /**
   * Ends the message.
   *
   * @returns the MAC, a signed number
   */
  finish(): number;
  /** Overwrites key and state. It cannot be started again. */
  wipe(): void;
}
