/**
 * Requests that never end, on a guest's queue.
 *
 * @module
 */

import type { GuestQueue } from "./guest_queue.ts";
import type { GuestSession } from "./guest_session.ts";

/** Requests that never end. */
export class Load {
  readonly #queue: GuestQueue;
  readonly #session: GuestSession;
  readonly #depth: number;
  #going = true;
  readonly #done: Promise<void>;

  constructor(queue: GuestQueue, session: GuestSession, depth: number) {
    this.#queue = queue;
    this.#session = session;
    this.#depth = depth;
    this.#done = this.#run();
    // Told by end(); until then it must not end the test run.
    this.#done.catch(() => {});
  }

  /**
   * Waits until some more requests have been answered.
   *
   * @param count how many
   */
  async progress(count: number): Promise<void> {
    const queue = this.#queue;
    const target = queue.completed + count;
    const deadline = performance.now() + 20_000;
    while (queue.completed < target) {
      if (performance.now() > deadline) {
        throw new Error(`Queue ${queue.index} stands still`);
      }
      await Promise.race([
        this.#done,
        new Promise((resolve) => setTimeout(resolve, 1)),
      ]);
    }
  }

  /** Adds no more; what is outstanding stays so until it is answered. */
  async halt(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  /** Adds no more, and waits until all is answered. */
  async end(): Promise<void> {
    await this.halt();
    await this.#queue.drain();
  }

  async #run(): Promise<void> {
    const queue = this.#queue;
    while (this.#going) {
      while (queue.outstanding < this.#depth && queue.add(this.#session));
      queue.publish();
      if (queue.ring.enableInterrupts()) queue.collect();
      else await queue.called(20);
    }
  }
}
