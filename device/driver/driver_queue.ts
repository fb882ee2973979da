/**
 * One queue of a driver: requests wait in order for room in the ring, are
 * published together, and settle as the device returns them.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { asError, OutOfGuestMemoryError } from "./errors.ts";
import type { PendingRequest } from "./pending_request.ts";
import type { DriverRing, UsedRecord } from "./ring.ts";

/** A request and the guest memory lent to it. */
interface Entry {
  readonly request: PendingRequest;
  address: number | undefined;
}

/** One queue of a driver. */
export class DriverQueue {
  /** The queue's ring. */
  readonly ring: DriverRing;
  readonly #memory: GuestMemory;
  readonly #buffers: BufferPool;
  readonly #kick: () => void;
  /** Waiting requests, from `#first` on. */
  #waiting: Entry[] = [];
  #first = 0;
  /** Requests in the ring, by id. */
  readonly #inRing: (Entry | undefined)[];
  readonly #used: UsedRecord = { id: 0, length: 0 };
  readonly #retry: () => void = () => this.#fill();
  #flushing = false;
  #failure: Error | undefined;

  /**
   * Makes a queue without requests.
   *
   * @param ring the queue's ring
   * @param memory the guest's memory
   * @param buffers lends memory to requests
   * @param kick tells the device that there is something new
   */
  constructor(
    ring: DriverRing,
    memory: GuestMemory,
    buffers: BufferPool,
    kick: () => void,
  ) {
    this.ring = ring;
    this.#memory = memory;
    this.#buffers = buffers;
    this.#kick = kick;
    this.#inRing = new Array(ring.size).fill(undefined);
  }

  /** Number of requests that have not settled. */
  get outstanding(): number {
    if (this.#failure !== undefined) return 0;
    return this.ring.outstanding + this.#waiting.length - this.#first;
  }

  /**
   * Sends a request when its turn comes. Requests of one turn of the event
   * loop are published together and cost at most one kick.
   *
   * @param request the request, which is told how it ended
   */
  submit(request: PendingRequest): void {
    if (this.#failure !== undefined) {
      request.fail(this.#memory, this.#failure);
      return;
    }
    this.#waiting.push({ request, address: undefined });
    this.#fill();
  }

  /** Settles what the device has returned. Called when it signals. */
  handleUsed(): void {
    if (this.#failure !== undefined) return;
    try {
      do {
        this.ring.disableInterrupts();
        while (this.ring.take(this.#used)) this.#settle();
      } while (this.ring.enableInterrupts());
    } catch (error) {
      this.fail(asError(error));
      return;
    }
    this.#fill();
  }

  /**
   * Fails every request and all that come later. Memory of those in the ring
   * is not used again, since the device may still write to it.
   *
   * @param error why
   */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const waiting = this.#waiting.slice(this.#first);
    this.#waiting = [];
    this.#first = 0;
    for (const entry of this.#inRing.splice(0)) {
      entry?.request.fail(this.#memory, error);
    }
    for (const entry of waiting) this.#drop(entry, error);
  }

  /** Moves waiting requests into the ring while there is room. */
  #fill(): void {
    if (this.#failure !== undefined) return;
    while (this.#first < this.#waiting.length) {
      const entry = this.#waiting[this.#first]!;
      let added: boolean;
      try {
        added = this.#add(entry);
      } catch (error) {
        this.#shift();
        this.#drop(entry, asError(error));
        continue;
      }
      if (!added) return;
      this.#shift();
      this.#flushSoon();
    }
  }

  /** Places a request and adds it; false when it has to wait. */
  #add(entry: Entry): boolean {
    const { request } = entry;
    if (entry.address === undefined) {
      const address = this.#buffers.tryLend(request.size);
      if (address === undefined) return this.#waitForMemory(0, request);
      entry.address = address;
      request.place(this.#memory, address);
    }
    const { readable, writable, indirect } = request;
    const id = this.ring.add(readable, writable, indirect);
    if (id >= 0) {
      this.#inRing[id] = entry;
      return true;
    }
    // An empty ring has room for any chain: it is an indirect table that found
    // no memory. Otherwise the next used element is what this waits for.
    return this.ring.outstanding > 0 ? false : this.#waitForMemory(1, request);
  }

  /** Waits for memory, unless this request's own buffers are all there is. */
  #waitForMemory(own: number, request: PendingRequest): false {
    if (this.#buffers.lent <= own) {
      throw new OutOfGuestMemoryError(
        `Cannot place a request of ${request.size} bytes in guest memory`,
      );
    }
    this.#buffers.wait(this.#retry);
    return false;
  }

  #settle(): void {
    const { id, length } = this.#used;
    const entry = this.#inRing[id];
    if (entry?.address === undefined) return;
    this.#inRing[id] = undefined;
    entry.request.complete(this.#memory, length);
    this.#buffers.takeBack(entry.address);
  }

  /** Fails a request that never reached the device. */
  #drop(entry: Entry, error: Error): void {
    entry.request.fail(this.#memory, error);
    if (entry.address !== undefined) this.#buffers.takeBack(entry.address);
  }

  #shift(): void {
    this.#first++;
    // Not at every step: that would make a long line quadratic.
    if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    } else if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#first = 0;
    }
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#failure !== undefined) return;
      try {
        this.ring.publish();
        if (this.ring.needsKick()) this.#kick();
      } catch (error) {
        this.fail(asError(error));
      }
    });
  }
}
