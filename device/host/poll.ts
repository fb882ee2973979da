/**
 * Waiting for file descriptors, with or without blocking the thread.
 *
 * @module
 */

import { libc } from "./libc.ts";

/** There is something to read, or a connection to accept. */
export const POLLIN = 0x01;
/** Something can be written. */
export const POLLOUT = 0x04;
/** An error happened; reported whether asked for or not. */
export const POLLERR = 0x08;
/** The peer hung up; reported whether asked for or not. */
export const POLLHUP = 0x10;
/** The descriptor is not open; reported whether asked for or not. */
export const POLLNVAL = 0x20;

// struct pollfd: fd (i32) at 0, events (i16) at 4, revents (i16) at 6
const POLLFD_SIZE = 8;
const POLLFD_EVENTS = 4;
const POLLFD_REVENTS = 6;

/** A set of file descriptors to wait for. */
export class PollSet {
  #data = new DataView(new ArrayBuffer(8 * POLLFD_SIZE));
  #length = 0;
  #parked = false;

  /** Number of descriptors in the set. */
  get length(): number {
    return this.#length;
  }

  /** Whether a {@linkcode wait} is under way. */
  get parked(): boolean {
    return this.#parked;
  }

  /**
   * Empties the set.
   *
   * @throws {TypeError} A wait is under way
   */
  clear(): void {
    this.#mustNotBeParked();
    this.#length = 0;
  }

  /**
   * Adds a descriptor.
   *
   * @param fd the descriptor; a negative one is never ready
   * @param events the POLL… bits to wait for
   * @returns its index in the set
   * @throws {TypeError} A wait is under way
   */
  add(fd: number, events: number): number {
    this.#mustNotBeParked();
    const at = this.#length * POLLFD_SIZE;
    if (at === this.#data.byteLength) {
      const larger = new Uint8Array(new ArrayBuffer(2 * at));
      larger.set(new Uint8Array(this.#data.buffer));
      this.#data = new DataView(larger.buffer);
    }
    this.#data.setInt32(at, fd, true);
    this.#data.setInt16(at + POLLFD_EVENTS, events, true);
    this.#data.setInt16(at + POLLFD_REVENTS, 0, true);
    return this.#length++;
  }

  /**
   * What the last wait saw of a descriptor.
   *
   * @param index what {@linkcode add} returned
   * @returns POLL… bits
   */
  ready(index: number): number {
    return this.#data.getInt16(index * POLLFD_SIZE + POLLFD_REVENTS, true);
  }

  /**
   * Looks, or waits on this thread, which it blocks.
   *
   * @param timeoutMs milliseconds; 0 only looks, -1 waits without end
   * @returns how many descriptors are ready; 0 or less when none is
   */
  poll(timeoutMs: number): number {
    return libc().poll(this.#data, BigInt(this.#length), timeoutMs);
  }

  /**
   * Waits on a thread of the runtime's pool. Until the promise settles the set
   * must not change and its descriptors must stay open. The pool is small and
   * file operations share it: a thread parks one wait at a time.
   *
   * @param timeoutMs milliseconds; -1 waits without end
   * @returns how many descriptors are ready; 0 or less when none is, which a
   * signal can bring about too
   * @throws {TypeError} A wait is under way
   */
  async wait(timeoutMs: number): Promise<number> {
    this.#mustNotBeParked();
    this.#parked = true;
    try {
      return await libc().pollAsync(
        this.#data,
        BigInt(this.#length),
        timeoutMs,
      );
    } finally {
      this.#parked = false;
    }
  }

  #mustNotBeParked(): void {
    if (this.#parked) {
      throw new TypeError("Cannot change a poll set during a wait");
    }
  }
}

const single = new DataView(new ArrayBuffer(POLLFD_SIZE));

/**
 * Looks at one descriptor, without waiting.
 *
 * @param fd the descriptor
 * @param events the POLL… bits to look for
 * @returns the bits that are so now; 0 for none
 */
export function pollNow(fd: number, events: number): number {
  single.setInt32(0, fd, true);
  single.setInt16(POLLFD_EVENTS, events, true);
  single.setInt16(POLLFD_REVENTS, 0, true);
  return libc().poll(single, 1n, 0) > 0
    ? single.getInt16(POLLFD_REVENTS, true)
    : 0;
}
