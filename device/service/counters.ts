/**
 * What a queue counts, in shared memory: the queue's thread writes, anyone
 * reads. A number is written whole, so a reader sees no half of it.
 *
 * Requests are added up in the writer's own memory, and go into the shared one
 * once a round: a round's requests are mostly of one algorithm and status.
 *
 * @module
 */

import { COUNTER_ROWS, rowLabels } from "./counter_rows.ts";

/** Number of latency buckets: bucket n holds rounds of less than 2^n µs. */
export const LATENCY_BUCKETS = 24;

const STATUSES = 6;

// The head, then the rows; fields are f64.
const REQUESTS = 0;
const ROUNDS = 1;
const SIGNALS = 2;
const KICKS = 3;
// An i32: 1 while answers are shown that are not counted yet.
const UNCOUNTED = 4;
const HEAD = 5;

// Fields of a row.
const BYTES = 0;
const MILLISECONDS = 1;
const STATUS = 2;
const LATENCY = STATUS + STATUSES;
const ROW = LATENCY + LATENCY_BUCKETS;

/** How long a reader waits for what is being counted, in milliseconds. */
const PATIENCE = 5;

/** What was counted of some requests. */
export interface RequestStatistics {
  /** Requests answered. */
  readonly requests: number;
  /** Bytes of their readable and writable parts. */
  readonly bytes: number;
  /** Requests by status, VIRTIO_CRYPTO_OK to VIRTIO_CRYPTO_NOSPC. */
  readonly statuses: readonly number[];
  /** Requests by the time their round took: bucket n is below 2^n µs. */
  readonly latency: readonly number[];
  /** The sum of those times in milliseconds. */
  readonly milliseconds: number;
}

/** What was counted of one algorithm, or of one chain of two. */
export interface AlgorithmStatistics extends RequestStatistics {
  /** "CIPHER", "HASH", "MAC" or "AEAD"; null for requests of none. */
  readonly service: string | null;
  /**
   * The algorithm's name; of a chain both, the cipher's first, as in
   * aes-cbc+hmac-sha256; null for requests of none.
   */
  readonly algorithm: string | null;
}

/** A queue's counters at one moment. */
export interface QueueStatistics extends RequestStatistics {
  /** Rounds that answered any. */
  readonly rounds: number;
  /** Signals sent to the driver. */
  readonly signals: number;
  /** Times the queue was woken by the driver. */
  readonly kicks: number;
  /** The same by algorithm; only those that had requests. */
  readonly algorithms: readonly AlgorithmStatistics[];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

/** The counters of one queue. */
export class QueueCounters {
  /** The memory they are in. */
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array<SharedArrayBuffer>;
  readonly #flags: Int32Array<SharedArrayBuffer>;
  // What the round that runs has counted, by row and status.
  readonly #requests = new Uint32Array(COUNTER_ROWS * STATUSES);
  readonly #bytes = new Float64Array(COUNTER_ROWS * STATUSES);
  /** Those that are not 0. */
  readonly #touched = new Uint16Array(COUNTER_ROWS * STATUSES);
  #touchedCount = 0;
  /** The rows that count anything, as the last reading found them. */
  #rows: readonly number[] = [];
  /** The requests of which those rows are all; -1 where that is not known. */
  #rowsOf = 0;

  /** @param buffer the memory of counters that exist; left out: new ones */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ??
      new SharedArrayBuffer((HEAD + COUNTER_ROWS * ROW) * 8);
    this.#values = new Float64Array(this.buffer);
    this.#flags = new Int32Array(this.buffer);
  }

  /** Requests answered so far. */
  get requests(): number {
    return this.#values[REQUESTS]!;
  }

  /**
   * Counts requests that were all answered with VIRTIO_CRYPTO_OK;
   * {@linkcode round} shows them.
   *
   * @param row what {@linkcode counterRow} gave
   * @param count how many
   * @param bytes of their readable and writable parts
   */
  served(row: number, count: number, bytes: number): void {
    const at = row * STATUSES;
    if (this.#requests[at] === 0) this.#touched[this.#touchedCount++] = at;
    this.#requests[at]! += count;
    this.#bytes[at]! += bytes;
  }

  /**
   * Counts an answered request; {@linkcode round} shows it.
   *
   * @param row what {@linkcode counterRow} gave
   * @param status VIRTIO_CRYPTO_*
   * @param bytes of its readable and writable part
   */
  request(row: number, status: number, bytes: number): void {
    const at = row * STATUSES + status;
    if (this.#requests[at]!++ === 0) this.#touched[this.#touchedCount++] = at;
    this.#bytes[at]! += bytes;
  }

  /**
   * Says that answers will be shown before they are counted: until
   * {@linkcode round} has counted them, readers wait.
   */
  show(): void {
    // Seen before the answers are: those are shown by an atomic store.
    this.#flags[2 * UNCOUNTED] = 1;
  }

  /**
   * Counts a round and the requests that it answered.
   *
   * @param took holds how long it took in milliseconds, as its last element: as
   * an argument a number were garbage
   */
  round(took: Float64Array): void {
    const milliseconds = took[took.length - 1]!;
    const values = this.#values;
    const bits = 32 - Math.clz32(milliseconds * 1000);
    const bucket = bits < LATENCY_BUCKETS ? bits : LATENCY_BUCKETS - 1;
    for (let i = 0; i < this.#touchedCount; i++) {
      const at = this.#touched[i]!;
      const requests = this.#requests[at]!;
      const status = at % STATUSES;
      const row = HEAD + (at - status) / STATUSES * ROW;
      values[REQUESTS]! += requests;
      values[row + BYTES]! += this.#bytes[at]!;
      values[row + MILLISECONDS]! += requests * milliseconds;
      values[row + STATUS + status]! += requests;
      values[row + LATENCY + bucket]! += requests;
      this.#requests[at] = 0;
      this.#bytes[at] = 0;
    }
    this.#touchedCount = 0;
    values[ROUNDS]! += 1;
    if (this.#flags[2 * UNCOUNTED] === 0) return;
    Atomics.store(this.#flags, 2 * UNCOUNTED, 0);
  }

  /** Counts a signal. */
  signal(): void {
    this.#values[SIGNALS]! += 1;
  }

  /** Counts a kick. */
  kick(): void {
    this.#values[KICKS]! += 1;
  }

  /** The counters as they are now, with all that drivers have been shown. */
  read(): QueueStatistics {
    // Some hundred nanoseconds, unless the other thread is kept from running.
    const start = performance.now();
    while (
      Atomics.load(this.#flags, 2 * UNCOUNTED) !== 0 &&
      performance.now() - start < PATIENCE
    );
    const algorithms: AlgorithmStatistics[] = [];
    const statuses = new Array<number>(STATUSES).fill(0);
    const latency = new Array<number>(LATENCY_BUCKETS).fill(0);
    const requests = this.requests;
    // Looking through all rows is most of the work, and idle queues are many.
    if (requests !== this.#rowsOf) this.#findRows();
    for (const row of this.#rows) {
      const counted = this.#row(row);
      algorithms.push({ ...rowLabels(row), ...counted });
      counted.statuses.forEach((count, i) => statuses[i]! += count);
      counted.latency.forEach((count, i) => latency[i]! += count);
    }
    const total = sum(statuses);
    // Else a round was being counted meanwhile, maybe in a row of its own.
    this.#rowsOf = total === requests ? requests : -1;
    return {
      requests: total,
      bytes: sum(algorithms.map(({ bytes }) => bytes)),
      statuses,
      latency,
      milliseconds: sum(algorithms.map(({ milliseconds }) => milliseconds)),
      rounds: this.#values[ROUNDS]!,
      signals: this.#values[SIGNALS]!,
      kicks: this.#values[KICKS]!,
      algorithms,
    };
  }

  #findRows(): void {
    const values = this.#values;
    const rows: number[] = [];
    for (
      let row = 0, at = HEAD + STATUS;
      row < COUNTER_ROWS;
      row++, at += ROW
    ) {
      if (
        values[at]! + values[at + 1]! + values[at + 2]! + values[at + 3]! +
            values[at + 4]! + values[at + 5]! > 0
      ) rows.push(row);
    }
    this.#rows = rows;
  }

  #row(row: number): RequestStatistics {
    const at = HEAD + row * ROW;
    const v = this.#values;
    const statuses = [...v.subarray(at + STATUS, at + LATENCY)];
    return {
      requests: sum(statuses),
      bytes: v[at + BYTES]!,
      statuses,
      latency: [...v.subarray(at + LATENCY, at + ROW)],
      milliseconds: v[at + MILLISECONDS]!,
    };
  }
}
