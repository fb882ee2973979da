/**
 * A device's core with one data queue on the caller's thread, under load.
 *
 * @module
 */

import type { DataLayout } from "../../device/driver/requests.ts";
import type { EngineName } from "../../device/engine/engine.ts";
import type { MemoryRegion } from "../../device/memory/guest_memory.ts";
import { DataQueue } from "../../device/service/data_queue.ts";
import {
  type CoreOptions,
  DeviceCore,
} from "../../device/service/device_core.ts";
import { RoundResult } from "../../device/service/round.ts";
import { Load, type LoadOptions } from "./load.ts";
import { LoadMemory, plainRegion } from "./load_memory.ts";
import { type Operation, requestOf, sessionOf } from "./operations.ts";

/** VERSION_1, and the mode bits of v15. */
const V15_FEATURES = 1n << 32n | 0b11110n;
const LEGACY_FEATURES = 1n << 32n;
/** Room for rings, headers and statuses. */
const OVERHEAD = 2 << 20;

const { IDLE } = RoundResult;

/** An engine by the name it is asked for. */
export type EngineChoice = "auto" | EngineName;

/** How a device under load is made. */
export interface LocalDeviceOptions extends LoadOptions {
  readonly engine?: EngineChoice;
  readonly layout?: Extract<DataLayout, "legacy" | "v15">;
  readonly device?: CoreOptions;
  /** Guest memory; one region that is large enough when left out. */
  readonly regions?: readonly MemoryRegion[];
  /** Bytes of each region to leave alone; 0. */
  readonly from?: number;
  /** Number of sessions of the same parameters; 1. */
  readonly sessions?: number;
}

/** The id of a session, in halves. */
export interface SessionId {
  readonly low: number;
  readonly high: number;
}

/** The engines a choice stands for. */
export function enginesOf(choice: EngineChoice): readonly EngineName[] {
  return choice === "auto" ? ["libcrypto", "ipsec-mb", "noble"] : [choice];
}

/**
 * Creates sessions.
 *
 * @param core the device
 * @param operation what they are for
 * @param count how many
 * @returns their ids
 */
export function createSessions(
  core: DeviceCore,
  operation: Operation,
  count: number,
): SessionId[] {
  const parameters = sessionOf(operation);
  return Array.from({ length: count }, () => {
    const { status, low, high } = core.sessions.create(parameters, 0);
    if (status !== 0) {
      throw new Error(
        `Cannot create a session of ${operation.name}: status ${status}`,
      );
    }
    return { low, high };
  });
}

/** A device with one data queue, run by whoever offers it requests. */
export class LocalDevice {
  readonly core: DeviceCore;
  readonly queue: DataQueue;
  readonly load: Load;
  readonly sessions: readonly SessionId[];

  /**
   * @param operation what its requests ask for
   * @param options how it is made
   */
  constructor(operation: Operation, options: LocalDeviceOptions = {}) {
    const { engine = "auto", layout = "legacy", sessions = 1 } = options;
    this.core = new DeviceCore({
      queues: 1,
      engines: enginesOf(engine),
      maxSessions: Math.max(4096, sessions),
      ...options.device,
    }, () => {});
    this.sessions = createSessions(this.core, operation, sessions);
    const slots = options.slots ?? 64;
    const each = 2 * (operation.source.length + (options.align ?? 64));
    const memory = new LoadMemory(
      options.regions ?? [plainRegion(OVERHEAD + slots * (each + 1024))],
      options.from,
    );
    const parameters = sessionOf(operation);
    this.load = new Load(memory, operation, (slot) => {
      const { low, high } = this.sessions[slot % sessions]!;
      const id = BigInt(high) << 32n | BigInt(low);
      return requestOf(operation, parameters, id, layout);
    }, options);
    this.queue = new DataQueue(
      this.core.queueOptions(0),
      this.core.capabilities.engines,
      () => false,
    );
    this.queue.setMemory(memory.memory.regions);
    this.queue.start({
      ring: this.load.ring.setup,
      layout: this.core.layout(
        layout === "v15" ? V15_FEATURES : LEGACY_FEATURES,
        false,
      ),
    });
  }

  /**
   * Offers requests and serves them.
   *
   * @param count how many
   * @throws {Error} The device does not serve the ring
   */
  serve(count: number): void {
    const { queue } = this;
    const { ring } = this.load;
    ring.offer(count);
    do {
      // Of the same thread: what is not found now never will be.
      if (queue.run() === IDLE && !ring.isDone()) {
        throw queue.broken ??
          new Error("Cannot serve a ring that the device found empty");
      }
    } while (!ring.isDone());
  }

  /**
   * Serves every request once, and throws unless each has the right result.
   *
   * @param what named in the error
   */
  verify(what: string): void {
    this.load.clear();
    this.serve(this.load.slots);
    this.load.check(what);
  }

  /** Wipes its contexts. */
  close(): void {
    this.queue.close();
  }
}
