/**
 * A doorbell of eventfds: the frontend's kick, the guest's call, and a wake of
 * this process.
 *
 * @module
 */

import { drainEventfd, signalPeer } from "../device/host/eventfd.ts";
import { openClock } from "../device/host/clock.ts";
import { libc } from "../device/host/libc.ts";
import type { Doorbell } from "./doorbell.ts";
import type { QueueFds } from "./protocol.ts";

const POLLIN = 1;
/** struct pollfd: fd (i32), events (i16), revents (i16). */
const POLLFD_WORDS = 2;
const BOTH = 2n;

/** Sleeps in poll() on kick and wake. */
export class EventfdDoorbell implements Doorbell {
  readonly #wake: number;
  readonly #clock = openClock();
  #kick = -1;
  #call = -1;
  readonly #poll = new Int32Array(new ArrayBuffer(2 * POLLFD_WORDS * 4));

  /** @param wake an eventfd that main signals */
  constructor(wake: number) {
    this.#wake = wake;
  }

  connect(fds: QueueFds): void {
    this.#kick = fds.kick;
    this.#call = fds.call;
  }

  observe(): void {}

  now(): number {
    return this.#clock();
  }

  sleep(): boolean {
    const poll = this.#poll;
    poll[0] = this.#kick;
    poll[1] = POLLIN;
    poll[2] = this.#wake;
    poll[3] = POLLIN;
    libc().poll(poll, BOTH, -1);
    if ((poll[3]! >>> 16) !== 0) drainEventfd(this.#wake);
    const kick = poll[1]! >>> 16;
    if (kick === 0) return false;
    // A pipe whose writer is gone is "readable" for ever: it kicks no more.
    if (!(kick & POLLIN)) this.#kick = -1;
    else drainEventfd(this.#kick);
    return true;
  }

  rest(ms: number): void {
    const poll = this.#poll;
    // A negative descriptor is passed over.
    poll[0] = -1;
    poll[2] = this.#wake;
    poll[3] = POLLIN;
    libc().poll(poll, BOTH, ms);
    if ((poll[3]! >>> 16) !== 0) drainEventfd(this.#wake);
  }

  signal(): void {
    if (this.#call >= 0) signalPeer(this.#call);
  }
}
