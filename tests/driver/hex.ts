/**
 * Bytes as hexadecimal digits, with blanks and line ends anywhere.
 *
 * @module
 */

/** The bytes that hexadecimal digits stand for. */
export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const digits = hex.replaceAll(/\s/g, "");
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** The digits of some bytes, four bytes a group. */
export function hexOf(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (b) => b.toString(16).padStart(2, "0"));
  return digits.join("").replaceAll(/(.{8})(?!$)/g, "$1 ");
}

/** Hexadecimal digits in the same groups. */
export function grouped(hex: string): string {
  return hexOf(bytesOf(hex));
}
