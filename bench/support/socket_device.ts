/**
 * A server on a real socket, and a load driver at it that shares memory by file
 * and kicks by eventfd. The device's queues are served by their workers; the
 * driver runs on the caller's thread.
 *
 * @module
 */

import { sessionMessagesOf } from "../../device/driver/session_messages.ts";
import {
  type RingFds,
  VhostUserFrontend,
} from "../../device/driver/vhost_user_frontend.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { VhostUserServer } from "../../device/vhost_user/server.ts";
import { Load, type LoadOptions } from "./load.ts";
import { LoadMemory } from "./load_memory.ts";
import { type EngineChoice, enginesOf } from "./local_device.ts";
import { type Operation, requestOf, sessionOf } from "./operations.ts";

/** VERSION_1, INDIRECT_DESC, EVENT_IDX and PROTOCOL_FEATURES. */
const FEATURES = 1n << 32n | 1n << 28n | 1n << 29n | 1n << 30n;
const RING_PACKED = 1n << 34n;
const GUEST_ADDRESS = 0x4000_0000;
/** Room for rings, headers and statuses of a queue. */
const OVERHEAD = 2 << 20;
const POLLIN = 1;

/** How a server under load is made. */
export interface SocketDeviceOptions extends LoadOptions {
  readonly engine?: EngineChoice;
  /** Data queues; 1. */
  readonly queues?: number;
  /** How long a queue looks for work before it sleeps, in µs; 0. */
  readonly pollUs?: number;
}

/** A queue as its driver has it. */
interface Queue {
  readonly load: Load;
  readonly fds: RingFds;
}

/** A server, and the driver of all its queues. */
export class SocketDevice {
  readonly #server: VhostUserServer;
  readonly #running: Promise<void>;
  readonly #frontend: VhostUserFrontend;
  readonly #queues: readonly Queue[];
  readonly #poll = new Int32Array(new ArrayBuffer(8));

  private constructor(
    server: VhostUserServer,
    running: Promise<void>,
    frontend: VhostUserFrontend,
    queues: readonly Queue[],
  ) {
    this.#server = server;
    this.#running = running;
    this.#frontend = frontend;
    this.#queues = queues;
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
    const { engine = "auto", pollUs = 0, queues = 1, slots = 64 } = options;
    const path = `/tmp/virtio-crypto-bench-${crypto.randomUUID()}.sock`;
    const server = VhostUserServer.listen({
      socketPaths: [path],
      queues,
      engines: enginesOf(engine),
      pollUs,
    });
    const running = server.finished;
    const frontend = await VhostUserFrontend.connect(path);
    // Nobody else is to come, and a bench that is interrupted leaves nothing.
    libc().unlink(cString(path));
    await frontend.negotiate({
      features: FEATURES | (options.format === "packed" ? RING_PACKED : 0n),
    });
    const each = 2 * (operation.source.length + (options.align ?? 64)) + 1024;
    const memory = new LoadMemory(
      (await frontend.shareMemory([{
        guestAddress: GUEST_ADDRESS,
        size: queues * (OVERHEAD + slots * each),
      }])).regions,
    );
    const session = sessionOf(operation);
    const id = await sessionMessagesOf(frontend).create(session);
    const made: Queue[] = [];
    for (let index = 0; index < queues; index++) {
      const load = new Load(
        memory,
        operation,
        () => requestOf(operation, session, id),
        options,
      );
      const { setup } = load.ring;
      const fds = await frontend.startRing(index, {
        size: setup.size,
        base: setup.state,
        userAddresses: {
          descriptor: setup.descriptorAddress,
          available: setup.availableAddress,
          used: setup.usedAddress,
        },
      });
      made.push({ load, fds });
    }
    return new SocketDevice(server, running, frontend, made);
  }

  /**
   * Offers requests on every queue, and looks until all came back.
   *
   * @param count requests of each queue
   */
  serve(count: number): void {
    const queues = this.#queues;
    for (let i = 0; i < queues.length; i++) this.#offer(queues[i]!, count);
    for (let i = 0; i < queues.length; i++) {
      while (!queues[i]!.load.ring.isDone());
    }
  }

  /**
   * As {@linkcode serve}, but sleeps until it is signalled. The load must have
   * been made with signals.
   *
   * @param count requests of each queue
   */
  serveAsleep(count: number): void {
    const queues = this.#queues;
    for (let i = 0; i < queues.length; i++) this.#offer(queues[i]!, count);
    for (let i = 0; i < queues.length; i++) {
      const { load, fds } = queues[i]!;
      while (!load.ring.isDone()) {
        this.#poll[0] = fds.call;
        this.#poll[1] = POLLIN;
        libc().poll(this.#poll, 1n, -1);
        drainEventfd(fds.call);
      }
    }
  }

  /**
   * Serves every request once, and throws unless each has the right result.
   *
   * @param what named in the error
   */
  verify(what: string): void {
    for (const { load } of this.#queues) load.clear();
    this.serve(this.#queues[0]!.load.slots);
    for (const { load } of this.#queues) load.check(what);
  }

  /** Stops the rings and the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let index = 0; index < this.#queues.length; index++) {
      await this.#frontend.getVringBase(index);
    }
    await this.#frontend.close();
    await this.#server.close();
    await this.#running;
  }

  #offer({ load, fds }: Queue, count: number): void {
    load.ring.offer(count);
    if (load.ring.needsKick()) signalEventfd(fds.kick);
  }
}
