/**
 * What a trace comes down to: its requests by algorithm and status, and how
 * long they took.
 *
 * @module
 */

import type { TraceLine, TraceRequest } from "./format.ts";

/** Requests of one algorithm. */
export interface AlgorithmSummary {
  /** As in "CIPHER aes-cbc"; "(none)" where there is no algorithm. */
  readonly name: string;
  /** How many. */
  readonly requests: number;
  /** Bytes of their readable and writable parts. */
  readonly bytes: number;
  /** How many had another status than OK. */
  readonly refused: number;
  /** Nanoseconds within which half, 99 and 99.9 of 100 were answered. */
  readonly percentiles: readonly number[];
}

/** The percentiles that are told. */
export const PERCENTILES = [50, 99, 99.9] as const;

class Group {
  bytes = 0;
  refused = 0;
  readonly times: number[] = [];
}

/** Adds up the lines of a trace. */
export class TraceSummary {
  readonly #groups = new Map<string, Group>();
  readonly #statuses = new Map<string, number>();
  /** Requests that were added. */
  requests = 0;
  /** Requests that were lost. */
  lost = 0;
  #first = Infinity;
  #last = -Infinity;

  /**
   * Adds a line.
   *
   * @param line the line
   */
  add(line: TraceLine): void {
    if ("lost" in line) {
      this.lost += line.lost;
      return;
    }
    this.requests++;
    this.#first = Math.min(this.#first, line.time);
    this.#last = Math.max(this.#last, line.time + line.ns / 1e6);
    const status = line.status ?? "(none)";
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const name = nameOf(line);
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, group = new Group());
    group.bytes += line.readable + line.writable;
    if (line.status !== "OK") group.refused++;
    group.times.push(line.ns);
  }

  /** From the first request's round to the last one's end, in milliseconds. */
  get milliseconds(): number {
    return this.requests === 0 ? 0 : this.#last - this.#first;
  }

  /** Requests by status. */
  get statuses(): ReadonlyMap<string, number> {
    return this.#statuses;
  }

  /** The algorithms, the one with the most requests first. */
  algorithms(): AlgorithmSummary[] {
    return [...this.#groups].map(([name, { bytes, refused, times }]) => {
      const sorted = Float64Array.from(times).sort();
      return {
        name,
        requests: times.length,
        bytes,
        refused,
        percentiles: PERCENTILES.map((percent) =>
          sorted[Math.ceil(sorted.length * percent / 100) - 1]!
        ),
      };
    }).sort((a, b) => b.requests - a.requests);
  }
}

function nameOf({ service, algorithm }: TraceRequest): string {
  return service === null || algorithm === null
    ? "(none)"
    : `${service} ${algorithm}`;
}
