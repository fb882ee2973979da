/**
 * What a queue counts, in shared memory: the queue's thread writes, anyone
 * reads. A number is written whole, so a reader sees no half of it.
 *
 * @module
 */

/** Number of latency buckets: bucket n holds rounds of less than 2^n µs. */
export const LATENCY_BUCKETS = 24;

const STATUSES = 6;
const REQUESTS = 0;
const BYTES = 1;
const ROUNDS = 2;
const SIGNALS = 3;
const KICKS = 4;
const STATUS = 5;
const LATENCY = STATUS + STATUSES;
const FIELDS = LATENCY + LATENCY_BUCKETS;

/** A queue's counters at one moment. */
export interface QueueStatistics {
  /** Requests answered. */
  readonly requests: number;
  /** Bytes of their readable and writable parts. */
  readonly bytes: number;
  /** Rounds that answered any. */
  readonly rounds: number;
  /** Signals sent to the driver. */
  readonly signals: number;
  /** Times the queue was woken by the driver. */
  readonly kicks: number;
  /** Requests by status, VIRTIO_CRYPTO_OK to VIRTIO_CRYPTO_NOSPC. */
  readonly statuses: readonly number[];
  /** Requests by the time their round took: bucket n is below 2^n µs. */
  readonly latency: readonly number[];
}

/** The counters of one queue. */
export class QueueCounters {
  /** The memory they are in. */
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array<SharedArrayBuffer>;

  /** @param buffer the memory of counters that exist; left out: new ones */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(FIELDS * 8);
    this.#values = new Float64Array(this.buffer);
  }

  /** Counts an answered request. */
  request(status: number, bytes: number): void {
    this.#values[REQUESTS]! += 1;
    this.#values[BYTES]! += bytes;
    if (status < STATUSES) this.#values[STATUS + status]! += 1;
  }

  /** Counts requests that were answered with VIRTIO_CRYPTO_OK. */
  served(count: number, bytes: number): void {
    this.#values[REQUESTS]! += count;
    this.#values[BYTES]! += bytes;
    this.#values[STATUS]! += count;
  }

  /** Counts a round that answered some requests. */
  round(requests: number, milliseconds: number): void {
    this.#values[ROUNDS]! += 1;
    const bits = 32 - Math.clz32(milliseconds * 1000);
    const bucket = bits < LATENCY_BUCKETS ? bits : LATENCY_BUCKETS - 1;
    this.#values[LATENCY + bucket]! += requests;
  }

  /** Counts a signal. */
  signal(): void {
    this.#values[SIGNALS]! += 1;
  }

  /** Counts a kick. */
  kick(): void {
    this.#values[KICKS]! += 1;
  }

  /** The counters as they are now. */
  read(): QueueStatistics {
    const v = this.#values;
    return {
      requests: v[REQUESTS]!,
      bytes: v[BYTES]!,
      rounds: v[ROUNDS]!,
      signals: v[SIGNALS]!,
      kicks: v[KICKS]!,
      statuses: [...v.subarray(STATUS, STATUS + STATUSES)],
      latency: [...v.subarray(LATENCY, LATENCY + LATENCY_BUCKETS)],
    };
  }
}
