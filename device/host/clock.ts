/**
 * A clock that costs a third of `performance.now()`.
 *
 * @module
 */

import { addressOf, libc } from "./libc.ts";

/** CLOCK_MONOTONIC (linux/time.h). */
const CLOCK_MONOTONIC = 1;

// struct timespec: i64 seconds, i64 nanoseconds; of both the low half is all.
const SECONDS = 0;
const NANOSECONDS = 2;

/**
 * Makes a clock of this thread's.
 *
 * @returns a function that tells the time in milliseconds, as
 * `performance.now()` does
 * @throws {LibraryError} FFI is not permitted
 */
export function openClock(): () => number {
  const { clock_gettime } = libc();
  const bytes = new Uint8Array(new ArrayBuffer(16));
  const time = new Uint32Array(bytes.buffer);
  const address = addressOf(bytes);
  const read = () => {
    clock_gettime(CLOCK_MONOTONIC, address);
    return time[SECONDS]! * 1000 + time[NANOSECONDS]! / 1e6;
  };
  const later = performance.now() - read();
  return () => read() + later;
}
