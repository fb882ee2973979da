/**
 * What a request is given as: bytes, or a dump of them as text.
 *
 * @module
 */

/** The text of a dump is not one. */
export class DumpError extends Error {
  /** "DumpError". */
  override readonly name = "DumpError";
}

/** hexdump -C: offset, two spaces, bytes, the same as text between bars. */
const HEXDUMP_LINE =
  /^([0-9a-f]{6,16}) {2}((?:[0-9a-f]{2} {1,2}){0,15}[0-9a-f]{2}) *\|.*\|?$/i;
/** xxd: offset, colon, groups of bytes, two spaces, the same as text. */
const XXD_LINE =
  /^([0-9a-f]{4,16}): ((?:[0-9a-f]{2,} )*[0-9a-f]{2,})(?: {2}.*)?$/i;
/** What ends a hexdump -C: the length. */
const OFFSET_LINE = /^[0-9a-f]{6,16}$/i;

/** A line with an offset. */
interface OffsetLine {
  readonly offset: number;
  readonly digits: string;
}

function offsetLine(line: string): OffsetLine | undefined {
  const found = HEXDUMP_LINE.exec(line) ?? XXD_LINE.exec(line);
  if (found === null) return undefined;
  return {
    offset: parseInt(found[1]!, 16),
    digits: found[2]!.replaceAll(" ", ""),
  };
}

function pushDigits(bytes: number[], digits: string): void {
  for (let i = 0; i < digits.length; i += 2) {
    bytes.push(parseInt(digits.slice(i, i + 2), 16));
  }
}

/** Reads a line of plain hex: words of bytes, each with or without 0x. */
function plainLine(bytes: number[], line: string, number: number): void {
  for (const word of line.split(/[\s,;]+/)) {
    if (word === "") continue;
    const prefixed = /^0x/i.test(word);
    let digits = prefixed ? word.slice(2) : word;
    if (prefixed && digits.length === 1) digits = `0${digits}`;
    if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) {
      throw new DumpError(
        `Cannot read line ${number} of the dump: ${
          /^[0-9a-f]+$/i.test(digits)
            ? "it has an odd number of digits"
            : "it is not hexadecimal"
        }`,
      );
    }
    pushDigits(bytes, digits);
  }
}

/**
 * Reads a dump: plain hex with or without 0x and white space, xxd's form, or
 * that of hexdump -C. Lines that start with # are comments.
 *
 * @param text the dump
 * @returns its bytes
 * @throws {DumpError} A line is none of these, an offset does not follow, or
 * there are no bytes
 */
export function parseDump(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let base: number | undefined;
  let previous = "";
  let repeats = false;
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    if (line === "*") {
      repeats = true;
      return;
    }
    const withOffset = offsetLine(line);
    const ends = base !== undefined && withOffset === undefined &&
      OFFSET_LINE.test(line);
    if (withOffset === undefined && !ends) {
      if (base !== undefined || repeats) {
        throw new DumpError(
          `Cannot read line ${index + 1} of the dump: it has no offset`,
        );
      }
      return plainLine(bytes, line, index + 1);
    }
    const offset = withOffset?.offset ?? parseInt(line, 16);
    if (base === undefined && bytes.length === 0) base = offset;
    // A star stands for the line before it, again and again.
    const gap = offset - (base ?? -1) - bytes.length;
    const step = previous.length / 2;
    if (repeats && step > 0 && gap > 0 && gap % step === 0 && gap < 1 << 24) {
      for (let i = 0; i < gap; i += step) pushDigits(bytes, previous);
    }
    repeats = false;
    if (base === undefined || offset !== base + bytes.length) {
      throw new DumpError(
        `Cannot read line ${index + 1} of the dump: offset 0x${
          offset.toString(16)
        } does not follow`,
      );
    }
    if (withOffset === undefined) return;
    previous = withOffset.digits;
    pushDigits(bytes, previous);
  });
  if (bytes.length === 0) throw new DumpError("Cannot find bytes in the dump");
  return Uint8Array.from(bytes);
}

/** Whether content is text: a request has bytes of 0, which no text has. */
function isText(content: Uint8Array): boolean {
  return content.every((byte) =>
    byte >= 0x20 && byte !== 0x7f || byte === 0x0a || byte === 0x0d ||
    byte === 0x09
  );
}

/**
 * The bytes of a request from the content of a file.
 *
 * @param content a dump as text, or the bytes themselves
 * @returns the bytes
 * @throws {DumpError} It is text, but no dump
 */
export function requestFrom(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return isText(content)
    ? parseDump(new TextDecoder().decode(content))
    : content.slice();
}
