/**
 * How long a request that is alone takes, through a socket and back, with both
 * sides polling, and with both sleeping.
 *
 * @module
 */

import { operationOf, sizeName } from "../support/operations.ts";
import { SocketDevice } from "../support/socket_device.ts";
import { type Line, printTable } from "./result.ts";

const REQUESTS = 20_000;
const WARM_UP = 2000;

function percentiles(once: () => void): string {
  const times = new Float64Array(REQUESTS);
  for (let i = 0; i < WARM_UP; i++) once();
  for (let i = 0; i < REQUESTS; i++) {
    const start = performance.now();
    once();
    times[i] = (performance.now() - start) * 1e3;
  }
  times.sort();
  const at = (share: number) => times[Math.floor(share * REQUESTS)]!.toFixed(1);
  return `p50 ${at(0.5)} µs, p99 ${at(0.99)} µs`;
}

/** @returns true: there is no bound */
export async function latency(): Promise<boolean> {
  const lines: Line[] = [];
  for (const size of [64, 4096]) {
    const operation = operationOf("aes-cbc", size);
    {
      await using device = await SocketDevice.start(operation, {
        pollUs: 20_000,
      });
      device.verify("polling");
      lines.push({
        what: `${sizeName(size)}, polling`,
        measured: percentiles(() => device.serve(1)),
      });
    }
    await using device = await SocketDevice.start(operation, {
      signals: true,
    });
    device.verify("sleeping");
    lines.push({
      what: `${sizeName(size)}, sleeping`,
      measured: percentiles(() => device.serveAsleep(1)),
    });
  }
  return printTable("Latency of a request that is alone", lines);
}
