/**
 * A queue's round: take what the ring holds, decode it, run it on the engines
 * in groups, answer in ring order. A plain function of its parts: it knows
 * neither thread nor doorbell.
 *
 * @module
 */

import { type JobMemory, JobOutcome } from "../engine/engine.ts";
import type { GuestMemory } from "../memory/guest_memory.ts";
import { SegmentCursor, SegmentTable } from "../memory/segments.ts";
import type { ContextCache } from "../session/context_cache.ts";
import type { KeyCache } from "../session/key_cache.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_INVSESS,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
} from "../spec/constants.ts";
import { decodeDataRequest } from "../spec/data_decoder.ts";
import {
  DATA_FIXED_MAX,
  DATA_HEADER_SIZE,
  DataRequest,
} from "../spec/data_request.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import {
  type Chain,
  ChainFault,
  MAX_CHAIN_SEGMENTS,
  WALK_LIMIT,
} from "../virtqueue/chain.ts";
import { type DeviceRing, Take } from "../virtqueue/ring.ts";
import { type Capabilities, isSymmetricOperation } from "./capabilities.ts";
import { counterRow, UNKNOWN_ROW } from "./counter_rows.ts";
import type { QueueCounters } from "./counters.ts";
import { Entry, NO_STATUS_YET, statusOf } from "./entry.ts";
import { directionFits, prepareJob } from "./data_service.ts";
import { LIMIT } from "./request_log.ts";
import { JobGroups } from "./job_groups.ts";
import type { RequestLogWriter } from "./request_log_writer.ts";
import { StatelessOperation } from "./stateless.ts";
import { type StraightKind, StraightRequests } from "./straight_requests.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const { NONE: NO_FAULT, TOO_MANY_SEGMENTS } = ChainFault;
const { TAKEN } = Take;
const { PENDING: NOT_RUN, ABANDONED: JOB_ABANDONED } = JobOutcome;
const ERR = VIRTIO_CRYPTO_ERR;
const INVSESS = VIRTIO_CRYPTO_INVSESS;
const NOTSUPP = VIRTIO_CRYPTO_NOTSUPP;
const OK = VIRTIO_CRYPTO_OK;
const CIPHER = VIRTIO_CRYPTO_SERVICE_CIPHER;
const FIXED_MAX = DATA_FIXED_MAX;
const HEADER_SIZE = DATA_HEADER_SIZE;
const LOG_LIMIT = LIMIT;

/** Most requests of one round. */
export const ROUND_REQUESTS = 256;

/** Bytes after which a round takes no more; the first request may be larger. */
export const ROUND_BYTES = 4 * 1024 * 1024;

const PENDING = NO_STATUS_YET;
const MOST_REQUESTS = ROUND_REQUESTS;
const MOST_BYTES = ROUND_BYTES;

/** What a portable engine does in about a millisecond, in bytes. */
const PORTABLE_ROUND_BYTES = 64 * 1024;

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
  /** The device's throttle lets nothing be served yet. */
  THROTTLED: 5,
} as const;

/** The limits a device sets its data queues. */
export interface QueueLimits {
  /** Largest content of a request in bytes. */
  readonly maxSize: number;
}

/** The rounds of one queue, with all they need between calls. */
export class Round implements JobMemory {
  memory: GuestMemory;
  readonly segments = new SegmentTable(MAX_CHAIN_SEGMENTS);
  readonly #cursor: SegmentCursor;
  readonly #sessions: ContextCache;
  readonly #capabilities: Capabilities;
  readonly #limits: QueueLimits;
  readonly #counters: QueueCounters;
  readonly #stopping: () => boolean;
  readonly #log: RequestLogWriter | undefined;
  readonly #now: () => number;
  /** The log, in a round that somebody wants to know of. */
  #logging: RequestLogWriter | undefined;
  readonly #entries: Entry[] = [];
  #count = 0;
  readonly #request = new DataRequest();
  readonly #stateless: StatelessOperation;
  readonly #head = new Uint8Array(FIXED_MAX);
  readonly #headWords = new Uint32Array(this.#head.buffer);
  readonly #groups: JobGroups;
  /** What serves straight requests, where an engine can. */
  readonly #straight: StraightRequests | undefined;
  /**
   * When the last round ended, or a later time, 0 where it is not known; when
   * this one began, and how long it took, all in milliseconds.
   */
  readonly #clock = new Float64Array(3);
  #isBegun = false;
  /** Requests that the last round answered, and their bytes. */
  requests = 0;
  bytes = 0;

  /**
   * @param memory the guest's memory
   * @param sessions the thread's prepared sessions
   * @param keys its expanded keys for what runs in place, where an engine can
   * @param capabilities what the thread's engines serve
   * @param limits what a request may hold
   * @param counters where to count
   * @param stopping asked while a large request runs on a portable engine:
   * true gives it up, so that a stop is not kept waiting
   * @param log where requests are logged, if anywhere
   * @param now tells the time in milliseconds, as `performance.now()` does
   */
  constructor(
    memory: GuestMemory,
    sessions: ContextCache,
    keys: KeyCache<StraightKind> | undefined,
    capabilities: Capabilities,
    limits: QueueLimits,
    counters: QueueCounters,
    stopping: () => boolean,
    log?: RequestLogWriter,
    now: () => number = () => performance.now(),
  ) {
    this.memory = memory;
    this.#cursor = new SegmentCursor(memory, this.segments);
    this.#sessions = sessions;
    this.#capabilities = capabilities;
    this.#stateless = new StatelessOperation(capabilities);
    this.#limits = limits;
    this.#counters = counters;
    this.#stopping = stopping;
    this.#log = log;
    this.#now = now;
    this.#groups = new JobGroups(capabilities.runners);
    this.#straight = keys &&
      new StraightRequests(keys, counters, limits.maxSize);
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
   * Says what time it is, where the caller knows: a round begins then, or when
   * the last one ended.
   *
   * @param now milliseconds as of `performance.now()`; 0: it is to be asked
   */
  setClock(now: number): void {
    this.#clock[0] = now;
  }

  /** Says that the ring was just asked, and is not empty. */
  begin(): void {
    this.#isBegun = true;
  }

  /**
   * Serves what the ring holds, up to about a millisecond's work. A request
   * that is more has a round of its own.
   *
   * @param ring the queue's ring
   * @param layout the layout of its requests
   * @param most requests it may take, at most {@linkcode ROUND_REQUESTS}
   * @param mostBytes bytes after which it takes no more
   * @returns a value of {@linkcode RoundResult}
   */
  run(
    ring: DeviceRing,
    layout: RequestLayout,
    most: number = MOST_REQUESTS,
    mostBytes: number = MOST_BYTES,
  ): number {
    this.requests = 0;
    this.bytes = 0;
    if (this.#isBegun) {
      this.#isBegun = false;
    } else if (ring.isEmpty()) {
      this.#clock[0] = 0;
      return RoundResult.IDLE;
    }
    this.#clock[1] = this.#clock[0]! || this.#now();
    const log = this.#log;
    // Not a call, nor atomic: either is a hundredth of a request that is alone.
    if (
      most === MOST_REQUESTS && mostBytes === MOST_BYTES &&
      (log === undefined || (log.state[LOG_LIMIT]! - log.first | 0) <= 0)
    ) {
      // What is served so is good, and leaves nothing to log.
      this.#logging = undefined;
      if (this.#runStraight(ring, layout)) return this.#signal(ring);
    }
    this.#logging = log?.begin(layout, this.#counters.requests)
      ? log
      : undefined;
    this.#fill(ring, layout, most, mostBytes);
    const count = this.#count;
    if (count === 0) {
      return ring.broken === undefined ? RoundResult.IDLE : RoundResult.BROKEN;
    }
    // Answers come in ring order, so only a request that is alone in its round
    // can be given up without another's result being lost.
    const abandoned = count === 1 ? this.#stopping : never;
    this.#groups.run(this.#entries, this, abandoned);
    if (count === 1) {
      const { chain, job, status } = this.#entries[0]!;
      if (status === PENDING && job.outcome === JOB_ABANDONED) {
        this.#release(this.#entries[0]!);
        ring.untake(chain);
        return RoundResult.ABANDONED;
      }
    }
    for (let i = 0; i < count; i++) this.#answer(this.#entries[i]!, ring);
    // Before the driver sees them: who asks after a request finds it counted.
    this.#end();
    this.#logging?.publish(count, this.#clock[1]!, this.#clock[2]!);
    ring.publish();
    return this.#signal(ring);
  }

  /** Serves the straight requests that are next; false where there are none. */
  #runStraight(ring: DeviceRing, layout: RequestLayout): boolean {
    const straight = this.#straight;
    if (straight === undefined) return false;
    const count = straight.run(ring, layout, this.memory);
    if (count === 0) return false;
    this.requests = count;
    this.bytes = straight.bytes;
    if (count === 1) {
      // The clock is a tenth of a request that is alone: its driver waits.
      this.#counters.show();
      ring.publish();
      this.#end();
    } else {
      this.#end();
      ring.publish();
    }
    return true;
  }

  /** Counts the round, and keeps how long it took. */
  #end(): void {
    const clock = this.#clock;
    const now = this.#now();
    clock[0] = now;
    clock[2] = now - clock[1]!;
    this.#counters.round(clock);
  }

  /** Says whether the driver is to be told of what it was shown. */
  #signal(ring: DeviceRing): number {
    if (!ring.shouldSignal()) return RoundResult.WORKED;
    this.#counters.signal();
    return RoundResult.SIGNAL;
  }

  /**
   * Takes and decodes chains, up to about a millisecond's work. The first may
   * be any length.
   */
  #fill(
    ring: DeviceRing,
    layout: RequestLayout,
    most: number,
    mostBytes: number,
  ): void {
    const { segments } = this;
    segments.clear();
    this.#count = 0;
    let bytes = 0;
    let walked = 0;
    let work = 0;
    while (this.#count < most) {
      const index = this.#count;
      const entry = this.#entries[index] ??= new Entry(index);
      const { chain } = entry;
      if (ring.take(chain, segments) !== TAKEN) return;
      bytes += chain.readableLength + chain.writableLength;
      walked += chain.walked;
      let full = bytes > mostBytes || walked > WALK_LIMIT ||
        chain.fault === TOO_MANY_SEGMENTS;
      if (!full || index === 0) {
        entry.status = this.#judge(entry, layout);
        if (entry.status === OK) work += workOf(entry);
        full = work > 1;
      }
      if (full && index > 0) {
        // It opens the next round, with the whole table before it.
        this.#release(entry);
        ring.untake(chain);
        return;
      }
      if (entry.status === OK) {
        entry.status = PENDING;
        entry.job.outcome = NOT_RUN;
        this.#groups.add(this.#entries, index);
      }
      this.#count++;
    }
  }

  #judge(entry: Entry, layout: RequestLayout): number {
    const { chain } = entry;
    entry.row = UNKNOWN_ROW;
    if (chain.fault !== NO_FAULT) return ERR;
    const request = this.#request;
    const status = this.#decode(chain, layout, request);
    if (status !== OK) return status;
    return request.sessionMode
      ? this.#judgeSession(entry)
      : this.#judgeStateless(entry);
  }

  /**
   * Decodes header and fixed part, in place where the first segment holds them.
   * A header that is cut is copied and decoded from the copy alone.
   */
  #decode(chain: Chain, layout: RequestLayout, request: DataRequest): number {
    const { segments } = this;
    const { readableLength, readableFirst } = chain;
    const length = readableLength < FIXED_MAX ? readableLength : FIXED_MAX;
    if (length >= HEADER_SIZE) {
      const region = segments.region[readableFirst]!;
      const here = segments.length[readableFirst]!;
      const whole = here < length ? here : length;
      const at = this.memory.wordAt(
        region,
        segments.offset[readableFirst]!,
        whole,
      );
      if (at >= 0) {
        const words = this.memory.words[region]!;
        const status = decodeDataRequest(words, at, whole, layout, request);
        if (whole === length || status === OK) return status;
      }
    }
    this.#cursor.seek(readableFirst);
    this.#cursor.readWords(this.#headWords, this.#head, length);
    const status = decodeDataRequest(
      this.#headWords,
      0,
      length,
      layout,
      request,
    );
    // Behind a shorter fixed part come keys, where the request brings them.
    if (!request.sessionMode) this.#head.fill(0);
    return status;
  }

  #judgeSession(entry: Entry): number {
    const request = this.#request;
    const session = this.#sessions.get(request.sessionLow, request.sessionHigh);
    if (
      session === undefined || session.parameters.service !== request.service
    ) return INVSESS;
    const { parameters, context } = session;
    entry.row = counterRow(parameters);
    this.#logging?.session(entry.index, parameters);
    if (request.service === CIPHER) {
      if (!isSymmetricOperation(request.opType)) return NOTSUPP;
      if (request.opType !== parameters.opType) return ERR;
    }
    if (!directionFits(request.opcode, parameters.op)) return ERR;
    entry.job.context = context;
    return prepareJob(
      request,
      session,
      entry.chain,
      this.#limits.maxSize,
      this.#cursor,
      entry.job,
    );
  }

  #judgeStateless(entry: Entry): number {
    entry.row = counterRow(this.#request);
    const status = this.#stateless.judge(
      this.#request,
      entry.chain,
      this.#limits.maxSize,
      this.#cursor,
      entry.job,
    );
    if (status === OK) entry.own = entry.job.context;
    return status;
  }

  /** Lets go of a context, and wipes one that was the request's own. */
  #release(entry: Entry): void {
    entry.job.context = undefined;
    entry.own?.wipe();
    entry.own = undefined;
  }

  /** Writes the status behind the result, and returns the chain. */
  #answer(entry: Entry, ring: DeviceRing): void {
    const { chain, job } = entry;
    const ran = entry.status === PENDING;
    if (ran) entry.status = statusOf(job.outcome);
    this.#logging?.answer(
      entry.index,
      chain,
      entry.status,
      ran ? job.ranBy ?? this.#capabilities.engines[0]!.name : undefined,
      this.#cursor,
    );
    this.#release(entry);
    const bytes = this.memory.bytes[chain.lastWindow];
    if (bytes === undefined) {
      ring.put(chain, 0);
    } else {
      bytes[chain.lastOffset] = entry.status;
      ring.put(chain, chain.writableLength);
    }
    const length = chain.readableLength + chain.writableLength;
    this.requests++;
    this.bytes += length;
    this.#counters.request(entry.row, entry.status, length);
  }
}

/** How much of a round's time a request takes, by what its engine does in it. */
function workOf({ chain, job }: Entry): number {
  const bytes = chain.readableLength + chain.writableLength;
  return bytes / (job.context?.roundBytes ?? PORTABLE_ROUND_BYTES);
}

function never(): boolean {
  return false;
}
