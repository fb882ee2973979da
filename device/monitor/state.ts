/**
 * The state of a server as JSON.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import type {
  QueueStatistics,
  RequestStatistics,
} from "../service/counters.ts";
import type { SpecName } from "../spec/request_layout.ts";
import type { DeviceSnapshot, QueueSnapshot } from "../vhost_user/snapshot.ts";
import { STATUS_NAMES } from "../explain/description.ts";

/** Version of this package. */
export const VERSION: string = config.version;

/** What stays as long as a server does. */
export interface ServerDescription {
  /** When it started, in milliseconds since the epoch. */
  readonly started: number;
  /** What `--engine` said. */
  readonly engine: string;
  /** What `--spec` said. */
  readonly spec: SpecName;
}

type Json = Readonly<Record<string, unknown>>;

/** Counts by status name. */
function statuses(
  { statuses }: RequestStatistics,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    statuses.map((count, status) => [STATUS_NAMES[status]!, count]),
  );
}

function countersJson(statistics: QueueStatistics): Json {
  const { requests, bytes, rounds, kicks, signals, latency } = statistics;
  return {
    requests,
    bytes,
    rounds,
    kicks,
    signals,
    statuses: statuses(statistics),
    latency,
    milliseconds: statistics.milliseconds,
    algorithms: statistics.algorithms.map((counted) => ({
      ...counted,
      statuses: statuses(counted),
    })),
  };
}

function queueJson({ statistics, ...queue }: QueueSnapshot): Json {
  return { ...queue, ...countersJson(statistics) };
}

/**
 * The state of a server at this moment.
 *
 * @param server what stays
 * @param devices its devices
 * @returns what `/api/state` gives
 */
export function stateJson(
  server: ServerDescription,
  devices: readonly DeviceSnapshot[],
): Json {
  return {
    version: VERSION,
    time: Date.now(),
    ...server,
    engines: devices[0]?.engines ?? [],
    devices: devices.map(({ queues, engines: _, ...device }) => ({
      ...device,
      queues: queues.map(queueJson),
    })),
  };
}
