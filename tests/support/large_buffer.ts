/**
 * Buffers of gigabytes, of which only what is touched takes memory.
 *
 * @module
 */

/**
 * Reserves a buffer, or says in a line what is not covered where the machine
 * does not let one process have so many addresses.
 *
 * @param size number of bytes
 * @param what is not covered without it
 * @returns the buffer, or undefined
 */
export function largeBuffer(
  size: number,
  what: string,
): SharedArrayBuffer | undefined {
  try {
    return new SharedArrayBuffer(size);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.log(
      `Not covered: ${what}. This machine does not reserve ${size} bytes for it.`,
    );
    return undefined;
  }
}
