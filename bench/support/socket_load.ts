/**
 * The driver of a server's queues: it connects to the server's socket, shares
 * memory by file and kicks by eventfd. It runs on the caller's thread.
 *
 * @module
 */

import { sessionMessagesOf } from "../../device/driver/session_messages.ts";
import {
  type RingFds,
  VhostUserFrontend,
} from "../../device/driver/vhost_user_frontend.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import { libc } from "../../device/host/libc.ts";
import { Load, type LoadOptions } from "./load.ts";
import { LoadMemory } from "./load_memory.ts";
import { type Operation, requestOf, sessionOf } from "./operations.ts";

/** VERSION_1, INDIRECT_DESC, EVENT_IDX and PROTOCOL_FEATURES. */
const FEATURES = 1n << 32n | 1n << 28n | 1n << 29n | 1n << 30n;
const RING_PACKED = 1n << 34n;
const GUEST_ADDRESS = 0x4000_0000;
/** Room for rings, headers and statuses of a queue. */
const OVERHEAD = 2 << 20;
const POLLIN = 1;

/** How queues under load are driven. */
export interface SocketLoadOptions extends LoadOptions {
  /** Data queues; 1. */
  readonly queues?: number;
}

/** A queue as its driver has it. */
interface Queue {
  readonly load: Load;
  readonly fds: RingFds;
}

/** The driver of all queues of a server. */
export class SocketLoad {
  readonly #frontend: VhostUserFrontend;
  readonly #queues: readonly Queue[];
  readonly #poll = new Int32Array(new ArrayBuffer(8));

  private constructor(
    frontend: VhostUserFrontend,
    queues: readonly Queue[],
  ) {
    this.#frontend = frontend;
    this.#queues = queues;
  }

  /**
   * Connects to a server and starts its queues.
   *
   * @param path the server's socket
   * @param operation what requests ask for
   * @param options how it is made
   * @returns the driver
   */
  static async attach(
    path: string,
    operation: Operation,
    options: SocketLoadOptions = {},
  ): Promise<SocketLoad> {
    const { queues = 1, slots = 64 } = options;
    const frontend = await VhostUserFrontend.connect(path);
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
    return new SocketLoad(frontend, made);
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
   * Keeps all queues busy, each on its own, and sleeps between. The load must
   * have been made with signals and split rings.
   *
   * @param ms for how long, about
   * @returns requests a second, of all queues together
   */
  serveSteadily(ms: number): number {
    const queues = this.#queues;
    const poll = new Int32Array(new ArrayBuffer(8 * queues.length));
    const start = performance.now();
    // What came back before is not counted.
    for (const queue of queues) this.#refill(queue);
    let count = 0;
    while (performance.now() - start < ms) {
      queues.forEach(({ fds }, i) => {
        poll[2 * i] = fds.call;
        poll[2 * i + 1] = POLLIN;
      });
      libc().poll(poll, BigInt(queues.length), -1);
      queues.forEach((queue, i) => {
        if (poll[2 * i + 1]! >> 16 === 0) return;
        drainEventfd(queue.fds.call);
        count += this.#refill(queue);
      });
    }
    const rate = count * 1e3 / (performance.now() - start);
    for (const { load } of queues) while (!load.ring.isDone());
    return rate;
  }

  #refill({ load, fds }: Queue): number {
    const count = load.ring.refill!();
    if (load.ring.needsKick()) signalEventfd(fds.kick);
    return count;
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

  /** Stops the rings. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let index = 0; index < this.#queues.length; index++) {
      await this.#frontend.getVringBase(index);
    }
    await this.#frontend.close();
  }

  #offer({ load, fds }: Queue, count: number): void {
    load.ring.offer(count);
    if (load.ring.needsKick()) signalEventfd(fds.kick);
  }
}
