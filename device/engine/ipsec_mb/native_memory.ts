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
  /** Low half of the address of the first byte; never 0. */
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
        this.low = low;
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

/** Where the regions of guest memory are in this process. */
export class GuestAddresses {
  #memory: GuestMemory | undefined;
  #bases: Float64Array = new Float64Array(0);
  /** Low and high half of the address of each region. */
  halves: Uint32Array = new Uint32Array(0);
  #known = new WeakMap<GuestMemory, Float64Array>();

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
      bases = Float64Array.from(
        memory.bytes,
        (bytes) => Number(addressOf(bytes as Uint8Array)),
      );
      this.#known.set(memory, bases);
    }
    this.#memory = memory;
    this.#bases = bases;
    this.halves = Uint32Array.from(
      { length: 2 * bases.length },
      (_, i) => i % 2 === 0 ? bases[i >> 1]! : bases[i >> 1]! / HALF,
    );
  }

  /**
   * The address of a byte.
   *
   * @param region index of the region
   * @param offset bytes from the region's start
   * @returns the address
   */
  at(region: number, offset: number): number {
    return this.#bases[region]! + offset;
  }

  /** Lets go of the guest's memory. */
  forget(): void {
    this.#memory = undefined;
    this.#bases = new Float64Array(0);
    this.halves = new Uint32Array(0);
  }
}
