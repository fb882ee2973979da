/**
 * A trace's file.
 *
 * @module
 */

/**
 * Reads a file piece by piece.
 *
 * @param path the file
 * @returns its bytes
 * @throws {Error} It cannot be read
 */
export async function* openTrace(path: string): AsyncGenerator<Uint8Array> {
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(1 << 16);
    for (;;) {
      const length = await file.read(buffer);
      if (length === null) return;
      yield buffer.subarray(0, length);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${path}: ${reason}`, { cause: error });
  }
}
