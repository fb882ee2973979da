/**
 * A queue's worker and the guest it serves.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type {
  DataQueueOptions,
  QueueStart,
} from "../../device/service/data_queue.ts";
import { Control, type WorkerSetup } from "../../workers/protocol.ts";
import { QueueWorker } from "../../workers/queue_worker.ts";
import { TestDevice } from "../support/device.ts";

/** No descriptors: the doorbell is of Atomics. */
export const NO_FDS = { kick: -1, call: -1 } as const;

/** A worker with an atomics doorbell, and what it says. */
export class WorkerGuest {
  /** Ring, memory and sessions; its own queue is stopped. */
  readonly device: TestDevice;
  readonly worker: QueueWorker;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly broken: string[] = [];
  readonly failed: string[] = [];

  /**
   * @param changes what the worker is given otherwise
   * @param queue what its queue is made of otherwise
   */
  constructor(
    changes: Partial<WorkerSetup> = {},
    queue: Partial<DataQueueOptions> = {},
  ) {
    this.device = new TestDevice({ ring: { size: 256 }, memorySize: 1 << 22 });
    this.device.queue.stop();
    const control = new SharedArrayBuffer(4 * Control.WORDS);
    this.words = new Int32Array(control);
    this.worker = new QueueWorker(
      {
        queue: { ...this.device.core.queueOptions(0), ...queue },
        engines: this.device.core.engineSources(),
        control,
        doorbell: { kind: "atomics" },
        pollUs: 0,
        ...changes,
      },
      () => this.kick(),
      {
        broken: (reason) => this.broken.push(reason),
        failed: (reason) => this.failed.push(reason),
      },
    );
  }

  /** Wakes the worker. */
  kick(): void {
    Atomics.add(this.words, Control.BELL, 1);
    Atomics.notify(this.words, Control.BELL);
  }

  /** How a queue starts at some state. */
  start(state: number): QueueStart {
    return {
      ring: this.device.guest.ring.setup({ state }),
      layout: this.device.core.layout(0n, false),
    };
  }

  /** Gives the worker memory and ring. */
  async run(state = 0): Promise<void> {
    const { regions } = this.device.guest.memory;
    await this.worker.send({ type: "memory", regions });
    const start = this.start(state);
    await this.worker.send({ type: "start", start, fds: NO_FDS });
  }

  /** Waits until so many requests were answered. */
  async untilUsed(index: number): Promise<void> {
    for (let i = 0; i < 2000; i++) {
      if (this.device.guest.ring.usedIndex === index) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assertEquals(this.device.guest.ring.usedIndex, index, "It does not answer");
  }
}
