/**
 * Guest memory that is known byte by byte: beside it lies what it is expected
 * to hold.
 *
 * @module
 */

import type { MemoryRegion } from "../../../device/memory/guest_memory.ts";
import { USER_DISTANCE } from "../../support/plain_memory.ts";

/** A range of guest addresses. */
export type Range = readonly [address: number, length: number];

/** Guest address and size of each region: two adjoin, one ends at an odd byte. */
export const REGIONS: readonly Range[] = [
  [0x10_0000, 0x8000],
  [0x10_8000, 0x4000],
  [0x20_0000, 0x0fff],
];

/** Bytes before and behind a region, in its buffer. */
const MARGIN = 64;
/** What memory holds where nothing was put. */
const GUARD = 0x5a;

interface Region {
  readonly address: number;
  readonly end: number;
  readonly actual: Uint8Array<SharedArrayBuffer>;
  readonly expected: Uint8Array<ArrayBuffer>;
  readonly actualWords: Int32Array<SharedArrayBuffer>;
  readonly expectedWords: Int32Array;
}

/** The memory. Ranges that are written or read lie in it. */
export class FuzzMemory {
  /** The regions as a device takes them. */
  readonly regions: readonly MemoryRegion[];
  readonly #regions: readonly Region[];

  constructor() {
    this.#regions = REGIONS.map(([address, size]) => {
      const buffer = new SharedArrayBuffer((size + 2 * MARGIN + 3) & ~3);
      const expected = new Uint8Array(buffer.byteLength);
      return {
        address,
        end: address + size,
        actual: new Uint8Array(buffer),
        expected,
        actualWords: new Int32Array(buffer),
        expectedWords: new Int32Array(expected.buffer),
      };
    });
    this.regions = this.#regions.map(({ address, end, actual }) => ({
      guestAddress: address,
      userAddress: address + USER_DISTANCE,
      size: end - address,
      buffer: actual.buffer,
      offset: MARGIN,
    }));
  }

  /** Fills it with guard bytes. */
  reset(): void {
    for (const { actual, expected } of this.#regions) {
      actual.fill(GUARD);
      expected.fill(GUARD);
    }
  }

  /**
   * Bytes from an address to the end of its region.
   *
   * @param address guest address
   * @returns how many; 0 where no memory is
   */
  room(address: number): number {
    const region = this.#find(address);
    return region === undefined ? 0 : region.end - address;
  }

  /** Writes as the driver does. */
  write(address: number, bytes: Uint8Array): void {
    this.#each(address, bytes.length, (region, at, from, length) => {
      const part = bytes.subarray(from, from + length);
      region.actual.set(part, at);
      region.expected.set(part, at);
    });
  }

  /** Writes a le16, le32 or le64. */
  writeInteger(address: number, size: 2 | 4 | 8, value: bigint): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value & 0xffff_ffff_ffff_ffffn, true);
    this.write(address, new Uint8Array(view.buffer, 0, size));
  }

  /** What the device is expected to write. */
  expect(address: number, bytes: Uint8Array): void {
    this.#each(
      address,
      bytes.length,
      (region, at, from, length) =>
        region.expected.set(bytes.subarray(from, from + length), at),
    );
  }

  /**
   * The word that holds an address of the first region, of all that region.
   *
   * @param address guest address
   * @returns the region's words, and which it is
   */
  word(address: number): { words: Int32Array<SharedArrayBuffer>; at: number } {
    const { actualWords, address: start } = this.#regions[0]!;
    return { words: actualWords, at: (MARGIN + address - start) >> 2 };
  }

  /** What was expected before the device ran: a copy. */
  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#copy(address, length, (region) => region.expected);
  }

  /** What is there: a copy. */
  actual(address: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#copy(address, length, (region) => region.actual);
  }

  /** Expects what is there, whatever it is. */
  adopt(address: number, length: number): void {
    this.expect(address, this.actual(address, length));
  }

  /** A le16 as it was expected before the device ran. */
  u16(address: number): number {
    const [low, high] = this.read(address, 2);
    return low! | high! << 8;
  }

  /** A le32 likewise. */
  u32(address: number): number {
    return new DataView(this.read(address, 4).buffer).getUint32(0, true);
  }

  /** Where memory is not as expected, margins included; undefined: nowhere. */
  difference(): string | undefined {
    for (const region of this.#regions) {
      const { actualWords, expectedWords } = region;
      for (let i = 0; i < actualWords.length; i++) {
        if (actualWords[i] !== expectedWords[i]) return describe(region, 4 * i);
      }
    }
    return undefined;
  }

  /** Whether something was written before or behind a region. */
  marginsDiffer(): boolean {
    return this.#regions.some(({ actual, expected, end, address }) => {
      for (let i = 0; i < actual.length; i++) {
        if (i === MARGIN) i += end - address;
        if (actual[i] !== expected[i]) return true;
      }
      return false;
    });
  }

  #find(address: number): Region | undefined {
    return this.#regions.find((r) => address >= r.address && address < r.end);
  }

  #copy(
    address: number,
    length: number,
    side: (region: Region) => Uint8Array,
  ): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#each(
      address,
      length,
      (region, at, from, here) =>
        bytes.set(side(region).subarray(at, at + here), from),
    );
    return bytes;
  }

  #each(
    address: number,
    length: number,
    use: (region: Region, at: number, from: number, length: number) => void,
  ): void {
    for (let done = 0; done < length;) {
      const region = this.#find(address + done);
      if (region === undefined) {
        throw new RangeError(`No memory at 0x${(address + done).toString(16)}`);
      }
      const here = Math.min(length - done, region.end - address - done);
      use(region, MARGIN + address + done - region.address, done, here);
      done += here;
    }
  }
}

function describe(
  { address, actual, expected }: Region,
  from: number,
): string {
  let at = from;
  while (actual[at] === expected[at]) at++;
  const hex = (bytes: Uint8Array) => bytes.slice(at, at + 8).toHex();
  return `memory at 0x${(address + at - MARGIN).toString(16)} is ${
    hex(actual)
  } and not ${hex(expected)}`;
}
