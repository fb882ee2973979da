/**
 * A device in this process: its driver shares a SharedArrayBuffer with it, and
 * its data queues are served by workers or by the caller's own thread.
 *
 * @module
 */

import { DeviceNotReadyError, QueueFailedError } from "./driver/errors.ts";
import type { DriverRing } from "./driver/ring.ts";
import type { Transport, TransportListener } from "./driver/transport.ts";
import { engineNames } from "./engine/engines.ts";
import { LIBRARY_CHECKS } from "./engine/library_checks.ts";
import { GuestMemory } from "./memory/guest_memory.ts";
import { ControlQueue } from "./service/control_queue.ts";
import type { QueueStatistics } from "./service/counters.ts";
import { DataQueue } from "./service/data_queue.ts";
import { DeviceCore, type DeviceOptions } from "./service/device_core.ts";
import { RoundResult } from "./service/round.ts";
import {
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from "./spec/constants.ts";
import type { RequestLayout } from "./spec/request_layout.ts";
import type { RingSetup } from "./virtqueue/ring.ts";
import { missingForWorkers } from "../workers/permission.ts";
import { Control } from "../workers/protocol.ts";
import { QueueWorker } from "../workers/queue_worker.ts";

/** Options of a device in this process. */
export interface InProcessOptions extends DeviceOptions {
  /**
   * Workers that serve the data queues: as many as there are queues, or 0 to
   * serve on the caller's thread. As many as queues when left out. Workers
   * load their module: that needs `--allow-read` of the source, or
   * `--allow-import` of the host it was loaded from, which jsr.io has in any
   * case. Where that is not granted the device says so with a warning and
   * serves on the caller's thread.
   */
  readonly workers?: number | undefined;
  /** Bytes of guest memory, at least 1 MiB; 64 MiB when left out. */
  readonly memorySize?: number | undefined;
  /**
   * Feature bits the driver takes, out of those offered; a legacy driver's
   * (VERSION_1, INDIRECT_DESC and EVENT_IDX) when left out. RING_PACKED (bit
   * 34) and IN_ORDER (bit 35) are taken only where they are named.
   */
  readonly features?: bigint | undefined;
}

/** Where guest memory starts: not at 0, so that a null address is none. */
const MEMORY_BASE = 0x20_0000;
const DEFAULT_MEMORY = 64 << 20;
const LEAST_MEMORY = 1 << 20;

/** How long the caller's thread serves before it lets others run. */
const SLICE_MS = 10;

const LEGACY_FEATURES = 1n << BigInt(VIRTIO_F_VERSION_1) |
  1n << BigInt(VIRTIO_F_RING_INDIRECT_DESC) |
  1n << BigInt(VIRTIO_F_RING_EVENT_IDX);

/** A data queue as this device serves it, by a worker or here. */
interface ServedQueue {
  start(ring: RingSetup, layout: RequestLayout): Promise<void>;
  kick(): void;
  /** Contexts of ended sessions are to be wiped. */
  wake(): void;
  close(): Promise<void>;
}

/** A data queue served on the caller's thread. */
class LocalQueue implements ServedQueue {
  readonly #queue: DataQueue;
  readonly #signal: () => void;
  readonly #failed: (reason: string) => void;
  #scheduled = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(
    core: DeviceCore,
    index: number,
    memory: GuestMemory,
    signal: () => void,
    failed: (reason: string) => void,
  ) {
    this.#queue = new DataQueue(
      core.queueOptions(index),
      core.capabilities.engines,
      () => false,
    );
    this.#queue.setMemory(memory.regions);
    this.#signal = signal;
    this.#failed = failed;
  }

  start(ring: RingSetup, layout: RequestLayout): Promise<void> {
    this.#queue.start({ ring, layout });
    this.#queue.arm();
    return Promise.resolve();
  }

  kick(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#queue.counters.kick();
    // Not at once: the driver is in the middle of adding requests.
    queueMicrotask(() => this.#serve());
  }

  wake(): void {
    this.#queue.sweep();
  }

  close(): Promise<void> {
    clearTimeout(this.#rest);
    this.#queue.close();
    return Promise.resolve();
  }

  #serve(): void {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const result = this.#queue.run();
      if (result === RoundResult.SIGNAL) this.#signal();
      if (result === RoundResult.BROKEN) {
        this.#scheduled = false;
        this.#failed(this.#queue.broken!.message);
        return;
      }
      if (result === RoundResult.THROTTLED) {
        this.#rest = setTimeout(() => this.#serve(), this.#queue.rest());
        return;
      }
      if (result === RoundResult.IDLE && !this.#queue.arm()) {
        this.#scheduled = false;
        return;
      }
    }
    setTimeout(() => this.#serve(), 0);
  }
}

/** A data queue served by a worker. */
class WorkerQueue implements ServedQueue {
  readonly #worker: QueueWorker;
  readonly #memory: GuestMemory;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #signal: () => void;
  #closed = false;

  constructor(
    core: DeviceCore,
    index: number,
    memory: GuestMemory,
    signal: () => void,
    failed: (reason: string) => void,
  ) {
    const control = new SharedArrayBuffer(4 * Control.WORDS);
    this.#words = new Int32Array(control);
    this.#memory = memory;
    this.#signal = signal;
    this.#worker = new QueueWorker(
      {
        queue: core.queueOptions(index),
        engines: core.engineSources(),
        checks: LIBRARY_CHECKS,
        control,
        doorbell: { kind: "atomics" },
        pollUs: core.settings.pollUs,
      },
      () => this.#ring(),
      { broken: failed, failed },
    );
  }

  async start(ring: RingSetup, layout: RequestLayout): Promise<void> {
    await this.#worker.send({
      type: "memory",
      regions: this.#memory.regions,
    });
    await this.#worker.send({
      type: "start",
      start: { ring, layout },
      fds: { kick: -1, call: -1 },
    });
    this.#listen();
  }

  kick(): void {
    Atomics.add(this.#words, Control.KICKS, 1);
    this.#ring();
  }

  wake(): void {
    this.#worker.wake();
  }

  async close(): Promise<void> {
    await this.#worker.close();
    this.#closed = true;
    Atomics.add(this.#words, Control.SIGNAL, 1);
    Atomics.notify(this.#words, Control.SIGNAL);
  }

  #ring(): void {
    Atomics.add(this.#words, Control.BELL, 1);
    Atomics.notify(this.#words, Control.BELL);
  }

  async #listen(): Promise<void> {
    let seen = 0;
    while (!this.#closed) {
      const wait = Atomics.waitAsync(this.#words, Control.SIGNAL, seen);
      if (wait.async) await wait.value;
      if (this.#closed) return;
      seen = Atomics.load(this.#words, Control.SIGNAL);
      this.#signal();
    }
  }
}

/**
 * A device in this process, and the transport its driver attaches to.
 *
 * @example
 * ```ts
 * import { CryptoDriver, InProcessDevice } from "./../mod.ts";
 *
 * const device = new InProcessDevice({ workers: 0 });
 * const driver = await CryptoDriver.attach(device);
 * const session = await driver.createSession({
 *   service: "cipher",
 *   algorithm: "aes-cbc",
 *   key: new Uint8Array(16),
 *   direction: "encrypt",
 * });
 * const ciphertext = await session.run({
 *   iv: new Uint8Array(16),
 *   data: new Uint8Array(32),
 * });
 * console.log(ciphertext.length); // 32
 * await driver.close();
 * ```
 */
export class InProcessDevice implements Transport {
  readonly memory: GuestMemory;
  readonly features: bigint;
  readonly config: Uint8Array;
  readonly dataQueues: number;
  /** Number of workers that serve the data queues; 0: the caller's thread. */
  readonly workers: number;
  readonly #core: DeviceCore;
  readonly #layout: RequestLayout;
  readonly #control: ControlQueue;
  readonly #queues: ServedQueue[];
  #listener: TransportListener | undefined;
  #controlScheduled = false;
  #closing: Promise<void> | undefined;

  /**
   * Makes a device. Its queues are served once a driver has started them.
   *
   * @param options the device's options
   * @throws {RangeError} An option is out of its range, or an engine's name is
   * none
   * @throws {TypeError} The device has workers, and an engine that cannot be
   * used in them, because it was not imported by {@linkcode importEngine}
   * @throws {LibraryError} A built-in engine that was named cannot be loaded
   * @throws {EngineError} An engine of one's own cannot be made
   */
  constructor(options: InProcessOptions = {}) {
    this.#core = new DeviceCore(options, () => {
      for (const queue of this.#queues) queue.wake();
    });
    const { queues } = this.#core.settings;
    const workers = options.workers ?? queues;
    if (workers !== 0 && workers !== queues) {
      throw new RangeError(
        `Cannot serve ${queues} queues by ${workers} workers: ${queues} or 0 are possible`,
      );
    }
    const size = options.memorySize ?? DEFAULT_MEMORY;
    if (!Number.isInteger(size) || size < LEAST_MEMORY) {
      throw new RangeError(
        `Cannot make guest memory of ${size} bytes: ${LEAST_MEMORY} are the least`,
      );
    }
    const offered = this.#core.features;
    this.features = options.features ?? LEGACY_FEATURES;
    if ((this.features & ~offered) !== 0n) {
      throw new RangeError(
        `Cannot negotiate features 0x${
          (this.features & ~offered).toString(16)
        }: they are not offered`,
      );
    }
    this.#layout = this.#core.layout(this.features, false);
    this.memory = new GuestMemory([{
      guestAddress: MEMORY_BASE,
      userAddress: MEMORY_BASE,
      size,
      buffer: new SharedArrayBuffer(size),
      offset: 0,
    }]);
    this.config = this.#core.config;
    this.dataQueues = queues;
    const missing = workers > 0 ? missingForWorkers() : undefined;
    this.workers = missing === undefined ? workers : 0;
    if (missing !== undefined) {
      console.warn(
        `Serving on the caller's thread: workers need ${missing}`,
      );
    }
    const Queue = this.workers > 0 ? WorkerQueue : LocalQueue;
    this.#queues = Array.from({ length: queues }, (_, index) =>
      new Queue(
        this.#core,
        index,
        this.memory,
        () => this.#listener?.signalled(index),
        (reason) =>
          this.#listener?.queueFailed(
            index,
            new QueueFailedError(index, reason),
          ),
      ));
    this.#control = new ControlQueue(this.#core.sessions);
    this.#control.setMemory(this.memory.regions);
  }

  /** Names of the engines that were found, the preferred one first. */
  get engines(): readonly string[] {
    return engineNames(this.#core.capabilities.engines);
  }

  /** What each data queue counted so far. */
  get statistics(): readonly QueueStatistics[] {
    return this.#core.counters.map((counters) => counters.read());
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
  }

  async startQueue(index: number, ring: DriverRing): Promise<void> {
    if (this.#closing !== undefined) {
      throw new DeviceNotReadyError(
        "Cannot start a queue: the device was closed",
      );
    }
    const { descriptor, available, used } = ring.userAddresses;
    const eventIndex = this.features >> BigInt(VIRTIO_F_RING_EVENT_IDX) & 1n;
    const indirect = this.features >> BigInt(VIRTIO_F_RING_INDIRECT_DESC) & 1n;
    const packed = this.features >> BigInt(VIRTIO_F_RING_PACKED) & 1n;
    const setup: RingSetup = {
      format: packed ? "packed" : "split",
      size: ring.size,
      descriptorAddress: descriptor,
      availableAddress: available,
      usedAddress: used,
      state: ring.base,
      notification: eventIndex ? "event-index" : "flags",
      indirect: indirect === 1n,
    };
    if (index === this.dataQueues) {
      this.#control.start(setup, this.#layout);
      this.#control.arm();
      return;
    }
    const queue = this.#queues[index];
    if (queue === undefined) {
      throw new RangeError(
        `Cannot start queue ${index}: the device has ${this.dataQueues} data queues and a control queue`,
      );
    }
    await queue.start(setup, this.#layout);
  }

  kick(index: number): void {
    if (this.#closing !== undefined) return;
    if (index !== this.dataQueues) {
      this.#queues[index]?.kick();
    } else if (!this.#controlScheduled) {
      this.#controlScheduled = true;
      queueMicrotask(() => this.#serveControl());
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#control.stop();
    this.#core.sessions.clear();
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }

  #serveControl(): void {
    this.#controlScheduled = false;
    const control = this.#control;
    for (;;) {
      const result = control.run();
      if (result === RoundResult.SIGNAL) {
        this.#listener?.signalled(this.dataQueues);
      }
      if (result === RoundResult.BROKEN) {
        this.#listener?.queueFailed(
          this.dataQueues,
          new QueueFailedError(this.dataQueues, control.broken!.message),
        );
        return;
      }
      if (result === RoundResult.IDLE && !control.arm()) return;
    }
  }
}
