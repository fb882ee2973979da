/**
 * Private memory that native code reaches by address, and the addresses of
 * guest memory.
 *
 * @module
 */

import { addressOf } from "../../host/libc.ts";
import type { GuestMemory } from "../../memory/guest_memory.ts";

/** Alignment of the first byte. */
const ALIGNMENT = 64;

/** 2^32: addresses are written as two halves of 32 bits. */
export const HALF = 0x1_0000_0000;

/**
 * Bytes of this process that do not move. All of them share the high half of
 * their addresses, so only the low one is computed.
 */
export class NativeMemory {
  /** The bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory as little-endian 32-bit words. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Address of the first byte, a multiple of 64. */
  readonly address: bigint;
  /**
   * Low half of the address of the first byte, as a signed word, never 0: a
   * field that holds more than 31 bits is slow to read.
   */
  readonly low: number;
  /** High half of the address of every byte. */
  readonly high: number;

  /** @param size number of bytes; a multiple of 4 */
  constructor(size: number) {
    // Another buffer when this one happens to cross a boundary of 4 GiB; those
    // that do are kept until then, or the same could come back.
    const crossing: ArrayBuffer[] = [];
    while (true) {
      const buffer = new ArrayBuffer(size + ALIGNMENT);
      const base = addressOf(new Uint8Array(buffer));
      const start = Number(-base & BigInt(ALIGNMENT - 1));
      const low = Number(BigInt.asUintN(32, base)) + start;
      if (low > 0 && low + size < HALF) {
        this.bytes = new Uint8Array(buffer, start, size);
        this.words = new Uint32Array(buffer, start, size >> 2);
        this.address = base + BigInt(start);
        this.low = low | 0;
        this.high = Number(base >> 32n);
        return;
      }
      crossing.push(buffer);
    }
  }

  /** Overwrites all of it. */
  wipe(): void {
    this.bytes.fill(0);
  }
}

/** The addresses of one guest's memory. */
interface Bases {
  /** Address of each region. */
  readonly whole: Float64Array;
  /** Low and high half of each, as signed words. */
  readonly halves: Int32Array;
}

const NO_BASES: Bases = {
  whole: new Float64Array(0),
  halves: new Int32Array(0),
};

/** Where the regions of guest memory are in this process. */
export class GuestAddresses {
  #memory: GuestMemory | undefined;
  #bases: Bases = NO_BASES;
  #known = new WeakMap<GuestMemory, Bases>();

  /**
   * Turns to a guest's memory.
   *
   * @param memory the memory
   */
  bind(memory: GuestMemory): void {
    if (memory === this.#memory) return;
    let bases = this.#known.get(memory);
    if (bases === undefined) {
      // User-space addresses have 47 bits, 56 at most with five-level paging
      // and then only on demand: all are exact as numbers.
      const whole = Float64Array.from(
        memory.bytes,
        (bytes) => Number(addressOf(bytes as Uint8Array)),
      );
      const halves = Int32Array.from(
        [...whole].flatMap((address) => [address % HALF, address / HALF]),
      );
      bases = { whole, halves };
      this.#known.set(memory, bases);
    }
    this.#memory = memory;
    this.#bases = bases;
  }

  /** Low and high half of the address of each region, as signed words. */
  get halves(): Int32Array {
    return this.#bases.halves;
  }

  /**
   * The address of a byte.
   *
   * @param region index of the region
   * @param offset bytes from the region's start
   * @returns the address
   */
  at(region: number, offset: number): number {
    return this.#bases.whole[region]! + offset;
  }

  /** Lets go of the guest's memory. */
  forget(): void {
    this.#memory = undefined;
    this.#bases = NO_BASES;
  }
}
