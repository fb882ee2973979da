/**
 * Waiting for file descriptors from several asynchronous functions of one
 * thread, with a single wait parked on the runtime's pool.
 *
 * @module
 */

import { createEventfd, drainEventfd, signalEventfd } from "./eventfd.ts";
import { libc } from "./libc.ts";
import { POLLIN, pollNow, PollSet } from "./poll.ts";

/** A wait that was cut short by {@linkcode FdWaiter.close}. */
export class WaiterClosedError extends Error {
  /** The name of the class. */
  override readonly name = "WaiterClosedError";
}

interface Waiting {
  readonly fds: readonly number[];
  readonly events: number;
  /** By `performance.now()`; Infinity for none. */
  readonly deadline: number;
  readonly resolve: (ready: number[]) => void;
  readonly reject: (error: Error) => void;
}

/** Waits for descriptors without blocking the thread. */
export class FdWaiter {
  readonly #wake = createEventfd();
  readonly #set = new PollSet();
  readonly #waiting = new Set<Waiting>();
  #loop: Promise<void> | undefined;
  #closed = false;

  /**
   * Waits until a descriptor is ready. All must stay open until then.
   *
   * @param fds the descriptors
   * @param events POLL… bits to wait for; errors and hang-ups end a wait too
   * @param timeoutMs milliseconds; -1 waits without end
   * @returns those that are ready, in the order of `fds`; none after the timeout
   * @throws {WaiterClosedError} The waiter was closed
   */
  wait(
    fds: readonly number[],
    events: number,
    timeoutMs: number,
  ): Promise<number[]> {
    if (this.#closed) return Promise.reject(closedError());
    const ready = fds.filter((fd) => pollNow(fd, events) !== 0);
    if (ready.length > 0) return Promise.resolve(ready);
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    const deadline = timeoutMs < 0 ? Infinity : performance.now() + timeoutMs;
    this.#waiting.add({ fds, events, deadline, resolve, reject });
    if (this.#loop === undefined) this.#loop = this.#run();
    else signalEventfd(this.#wake);
    return promise;
  }

  /**
   * Ends all waits. When the promise settles, nothing is parked any more and the
   * descriptors that were waited for can be closed. A second call does nothing.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    signalEventfd(this.#wake);
    await this.#loop;
    libc().close(this.#wake);
  }

  async #run(): Promise<void> {
    // The wake is emptied before the set is filled, and the set is filled from
    // all that wait: nobody who comes while it is parked is missed.
    while (this.#waiting.size > 0 && !this.#closed) {
      drainEventfd(this.#wake);
      this.#set.clear();
      this.#set.add(this.#wake, POLLIN);
      let deadline = Infinity;
      const parked = [...this.#waiting];
      for (const waiting of parked) {
        for (const fd of waiting.fds) this.#set.add(fd, waiting.events);
        deadline = Math.min(deadline, waiting.deadline);
      }
      await this.#set.wait(timeoutUntil(deadline));
      let index = 1;
      for (const waiting of parked) {
        const ready = waiting.fds.filter(() => this.#set.ready(index++) !== 0);
        if (ready.length > 0 || performance.now() >= waiting.deadline) {
          this.#waiting.delete(waiting);
          waiting.resolve(ready);
        }
      }
    }
    for (const waiting of this.#waiting) waiting.reject(closedError());
    this.#waiting.clear();
    // At once, not when the promise settles: whoever waits next starts a loop.
    this.#loop = undefined;
  }
}

function closedError(): WaiterClosedError {
  return new WaiterClosedError("Cannot wait: the connection was closed here");
}

/** The timeout of poll: whole milliseconds, rounded up, within an int. */
function timeoutUntil(deadline: number): number {
  if (deadline === Infinity) return -1;
  const left = Math.ceil(deadline - performance.now());
  return Math.min(Math.max(left, 0), 0x7fff_ffff);
}
