/**
 * One data queue: its ring, its memory, its sessions' contexts and its rounds.
 * Whoever serves it, a worker or the caller's own thread, drives it through
 * this.
 *
 * @module
 */

import type { Engine, Runner } from "../engine/engine.ts";
import { GuestMemory, type MemoryRegion } from "../memory/guest_memory.ts";
import { ContextCache } from "../session/context_cache.ts";
import { KeyCache } from "../session/key_cache.ts";
import { SessionTable } from "../session/table.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import { openRing } from "../virtqueue/open_ring.ts";
import type { DeviceRing, RingSetup } from "../virtqueue/ring.ts";
import { Capabilities } from "./capabilities.ts";
import { QueueCounters } from "./counters.ts";
import { RequestLogWriter } from "./request_log_writer.ts";
import {
  type QueueLimits,
  Round,
  ROUND_BYTES,
  ROUND_REQUESTS,
  RoundResult,
} from "./round.ts";
import { type StraightKind, straightKind } from "./straight_requests.ts";
import {
  Throttle,
  type ThrottleClock,
  type ThrottleSetup,
} from "./throttle.ts";

/** What a data queue is made of. Plain data: it crosses threads. */
export interface DataQueueOptions extends QueueLimits {
  /** The device's session table. */
  readonly sessions: SharedArrayBuffer;
  /** The queue's counters. */
  readonly counters: SharedArrayBuffer;
  /**
   * One i32: the state of the ring after the last round, which survives the
   * thread that serves it. The ring itself tells it only where it is split.
   */
  readonly position: SharedArrayBuffer;
  /** The log of its requests; none when left out. */
  readonly log?: SharedArrayBuffer | undefined;
  /** The services to offer, one bit each. */
  readonly services: number;
  /** Most prepared sessions to keep. */
  readonly maxContexts: number;
  /** The device's throttle; undefined where it has no limits. */
  readonly throttle?: ThrottleSetup | undefined;
}

/** How a data queue starts. Plain data: it crosses threads. */
export interface QueueStart {
  /** The ring. */
  readonly ring: RingSetup;
  /** The layout of its requests. */
  readonly layout: RequestLayout;
}

/** What a queue goes by; left out is `performance.now()`. */
export interface QueueClocks {
  /** The throttle's ticks. */
  readonly throttle?: ThrottleClock;
  /** Tells the time in milliseconds, as `performance.now()` does. */
  readonly now?: () => number;
}

/** A data queue, served by one thread. */
export class DataQueue {
  readonly counters: QueueCounters;
  readonly #runners: readonly Runner[];
  readonly #sessions: ContextCache;
  readonly #keys: KeyCache<StraightKind> | undefined;
  readonly #round: Round;
  #memory = new GuestMemory([]);
  readonly #throttle: Throttle | undefined;
  readonly #position: Int32Array<SharedArrayBuffer>;
  #ring: DeviceRing | undefined;
  #start: QueueStart | undefined;
  /** Whether the last round, which found nothing, was a moment ago. */
  #isSwept = false;

  /**
   * @param options limits and shared parts
   * @param engines the thread's engines
   * @param stopping asked while a large request runs: true gives it up
   * @param clocks other clocks than the thread's own
   */
  constructor(
    options: DataQueueOptions,
    engines: readonly Engine[],
    stopping: () => boolean,
    { throttle, now }: QueueClocks = {},
  ) {
    this.counters = new QueueCounters(options.counters);
    this.#throttle = options.throttle &&
      new Throttle(options.throttle, throttle);
    this.#position = new Int32Array(options.position);
    const capabilities = new Capabilities(engines, options.services);
    this.#runners = capabilities.runners;
    const table = new SessionTable(options.sessions);
    this.#sessions = new ContextCache(
      table,
      // A round's requests may all be of different sessions, and none of their
      // contexts may go while it runs.
      Math.max(options.maxContexts, ROUND_REQUESTS),
      (parameters, key) => capabilities.prepare(parameters, key),
    );
    this.#keys = engines.some((engine) => engine.inPlace !== undefined)
      ? new KeyCache(
        table,
        (parameters) => straightKind(parameters, capabilities),
      )
      : undefined;
    this.#round = new Round(
      this.#memory,
      this.#sessions,
      this.#keys,
      capabilities,
      options,
      this.counters,
      stopping,
      options.log &&
        new RequestLogWriter(options.log, capabilities.engineNames),
      now,
    );
  }

  /** Whether a ring is being served. */
  get running(): boolean {
    return this.#ring !== undefined;
  }

  /** Number of prepared sessions held. */
  get contexts(): number {
    return this.#sessions.size;
  }

  /** Bytes of the expanded keys held for requests that run in place. */
  get keyBytes(): number {
    return this.#keys === undefined ? 0 : this.#keys.bytes;
  }

  /**
   * Changes the guest's memory. A ring that is being served goes on in the new
   * memory, where it was.
   *
   * @param regions the new memory
   * @throws {RingError} The ring is not in the new memory; the queue stops
   */
  setMemory(regions: readonly MemoryRegion[]): void {
    const state = this.#ring?.state;
    this.#ring = undefined;
    this.#memory = new GuestMemory(regions);
    this.#round.setMemory(this.#memory);
    if (this.#start === undefined || state === undefined) return;
    const { ring, layout } = this.#start;
    this.start({ ring: { ...ring, state }, layout });
  }

  /**
   * Starts serving a ring.
   *
   * @param start the ring and the layout of its requests
   * @throws {RingError} The ring cannot be served as it is set up
   */
  start(start: QueueStart): void {
    this.#ring = openRing(this.#memory, start.ring);
    this.#round.setClock(0);
    this.#start = start;
    this.#ring.storeState(this.#position);
  }

  /**
   * Stops serving.
   *
   * @returns where to go on, as GET_VRING_BASE has it; undefined when the
   * queue was not running
   */
  stop(): number | undefined {
    const state = this.#ring?.state;
    this.#ring = undefined;
    this.#start = undefined;
    return state;
  }

  /**
   * Looks whether the ring has something, again and again: closer than rounds
   * would. To be called after a round that found nothing.
   *
   * @param now the time, as of `performance.now()`
   * @param times how often at most
   * @returns true when there is
   */
  watch(now: number, times: number): boolean {
    this.#round.setClock(now);
    const ring = this.#ring;
    if (ring === undefined) return false;
    for (let i = 0; i < times; i++) {
      if (ring.isEmpty()) continue;
      this.#round.begin();
      return this.#isSwept = true;
    }
    return false;
  }

  /**
   * Serves one round.
   *
   * @returns a value of {@linkcode RoundResult}
   */
  run(): number {
    if (this.#isSwept) this.#isSwept = false;
    else this.sweep();
    if (this.#ring === undefined || this.#start === undefined) {
      return RoundResult.IDLE;
    }
    const result = this.#throttle === undefined
      ? this.#round.run(this.#ring, this.#start.layout)
      : this.#runThrottled(this.#throttle, this.#ring, this.#start.layout);
    if (result !== RoundResult.IDLE) {
      this.#ring.storeState(this.#position);
    }
    return result;
  }

  /**
   * How long to rest after a round that was throttled: its requests stay in
   * the ring. Kicks need not end the rest; commands and ended sessions must.
   *
   * @returns milliseconds, 1 to 1000
   */
  rest(): number {
    this.#round.setClock(0);
    for (const runner of this.#runners) runner.wipe();
    return this.#throttle?.restMs ?? 1;
  }

  #runThrottled(
    throttle: Throttle,
    ring: DeviceRing,
    layout: RequestLayout,
  ): number {
    if (!throttle.take(ROUND_REQUESTS, ROUND_BYTES)) {
      return RoundResult.THROTTLED;
    }
    const round = this.#round;
    const result = round.run(ring, layout, throttle.ops, throttle.bytes);
    throttle.settle(round.requests, round.bytes);
    return result;
  }

  /** What broke the ring, if something did. */
  get broken(): Error | undefined {
    return this.#ring?.broken;
  }

  /** Asks the driver not to kick while the queue is looking anyway. */
  disarm(): void {
    this.#round.setClock(0);
    this.#ring?.disarm();
  }

  /**
   * Gets ready to sleep: contexts of ended sessions are wiped, and so is what
   * the engines kept of data; then the driver is asked to kick.
   *
   * @returns true when more came meanwhile, and it should not sleep
   */
  arm(): boolean {
    for (const runner of this.#runners) runner.wipe();
    return this.#ring !== undefined && this.#ring.broken === undefined &&
      this.#ring.arm();
  }

  /** Wipes contexts and keys of sessions that ended. */
  sweep(): void {
    if (this.#sessions.sweep()) this.#keys?.sweep();
  }

  /** Stops, and wipes all contexts. */
  close(): void {
    this.stop();
    this.#sessions.clear();
    this.#keys?.clear();
    for (const runner of this.#runners) runner.wipe();
  }
}
