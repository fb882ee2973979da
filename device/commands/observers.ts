/**
 * Who looks at a server while it serves: the monitor and the trace.
 *
 * @module
 */

import type { EngineChoice } from "../engine/definition.ts";
import type { Log } from "../log.ts";
import {
  addressText,
  type MonitorAddress,
  parseAddress,
} from "../monitor/address.ts";
import { Monitor } from "../monitor/monitor.ts";
import { RequestFeed } from "../monitor/request_feed.ts";
import type { ServerDescription } from "../monitor/state.ts";
import type { ServiceName } from "../spec/services.ts";
import { TraceWriter } from "../trace/writer.ts";
import type { VhostUserServer } from "../vhost_user/server.ts";
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

/** What observers are told of the server. */
export interface Observed {
  /** The server. */
  readonly server: VhostUserServer;
  /** What stays of it. */
  readonly description: ServerDescription;
  /** Its engines. */
  readonly engines: readonly EngineChoice[];
  /** The services it was given; all when left out. */
  readonly services: readonly ServiceName[] | undefined;
  /** Where to write. */
  readonly log: Log;
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

/** The observers of a server. */
export class Observers {
  readonly #feed: RequestFeed;
  readonly #trace: TraceWriter | undefined;
  #monitor: Monitor | undefined;

  /**
   * Starts them.
   *
   * @param observation who looks
   * @param observed at what
   * @throws {Error} The file cannot be made, or nobody can listen there
   */
  constructor({ monitor, trace }: Observation, observed: Observed) {
    const { server, description, engines, services, log } = observed;
    this.#feed = new RequestFeed(server);
    const devices = server.snapshots;
    const [first] = devices;
    this.#trace = trace === undefined ? undefined : new TraceWriter(trace, {
      trace: "virtio-crypto",
      version: 1,
      started: description.started,
      engine: description.engine,
      devices: devices.map(({ socket }) => socket),
      queues: first!.queues.filter(({ kind }) => kind === "data").length,
      maxSize: first!.maxSize,
    }, log);
    this.#feed.setTrace(this.#trace);
    if (monitor === undefined) return;
    this.#monitor = new Monitor({
      address: monitor,
      server,
      description,
      engines,
      services,
      feed: this.#feed,
    });
    log.info(`Monitor at ${this.#monitor.url}`);
  }

  /**
   * Ends them, once the server serves no more: what was logged is written.
   *
   * @returns when all is closed
   */
  async close(): Promise<void> {
    await this.#monitor?.close();
    if (this.#trace !== undefined) {
      while (this.#feed.drain()) await this.#trace.flush();
      await this.#trace.close();
    }
    this.#feed.close();
  }
}
