/**
 * What guest memory has to hold, byte for byte: the guard of every hostile
 * test.
 *
 * @module
 */

import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { Needles } from "./needles.ts";
import type { Range } from "./ring.ts";

/** Guest memory changed where the device may not write. */
export class GuardError extends Error {
  /** The name of the class. */
  override readonly name = "GuardError";
}

/** By size: guests come and go, and their memory is of few sizes. */
const patterns = new Map<number, Uint8Array<ArrayBuffer>>();

/** What bytes hold that nobody wrote: each tells its place. */
function patternOf(size: number): Uint8Array<ArrayBuffer> {
  let pattern = patterns.get(size);
  if (pattern === undefined) {
    pattern = new Uint8Array(size);
    for (let at = 0; at < size; at++) {
      pattern[at] = (Math.imul(at, 0x9e37_79b1) >>> 24) | 1;
    }
    patterns.set(size, pattern);
  }
  return pattern;
}

/** The expected content of one region. */
interface RegionImage {
  readonly start: number;
  readonly memory: Uint8Array<SharedArrayBuffer>;
  readonly memoryWords: Uint32Array<SharedArrayBuffer>;
  readonly pattern: Uint8Array<ArrayBuffer>;
  readonly expected: Uint8Array<ArrayBuffer>;
  readonly expectedWords: Uint32Array<ArrayBuffer>;
}

/** The expected content of guest memory. */
export class MemoryImage {
  readonly #regions: readonly RegionImage[];

  /** @param memory the memory, which is filled with a pattern */
  constructor(memory: GuestMemory) {
    this.#regions = memory.bytes.map((bytes, i) => {
      const pattern = patternOf(bytes.length);
      bytes.set(pattern);
      const expected = pattern.slice();
      return {
        start: memory.regions[i]!.guestAddress,
        memory: bytes,
        memoryWords: new Uint32Array(
          bytes.buffer,
          bytes.byteOffset,
          bytes.length >> 2,
        ),
        pattern,
        expected,
        expectedWords: new Uint32Array(expected.buffer),
      };
    });
  }

  /**
   * Takes ranges as they are for what they have to be.
   *
   * @param ranges guest addresses; what is not in memory is left out
   */
  take(ranges: readonly Range[]): void {
    this.#each(ranges, ({ memory, expected }, from, to) => {
      expected.set(memory.subarray(from, to), from);
    });
  }

  /** Fills ranges with the pattern again. */
  restore(ranges: readonly Range[]): void {
    this.#each(ranges, ({ memory, expected, pattern }, from, to) => {
      const bytes = pattern.subarray(from, to);
      memory.set(bytes, from);
      expected.set(bytes, from);
    });
  }

  /** Expects bytes at a guest address. */
  expect(address: number, bytes: Uint8Array): void {
    this.#each([[address, bytes.length]], ({ expected, start }, from, to) => {
      const skip = start + from - address;
      expected.set(bytes.subarray(skip, skip + to - from), from);
    });
  }

  /**
   * Compares memory with what it has to be.
   *
   * @param free ranges that may hold anything, and change at any moment
   * @param range what is compared; all of memory when left out
   * @throws {GuardError} A byte differs
   */
  check(free: readonly Range[], range: Range = [0, Infinity]): void {
    this.#each([range], (region, from, to) => {
      const { memory, memoryWords, expected, expectedWords, start } = region;
      for (let i = from >> 2; i < to >> 2; i++) {
        if (memoryWords[i] === expectedWords[i]) continue;
        for (let at = 4 * i; at < 4 * i + 4; at++) {
          const address = start + at;
          const byte = memory[at]!;
          if (
            byte === expected[at] ||
            free.some(([first, length]) =>
              address >= first && address < first + length
            )
          ) continue;
          throw new GuardError(
            `Guest memory at 0x${address.toString(16)} holds 0x${
              byte.toString(16)
            }, not 0x${expected[at]!.toString(16)}`,
          );
        }
      }
    });
  }

  /**
   * Looks for bytes in guest memory.
   *
   * @param needles what must not be there
   * @param range where to look; everywhere when left out
   * @throws {GuardError} One is there
   */
  checkAbsent(
    needles: Needles,
    range: Range = [0, Infinity],
  ): void {
    this.#each([range], ({ memory, start }, from, to) => {
      const at = needles.indexIn(memory.slice(from, to));
      if (at < 0) return;
      throw new GuardError(
        `Another session's secret is in guest memory at 0x${
          (start + from + at).toString(16)
        }`,
      );
    });
  }

  #each(
    ranges: readonly Range[],
    visit: (region: RegionImage, from: number, to: number) => void,
  ): void {
    for (const [address, length] of ranges) {
      for (const region of this.#regions) {
        const from = Math.max(0, address - region.start);
        const to = Math.min(
          region.memory.length,
          address + length - region.start,
        );
        if (from < to) visit(region, from, to);
      }
    }
  }
}
