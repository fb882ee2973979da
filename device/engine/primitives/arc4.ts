/**
 * ARC4, the stream cipher that RFC 6229 has test vectors for.
 *
 * Lookups go to places that depend on secret data.
 *
 * @module
 */

/** Bytes of a state: the permutation S, then the indices i and j. */
export const ARC4_STATE = 258;

/**
 * The state before the first byte of keystream.
 *
 * @param key 1 to 256 bytes
 * @returns 258 bytes; overwrite them when done
 */
export function expandArc4Key(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = new Uint8Array(ARC4_STATE);
  for (let i = 0; i < 256; i++) state[i] = i;
  for (let i = 0, j = 0; i < 256; i++) {
    const a = state[i]!;
    j = (j + a + key[i % key.length]!) & 255;
    state[i] = state[j]!;
    state[j] = a;
  }
  return state;
}

/**
 * Adds the next bytes of the keystream to data.
 *
 * @param state the state, moved on
 * @param data the data, replaced
 * @param from index of the first byte
 * @param to index after the last byte
 */
export function arc4(
  state: Uint8Array,
  data: Uint8Array,
  from: number,
  to: number,
): void {
  let i = state[256]!;
  let j = state[257]!;
  for (let at = from; at < to; at++) {
    i = (i + 1) & 255;
    const a = state[i]!;
    j = (j + a) & 255;
    const b = state[j]!;
    state[i] = b;
    state[j] = a;
    data[at] = data[at]! ^ state[(a + b) & 255]!;
  }
  state[256] = i;
  state[257] = j;
}
