/**
 * A server's metrics for Prometheus, in its text format.
 *
 * @module
 */

import client from "prom-client";
import type { Histogram } from "prom-client";
import { LATENCY_BUCKETS } from "../service/counters.ts";
import type { VhostUserServer } from "../vhost_user/server.ts";
import type { DeviceSnapshot, QueueSnapshot } from "../vhost_user/snapshot.ts";
import { STATUS_NAMES } from "../explain/description.ts";
import { type ServerDescription, VERSION } from "./state.ts";

type Labels = Readonly<Record<string, string>>;
type Row = readonly [labels: Labels, value: number];

const QUEUE_LABELS = ["device", "queue"] as const;
const ALGORITHM_LABELS = [...QUEUE_LABELS, "service", "algorithm"] as const;

/** Stands for services and algorithms that are not known. */
const UNKNOWN = "unknown";

function queueLabels(
  { socket }: DeviceSnapshot,
  { index }: QueueSnapshot,
): Labels {
  return { device: socket, queue: String(index) };
}

/** Rows of each queue of some kind. */
function* eachQueue(
  devices: readonly DeviceSnapshot[],
  rows: (queue: QueueSnapshot, labels: Labels) => Iterable<Row>,
  kind?: QueueSnapshot["kind"],
): Generator<Row> {
  for (const device of devices) {
    for (const queue of device.queues) {
      if (kind !== undefined && queue.kind !== kind) continue;
      yield* rows(queue, queueLabels(device, queue));
    }
  }
}

function algorithmLabels(
  labels: Labels,
  names: { service: string | null; algorithm: string | null },
): Labels {
  return {
    ...labels,
    service: names.service ?? UNKNOWN,
    algorithm: names.algorithm ?? UNKNOWN,
  };
}

/** The latency of every queue and algorithm, as the library's values. */
function* latencyValues(
  devices: readonly DeviceSnapshot[],
  name: string,
): Generator<{ metricName: string; labels: object; value: number }> {
  for (const device of devices) {
    for (const queue of device.queues) {
      if (queue.kind !== "data") continue;
      for (const counted of queue.statistics.algorithms) {
        const labels = algorithmLabels(queueLabels(device, queue), counted);
        let count = 0;
        // The last bucket holds what is longer, too.
        for (let n = 0; n < LATENCY_BUCKETS - 1; n++) {
          count += counted.latency[n]!;
          yield {
            metricName: `${name}_bucket`,
            labels: { ...labels, le: 2 ** n / 1e6 },
            value: count,
          };
        }
        const all = counted.requests;
        yield {
          metricName: `${name}_bucket`,
          labels: { ...labels, le: "+Inf" },
          value: all,
        };
        yield {
          metricName: `${name}_sum`,
          labels,
          value: counted.milliseconds / 1000,
        };
        yield { metricName: `${name}_count`, labels, value: all };
      }
    }
  }
}

/**
 * Makes the metrics of a server.
 *
 * @param server the server
 * @param description what stays of it
 * @returns gives them as text, as they are when it is called
 */
export function makeMetrics(
  server: VhostUserServer,
  description: ServerDescription,
): () => Promise<string> {
  const registry = new client.Registry();
  const registers = [registry];
  // One snapshot for all metrics of a scrape.
  let devices: readonly DeviceSnapshot[] = [];

  const counter = (
    name: string,
    help: string,
    labelNames: readonly string[],
    rows: () => Iterable<Row>,
  ): void => {
    new client.Counter({
      name: `virtio_crypto_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of rows()) this.inc(labels, value);
      },
    });
  };
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    rows: () => Iterable<Row>,
  ): void => {
    new client.Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of rows()) this.set(labels, value);
      },
    });
  };
  const perQueue = (
    rows: (queue: QueueSnapshot, labels: Labels) => Iterable<Row>,
    kind?: QueueSnapshot["kind"],
  ) =>
  () => eachQueue(devices, rows, kind);

  counter(
    "requests_total",
    "Requests answered by the data queues, by status.",
    [...ALGORITHM_LABELS, "status"],
    perQueue(function* ({ statistics }, labels) {
      for (const counted of statistics.algorithms) {
        const named = algorithmLabels(labels, counted);
        for (const [number, count] of counted.statuses.entries()) {
          const status = STATUS_NAMES[number]!;
          if (count > 0 || status === "OK") yield [{ ...named, status }, count];
        }
      }
    }, "data"),
  );
  counter(
    "request_bytes_total",
    "Bytes of the readable and writable parts of these requests.",
    ALGORITHM_LABELS,
    perQueue(function* ({ statistics }, labels) {
      for (const counted of statistics.algorithms) {
        yield [algorithmLabels(labels, counted), counted.bytes];
      }
    }, "data"),
  );
  counter(
    "control_requests_total",
    "Requests answered by the control queue, by status.",
    [...QUEUE_LABELS, "status"],
    perQueue(function* ({ statistics }, labels) {
      for (const [number, count] of statistics.statuses.entries()) {
        yield [{ ...labels, status: STATUS_NAMES[number]! }, count];
      }
    }, "control"),
  );
  const each = (value: (queue: QueueSnapshot) => number | undefined) =>
    perQueue(function* (queue, labels) {
      const number = value(queue);
      if (number !== undefined) yield [labels, number];
    });
  counter(
    "rounds_total",
    "Rounds of a queue that answered any request.",
    QUEUE_LABELS,
    each(({ statistics }) => statistics.rounds),
  );
  counter(
    "kicks_total",
    "Times a queue was woken by the driver.",
    QUEUE_LABELS,
    each(({ statistics }) => statistics.kicks),
  );
  counter(
    "signals_total",
    "Signals sent to the driver.",
    QUEUE_LABELS,
    each(({ statistics }) => statistics.signals),
  );
  gauge(
    "virtio_crypto_ring_depth",
    "Entries of a ring that wait or are worked on: chains of a split ring, descriptors of a packed one.",
    QUEUE_LABELS,
    each(({ ring }) => ring?.depth),
  );
  gauge(
    "virtio_crypto_ring_size",
    "Entries of a ring.",
    QUEUE_LABELS,
    each(({ ring }) => ring?.size),
  );
  gauge(
    "virtio_crypto_queue_running",
    "Whether a queue is served.",
    QUEUE_LABELS,
    each(({ running }) => running ? 1 : 0),
  );
  gauge(
    "virtio_crypto_queue_broken",
    "Whether something is wrong with a queue's ring.",
    QUEUE_LABELS,
    each(({ broken }) => broken === null ? 0 : 1),
  );
  const perDevice = (value: (device: DeviceSnapshot) => number) =>
    function* (): Generator<Row> {
      for (const device of devices) {
        yield [{ device: device.socket }, value(device)];
      }
    };
  gauge(
    "virtio_crypto_connected",
    "Whether a frontend is connected.",
    ["device"],
    perDevice(({ connected }) => connected ? 1 : 0),
  );
  gauge(
    "virtio_crypto_sessions",
    "Live sessions.",
    ["device"],
    perDevice(({ sessions }) => sessions.live),
  );
  gauge(
    "virtio_crypto_sessions_limit",
    "Most sessions at a time.",
    ["device"],
    perDevice(({ sessions }) => sessions.most),
  );
  gauge(
    "virtio_crypto_engine_loaded",
    "The engines that were loaded.",
    ["engine"],
    function* () {
      for (const engine of devices[0]?.engines ?? []) yield [{ engine }, 1];
    },
  );
  gauge(
    "virtio_crypto_build_info",
    "Always 1; what was built, and how it was started.",
    ["version", "deno", "engine", "spec"],
    function* () {
      const { engine, spec } = description;
      yield [{ version: VERSION, deno: Deno.version.deno, engine, spec }, 1];
    },
  );
  gauge(
    "process_resident_memory_bytes",
    "Resident memory in bytes.",
    [],
    function* () {
      yield [{}, Deno.memoryUsage().rss];
    },
  );
  gauge(
    "process_start_time_seconds",
    "When the server started, in seconds since the epoch.",
    [],
    function* () {
      yield [{}, description.started / 1000];
    },
  );
  const latency = {
    name: "virtio_crypto_request_duration_seconds",
    help: "How long the round took that answered a request.",
    type: "histogram",
    aggregator: "sum",
  };
  // The queues count by bucket themselves: the library's own histogram takes
  // but one observation at a time. This is what it would give.
  registry.registerMetric({
    ...latency,
    get: () =>
      Promise.resolve({
        ...latency,
        values: [...latencyValues(devices, latency.name)],
      }),
  } as unknown as Histogram);

  return async () => {
    devices = server.snapshots;
    return await registry.metrics();
  };
}
