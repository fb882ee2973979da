/**
 * What the main thread and a data queue's worker say to each other.
 *
 * Commands and their acknowledgements are messages. A worker that sleeps or
 * serves gets none, so each command is also counted in shared memory, and the
 * worker is woken: it returns to its event loop when the count says that a
 * command is waiting.
 *
 * @module
 */

import type { EngineSource } from "../device/engine/definition.ts";
import type { LibraryChecks } from "../device/engine/library_checks.ts";
import type { MemoryRegion } from "../device/memory/guest_memory.ts";
import type {
  DataQueueOptions,
  QueueStart,
} from "../device/service/data_queue.ts";

/** Words of the control block, i32 each. */
export const Control = {
  /** Commands sent so far; main writes. */
  SENT: 0,
  /** Counts kicks and wakes of an in-process queue; the worker sleeps on it. */
  BELL: 1,
  /** Counts signals of an in-process queue; the driver sleeps on it. */
  SIGNAL: 2,
  /** Counts kicks of an in-process queue. */
  KICKS: 3,
  /** Number of words. */
  WORDS: 4,
} as const;

/** How a worker sleeps, is kicked and signals. */
export type DoorbellSetup =
  /** By eventfds: kick and call come with each start. */
  | { readonly kind: "eventfd"; readonly wakeFd: number }
  /** By Atomics on the control block. */
  | { readonly kind: "atomics" };

/** Everything a worker is made of. */
export interface WorkerSetup {
  /** Limits and shared parts of the queue. */
  readonly queue: DataQueueOptions;
  /** The engines, the preferred one first. */
  readonly engines: readonly EngineSource[];
  /** What libraries were found to compute right; left out: not tried yet. */
  readonly checks?: LibraryChecks;
  /** The control block. */
  readonly control: SharedArrayBuffer;
  /** How it sleeps. */
  readonly doorbell: DoorbellSetup;
  /** How long to look for work before sleeping, in microseconds. */
  readonly pollUs: number;
}

/** File descriptors of a queue whose doorbell is of eventfds; -1 for none. */
export interface QueueFds {
  /** Signalled by the driver. */
  readonly kick: number;
  /** Signalled by the device. */
  readonly call: number;
}

/** What main tells a worker. Each command is acknowledged. */
export type Command =
  /** Comes first. */
  | { readonly type: "open"; readonly setup: WorkerSetup }
  /** Serve in this memory from now on. */
  | { readonly type: "memory"; readonly regions: readonly MemoryRegion[] }
  /** Serve a ring. */
  | {
    readonly type: "start";
    readonly start: QueueStart;
    readonly fds: QueueFds;
  }
  /** Signal this descriptor from now on, and once at once. */
  | { readonly type: "call"; readonly call: number }
  /** Serve no more; the acknowledgement says where to go on. */
  | { readonly type: "stop" }
  /** Wipe everything and end. */
  | { readonly type: "close" };

/** A command as it is posted. */
export interface CommandMessage {
  /** Counts from 1. */
  readonly sequence: number;
  /** The command. */
  readonly command: Command;
}

/** What a worker tells main. */
export type Report =
  /** A command was carried out. */
  | {
    readonly type: "done";
    readonly sequence: number;
    /** For "stop": where to go on; undefined when nothing was served. */
    readonly state: number | undefined;
  }
  /** A command could not be carried out. */
  | {
    readonly type: "refused";
    readonly sequence: number;
    readonly reason: string;
  }
  /** The ring is broken and is served no more. */
  | { readonly type: "broken"; readonly reason: string };
