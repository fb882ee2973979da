/**
 * Hands out guest memory: what a guest's kernel does for its drivers.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { OutOfGuestMemoryError } from "./errors.ts";

/** Every range starts at a multiple of this and is as long as one: a cache line. */
const GRANULE = 64;

/** Ranges up to this size are kept for the next request of the same size. */
const KEPT_SIZE = 65_536;

/** Free bytes between two guest addresses. */
interface Hole {
  start: number;
  end: number;
}

/**
 * Allocates ranges of guest addresses, each inside one region.
 *
 * It goes first fit over address-ordered holes that grow together again.
 * Small ranges that are freed wait in lists by size, where the next request
 * finds them at once; the lists return to the holes when those run out.
 *
 * @example Room for a request
 * ```ts
 * import { GuestMemory } from "../memory/guest_memory.ts";
 * import { GuestAllocator } from "./guest_allocator.ts";
 *
 * const memory = new GuestMemory([{
 *   guestAddress: 0x1000,
 *   userAddress: 0x1000,
 *   size: 4096,
 *   buffer: new SharedArrayBuffer(4096),
 *   offset: 0,
 * }]);
 * const allocator = new GuestAllocator(memory);
 * const address = allocator.alloc(100, 16);
 * allocator.free(address);
 * ```
 */
export class GuestAllocator {
  /** The memory it hands out. */
  readonly memory: GuestMemory;
  /** Holes of each region, by ascending address; none touches the next. */
  readonly #holes: Hole[][];
  /** Freed ranges by size in granules. */
  readonly #kept: number[][] = [];
  /** Size of each range in use, by address. */
  readonly #sizes = new Map<number, number>();
  #used = 0;

  /**
   * Makes an allocator that has everything to give.
   *
   * @param memory the memory to hand out, all of it
   */
  constructor(memory: GuestMemory) {
    this.memory = memory;
    this.#holes = memory.regions.map(({ guestAddress, size }) => {
      const start = roundUp(guestAddress, GRANULE);
      const end = guestAddress + size - (guestAddress + size) % GRANULE;
      return start < end ? [{ start, end }] : [];
    });
  }

  /** Bytes in use, with what rounding costs. */
  get used(): number {
    return this.#used;
  }

  /**
   * Allocates a range. Its bytes are what they were: the caller clears them.
   *
   * @param size number of bytes; of 0 bytes is a range too
   * @param alignment power of two that divides the guest address
   * @returns guest address of the first byte
   * @throws {OutOfGuestMemoryError} No hole is large enough
   * @throws {RangeError} The size or alignment is not one
   */
  alloc(size: number, alignment: number = GRANULE): number {
    const address = this.tryAlloc(size, alignment);
    if (address === undefined) {
      throw new OutOfGuestMemoryError(
        `Cannot allocate ${size} bytes of guest memory: ${this.#used} are in use`,
      );
    }
    return address;
  }

  /**
   * Allocates a range where there is one.
   *
   * @param size number of bytes
   * @param alignment power of two that divides the guest address
   * @returns guest address of the first byte, or undefined where no hole is
   * large enough
   * @throws {RangeError} The size or alignment is not one
   */
  tryAlloc(size: number, alignment: number = GRANULE): number | undefined {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`Cannot allocate ${size} bytes of guest memory`);
    }
    if (!(alignment >= 1 && Number.isInteger(Math.log2(alignment)))) {
      throw new RangeError(`Cannot align to ${alignment} bytes`);
    }
    const rounded = Math.max(GRANULE, roundUp(size, GRANULE));
    const step = Math.max(GRANULE, alignment);
    const kept = step === GRANULE ? this.#kept[rounded / GRANULE] : undefined;
    let address = kept?.pop() ?? this.#firstFit(rounded, step);
    if (address === undefined && this.#returnKept()) {
      address = this.#firstFit(rounded, step);
    }
    if (address === undefined) return undefined;
    this.#sizes.set(address, rounded);
    this.#used += rounded;
    return address;
  }

  /**
   * Frees a range.
   *
   * @param address what {@linkcode alloc} returned
   * @throws {RangeError} No range in use starts there
   */
  free(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) {
      throw new RangeError(
        `Cannot free guest memory at 0x${address.toString(16)}: not in use`,
      );
    }
    this.#sizes.delete(address);
    this.#used -= size;
    if (size <= KEPT_SIZE) {
      (this.#kept[size / GRANULE] ??= []).push(address);
    } else {
      this.#release(address, size);
    }
  }

  #firstFit(size: number, step: number): number | undefined {
    for (const holes of this.#holes) {
      for (let i = 0; i < holes.length; i++) {
        const hole = holes[i]!;
        const start = roundUp(hole.start, step);
        const end = start + size;
        if (end > hole.end) continue;
        const rest: Hole[] = [];
        if (hole.start < start) rest.push({ start: hole.start, end: start });
        if (end < hole.end) rest.push({ start: end, end: hole.end });
        holes.splice(i, 1, ...rest);
        return start;
      }
    }
    return undefined;
  }

  /** Gives the kept ranges back to the holes; false when there were none. */
  #returnKept(): boolean {
    let any = false;
    this.#kept.forEach((addresses, granules) => {
      for (const address of addresses) {
        this.#release(address, granules * GRANULE);
        any = true;
      }
      addresses.length = 0;
    });
    return any;
  }

  /** Puts a range among the holes of its region and joins neighbours. */
  #release(start: number, size: number): void {
    const holes = this.#holes[this.memory.find(start)]!;
    const end = start + size;
    let low = 0;
    let high = holes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holes[middle]!.start < start) low = middle + 1;
      else high = middle;
    }
    const before = holes[low - 1];
    const after = holes[low];
    if (before?.end === start) {
      before.end = end;
      if (after?.start === end) {
        before.end = after.end;
        holes.splice(low, 1);
      }
    } else if (after?.start === end) {
      after.start = start;
    } else {
      holes.splice(low, 0, { start, end });
    }
  }
}

/** Arithmetic rather than masks: addresses go beyond 32 bits. */
function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
