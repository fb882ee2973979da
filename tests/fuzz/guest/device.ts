/**
 * The device under a machine: its core, its queues and the memory they serve.
 * It is used again for all machines that differ in their rings only.
 *
 * @module
 */

import { ALGORITHMS } from "../../../device/engine/algorithm.ts";
import type { EngineName } from "../../../device/engine/engine.ts";
import { ControlQueue } from "../../../device/service/control_queue.ts";
import { DataQueue } from "../../../device/service/data_queue.ts";
import { DeviceCore } from "../../../device/service/device_core.ts";
import { decodeConfig } from "../../../device/spec/config.ts";
import type { RequestLayout } from "../../../device/spec/request_layout.ts";
import { FuzzMemory } from "./memory.ts";
import type { ModelAlgorithm } from "./model/algorithms.ts";
import type { Rules } from "./model/rules.ts";
import type { FuzzRing } from "./ring.ts";

/** How a machine is made. Plain data. */
export interface MachineSetup {
  readonly engine: EngineName | "auto";
  readonly ring: "split" | "packed";
  readonly spec: "v15" | "1.4";
  /** Negotiated feature bits 0 to 4. */
  readonly features: number;
  readonly ringSize: number;
  readonly eventIndex: boolean;
  readonly indirect: boolean;
  /** Where rings start. */
  readonly start: number;
  readonly stride: number;
  readonly maxSize: number;
  readonly maxSessions: number;
}

/** Data queues of a machine; the control queue follows. */
export const DATA_QUEUES = 2;

/** What serves a ring. */
export interface ServedQueue {
  start(ring: FuzzRing): void;
  stop(): void;
  run(): number;
  arm(): boolean;
}

/** Devices are used one after the other, and all serve this memory. */
const memory = new FuzzMemory();

/** A device. */
export class FuzzDevice {
  readonly memory = memory;
  readonly rules: Rules;
  /** The data queues, then the control queue. */
  readonly queues: readonly ServedQueue[];
  /** The last generation that was given out, by slot. */
  readonly generations = new Map<bigint, bigint>();
  readonly #core: DeviceCore;
  readonly #layout: RequestLayout;

  /** @param setup how it is made; what it says of rings does not matter */
  constructor(setup: MachineSetup) {
    const { engine, spec, features, maxSize, maxSessions } = setup;
    this.#core = new DeviceCore({
      queues: DATA_QUEUES,
      spec,
      maxSize,
      maxSessions,
      ...(engine === "auto" ? {} : { engines: [engine] }),
    }, () => {});
    this.#layout = this.#core.layout(BigInt(features), false);
    const { engines } = this.#core.capabilities;
    this.rules = {
      spec,
      features: BigInt(features),
      maxSize,
      maxSessions,
      dataQueues: DATA_QUEUES,
      services: decodeConfig(this.#core.config).cryptoServices,
      serves: ({ name }: ModelAlgorithm, keyLength?: number) =>
        engines.some((e) => e.serves(ALGORITHMS[name], keyLength)),
    };
    this.queues = [
      ...Array.from({ length: DATA_QUEUES }, (_, i) => this.#dataQueue(i)),
      this.#controlQueue(),
    ];
  }

  /** What makes a device unfit for another setup. */
  static key(
    { engine, spec, features, maxSize, maxSessions }: MachineSetup,
  ): string {
    return [engine, spec, features, maxSize, maxSessions].join();
  }

  /** Ends all sessions. */
  endSessions(): void {
    this.#core.sessions.clear();
  }

  #dataQueue(index: number): ServedQueue {
    const queue = new DataQueue(
      this.#core.queueOptions(index),
      this.#core.capabilities.engines,
      () => false,
    );
    queue.setMemory(this.memory.regions);
    return {
      start: (ring) =>
        queue.start({ ring: ring.setup(), layout: this.#layout }),
      stop: () => queue.stop(),
      run: () => queue.run(),
      arm: () => queue.arm(),
    };
  }

  #controlQueue(): ServedQueue {
    const queue = new ControlQueue(this.#core.sessions);
    queue.setMemory(this.memory.regions);
    return {
      start: (ring) => queue.start(ring.setup(), this.#layout),
      stop: () => queue.stop(),
      run: () => queue.run(),
      arm: () => queue.arm(),
    };
  }
}
