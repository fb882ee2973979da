/**
 * Reads the request logs of a server's data queues, for as long as somebody
 * looks: for the inspector some requests a second, for a trace all of them.
 *
 * @module
 */

import type { LoggedRequest } from "../service/request_log.ts";
import { RequestLogReader } from "../service/request_log_reader.ts";
import { VIRTIO_CRYPTO_OK } from "../spec/constants.ts";

/** Where logged requests come from. */
export interface LogSource {
  /** The request log of each data queue, by socket. */
  readonly logs: readonly (readonly (SharedArrayBuffer | undefined)[])[];
}

/** Who gets a queue's requests. */
export interface RequestSink {
  /**
   * Takes a request.
   *
   * @param request the request
   * @param device number of its device
   * @param queue number of its queue
   */
  request(request: LoggedRequest, device: number, queue: number): void;
  /**
   * Is told of requests that were overwritten before they could be read.
   *
   * @param count how many
   * @param device number of their device
   * @param queue number of their queue
   */
  lost(count: number, device: number, queue: number): void;
  /** Whether it takes no more for now. */
  readonly full: boolean;
}

interface Queue {
  readonly device: number;
  readonly queue: number;
  readonly reader: RequestLogReader;
}

/** What a writer is allowed at a time where all are wanted. */
const UNLIMITED = 1 << 29;

/** Most requests read of a queue before other things get their turn. */
const BATCH = 512;

/** How often the logs are read, in milliseconds. */
const TRACE_MS = 5;
const SAMPLE_MS = 250;

/**
 * Requests that the inspector gets: so many a second on average, and so many
 * after a pause. The refused ones have a share of their own. A second has 200
 * at most.
 */
const SAMPLE = { rate: 20, saved: 100 };
const REFUSED = { rate: 10, saved: 20 };

/** What may still be given to a sink: so many a second, and some saved up. */
class Allowance {
  readonly #rate: number;
  readonly #most: number;
  #left: number;
  #at = performance.now();

  constructor({ rate, saved }: { rate: number; saved: number }) {
    this.#rate = rate;
    this.#most = saved;
    this.#left = saved;
  }

  /** How many there are now. */
  refresh(): number {
    const now = performance.now();
    const more = (now - this.#at) * this.#rate / 1000;
    this.#left = Math.min(this.#most, this.#left + more);
    this.#at = now;
    return Math.floor(this.#left);
  }

  /** Takes one; false where none is left. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

/**
 * Reads the logs for two kinds of sinks. A trace gets every request; a sample
 * as many as a person can look at.
 */
export class RequestFeed {
  readonly #source: LogSource;
  readonly #queues = new Map<SharedArrayBuffer, Queue>();
  #trace: RequestSink | undefined;
  #sample: RequestSink | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #any = new Allowance(SAMPLE);
  readonly #refused = new Allowance(REFUSED);
  /** Which queue is read first, so that each has its turn. */
  #turn = 0;

  /** @param source the logs */
  constructor(source: LogSource) {
    this.#source = source;
  }

  /**
   * Sends all requests to a sink from now on.
   *
   * @param sink the sink; undefined for none
   */
  setTrace(sink: RequestSink | undefined): void {
    this.#trace = sink;
    this.#start();
  }

  /**
   * Sends some requests to a sink from now on.
   *
   * @param sink the sink; undefined for none
   */
  setSample(sink: RequestSink | undefined): void {
    this.#sample = sink;
    this.#start();
  }

  /**
   * Reads what waits for a trace that is about to be closed.
   *
   * @returns true where more waits, until the trace takes it
   */
  drain(): boolean {
    while (this.#trace !== undefined && !this.#trace.full) {
      if (!this.#read()) return false;
    }
    return this.#trace !== undefined;
  }

  /** Reads no more. */
  close(): void {
    this.#trace = undefined;
    this.#sample = undefined;
    this.#start();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#open();
    const off = this.#trace === undefined && this.#sample === undefined;
    for (const { reader } of this.#queues.values()) {
      if (off) reader.request(0);
    }
    if (off) return;
    this.#ask();
    this.#schedule(false);
  }

  #schedule(more: boolean): void {
    const wait = this.#trace === undefined ? SAMPLE_MS : more ? 0 : TRACE_MS;
    this.#timer = setTimeout(() => this.#turnOver(), wait);
  }

  #turnOver(): void {
    this.#open();
    const more = this.#read();
    this.#ask();
    this.#schedule(more);
  }

  /** Finds the logs of queues that came into use. */
  #open(): void {
    this.#source.logs.forEach((logs, device) =>
      logs.forEach((log, queue) => {
        if (log === undefined || this.#queues.has(log)) return;
        const reader = new RequestLogReader(log);
        this.#queues.set(log, { device, queue, reader });
      })
    );
  }

  /** Tells the writers how much to log. */
  #ask(): void {
    const any = this.#any.refresh();
    const refused = this.#refused.refresh();
    const wanted = this.#trace === undefined ? any : UNLIMITED;
    for (const { reader } of this.#queues.values()) {
      reader.request(wanted, refused);
    }
  }

  #mayShow({ status }: LoggedRequest): boolean {
    return this.#any.take() ||
      (status !== VIRTIO_CRYPTO_OK && this.#refused.take());
  }

  /** Reads once from each queue; true where more waits. */
  #read(): boolean {
    const queues = [...this.#queues.values()];
    let more = false;
    this.#turn++;
    for (let i = 0; i < queues.length; i++) {
      const entry = queues[(i + this.#turn) % queues.length]!;
      if (this.#trace?.full) break;
      const { device, queue, reader } = entry;
      const lost = reader.read(BATCH, (request) => {
        this.#trace?.request(request, device, queue);
        if (this.#sample !== undefined && this.#mayShow(request)) {
          this.#sample.request(request, device, queue);
        }
      });
      if (lost > 0) this.#trace?.lost(lost, device, queue);
      more ||= reader.waiting > 0;
    }
    return more;
  }
}
