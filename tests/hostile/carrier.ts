/**
 * What carries a hostile guest's rings to the device: a device in this process
 * with a worker a queue, or a server process behind its socket.
 *
 * @module
 */

import type { DriverRing } from "../../device/driver/ring.ts";
import type { RegionOptions } from "../../device/driver/shared_guest_memory.ts";
import {
  type NegotiateOptions,
  type RingFds,
  type StartableRing,
  VhostUserFrontend,
} from "../../device/driver/vhost_user_frontend.ts";
import type { EngineName } from "../../device/engine/engine.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import { CONFIG_SIZE } from "../../device/spec/config.ts";
import type { ServiceName } from "../../device/spec/services.ts";
import { MEMORY_AT } from "../server/guest.ts";

/** Data queues of the devices under test. The control queue is behind them. */
export const DATA_QUEUES = 2;
/** Number of the control queue. */
export const CONTROL = DATA_QUEUES;

/** Most sessions of the devices under test. */
export const MAX_SESSIONS = 256;

/** Bytes of guest memory. */
export const MEMORY_SIZE = 1 << 20;

/** What became of a wait. */
export type Event = "signalled" | "broken" | "silent";

/** A device, as its hostile guest reaches it. */
export interface Carrier {
  /** The memory that both share. */
  readonly memory: GuestMemory;
  /** The configuration space. */
  readonly config: Uint8Array;
  /**
   * Starts a queue, or starts it again from its beginning.
   *
   * @param index number of the queue
   * @param ring its ring
   * @returns false where the device cannot serve the ring
   */
  start(index: number, ring: StartableRing): Promise<boolean>;
  /** Tells the device that a queue has something new. */
  kick(index: number): void;
  /**
   * Waits until a queue is signalled or broken.
   *
   * @param index number of the queue
   * @param timeoutMs how long to wait, in milliseconds
   */
  wait(index: number, timeoutMs: number): Promise<Event>;
  close(): Promise<void>;
}

/** What is known of a queue of a device in this process. */
class QueueEvents {
  signalled = false;
  broken = false;
  changed = Promise.withResolvers<void>();

  tell(what: "signalled" | "broken"): void {
    this[what] = true;
    this.changed.resolve();
    this.changed = Promise.withResolvers();
  }
}

/** A device in this process. */
export class InProcessCarrier implements Carrier {
  readonly memory: GuestMemory;
  readonly config: Uint8Array;
  readonly #device: InProcessDevice;
  readonly #events: readonly QueueEvents[];

  /**
   * @param engines the engines, as a device takes them
   * @param features the features that are negotiated
   * @param services the services that it offers; all when left out
   */
  constructor(
    engines: readonly EngineName[],
    features: bigint,
    services?: readonly ServiceName[],
  ) {
    const device = new InProcessDevice({
      queues: DATA_QUEUES,
      maxSessions: MAX_SESSIONS,
      engines,
      services,
      features,
      memorySize: MEMORY_SIZE,
    });
    if (device.workers === 0) throw new Error("Workers are needed");
    this.#device = device;
    this.memory = device.memory;
    this.config = device.config;
    const events = Array.from({ length: CONTROL + 1 }, () => new QueueEvents());
    this.#events = events;
    device.listen({
      signalled: (index) => events[index]?.tell("signalled"),
      queueFailed: (index) => events[index]?.tell("broken"),
      failed() {},
    });
  }

  async start(index: number, ring: StartableRing): Promise<boolean> {
    const events = this.#events[index]!;
    try {
      await this.#device.startQueue(index, ring as DriverRing);
    } catch {
      return false;
    } finally {
      events.broken = events.signalled = false;
    }
    return true;
  }

  kick(index: number): void {
    this.#device.kick(index);
  }

  async wait(index: number, timeoutMs: number): Promise<Event> {
    const events = this.#events[index]!;
    if (!events.signalled && !events.broken) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([events.changed.promise, timeout]);
      clearTimeout(timer);
    }
    if (events.broken) return "broken";
    if (!events.signalled) return "silent";
    events.signalled = false;
    return "signalled";
  }

  async close(): Promise<void> {
    await this.#device.close();
  }
}

/** How a socket's guest is made. */
export interface SocketOptions extends NegotiateOptions {
  /** Its memory; one region of {@linkcode MEMORY_SIZE} when left out. */
  readonly regions?: readonly RegionOptions[];
}

/** A server behind its socket. */
export class SocketCarrier implements Carrier {
  readonly frontend: VhostUserFrontend;
  readonly config: Uint8Array;
  readonly #rings = new Map<number, RingFds>();

  private constructor(frontend: VhostUserFrontend, config: Uint8Array) {
    this.frontend = frontend;
    this.config = config;
  }

  /**
   * Connects, negotiates and shares memory.
   *
   * @param path the server's socket
   * @param options how the guest is made
   * @returns the carrier; no ring is started
   */
  static async connect(
    path: string,
    options: SocketOptions,
  ): Promise<SocketCarrier> {
    const frontend = await VhostUserFrontend.connect(path);
    try {
      await frontend.negotiate(options);
      await frontend.shareMemory(
        options.regions ?? [{ guestAddress: MEMORY_AT, size: MEMORY_SIZE }],
      );
      const config = await frontend.getConfig(0, CONFIG_SIZE);
      return new SocketCarrier(frontend, config ?? new Uint8Array());
    } catch (error) {
      await frontend.close();
      throw error;
    }
  }

  get memory(): GuestMemory {
    return this.frontend.shared.memory;
  }

  /** The eventfds of a queue that was started. */
  fds(index: number): RingFds {
    return this.#rings.get(index)!;
  }

  async start(index: number, ring: StartableRing): Promise<boolean> {
    const { frontend } = this;
    const old = this.#rings.get(index);
    if (old !== undefined) {
      await frontend.getVringBase(index);
      drainEventfd(old.err);
    }
    const fds = await frontend.startRing(index, ring, old);
    this.#rings.set(index, fds);
    // A ring that cannot be served is told of before the acknowledgement.
    return !drainEventfd(fds.err);
  }

  kick(index: number): void {
    signalEventfd(this.fds(index).kick);
  }

  async wait(index: number, timeoutMs: number): Promise<Event> {
    const { call, err } = this.fds(index);
    const ready = await this.frontend.waitReadable([call, err], timeoutMs);
    if (ready.includes(err)) return "broken";
    if (ready.length === 0) return "silent";
    drainEventfd(call);
    return "signalled";
  }

  async close(): Promise<void> {
    await this.frontend.close();
  }
}
