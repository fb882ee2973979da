/**
 * The processor time of the calling thread. On a machine that others use it
 * tells what work costs, where the wall clock tells who else was running.
 *
 * @module
 */

/** CLOCK_THREAD_CPUTIME_ID (linux/time.h). */
const CLOCK_THREAD_CPUTIME = 3;

// int clock_gettime(clockid_t clock, struct timespec *now): two i64
const { symbols } = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});
const timespec = new BigInt64Array(2);

/**
 * The processor time that this thread has used.
 *
 * @returns milliseconds
 */
export function threadMs(): number {
  symbols.clock_gettime(CLOCK_THREAD_CPUTIME, timespec);
  return Number(timespec[0]) * 1e3 + Number(timespec[1]) / 1e6;
}
