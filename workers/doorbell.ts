/**
 * How a worker sleeps until it is kicked or woken, and how it signals.
 *
 * @module
 */

import { Control, type DoorbellSetup, type QueueFds } from "./protocol.ts";

/** A worker's way to sleep and to signal. */
export interface Doorbell {
  /**
   * Uses other file descriptors from now on.
   *
   * @param fds the descriptors; -1 for none
   */
  connect(fds: QueueFds): void;
  /** Marks all that came until now as seen: call it before looking for work. */
  observe(): void;
  /**
   * Sleeps until a kick or wake that was not seen.
   *
   * @returns true when the driver kicked
   */
  sleep(): boolean;
  /**
   * Sleeps until a wake that was not seen, whatever the driver kicks.
   *
   * @param ms when to return without one, in milliseconds, 1 at least
   */
  rest(ms: number): void;
  /** Tells the driver that there are used buffers. */
  signal(): void;
  /**
   * What time it is.
   *
   * @returns milliseconds, as of `performance.now()`
   */
  now(): number;
}

/** A doorbell of Atomics on the control block. */
class AtomicsDoorbell implements Doorbell {
  readonly #words: Int32Array<SharedArrayBuffer>;
  #seen = 0;
  #kicks = 0;

  constructor(control: SharedArrayBuffer) {
    this.#words = new Int32Array(control);
  }

  connect(): void {}

  observe(): void {
    this.#seen = Atomics.load(this.#words, Control.BELL);
  }

  sleep(): boolean {
    Atomics.wait(this.#words, Control.BELL, this.#seen);
    const kicks = Atomics.load(this.#words, Control.KICKS);
    const kicked = kicks !== this.#kicks;
    this.#kicks = kicks;
    return kicked;
  }

  now(): number {
    return performance.now();
  }

  rest(ms: number): void {
    const until = performance.now() + ms;
    let seen = this.#seen;
    const wakes = seen - Atomics.load(this.#words, Control.KICKS) | 0;
    for (let left = ms; left > 0; left = until - performance.now()) {
      Atomics.wait(this.#words, Control.BELL, seen, left);
      const now = Atomics.load(this.#words, Control.BELL);
      // Kicks are counted among the bells, and before them.
      const kicks = Atomics.load(this.#words, Control.KICKS);
      if ((now - kicks | 0) !== wakes) return;
      seen = now;
    }
  }

  signal(): void {
    Atomics.add(this.#words, Control.SIGNAL, 1);
    Atomics.notify(this.#words, Control.SIGNAL);
  }
}

/**
 * Makes a worker's doorbell.
 *
 * @param setup its kind
 * @param control the control block
 * @returns the doorbell; one of eventfds loads libc on the way
 */
export async function openDoorbell(
  setup: DoorbellSetup,
  control: SharedArrayBuffer,
): Promise<Doorbell> {
  if (setup.kind === "atomics") return new AtomicsDoorbell(control);
  // Only here, so that in-process use needs no --allow-ffi.
  const { EventfdDoorbell } = await import("./eventfd_doorbell.ts");
  return new EventfdDoorbell(setup.wakeFd);
}
