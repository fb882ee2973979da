/**
 * The queues of a driver: started, found by number, and given requests.
 *
 * @module
 */

import { BufferPool } from "./buffer_pool.ts";
import type { UsedOptions } from "./driver_options.ts";
import { DriverQueue } from "./driver_queue.ts";
import type { GuestAllocator } from "./guest_allocator.ts";
import { makeRing } from "./make_ring.ts";
import { FieldsRequest } from "./pending_request.ts";
import type { RequestBytes } from "./requests.ts";
import type { Transport } from "./transport.ts";

/** A queue: the number of a data queue, or the control queue. */
export type QueueName = number | "control";

/** The queues of a driver. */
export class DriverQueues {
  readonly #transport: Transport;
  readonly #options: UsedOptions;
  readonly #allocator: GuestAllocator;
  readonly #buffers: BufferPool;
  readonly #controlIndex: number | undefined;
  readonly #queues = new Map<number, DriverQueue>();

  /**
   * Makes the queues of a transport; none is started.
   *
   * @param transport carries the rings
   * @param options how to use the device
   * @param allocator hands out the guest's memory
   * @param controlIndex number of the control queue; undefined without one
   */
  constructor(
    transport: Transport,
    options: UsedOptions,
    allocator: GuestAllocator,
    controlIndex: number | undefined,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#allocator = allocator;
    this.#buffers = new BufferPool(allocator);
    this.#controlIndex = controlIndex;
  }

  /**
   * Starts data queues and control queue.
   *
   * @throws {Error} The transport could not start a queue
   */
  async start(): Promise<void> {
    this.#transport.listen({
      signalled: (index) => this.#queues.get(index)?.handleUsed(),
      queueFailed: (index, error) => this.#queues.get(index)?.fail(error),
      failed: (error) => this.fail(error),
    });
    const { queues, queueSize, controlQueueSize } = this.#options;
    for (let index = 0; index < queues; index++) {
      await this.#startQueue(index, queueSize);
    }
    if (this.#controlIndex !== undefined) {
      await this.#startQueue(this.#controlIndex, controlQueueSize);
    }
  }

  /**
   * Finds a queue.
   *
   * @param queue number of a data queue, or "control"
   * @returns the queue
   * @throws {RangeError} There is no such queue
   */
  get(queue: QueueName): DriverQueue {
    const index = queue === "control" ? this.#controlIndex : queue;
    const found = index === undefined ? undefined : this.#queues.get(index);
    if (found === undefined) throw new RangeError(`Cannot use queue ${queue}`);
    return found;
  }

  /**
   * Sends a request.
   *
   * @param queue number of a data queue, or "control"
   * @param bytes the request
   * @param secret overwrite the readable part when done, because it has a key
   * @param decode makes the result from the writable part
   * @returns the result
   * @throws {RangeError} There is no such queue
   */
  send<T>(
    queue: QueueName,
    bytes: RequestBytes,
    secret: boolean,
    decode: (answer: Uint8Array<SharedArrayBuffer>) => T,
  ): Promise<T> {
    const { style } = this.#options;
    const found = this.get(queue);
    const request = new FieldsRequest(bytes, style, secret, decode);
    found.submit(request);
    return request.result;
  }

  /** Settles what the device has returned so far. */
  poll(): void {
    for (const queue of this.#queues.values()) queue.handleUsed();
  }

  /**
   * Fails all requests, and those to come.
   *
   * @param error why
   */
  fail(error: Error): void {
    for (const queue of this.#queues.values()) queue.fail(error);
  }

  /**
   * Fails the requests of the data queues, and those to come.
   *
   * @param error why
   */
  failData(error: Error): void {
    for (const [index, queue] of this.#queues) {
      if (index !== this.#controlIndex) queue.fail(error);
    }
  }

  async #startQueue(index: number, size: number): Promise<void> {
    const transport = this.#transport;
    const ring = makeRing(this.#allocator, size, transport.features);
    const queue = new DriverQueue(
      ring,
      transport.memory,
      this.#buffers,
      () => transport.kick(index),
    );
    // Before it is started: a signal may come at once.
    this.#queues.set(index, queue);
    await transport.startQueue(index, ring);
  }
}
