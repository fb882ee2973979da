/**
 * Private memory that native code reaches by address.
 *
 * @module
 */

import { addressOf } from "../../host/libc.ts";

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

/** Memories of one size that are kept at most: those of as many contexts. */
const MOST_KEPT = 256;

/**
 * Memories that were given back, for the next ones of their sizes: making one
 * takes longer than expanding a key into it.
 */
export class NativePool {
  readonly #kept = new Map<number, NativeMemory[]>();

  /**
   * Takes a memory.
   *
   * @param size number of bytes; a multiple of 4
   * @returns memory of zeros
   */
  take(size: number): NativeMemory {
    return this.#kept.get(size)?.pop() ?? new NativeMemory(size);
  }

  /**
   * Overwrites a memory and gives it back. Nobody may use it after.
   *
   * @param memory the memory
   */
  giveBack(memory: NativeMemory): void {
    memory.wipe();
    const size = memory.bytes.length;
    let kept = this.#kept.get(size);
    if (kept === undefined) {
      kept = [];
      this.#kept.set(size, kept);
    }
    if (kept.length < MOST_KEPT) kept.push(memory);
  }
}
