/**
 * Copies of keys.
 *
 * @module
 */

/**
 * Copies a key byte by byte. A copy by vector registers leaves 16 bytes or more
 * of it in them, and when the runtime discards optimised code it writes its
 * registers to memory that it does not clear afterwards.
 *
 * @param key the bytes to copy
 * @param target where to
 * @param at offset in `target` of the first one; 0 when left out
 */
export function copyKey(key: Uint8Array, target: Uint8Array, at = 0): void {
  for (let i = 0; i < key.length; i++) target[at + i] = key[i]!;
}

/** Zeros, and where they are copied to: as long as the longest expanded key. */
const ZEROS = new Uint32Array(60);
const SINK = new Uint32Array(60);

/** The sizes in words that the runtime copies in registers of their own. */
const COPIES: readonly Uint32Array[] = [4, 8, 60].map((words) =>
  ZEROS.subarray(0, words)
);

/**
 * Clears the vector registers through which the runtime copies short arrays.
 * To be called when a library has copied a key or an expanded key with `set` or
 * `slice`.
 */
export function clearVectorRegisters(): void {
  for (const zeros of COPIES) SINK.set(zeros);
}
