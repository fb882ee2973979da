/**
 * Who looks at a server while it serves: the monitor and the trace. A server
 * that nobody looks at does not load this.
 *
 * @module
 */

import type { Log } from "../log.ts";
import { Monitor } from "../monitor/monitor.ts";
import { RequestFeed } from "../monitor/request_feed.ts";
import type { ServerDescription } from "../monitor/state.ts";
import { TraceWriter } from "../trace/writer.ts";
import type { VhostUserServer } from "../vhost_user/server.ts";
import type { Observation } from "./observation.ts";

/** What observers are told of the server. */
export interface Observed {
  /** The server. */
  readonly server: VhostUserServer;
  /** What stays of it. */
  readonly description: ServerDescription;
  /** Where to write. */
  readonly log: Log;
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
    const { server, description, log } = observed;
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
