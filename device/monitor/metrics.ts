/**
 * A server's metrics for Prometheus.
 *
 * @module
 */

import { STATUS_NAMES } from "../explain/description.ts";
import {
  type AlgorithmStatistics,
  LATENCY_BUCKETS,
} from "../service/counters.ts";
import type { DeviceSnapshot, QueueSnapshot } from "../vhost_user/snapshot.ts";
import { Exposition, labelsText } from "./exposition.ts";
import { type ServerDescription, VERSION } from "./state.ts";

/** Stands for services and algorithms that are not known. */
const UNKNOWN = "unknown";

/** The ends of the latency's buckets. The last one holds what is longer, too. */
const ENDS: readonly string[] = Array.from(
  { length: LATENCY_BUCKETS - 1 },
  (_, n) => labelsText({ le: String(2 ** n / 1e6) }),
);
const NO_END = labelsText({ le: "+Inf" });
const STATUSES: readonly string[] = STATUS_NAMES.map((status) =>
  labelsText({ status })
);

/** A queue, with its labels. */
interface LabelledQueue {
  readonly labels: string;
  readonly queue: QueueSnapshot;
}

/** What was counted of an algorithm, with its labels and its queue's. */
interface LabelledAlgorithm {
  readonly labels: string;
  readonly counted: AlgorithmStatistics;
}

function algorithmsOf({ labels, queue }: LabelledQueue): LabelledAlgorithm[] {
  return queue.statistics.algorithms.map((counted) => {
    const named = labelsText({
      service: counted.service ?? UNKNOWN,
      algorithm: counted.algorithm ?? UNKNOWN,
    });
    return { labels: `${labels},${named}`, counted };
  });
}

function addRequests(
  out: Exposition,
  algorithms: readonly LabelledAlgorithm[],
): void {
  out.metric(
    "virtio_crypto_requests_total",
    "counter",
    "Requests answered by the data queues, by status.",
  );
  for (const { labels, counted } of algorithms) {
    for (const [number, count] of counted.statuses.entries()) {
      if (count === 0 && number !== 0) continue;
      out.sample(`${labels},${STATUSES[number]!}`, count);
    }
  }
  out.metric(
    "virtio_crypto_request_bytes_total",
    "counter",
    "Bytes of the readable and writable parts of these requests.",
  );
  for (const { labels, counted } of algorithms) {
    out.sample(labels, counted.bytes);
  }
  out.metric(
    "virtio_crypto_request_duration_seconds",
    "histogram",
    "How long the round took that answered a request.",
  );
  for (const { labels, counted } of algorithms) {
    let count = 0;
    for (const [n, end] of ENDS.entries()) {
      count += counted.latency[n]!;
      out.sample(`${labels},${end}`, count, "_bucket");
    }
    out.sample(`${labels},${NO_END}`, counted.requests, "_bucket");
    out.sample(labels, counted.milliseconds / 1000, "_sum");
    out.sample(labels, counted.requests, "_count");
  }
}

function addQueues(out: Exposition, queues: readonly LabelledQueue[]): void {
  out.metric(
    "virtio_crypto_control_requests_total",
    "counter",
    "Requests answered by the control queue, by status.",
  );
  for (const { labels, queue } of queues) {
    if (queue.kind !== "control") continue;
    for (const [number, count] of queue.statistics.statuses.entries()) {
      out.sample(`${labels},${STATUSES[number]!}`, count);
    }
  }
  const each = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    value: (queue: QueueSnapshot) => number | undefined,
  ): void => {
    out.metric(`virtio_crypto_${name}`, type, help);
    for (const { labels, queue } of queues) {
      const number = value(queue);
      if (number !== undefined) out.sample(labels, number);
    }
  };
  each(
    "rounds_total",
    "counter",
    "Rounds of a queue that answered any request.",
    ({ statistics }) => statistics.rounds,
  );
  each(
    "kicks_total",
    "counter",
    "Times a queue was woken by the driver.",
    ({ statistics }) => statistics.kicks,
  );
  each(
    "signals_total",
    "counter",
    "Signals sent to the driver.",
    ({ statistics }) => statistics.signals,
  );
  each(
    "ring_depth",
    "gauge",
    "Entries of a ring that wait or are worked on: chains of a split ring, descriptors of a packed one.",
    ({ ring }) => ring?.depth,
  );
  each("ring_size", "gauge", "Entries of a ring.", ({ ring }) => ring?.size);
  each(
    "queue_running",
    "gauge",
    "Whether a queue is served.",
    ({ running }) => running ? 1 : 0,
  );
  each(
    "queue_broken",
    "gauge",
    "Whether something is wrong with a queue's ring.",
    ({ broken }) => broken === null ? 0 : 1,
  );
}

function addDevices(
  out: Exposition,
  devices: readonly DeviceSnapshot[],
): void {
  const each = (
    name: string,
    help: string,
    value: (device: DeviceSnapshot) => number,
  ): void => {
    out.metric(`virtio_crypto_${name}`, "gauge", help);
    for (const device of devices) {
      out.sample(labelsText({ device: device.socket }), value(device));
    }
  };
  each(
    "connected",
    "Whether a frontend is connected.",
    ({ connected }) => connected ? 1 : 0,
  );
  each("sessions", "Live sessions.", ({ sessions }) => sessions.live);
  each(
    "sessions_limit",
    "Most sessions at a time.",
    ({ sessions }) => sessions.most,
  );
}

function addProcess(
  out: Exposition,
  engines: readonly string[],
  { engine, spec, started }: ServerDescription,
): void {
  out.metric(
    "virtio_crypto_engine_loaded",
    "gauge",
    "The engines that were loaded.",
  );
  for (const engine of engines) out.sample(labelsText({ engine }), 1);
  out.metric(
    "virtio_crypto_build_info",
    "gauge",
    "Always 1; what was built, and how it was started.",
  );
  const deno = Deno.version.deno;
  out.sample(labelsText({ version: VERSION, deno, engine, spec }), 1);
  out.metric(
    "process_resident_memory_bytes",
    "gauge",
    "Resident memory in bytes.",
  );
  out.sample("", Deno.memoryUsage().rss);
  out.metric(
    "process_start_time_seconds",
    "gauge",
    "When the server started, in seconds since the epoch.",
  );
  out.sample("", started / 1000);
}

/**
 * The metrics of a server as text.
 *
 * @param description what stays of the server
 * @param devices its devices at one moment
 * @returns what `/metrics` gives
 */
export function metricsText(
  description: ServerDescription,
  devices: readonly DeviceSnapshot[],
): string {
  const queues: readonly LabelledQueue[] = devices.flatMap((device) =>
    device.queues.map((queue) => ({
      labels: labelsText({
        device: device.socket,
        queue: String(queue.index),
      }),
      queue,
    }))
  );
  const out = new Exposition();
  addRequests(
    out,
    queues.filter(({ queue }) => queue.kind === "data").flatMap(algorithmsOf),
  );
  addQueues(out, queues);
  addDevices(out, devices);
  addProcess(out, devices[0]?.engines ?? [], description);
  return out.toString();
}
