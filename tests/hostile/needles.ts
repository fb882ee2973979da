/**
 * Looking for any of some strings of bytes in one pass.
 *
 * @module
 */

/** Strings of bytes that are looked for together. */
export class Needles {
  /** What is looked for. */
  readonly all: readonly Uint8Array[];
  /** 1 where a needle begins with such two bytes. */
  readonly #begins = new Uint8Array(0x1_0000);

  /** @param needles what to look for, two bytes each at least */
  constructor(needles: readonly Uint8Array[]) {
    this.all = needles;
    for (const [first, second] of needles) {
      this.#begins[first! | second! << 8] = 1;
    }
  }

  /**
   * Looks for them.
   *
   * @param bytes where to look; nobody may change them meanwhile
   * @returns where the first one is; -1 where there is none
   */
  indexIn(bytes: Uint8Array): number {
    const begins = this.#begins;
    let next = bytes[0]!;
    for (let at = 0; at + 1 < bytes.length; at++) {
      const here = next;
      next = bytes[at + 1]!;
      if (begins[here | next << 8] === 0) continue;
      const found = this.all.some((needle) =>
        needle.every((byte, i) => byte === bytes[at + i])
      );
      if (found) return at;
    }
    return -1;
  }
}
