/**
 * Guest memory for the buffers of requests, shared by the queues of a driver:
 * one that finds none waits for what others give back.
 *
 * @module
 */

import type { GuestAllocator } from "./guest_allocator.ts";

/** Lends guest memory to requests. */
export class BufferPool {
  readonly #allocator: GuestAllocator;
  readonly #waiting = new Set<() => void>();
  #lent = 0;

  /**
   * Makes a pool that has lent nothing.
   *
   * @param allocator where the memory comes from
   */
  constructor(allocator: GuestAllocator) {
    this.#allocator = allocator;
  }

  /** Number of buffers lent. */
  get lent(): number {
    return this.#lent;
  }

  /**
   * Lends a buffer.
   *
   * @param size number of bytes
   * @returns its guest address, or undefined where there is no room now
   */
  tryLend(size: number): number | undefined {
    const address = this.#allocator.tryAlloc(size);
    if (address !== undefined) this.#lent++;
    return address;
  }

  /**
   * Takes a buffer back, and has those who wait try again.
   *
   * @param address the buffer's guest address
   */
  takeBack(address: number): void {
    this.#allocator.free(address);
    this.#lent--;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }

  /**
   * Has somebody told once when a buffer has come back.
   *
   * @param retry called then; asking twice is asking once
   */
  wait(retry: () => void): void {
    this.#waiting.add(retry);
  }
}
