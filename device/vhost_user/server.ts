/**
 * The vhost-user server: sockets, each with a device, and one poll loop on the
 * main thread.
 *
 * @module
 */

import { createEventfd, drainEventfd, signalEventfd } from "../host/eventfd.ts";
import { POLLIN, PollSet } from "../host/poll.ts";
import type { Log } from "../log.ts";
import type { CoreOptions } from "../service/device_core.ts";
import type { QueueStatistics } from "../service/counters.ts";
import { Connection } from "./connection.ts";
import { deviceSnapshot } from "./inspection.ts";
import { listenUnix, socketRole, UnixListener } from "./listener.ts";
import type { DeviceSnapshot } from "./snapshot.ts";
import { closeFd, SocketIo } from "./socket.ts";
import { VhostUserDevice } from "./vhost_user_device.ts";

/** What a server serves, and where. */
export interface ServerOptions extends CoreOptions {
  /** Paths of UNIX sockets to make; each is a device of its own. */
  readonly socketPaths?: readonly string[] | undefined;
  /**
   * A UNIX stream socket that was handed down, listening or connected; not
   * together with paths.
   */
  readonly fd?: number | undefined;
  /** Where to write; nowhere when left out. */
  readonly log?: Log | undefined;
}

/** How long a listener rests after it could not accept, in milliseconds. */
const ACCEPT_REST_MS = 100;

/** One socket and the device behind it. */
class Endpoint {
  /** The socket's path, or "fd". */
  readonly socket: string;
  readonly device: VhostUserDevice;
  readonly listener: UnixListener | undefined;
  connection: Connection | undefined;
  /** When the listener is looked at again, by `performance.now()`. */
  acceptAt = 0;

  constructor(
    socket: string,
    device: VhostUserDevice,
    listener: UnixListener | undefined,
  ) {
    this.socket = socket;
    this.device = device;
    this.listener = listener;
  }
}

/** What a socket that was handed down is called. */
const HANDED_DOWN = "fd";

const SILENT: Log = { error() {}, warn() {}, info() {}, debug() {} };

/**
 * A vhost-user server. It makes its sockets when it is constructed, and serves
 * from {@linkcode run} on.
 */
export class VhostUserServer {
  readonly #endpoints: Endpoint[] = [];
  readonly #log: Log;
  readonly #io = new SocketIo();
  readonly #wakeFd = createEventfd();
  readonly #poll = new PollSet();
  #stopping = false;
  #closed = false;
  #running: Promise<void> | undefined;

  /**
   * Makes the sockets and starts the devices' workers.
   *
   * @param options what to serve, and where
   * @throws {SocketError} A socket cannot be made or used
   * @throws {RangeError} An option is out of its range
   * @throws {TypeError} There is no socket, or both paths and a descriptor
   */
  constructor(options: ServerOptions) {
    const { socketPaths = [], fd } = options;
    this.#log = options.log ?? SILENT;
    if ((socketPaths.length > 0) === (fd !== undefined)) {
      throw new TypeError(
        "Cannot serve: either socket paths or a file descriptor is needed",
      );
    }
    try {
      if (fd !== undefined) this.#handedDown(fd, options);
      for (const path of socketPaths) {
        const listener = listenUnix(path);
        try {
          this.#add(options, path, listener);
        } catch (error) {
          listener.close();
          throw error;
        }
      }
    } catch (error) {
      for (const { listener, device } of this.#endpoints) {
        listener?.close();
        // Its workers end by themselves; nobody can wait here.
        device.close().catch(() => {});
      }
      closeFd(this.#wakeFd);
      throw error;
    }
  }

  /** What each data queue counted so far, by socket. */
  get statistics(): readonly (readonly QueueStatistics[])[] {
    return this.#endpoints.map(({ device }) =>
      device.core.counters.map((counters) => counters.read())
    );
  }

  /**
   * The devices as they are now: their sessions, rings and counters. Keys and
   * what requests carry are not among it.
   */
  get snapshots(): readonly DeviceSnapshot[] {
    return this.#endpoints.map(({ socket, device, connection }) =>
      deviceSnapshot(socket, device, connection)
    );
  }

  /**
   * The request log of each data queue, by socket, for one
   * {@linkcode RequestLogReader} each; empty without `logRecords`. A queue that
   * nobody uses yet has none.
   */
  get logs(): readonly (readonly (SharedArrayBuffer | undefined)[])[] {
    return this.#endpoints.map(({ device }) => device.core.logs);
  }

  /**
   * Serves until {@linkcode stop}, or until the connection that was handed
   * down ends.
   *
   * @returns when everything is closed and unlinked
   */
  run(): Promise<void> {
    return this.#running ??= this.#loop();
  }

  /**
   * Ends serving: connections are closed, sessions wiped, sockets unlinked.
   *
   * @returns when all that is done
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#closed) signalEventfd(this.#wakeFd);
    await this.run();
  }

  #handedDown(fd: number, options: ServerOptions): void {
    if (socketRole(fd) === "listening") {
      this.#add(options, HANDED_DOWN, new UnixListener(fd));
    } else {
      this.#connect(this.#add(options, HANDED_DOWN, undefined), fd);
    }
  }

  #add(
    options: ServerOptions,
    socket: string,
    listener: UnixListener | undefined,
  ): Endpoint {
    const device = new VhostUserDevice(options, this.#log);
    const endpoint = new Endpoint(socket, device, listener);
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  #connect(endpoint: Endpoint, fd: number): void {
    endpoint.connection = new Connection(
      fd,
      endpoint.device,
      this.#io,
      this.#log,
    );
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      const events = this.#prepare();
      await this.#poll.wait(this.#restLeft());
      if (this.#stopping) break;
      events.forEach((handle, index) => {
        const ready = this.#poll.ready(index);
        if (ready !== 0) handle(ready);
      });
      if (
        this.#endpoints.every((e) =>
          e.listener === undefined && e.connection === undefined
        )
      ) break;
    }
    await this.#close();
  }

  /** Milliseconds until a listener has rested; -1 where none rests. */
  #restLeft(): number {
    const now = performance.now();
    const resting = this.#endpoints.map(({ acceptAt }) => acceptAt)
      .filter((at) => at > now);
    return resting.length === 0 ? -1 : Math.ceil(Math.min(...resting) - now);
  }

  #accept(endpoint: Endpoint, listener: UnixListener): number | undefined {
    const fd = listener.accept();
    if (fd === undefined) {
      // Where no descriptor is left, who waits goes on waiting, and the
      // listener would be ready at every turn.
      endpoint.acceptAt = performance.now() + ACCEPT_REST_MS;
    }
    return fd;
  }

  /** Fills the poll set; returns what each of its members does. */
  #prepare(): ((ready: number) => void)[] {
    const poll = this.#poll;
    const handlers: ((ready: number) => void)[] = [];
    const add = (fd: number, handle: (ready: number) => void) => {
      handlers[poll.add(fd, POLLIN)] = handle;
    };
    poll.clear();
    add(this.#wakeFd, () => drainEventfd(this.#wakeFd));
    for (const endpoint of this.#endpoints) {
      const { connection, device } = endpoint;
      const listener = endpoint.acceptAt > performance.now()
        ? undefined
        : endpoint.listener;
      if (connection !== undefined) {
        // First in the set are hang-ups, then who wants to connect: a frontend
        // that reconnects at once has hung up before.
        if (connection.busy) continue;
        const at = poll.length;
        add(connection.fd, () => this.#pump(endpoint, connection));
        const control = device.control;
        if (control.kickFd >= 0) {
          const { kickFd } = control;
          add(kickFd, (ready) => {
            if (control.kickFd === kickFd) control.kicked(ready);
          });
        }
        if (listener !== undefined) {
          add(listener.fd, () => {
            if (poll.ready(at) === 0 && !connection.busy) {
              const fd = this.#accept(endpoint, listener);
              if (fd === undefined) return;
              closeFd(fd);
              this.#log.warn("A second frontend was turned away");
            }
          });
        }
      } else if (listener !== undefined) {
        add(listener.fd, () => {
          const fd = this.#accept(endpoint, listener);
          if (fd !== undefined) this.#connect(endpoint, fd);
        });
      }
    }
    return handlers;
  }

  async #pump(endpoint: Endpoint, connection: Connection): Promise<void> {
    try {
      await connection.pump();
      // A second call waits for the teardown that the first one began.
      if (connection.closed) await connection.close();
    } catch (error) {
      this.#log.error(`A connection failed: ${error}`);
      await connection.close();
    }
    if (connection.closed && endpoint.connection === connection) {
      endpoint.connection = undefined;
    }
    if (!this.#stopping) signalEventfd(this.#wakeFd);
  }

  async #close(): Promise<void> {
    for (const { listener } of this.#endpoints) listener?.close();
    await Promise.all(this.#endpoints.map(async ({ connection, device }) => {
      await connection?.end();
      await device.close();
    }));
    this.#closed = true;
    closeFd(this.#wakeFd);
  }
}
