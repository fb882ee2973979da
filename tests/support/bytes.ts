/**
 * Bytes as the documents' structures have them.
 *
 * @module
 */

/**
 * le32 fields.
 *
 * @param values taken modulo 2^32
 * @returns four bytes each
 */
export function le32(...values: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setUint32(4 * i, value, true));
  return bytes;
}

/**
 * Bytes of zero.
 *
 * @param length how many
 * @returns the bytes
 */
export function zeros(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}
