/**
 * A ring as the backend serves it: a data queue by its worker, the control
 * queue here on the main thread.
 *
 * @module
 */

import type { EngineSource } from "../engine/definition.ts";
import { LIBRARY_CHECKS } from "../engine/library_checks.ts";
import {
  createEventfd,
  drainEventfd,
  signalEventfd,
  signalPeer,
} from "../host/eventfd.ts";
import { libc } from "../host/libc.ts";
import { POLLIN } from "../host/poll.ts";
import type { MemoryRegion } from "../memory/guest_memory.ts";
import type { ControlQueue } from "../service/control_queue.ts";
import type { QueueCounters } from "../service/counters.ts";
import type { DeviceCore } from "../service/device_core.ts";
import { RoundResult } from "../service/round.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { RingSetup } from "../virtqueue/ring.ts";
import { Control, type QueueFds } from "../../workers/protocol.ts";
import { QueueWorker } from "../../workers/queue_worker.ts";

/** A ring that can be served. */
export interface ServedRing {
  /**
   * Serves a ring in the memory given last.
   *
   * @param ring the ring
   * @param layout the layout of its requests
   * @param fds its kick and call
   * @throws {Error} The ring cannot be served as it is set up
   */
  start(ring: RingSetup, layout: RequestLayout, fds: QueueFds): Promise<void>;
  /**
   * Serves it no more.
   *
   * @returns where to go on; undefined when it was not served, or when that is
   * not known
   */
  stop(): Promise<number | undefined>;
  /**
   * Changes the call, and signals the new one once.
   *
   * @param fd the new one, or -1
   */
  setCall(fd: number): Promise<void>;
  /**
   * Changes the guest's memory; a ring that is served goes on in it.
   *
   * @param regions the new memory
   * @throws {Error} The ring is not in it; it is served no more
   */
  setMemory(regions: readonly MemoryRegion[]): Promise<void>;
  /** The kick to poll on the main thread; -1 for none. */
  readonly kickFd: number;
  /**
   * Serves what came, after a kick on the main thread.
   *
   * @param ready the POLL… bits that {@linkcode kickFd} has
   */
  kicked(ready: number): void;
  /**
   * Where the ring stood after the last round, also when whoever served it is
   * gone; undefined when that is not known.
   */
  readonly position: number | undefined;
  /** Contexts of ended sessions are to be wiped. */
  wake(): void;
  /** Ends it for good. */
  close(): Promise<void>;
}

/** A data queue, served by a worker that is started when it is first needed. */
export class WorkerRing implements ServedRing {
  readonly kickFd = -1;
  readonly #core: DeviceCore;
  readonly #index: number;
  readonly #engines: readonly EngineSource[];
  readonly #broken: (reason: string) => void;
  readonly #failed: (reason: string) => void;
  #worker: QueueWorker | undefined;
  #wakeFd = -1;
  #regions: readonly MemoryRegion[] = [];

  /**
   * @param core the device
   * @param index number of the queue
   * @param broken told when the ring is broken
   * @param failed told when the worker threw; the next start has a new one
   * @throws {TypeError} An engine cannot cross threads
   */
  constructor(
    core: DeviceCore,
    index: number,
    broken: (reason: string) => void,
    failed: (reason: string) => void,
  ) {
    this.#core = core;
    this.#index = index;
    this.#engines = core.engineSources();
    this.#broken = broken;
    this.#failed = failed;
  }

  /** Starts the worker ahead of its first ring. */
  warm(): void {
    this.#open();
  }

  async start(
    ring: RingSetup,
    layout: RequestLayout,
    fds: QueueFds,
  ): Promise<void> {
    await this.#open().send({ type: "start", start: { ring, layout }, fds });
  }

  stop(): Promise<number | undefined> {
    return this.#worker?.send({ type: "stop" }) ?? Promise.resolve(undefined);
  }

  async setCall(fd: number): Promise<void> {
    await this.#worker?.send({ type: "call", call: fd });
  }

  async setMemory(regions: readonly MemoryRegion[]): Promise<void> {
    this.#regions = regions;
    await this.#worker?.send({ type: "memory", regions });
  }

  kicked(): void {}

  get position(): number {
    const { position } = this.#core.queueOptions(this.#index);
    return Atomics.load(new Uint32Array(position), 0);
  }

  wake(): void {
    this.#worker?.wake();
  }

  async close(): Promise<void> {
    await this.#worker?.close();
    this.#drop();
  }

  #open(): QueueWorker {
    if (this.#worker !== undefined) return this.#worker;
    const wakeFd = this.#wakeFd = createEventfd();
    const { settings } = this.#core;
    const worker = this.#worker = new QueueWorker(
      {
        queue: this.#core.queueOptions(this.#index),
        engines: this.#engines,
        checks: LIBRARY_CHECKS,
        control: new SharedArrayBuffer(4 * Control.WORDS),
        doorbell: { kind: "eventfd", wakeFd },
        pollUs: settings.pollUs,
      },
      () => signalEventfd(wakeFd),
      {
        broken: this.#broken,
        failed: (reason) => {
          this.#drop();
          this.#failed(reason);
        },
      },
    );
    if (this.#regions.length > 0) {
      // Acknowledged before the start that follows it.
      worker.send({ type: "memory", regions: this.#regions }).catch(() => {});
    }
    return worker;
  }

  #drop(): void {
    this.#worker = undefined;
    if (this.#wakeFd >= 0) libc().close(this.#wakeFd);
    this.#wakeFd = -1;
  }
}

/** The control queue, served by the main thread. */
export class ControlRing implements ServedRing {
  readonly #queue: ControlQueue;
  readonly #broken: (reason: string) => void;
  #kick = -1;
  #call = -1;

  /**
   * @param queue the device's control queue
   * @param broken told when the ring is broken
   */
  constructor(queue: ControlQueue, broken: (reason: string) => void) {
    this.#queue = queue;
    this.#broken = broken;
  }

  get position(): number | undefined {
    return this.#queue.position;
  }

  /** What the control queue counted so far. */
  get counters(): QueueCounters {
    return this.#queue.counters;
  }

  get kickFd(): number {
    return this.#queue.running ? this.#kick : -1;
  }

  start(
    ring: RingSetup,
    layout: RequestLayout,
    fds: QueueFds,
  ): Promise<void> {
    return attempt(() => {
      this.#queue.start(ring, layout);
      this.#kick = fds.kick;
      this.#call = fds.call;
      // What came before the kick was connected has no kick of its own.
      this.#serve();
    });
  }

  stop(): Promise<number | undefined> {
    return Promise.resolve(this.#queue.stop());
  }

  setCall(fd: number): Promise<void> {
    this.#call = fd;
    if (fd >= 0 && this.#queue.running) signalPeer(fd);
    return Promise.resolve();
  }

  setMemory(regions: readonly MemoryRegion[]): Promise<void> {
    return attempt(() => this.#queue.setMemory(regions));
  }

  kicked(ready: number): void {
    // A pipe whose writer is gone is ready for ever: it kicks no more.
    if ((ready & POLLIN) === 0) this.#kick = -1;
    else {
      drainEventfd(this.#kick);
      this.#queue.counters.kick();
    }
    this.#serve();
  }

  wake(): void {}

  close(): Promise<void> {
    this.#queue.stop();
    return Promise.resolve();
  }

  #serve(): void {
    // One round: whatever is left has its kick signalled again, so that a
    // guest that never stops adding leaves the main thread to others.
    let result: number;
    try {
      result = this.#queue.run();
    } catch (error) {
      // A mistake of this program's own ends the queue, as it would a worker's,
      // and not the devices of others.
      this.#kick = -1;
      this.#broken(`It was not served to the end: ${error}`);
      return;
    }
    if (result === RoundResult.SIGNAL && this.#call >= 0) {
      signalPeer(this.#call);
    }
    // Also where good requests came before what is wrong.
    if (this.#queue.broken !== undefined) {
      // Once: the queue stays, so that a stop can tell where it was.
      this.#kick = -1;
      this.#broken(this.#queue.broken.message);
    } else if (this.#queue.arm() && this.#kick >= 0) {
      signalPeer(this.#kick);
    }
  }
}

function attempt(action: () => void): Promise<void> {
  try {
    action();
    return Promise.resolve();
  } catch (error) {
    return Promise.reject(error);
  }
}
