/**
 * How costs are told: a table a subject, each line with its bound.
 *
 * @module
 */

import type { Timing } from "../support/interleave.ts";

/** A line of a table. */
export interface Line {
  readonly what: string;
  /** What was measured, as it is printed. */
  readonly measured: string;
  /** What is judged; left out where there is no bound. */
  readonly value?: number;
  /** The most that the value may be. */
  readonly atMost?: number;
  /** The least that the value may be. */
  readonly atLeast?: number;
}

function holds({ atLeast, atMost, value }: Line): boolean {
  return value === undefined ||
    (atMost === undefined || value <= atMost) &&
      (atLeast === undefined || value >= atLeast);
}

function boundOf({ atLeast, atMost }: Line): string {
  if (atMost !== undefined) return `at most ${atMost}`;
  return atLeast === undefined ? "" : `at least ${atLeast}`;
}

/**
 * Prints a table.
 *
 * @param title its title
 * @param lines its lines
 * @returns whether every bound holds
 */
export function printTable(title: string, lines: readonly Line[]): boolean {
  console.log(`\n## ${title}\n`);
  console.log("| case | measured | ratio | bound | |");
  console.log("| --- | ---: | ---: | --- | --- |");
  for (const line of lines) {
    const bound = boundOf(line);
    const verdict = bound === "" ? "" : holds(line) ? "pass" : "FAIL";
    console.log(
      `| ${line.what} | ${line.measured} | ${
        line.value?.toFixed(2) ?? ""
      } | ${bound} | ${verdict} |`,
    );
  }
  return lines.every(holds);
}

/**
 * Costs that shall be flat: each one's ratio to the first.
 *
 * @param what the name of each case
 * @param timings what each took
 * @param atMost the most that a ratio may be, if anything
 * @returns a line a case
 */
export function flat(
  what: readonly string[],
  timings: readonly Timing[],
  atMost?: number,
): Line[] {
  return timings.map(({ median, ratio }, i): Line => ({
    what: what[i]!,
    measured: `${median.toFixed(0)} ns`,
    ...i > 0 && { value: ratio },
    ...i > 0 && atMost !== undefined && { atMost },
  }));
}
