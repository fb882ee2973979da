/**
 * The device behind one socket: it outlives the connections, and serves one at
 * a time.
 *
 * @module
 */

import type { Log } from "../log.ts";
import { ControlQueue } from "../service/control_queue.ts";
import { type CoreOptions, DeviceCore } from "../service/device_core.ts";
import { VHOST_USER_F_PROTOCOL_FEATURES } from "./protocol.ts";
import { ControlRing, type ServedRing, WorkerRing } from "./served_ring.ts";

/**
 * Most workers that are started ahead of their rings. Each takes tens of
 * milliseconds and some 18 MB, and few guests use so many queues: further ones
 * are started by their rings.
 */
const MOST_WARM = 16;

/** What a device tells the connection it serves. */
export interface DeviceEvents {
  /**
   * A ring is broken, or its worker threw: it is served no more.
   *
   * @param index number of the queue
   * @param reason what is wrong
   * @param failed whether the worker threw, which ended it
   */
  ringDown(index: number, reason: string, failed: boolean): void;
}

/** A device as the connections of one socket use it. */
export class VhostUserDevice {
  /** Offers, sessions, control queue. */
  readonly core: DeviceCore;
  /** Virtio features offered, VHOST_USER_F_PROTOCOL_FEATURES among them. */
  readonly features: bigint;
  /** Number of queues: the data queues and the control queue. */
  readonly queueCount: number;
  /** Told of broken rings; the connection there is. */
  events: DeviceEvents | undefined = undefined;
  readonly #workers: WorkerRing[];
  readonly #control: ControlRing;

  /**
   * Starts the workers of the data queues, or of the first of them.
   *
   * @param options the device's options
   * @param log where to write
   * @param queueFailed told of queues that are served no more, like the
   * connection
   * @throws {RangeError} An option is out of its range
   * @throws {TypeError} An engine cannot be used in workers
   * @throws {LibraryError} A built-in engine that was named cannot be loaded
   * @throws {EngineError} An engine of one's own cannot be made
   */
  constructor(
    options: CoreOptions,
    log: Log,
    queueFailed: (index: number, reason: string) => void = () => {},
  ) {
    this.core = new DeviceCore(options, () => {
      for (const worker of this.#workers) worker.wake();
    });
    this.features = this.core.features |
      1n << BigInt(VHOST_USER_F_PROTOCOL_FEATURES);
    const dataQueues = this.core.settings.queues;
    this.queueCount = dataQueues + 1;
    const ringDown = (index: number, failed: boolean) => (reason: string) => {
      if (failed) log.error(`Queue ${index}: its worker ended: ${reason}`);
      else log.warn(`Queue ${index} is broken: ${reason}`);
      this.events?.ringDown(index, reason, failed);
      queueFailed(index, reason);
    };
    // One more than there are data queues: with session messages the last
    // queue is a data queue too. Its worker starts when it is first used.
    this.#workers = Array.from(
      { length: this.queueCount },
      (_, i) =>
        new WorkerRing(this.core, i, ringDown(i, false), ringDown(i, true)),
    );
    // All have counters, whoever looks at them and whenever.
    for (let i = 0; i < dataQueues; i++) this.core.queueOptions(i);
    const warm = Math.min(dataQueues, MOST_WARM);
    for (const worker of this.#workers.slice(0, warm)) worker.warm();
    this.#control = new ControlRing(
      new ControlQueue(this.core.sessions),
      ringDown(dataQueues, false),
    );
  }

  /**
   * Who serves a queue.
   *
   * @param index number of the queue, below {@linkcode queueCount}
   * @param sessionMessages whether the frontend owns the control queue
   * @returns the ring's server
   */
  ring(index: number, sessionMessages: boolean): ServedRing {
    return index === this.queueCount - 1 && !sessionMessages
      ? this.#control
      : this.#workers[index]!;
  }

  /** All that serve queues. */
  get rings(): readonly ServedRing[] {
    return [...this.#workers, this.#control];
  }

  /** The control queue's ring. */
  get control(): ControlRing {
    return this.#control;
  }

  /** Wipes everything and ends the workers. */
  async close(): Promise<void> {
    this.core.sessions.clear();
    await Promise.all(this.rings.map((ring) => ring.close()));
  }
}
