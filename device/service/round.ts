/**
 * A queue's round: take what the ring holds, decode it, run it on the engines
 * in groups, answer in ring order. A plain function of its parts: it knows
 * neither thread nor doorbell.
 *
 * @module
 */

import {
  type Engine,
  Job,
  type JobMemory,
  JobOutcome,
} from "../engine/engine.ts";
import type { GuestMemory } from "../memory/guest_memory.ts";
import { SegmentCursor, SegmentTable } from "../memory/segments.ts";
import type { ContextCache } from "../session/context_cache.ts";
import {
  VIRTIO_CRYPTO_BADMSG,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_INVSESS,
  VIRTIO_CRYPTO_OK,
} from "../spec/constants.ts";
import { DATA_FIXED_MAX, DataRequest } from "../spec/data_request.ts";
import { type DataLayout, decodeDataRequest } from "../spec/data_layout.ts";
import { Chain, ChainFault } from "../virtqueue/chain.ts";
import { type DeviceRing, Take } from "../virtqueue/ring.ts";
import type { QueueCounters } from "./counters.ts";
import { prepareJob } from "./data_service.ts";

/** Most requests of one round. */
export const ROUND_REQUESTS = 256;

/**
 * Bytes after which a round takes no more: about a millisecond of work for a
 * portable engine. A request that is larger has a round of its own.
 */
const ROUND_BYTES = 64 * 1024;

/**
 * Most segments of one round: the longest direct chain, and a reserve for
 * buffers that run over regions.
 */
const ROUND_SEGMENTS = 32768 + 4096;

/** No status yet: an engine will give it. */
const PENDING = -1;

/** What a round did. */
export const RoundResult = {
  /** There was nothing to do. */
  IDLE: 0,
  /** Requests were answered. */
  WORKED: 1,
  /** Requests were answered, and the driver wants to be told. */
  SIGNAL: 2,
  /** The ring is broken and serves no more. */
  BROKEN: 3,
  /** The one request of the round was given up for a stop. */
  ABANDONED: 4,
} as const;

/** One request of a round. */
class Entry {
  readonly chain = new Chain();
  readonly job = new Job();
  /** VIRTIO_CRYPTO_*, or PENDING. */
  status = PENDING;
  /** Next entry of the same group, or -1. */
  next = -1;
}

/** The limits a device sets its data queues. */
export interface QueueLimits {
  /** Largest content of a request in bytes. */
  readonly maxSize: number;
}

/** The rounds of one queue, with all they need between calls. */
export class Round implements JobMemory {
  memory: GuestMemory;
  readonly segments = new SegmentTable(ROUND_SEGMENTS);
  readonly #cursor: SegmentCursor;
  readonly #sessions: ContextCache;
  readonly #engines: readonly Engine[];
  readonly #limits: QueueLimits;
  readonly #counters: QueueCounters;
  readonly #stopping: () => boolean;
  readonly #entries: Entry[] = [];
  #count = 0;
  readonly #request = new DataRequest();
  readonly #head = new Uint8Array(DATA_FIXED_MAX);
  readonly #headView = new DataView(this.#head.buffer);
  /** First and last entry of each group, groups numbered over all engines. */
  readonly #groupFirst: Int16Array;
  readonly #groupLast: Int16Array;
  /** The groups that occur in the round, in the order of their first entry. */
  readonly #groups: Int16Array;
  #groupCount = 0;
  readonly #jobs: Job[] = [];

  /**
   * @param memory the guest's memory
   * @param sessions the thread's prepared sessions
   * @param engines the engines the sessions' contexts come from
   * @param limits what a request may hold
   * @param counters where to count
   * @param stopping asked while a large request runs on a portable engine:
   * true gives it up, so that a stop is not kept waiting
   */
  constructor(
    memory: GuestMemory,
    sessions: ContextCache,
    engines: readonly Engine[],
    limits: QueueLimits,
    counters: QueueCounters,
    stopping: () => boolean,
  ) {
    this.memory = memory;
    this.#cursor = new SegmentCursor(memory, this.segments);
    this.#sessions = sessions;
    this.#engines = engines;
    this.#limits = limits;
    this.#counters = counters;
    this.#stopping = stopping;
    const groups = engines.reduce((sum, engine) => sum + engine.groups, 0);
    this.#groupFirst = new Int16Array(groups).fill(-1);
    this.#groupLast = new Int16Array(groups).fill(-1);
    this.#groups = new Int16Array(groups);
  }

  /**
   * Changes the guest's memory, between rounds.
   *
   * @param memory the new memory
   */
  setMemory(memory: GuestMemory): void {
    this.memory = memory;
    this.#cursor.memory = memory;
  }

  /**
   * Serves what the ring holds, up to about a millisecond's work.
   *
   * @param ring the queue's ring
   * @param layout the layout of its requests
   * @returns a value of {@linkcode RoundResult}
   */
  run(ring: DeviceRing, layout: DataLayout): number {
    const started = performance.now();
    const broken = !this.#take(ring);
    const count = this.#count;
    if (count === 0) return broken ? RoundResult.BROKEN : RoundResult.IDLE;
    for (let i = 0; i < count; i++) this.#decode(i, layout);
    this.#runGroups();
    if (count === 1) {
      const { chain, job, status } = this.#entries[0]!;
      if (status === PENDING && job.outcome === JobOutcome.ABANDONED) {
        ring.untake(chain);
        return RoundResult.ABANDONED;
      }
    }
    for (let i = 0; i < count; i++) this.#answer(this.#entries[i]!, ring);
    ring.publish();
    this.#counters.round(count, performance.now() - started);
    if (!ring.shouldSignal()) return RoundResult.WORKED;
    this.#counters.signal();
    return RoundResult.SIGNAL;
  }

  /** Fills the round with chains; false when the ring turned out broken. */
  #take(ring: DeviceRing): boolean {
    const { segments } = this;
    segments.clear();
    this.#count = 0;
    let bytes = 0;
    while (this.#count < ROUND_REQUESTS) {
      const entry = this.#entries[this.#count] ??= new Entry();
      const { chain } = entry;
      const taken = ring.take(chain, segments);
      if (taken !== Take.TAKEN) return taken !== Take.BROKEN;
      bytes += chain.readableLength + chain.writableLength;
      const full = bytes > ROUND_BYTES ||
        chain.fault === ChainFault.TOO_MANY_SEGMENTS;
      if (full && this.#count > 0) {
        // It opens the next round, with the whole table before it.
        ring.untake(chain);
        return true;
      }
      this.#count++;
    }
    return true;
  }

  /** Gives an entry its status, or puts it into its group. */
  #decode(index: number, layout: DataLayout): void {
    const entry = this.#entries[index]!;
    entry.status = this.#judge(entry, layout);
    if (entry.status !== VIRTIO_CRYPTO_OK) return;
    entry.status = PENDING;
    entry.next = -1;
    entry.job.outcome = JobOutcome.PENDING;
    const group = this.#groupOf(entry.job);
    const last = this.#groupLast[group]!;
    if (last < 0) {
      this.#groupFirst[group] = index;
      this.#groups[this.#groupCount++] = group;
    } else {
      this.#entries[last]!.next = index;
    }
    this.#groupLast[group] = index;
  }

  #judge(entry: Entry, layout: DataLayout): number {
    const { chain } = entry;
    if (chain.fault !== ChainFault.NONE) return VIRTIO_CRYPTO_ERR;
    const request = this.#request;
    const length = Math.min(chain.readableLength, DATA_FIXED_MAX);
    this.#cursor.seek(chain.readableFirst);
    this.#cursor.read(this.#head, 0, length);
    const status = decodeDataRequest(this.#headView, length, layout, request);
    if (status !== VIRTIO_CRYPTO_OK) return status;
    const session = this.#sessions.get(request.sessionLow, request.sessionHigh);
    if (session === undefined || session.service !== request.service) {
      return VIRTIO_CRYPTO_INVSESS;
    }
    return prepareJob(
      request,
      session,
      chain,
      this.#limits.maxSize,
      this.#cursor,
      entry.job,
    );
  }

  #groupOf(job: Job): number {
    const { engine, group } = job.context!;
    let base = 0;
    for (const candidate of this.#engines) {
      if (candidate === engine) break;
      base += candidate.groups;
    }
    return base + group;
  }

  #runGroups(): void {
    const single = this.#count === 1;
    for (let g = 0; g < this.#groupCount; g++) {
      const group = this.#groups[g]!;
      let count = 0;
      for (
        let i = this.#groupFirst[group]!;
        i >= 0;
        i = this.#entries[i]!.next
      ) this.#jobs[count++] = this.#entries[i]!.job;
      this.#groupFirst[group] = -1;
      this.#groupLast[group] = -1;
      const { engine } = this.#jobs[0]!.context!;
      // Answers come in ring order, so only a request that is alone in its
      // round can be given up without another's result being lost.
      engine.run(this.#jobs, count, this, single ? this.#stopping : never);
    }
    this.#groupCount = 0;
  }

  /** Writes the status behind the result, and returns the chain. */
  #answer(entry: Entry, ring: DeviceRing): void {
    const { chain, job } = entry;
    if (entry.status === PENDING) entry.status = statusOf(job.outcome);
    job.context = undefined;
    const bytes = this.memory.bytes[chain.lastRegion];
    if (bytes === undefined) {
      ring.put(chain, 0);
    } else {
      bytes[chain.lastOffset] = entry.status;
      ring.put(chain, chain.writableLength);
    }
    this.#counters.request(
      entry.status,
      chain.readableLength + chain.writableLength,
    );
  }
}

function never(): boolean {
  return false;
}

function statusOf(outcome: number): number {
  switch (outcome) {
    case JobOutcome.DONE:
      return VIRTIO_CRYPTO_OK;
    case JobOutcome.BAD_TAG:
      return VIRTIO_CRYPTO_BADMSG;
    default:
      return VIRTIO_CRYPTO_ERR;
  }
}
