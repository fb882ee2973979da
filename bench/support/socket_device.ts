/**
 * A server on a real socket in this process, and a load at it. The device's
 * queues are served by their workers.
 *
 * @module
 */

import { cString, libc } from "../../device/host/libc.ts";
import { VhostUserServer } from "../../device/vhost_user/server.ts";
import { type EngineChoice, enginesOf } from "./local_device.ts";
import type { Operation } from "./operations.ts";
import { SocketLoad, type SocketLoadOptions } from "./socket_load.ts";

/** How a server under load is made. */
export interface SocketDeviceOptions extends SocketLoadOptions {
  readonly engine?: EngineChoice;
  /** How long a queue looks for work before it sleeps, in µs; 0. */
  readonly pollUs?: number;
}

/** A server, and the driver of all its queues. */
export class SocketDevice {
  readonly #server: VhostUserServer;
  readonly #load: SocketLoad;

  private constructor(server: VhostUserServer, load: SocketLoad) {
    this.#server = server;
    this.#load = load;
  }

  /**
   * Starts a server and attaches a driver.
   *
   * @param operation what requests ask for
   * @param options how the server is made
   * @returns both
   */
  static async start(
    operation: Operation,
    options: SocketDeviceOptions = {},
  ): Promise<SocketDevice> {
    const { engine = "auto", pollUs = 0, queues = 1 } = options;
    const path = `/tmp/virtio-crypto-bench-${crypto.randomUUID()}.sock`;
    const server = VhostUserServer.listen({
      socketPaths: [path],
      queues,
      engines: enginesOf(engine),
      pollUs,
    });
    const load = await SocketLoad.attach(path, operation, options);
    // Nobody else is to come, and a bench that is interrupted leaves nothing.
    libc().unlink(cString(path));
    return new SocketDevice(server, load);
  }

  /** As of {@linkcode SocketLoad}. */
  serve(count: number): void {
    this.#load.serve(count);
  }

  /** As of {@linkcode SocketLoad}. */
  serveAsleep(count: number): void {
    this.#load.serveAsleep(count);
  }

  /** As of {@linkcode SocketLoad}. */
  serveSteadily(ms: number): number {
    return this.#load.serveSteadily(ms);
  }

  /** As of {@linkcode SocketLoad}. */
  verify(what: string): void {
    this.#load.verify(what);
  }

  /** Stops the rings and the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]();
    await this.#server.close();
  }
}
