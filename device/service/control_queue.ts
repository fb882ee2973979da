/**
 * The control queue: sessions are created and destroyed here. Main thread
 * only.
 *
 * @module
 */

import { GuestMemory, type MemoryRegion } from "../memory/guest_memory.ts";
import { SegmentCursor, SegmentTable } from "../memory/segments.ts";
import { VIRTIO_CRYPTO_ERR, VIRTIO_CRYPTO_OK } from "../spec/constants.ts";
import {
  CONTROL_REQUEST_MAX,
  CREATE_ANSWER_SIZE,
  decodeControlRequest,
  encodeCreateAnswer,
  encodeDestroyAnswer,
} from "../spec/control_request.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import {
  Chain,
  ChainFault,
  MAX_CHAIN_SEGMENTS,
  WALK_LIMIT,
} from "../virtqueue/chain.ts";
import { openRing } from "../virtqueue/open_ring.ts";
import { type DeviceRing, type RingSetup, Take } from "../virtqueue/ring.ts";
import { UNKNOWN_ROW } from "./counter_rows.ts";
import { QueueCounters } from "./counters.ts";
import { RoundResult } from "./round.ts";
import type { SessionService } from "./session_service.ts";

/** Most requests served before the main thread looks at other things. */
const ROUND_REQUESTS = 64;

/** The control queue of a device. */
export class ControlQueue {
  /** What it counts; of no algorithm. */
  readonly counters = new QueueCounters();
  readonly #sessions: SessionService;
  readonly #chain = new Chain();
  readonly #segments = new SegmentTable(MAX_CHAIN_SEGMENTS);
  readonly #request = new Uint8Array(CONTROL_REQUEST_MAX + 1);
  readonly #answer = new DataView(new ArrayBuffer(CREATE_ANSWER_SIZE));
  readonly #answerBytes = new Uint8Array(this.#answer.buffer);
  /** Of the answer that was written last. */
  #status = VIRTIO_CRYPTO_ERR;
  #memory = new GuestMemory([]);
  #cursor = new SegmentCursor(this.#memory, this.#segments);
  #ring: DeviceRing | undefined;
  #start: { setup: RingSetup; layout: RequestLayout } | undefined;

  /** @param sessions the device's sessions */
  constructor(sessions: SessionService) {
    this.#sessions = sessions;
  }

  /** Whether a ring is being served. */
  get running(): boolean {
    return this.#ring !== undefined;
  }

  /** Where the ring stands, as GET_VRING_BASE has it. */
  get position(): number | undefined {
    return this.#ring?.state;
  }

  /** What broke the ring, if something did. */
  get broken(): Error | undefined {
    return this.#ring?.broken;
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
    this.#cursor = new SegmentCursor(this.#memory, this.#segments);
    if (this.#start === undefined || state === undefined) return;
    const { setup, layout } = this.#start;
    this.start({ ...setup, state }, layout);
  }

  /**
   * Starts serving a ring.
   *
   * @param setup the ring
   * @param layout the layout of its requests
   * @throws {RingError} The ring cannot be served as it is set up
   */
  start(setup: RingSetup, layout: RequestLayout): void {
    this.#ring = openRing(this.#memory, setup);
    this.#start = { setup, layout };
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
   * Serves what the ring holds, some requests at most.
   *
   * @returns a value of {@linkcode RoundResult}
   */
  run(): number {
    const ring = this.#ring;
    const start = this.#start;
    if (ring === undefined || start === undefined) return RoundResult.IDLE;
    const started = performance.now();
    let count = 0;
    let walked = 0;
    while (count < ROUND_REQUESTS && walked <= WALK_LIMIT) {
      this.#segments.clear();
      const taken = ring.take(this.#chain, this.#segments);
      if (taken === Take.BROKEN && count === 0) return RoundResult.BROKEN;
      if (taken !== Take.TAKEN) break;
      this.#status = VIRTIO_CRYPTO_ERR;
      ring.put(this.#chain, this.#serve(start.layout));
      const { readableLength, writableLength } = this.#chain;
      this.counters.request(
        UNKNOWN_ROW,
        this.#status,
        readableLength + writableLength,
      );
      walked += this.#chain.walked;
      count++;
    }
    if (count === 0) return RoundResult.IDLE;
    this.counters.round(Float64Array.of(performance.now() - started));
    ring.publish();
    if (!ring.shouldSignal()) return RoundResult.WORKED;
    this.counters.signal();
    return RoundResult.SIGNAL;
  }

  /**
   * Asks the driver to kick.
   *
   * @returns true when more came meanwhile
   */
  arm(): boolean {
    return this.#ring !== undefined && this.#ring.broken === undefined &&
      this.#ring.arm();
  }

  /** Serves the chain; returns the length of what it wrote. */
  #serve(layout: RequestLayout): number {
    const chain = this.#chain;
    // Without a place for the smallest answer nothing is done at all.
    if (chain.lastWindow < 0) return 0;
    if (chain.fault !== ChainFault.NONE) return this.#refuse();
    // One byte more than the longest is enough to see that it is too long.
    const length = Math.min(chain.readableLength, CONTROL_REQUEST_MAX + 1);
    const bytes = this.#request.subarray(0, length);
    this.#cursor.seek(chain.readableFirst);
    this.#cursor.read(bytes, 0, bytes.length);
    try {
      return this.#decide(bytes, layout);
    } finally {
      bytes.fill(0);
    }
  }

  #decide(bytes: Uint8Array<ArrayBuffer>, layout: RequestLayout): number {
    const request = decodeControlRequest(bytes, layout);
    switch (request.kind) {
      case "refused":
        if (request.answer === "create") return this.#created(request.status);
        if (request.answer === "destroy") {
          return this.#destroyed(request.status);
        }
        return this.#either(request.status);
      case "destroy":
        return this.#destroyed(
          this.#sessions.destroy(
            request.sessionLow,
            request.sessionHigh,
            request.service,
          ),
        );
      case "create": {
        // No session without a place for its id.
        if (this.#chain.writableLength < CREATE_ANSWER_SIZE) return 0;
        const status = this.#sessions.check(request.parameters);
        if (status !== VIRTIO_CRYPTO_OK) return this.#created(status);
        if (!request.lengthFits) return this.#created(VIRTIO_CRYPTO_ERR);
        const made = this.#sessions.create(
          request.parameters,
          request.queueId,
          layout.kind === "revision1",
        );
        return this.#created(made.status, made.low, made.high);
      }
    }
  }

  #created(status: number, low = 0, high = 0): number {
    if (this.#chain.writableLength < CREATE_ANSWER_SIZE) return 0;
    this.#status = status;
    return this.#write(encodeCreateAnswer(this.#answer, low, high, status));
  }

  #destroyed(status: number): number {
    this.#status = status;
    const writable = this.#chain.writableLength;
    return this.#write(encodeDestroyAnswer(this.#answer, writable, status));
  }

  #either(status: number): number {
    return this.#chain.writableLength >= CREATE_ANSWER_SIZE
      ? this.#created(status)
      : this.#destroyed(status);
  }

  #write(length: number): number {
    this.#cursor.seek(this.#chain.writableFirst);
    this.#cursor.write(this.#answerBytes, 0, length);
    return length;
  }

  /** Answers a chain that is broken: only what is sure to be in memory. */
  #refuse(): number {
    const chain = this.#chain;
    const { length } = this.#segments;
    let mapped = 0;
    for (let i = chain.writableFirst; i < chain.end; i++) mapped += length[i]!;
    if (mapped === 0) return 0;
    if (mapped !== chain.writableLength) {
      // The last segment is whole; the answer takes the form that fits it.
      chain.writableFirst = chain.end - 1;
      chain.writableLength = length[chain.writableFirst]!;
    }
    return this.#either(VIRTIO_CRYPTO_ERR);
  }
}
