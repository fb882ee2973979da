/**
 * Who is to look at a server while it serves, as the options say: the monitor
 * and the trace.
 *
 * @module
 */

import {
  addressText,
  type MonitorAddress,
  parseAddress,
} from "../monitor/address.ts";
import { UsageError } from "./usage.ts";

/** Requests that the log of a data queue holds: a trace wants them all. */
const TRACE_RECORDS = 32768;
const MONITOR_RECORDS = 1024;

/** What the options say of observers. */
export interface Observation {
  /** Where the monitor listens; nowhere when left out. */
  readonly monitor: MonitorAddress | undefined;
  /** The file of the trace; none when left out. */
  readonly trace: string | undefined;
}

/**
 * Reads `--monitor`.
 *
 * @param text what was given; undefined when nothing was
 * @returns the address, or undefined when nothing was given
 * @throws {UsageError} It is no address
 */
export function monitorOption(
  text: string | undefined,
): MonitorAddress | undefined {
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address === undefined) {
    throw new UsageError(
      `Cannot use --monitor=${text}: HOST:PORT is needed, as in 127.0.0.1:9100`,
    );
  }
  return address;
}

/**
 * Makes sure that what observers need is permitted, without asking for it: a
 * prompt would stop the server.
 *
 * @param observation who will look
 * @throws {Error} Something is not permitted
 */
export function mustObserve({ monitor, trace }: Observation): void {
  if (monitor !== undefined) {
    const host = addressText(monitor);
    const { state } = Deno.permissions.querySync({ name: "net", host });
    if (state !== "granted") {
      throw new Error(
        `Cannot serve the monitor at ${host}: that needs --allow-net=${host}`,
      );
    }
  }
  if (trace !== undefined) {
    const { state } = Deno.permissions.querySync({
      name: "write",
      path: trace,
    });
    if (state !== "granted") {
      throw new Error(
        `Cannot write the trace to ${trace}: that needs --allow-write=${trace}`,
      );
    }
  }
}

/**
 * How many requests a data queue's log holds for these observers.
 *
 * @param observation who will look
 * @returns requests, or undefined where no log is needed
 */
export function logRecords(
  { monitor, trace }: Observation,
): number | undefined {
  if (trace !== undefined) return TRACE_RECORDS;
  return monitor === undefined ? undefined : MONITOR_RECORDS;
}
