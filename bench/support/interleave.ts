/**
 * Timing on a machine that others use: the cases that are compared run in turn,
 * a short window each, so that what disturbs one disturbs all of them. Times
 * are the thread's own processor time.
 *
 * @module
 */

import { threadMs } from "./cpu_clock.ts";
import { median } from "./median.ts";

/** Something to be timed. */
export interface Case {
  /** Does some work. */
  run(): void;
  /** Number of requests that one run is. */
  readonly requests: number;
}

/** How long to measure. */
export interface InterleaveOptions {
  /** Windows of each case; 41. */
  readonly windows?: number;
  /** Milliseconds of a window; 8. */
  readonly windowMs?: number;
  /** Windows whose times are thrown away; 8. */
  readonly warmUp?: number;
}

/** What a case took, in nanoseconds a request. */
export interface Timing {
  readonly median: number;
  readonly best: number;
  /**
   * How many times the first case's: the median of what each turn has, as a
   * slow phase of the machine is longer than a turn.
   */
  readonly ratio: number;
}

function window(one: Case, ms: number): number {
  let runs = 0;
  const start = threadMs();
  let now = start;
  // Many runs between two looks at the clock.
  for (let step = 1; now - start < ms; step = Math.min(2 * step, 64)) {
    for (let i = 0; i < step; i++) one.run();
    runs += step;
    now = threadMs();
  }
  return (now - start) * 1e6 / (runs * one.requests);
}

/**
 * Times cases round-robin.
 *
 * @param cases the cases
 * @param options how long
 * @returns the timing of each case
 */
export function interleave(
  cases: readonly Case[],
  options: InterleaveOptions = {},
): Timing[] {
  const { windows = 41, windowMs = 8, warmUp = 8 } = options;
  const times = cases.map((): number[] => []);
  for (let turn = 0; turn < windows + warmUp; turn++) {
    cases.forEach((one, i) => {
      const time = window(one, windowMs);
      if (turn >= warmUp) times[i]!.push(time);
    });
  }
  return times.map((values) => ({
    median: median(values),
    best: Math.min(...values),
    ratio: median(values.map((time, turn) => time / times[0]![turn]!)),
  }));
}
