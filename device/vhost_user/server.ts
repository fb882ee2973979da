/**
 * The vhost-user server: sockets, each with a device, and one poll loop on the
 * main thread.
 *
 * @module
 */

import { createEventfd, drainEventfd, signalEventfd } from "../host/eventfd.ts";
import { POLLIN, PollSet } from "../host/poll.ts";
import type { Log } from "../log.ts";
import type { Capabilities } from "../service/capabilities.ts";
import type { CoreOptions } from "../service/device_core.ts";
import type { QueueStatistics } from "../service/counters.ts";
import { Connection } from "./connection.ts";
import { deviceSnapshot } from "./inspection.ts";
import { listenUnix, socketRole, UnixListener } from "./listener.ts";
import type { DeviceSnapshot } from "./snapshot.ts";
import { closeFd, SocketIo } from "./socket.ts";
import { missingForWorkers } from "../../workers/permission.ts";
import { VhostUserDevice } from "./vhost_user_device.ts";

/** What a server tells the program it is part of, as it happens. */
export interface ServerEvents {
  /**
   * A frontend connected to a device.
   *
   * @param socket index of the socket, 0 where there is one
   */
  connected?(socket: number): void;
  /**
   * A frontend is gone. Its sessions are wiped and its memory is unmapped.
   *
   * @param socket index of the socket
   */
  disconnected?(socket: number): void;
  /**
   * A queue is served no more until the frontend starts it again: its ring is
   * broken, or its worker failed. Other queues go on.
   *
   * @param socket index of the socket
   * @param queue number of the queue
   * @param reason what is wrong
   */
  queueFailed?(socket: number, queue: number, reason: string): void;
}

/** What a server serves, and where. */
export interface ServerOptions extends CoreOptions {
  /** Path of a UNIX socket to make, at most 107 bytes. */
  readonly socketPath?: string | undefined;
  /** Paths of several; behind each is a device of its own. */
  readonly socketPaths?: readonly string[] | undefined;
  /**
   * A UNIX stream socket that was handed down, listening or connected, or
   * several of them; each has a device of its own. Not together with paths.
   */
  readonly fd?: number | readonly number[] | undefined;
  /** Where to write; nowhere when left out. */
  readonly log?: Log | undefined;
  /** What is told of frontends and queues. */
  readonly events?: ServerEvents | undefined;
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
 * A vhost-user server: QEMU, or another frontend, connects to its socket and
 * gives its guest the device behind it (QEMU, docs/interop/vhost-user.rst).
 *
 * It needs `--allow-ffi`, for sockets with descriptors, `mmap`, `poll` and
 * eventfds of the C library, and what its workers need: `--allow-read` of the
 * source, or `--allow-import` of the host it was loaded from. One frontend at a
 * time is served by each socket; sessions end with its connection.
 *
 * @example Serving until a driver has had its answer
 * ```ts
 * import {
 *   CryptoDriver,
 *   VhostUserServer,
 *   VhostUserTransport,
 * } from "../../mod.ts";
 *
 * const socketPath = `/tmp/example-${crypto.randomUUID()}.sock`;
 * await using _server = VhostUserServer.listen({
 *   socketPath,
 *   events: { connected: () => console.log("A frontend connected") },
 * });
 * await using driver = await CryptoDriver.attach(
 *   await VhostUserTransport.connect(socketPath),
 * );
 * const session = await driver.createSession({
 *   service: "hash",
 *   algorithm: "sha256",
 * });
 * const digest = await session.run({ data: new TextEncoder().encode("abc") });
 * console.log(digest.length); // 32
 * ```
 */
export class VhostUserServer implements AsyncDisposable {
  readonly #endpoints: Endpoint[] = [];
  readonly #events: ServerEvents;
  readonly #log: Log;
  readonly #io = new SocketIo();
  readonly #wakeFd = createEventfd();
  readonly #poll = new PollSet();
  #stopping = false;
  #closed = false;
  #running: Promise<void> | undefined;

  private constructor(options: ServerOptions) {
    const { socketPath, fd = [] } = options;
    const socketPaths = [
      ...(socketPath === undefined ? [] : [socketPath]),
      ...(options.socketPaths ?? []),
    ];
    const fds = typeof fd === "number" ? [fd] : fd;
    this.#log = options.log ?? SILENT;
    this.#events = options.events ?? {};
    try {
      if ((socketPaths.length > 0) === (fds.length > 0)) {
        throw new TypeError(
          "Cannot serve: either socket paths or a file descriptor is needed",
        );
      }
      const missing = missingForWorkers();
      if (missing !== undefined) {
        throw new Deno.errors.NotCapable(
          `Cannot start the workers of the data queues: that needs ${missing}`,
        );
      }
      for (const fd of fds) this.#handedDown(fd, options);
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

  /**
   * Makes the sockets, starts the devices' workers, and serves until
   * {@linkcode VhostUserServer.close}. A socket at a path that nobody listens on
   * any more is replaced; at the end the sockets are unlinked.
   *
   * @param options what to serve, and where
   * @returns the server, whose sockets can be connected to
   * @throws {SocketError} A socket cannot be made or used
   * @throws {RangeError} An option is out of its range
   * @throws {TypeError} There is no socket, or both paths and a descriptor; or
   * an engine cannot be used in workers, because it was not imported by
   * {@linkcode importEngine}
   * @throws {LibraryError} The C library or a built-in engine that was named
   * cannot be loaded
   * @throws {EngineError} An engine of one's own cannot be made
   * @throws {Deno.errors.NotCapable} The workers' modules may not be loaded
   */
  static listen(options: ServerOptions): VhostUserServer {
    const server = new VhostUserServer(options);
    // Who is interested looks at `finished`.
    server.finished.catch(() => {});
    return server;
  }

  /**
   * Settles when nothing is served any more: after {@linkcode
   * VhostUserServer.close}, or when the connection that was handed down ended.
   */
  get finished(): Promise<void> {
    return this.#running ??= this.#loop();
  }

  /**
   * Ends serving: connections are closed, sessions wiped, sockets unlinked,
   * workers ended.
   *
   * @returns when all that is done; the same at a second call
   */
  async close(): Promise<void> {
    this.#stopping = true;
    if (!this.#closed) signalEventfd(this.#wakeFd);
    await this.finished;
  }

  /** Closes at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
   * What the devices serve: they have the same engines, and are one at least.
   *
   * @internal
   */
  get capabilities(): Capabilities {
    return this.#endpoints[0]!.device.core.capabilities;
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
    place: string,
    listener: UnixListener | undefined,
  ): Endpoint {
    const socket = this.#endpoints.length;
    const device = new VhostUserDevice(
      options,
      this.#log,
      (queue, reason) =>
        this.#tell(() => this.#events.queueFailed?.(socket, queue, reason)),
    );
    const endpoint = new Endpoint(place, device, listener);
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
    const socket = this.#endpoints.indexOf(endpoint);
    this.#tell(() => this.#events.connected?.(socket));
  }

  /** Forgets a connection that is over; once. */
  #disconnected(endpoint: Endpoint, connection: Connection): void {
    if (endpoint.connection !== connection) return;
    endpoint.connection = undefined;
    const socket = this.#endpoints.indexOf(endpoint);
    this.#tell(() => this.#events.disconnected?.(socket));
  }

  /** The program's own mistakes end no connection. */
  #tell(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#log.error(`A handler of the server's events threw: ${error}`);
    }
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
    if (connection.closed) this.#disconnected(endpoint, connection);
    if (!this.#stopping) signalEventfd(this.#wakeFd);
  }

  async #close(): Promise<void> {
    for (const { listener } of this.#endpoints) listener?.close();
    await Promise.all(this.#endpoints.map(async (endpoint) => {
      const { connection, device } = endpoint;
      if (connection !== undefined) {
        await connection.end();
        this.#disconnected(endpoint, connection);
      }
      await device.close();
    }));
    this.#closed = true;
    closeFd(this.#wakeFd);
  }
}
