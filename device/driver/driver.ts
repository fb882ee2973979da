/**
 * A driver of a virtio-crypto device.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { decodeConfig, type DeviceConfig } from "../spec/config.ts";
import { VIRTIO_CRYPTO_S_HW_READY } from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import { BufferPool } from "./buffer_pool.ts";
import {
  createSessionRequest,
  destroySessionRequest,
  readCreated,
  readDestroyed,
} from "./control_requests.ts";
import {
  type DriverOptions,
  type RawOptions,
  type UsedOptions,
  usedOptions,
} from "./driver_options.ts";
import { DriverQueue } from "./driver_queue.ts";
import { DeviceNotReadyError, DriverClosedError } from "./errors.ts";
import { GuestAllocator } from "./guest_allocator.ts";
import { FieldsRequest } from "./pending_request.ts";
import {
  type RawReadable,
  RawRequest,
  type RawResult,
  type RawWritable,
} from "./raw_request.ts";
import type { Layout, RequestBytes } from "./requests.ts";
import type { DriverRing } from "./ring.ts";
import { Session, type SessionHost } from "./session.ts";
import {
  type AlgorithmChoice,
  algorithmNumber,
  isOffered,
  type ServiceName,
  type SessionOptions,
  sessionParameters,
} from "./session_options.ts";
import { SplitRingDriver } from "./split_ring.ts";
import type { Transport } from "./transport.ts";

/**
 * Drives a virtio-crypto device: creates sessions and runs operations.
 *
 * @example Encrypting with AES-CBC
 * ```ts
 * import { CryptoDriver } from "./driver.ts";
 * import type { Transport } from "./transport.ts";
 *
 * async function encrypt(transport: Transport): Promise<Uint8Array> {
 *   await using driver = await CryptoDriver.attach(transport);
 *   const session = await driver.createSession({
 *     service: "cipher",
 *     algorithm: "aes-cbc",
 *     key: new Uint8Array(16),
 *     direction: "encrypt",
 *   });
 *   return await session.run({
 *     iv: new Uint8Array(16),
 *     data: new Uint8Array(64),
 *   });
 * }
 * ```
 */
export class CryptoDriver implements SessionHost {
  /** The configuration space; undefined where the device has none. */
  readonly config: DeviceConfig | undefined;
  /** Hands out the guest's memory. */
  readonly allocator: GuestAllocator;
  readonly #transport: Transport;
  readonly #options: UsedOptions;
  readonly #queues = new Map<number, DriverQueue>();
  readonly #buffers: BufferPool;
  readonly #controlIndex: number | undefined;
  readonly #sessions = new Set<Session>();
  #closed: Promise<void> | undefined;

  private constructor(
    transport: Transport,
    options: DriverOptions,
    config: DeviceConfig | undefined,
  ) {
    this.#transport = transport;
    this.config = config;
    this.#options = usedOptions(options, transport, config);
    this.#controlIndex = config?.maxDataqueues;
    this.allocator = new GuestAllocator(transport.memory);
    this.#buffers = new BufferPool(this.allocator);
  }

  /**
   * Starts the queues of a device (v15, "Device Initialization").
   *
   * @param transport carries the rings; the driver closes it in the end
   * @param options how to use the device
   * @returns the driver
   * @throws {DeviceNotReadyError} The device's status is not HW_READY
   * @throws {RangeError} An option does not fit the device
   * @throws {Error} The transport could not start a queue
   */
  static async attach(
    transport: Transport,
    options: DriverOptions = {},
  ): Promise<CryptoDriver> {
    const config = transport.config && decodeConfig(transport.config);
    if (config && !(config.status & VIRTIO_CRYPTO_S_HW_READY)) {
      throw new DeviceNotReadyError(
        `Cannot use the device: its status is ${config.status}`,
      );
    }
    const driver = new CryptoDriver(transport, options, config);
    await driver.#start();
    return driver;
  }

  /** The layout of requests. */
  get layout(): Layout {
    return this.#options.layout;
  }

  /** The guest's memory. */
  get memory(): GuestMemory {
    return this.#transport.memory;
  }

  /** The negotiated feature bits. */
  get features(): bigint {
    return this.#transport.features;
  }

  /** Number of data queues in use. */
  get dataQueues(): number {
    return this.#options.queues;
  }

  /**
   * The ring of a queue, for looking at it.
   *
   * @param queue number of a data queue, or "control"
   * @returns the ring
   * @throws {RangeError} There is no such queue
   */
  ring(queue: number | "control"): DriverRing {
    return this.#queue(queue).ring;
  }

  /**
   * Whether the device says that it offers an algorithm (v15, "Device
   * configuration layout").
   *
   * @param service the service
   * @param algorithm name or number of the algorithm
   * @returns true where its service and its own bit are set, or where there is
   * no configuration space to tell
   * @throws {TypeError} The service has no algorithm of that name
   */
  offers(service: ServiceName, algorithm: AlgorithmChoice): boolean {
    const number = algorithmNumber(service, algorithm);
    return this.config === undefined || isOffered(this.config, service, number);
  }

  /**
   * Creates a session. Afterwards no byte of its key is in guest memory.
   *
   * @param options what the session shall be
   * @returns the session
   * @throws {CryptoStatusError} The device refused
   * @throws {TypeError} The algorithm's name is unknown
   * @throws {DriverClosedError} The driver was closed
   */
  async createSession(options: SessionOptions): Promise<Session> {
    this.#checkOpen();
    const parameters = sessionParameters(options);
    const { queue = 0 } = options;
    const aadLength = options.service === "aead" ? options.aadLength ?? 0 : 0;
    const id = await this.#create(parameters, queue, aadLength);
    this.#checkOpen();
    const session = new Session(this, parameters, id, queue);
    this.#sessions.add(session);
    return session;
  }

  /**
   * Destroys a session; {@linkcode Session.destroy} does it.
   *
   * @param session the session
   * @throws {CryptoStatusError} The device refused
   */
  async destroySession(session: Session): Promise<void> {
    this.#sessions.delete(session);
    const { sessionMessages } = this.#transport;
    if (this.#controlIndex === undefined && sessionMessages) {
      return await sessionMessages.close(session.id);
    }
    const bytes = destroySessionRequest(
      this.layout,
      session.service,
      session.id,
    );
    await this.#send("control", bytes, false, readDestroyed);
  }

  /**
   * Sends a data request; {@linkcode Session.run} does it.
   *
   * @param queue number of a data queue
   * @param bytes the request
   * @param decode makes the result from the writable part
   * @returns the result
   * @throws {RangeError} There is no such queue
   */
  async request<T>(
    queue: number,
    bytes: RequestBytes,
    decode: (answer: Uint8Array<SharedArrayBuffer>) => T,
  ): Promise<T> {
    this.#checkOpen();
    return await this.#send(queue, bytes, false, decode);
  }

  /**
   * Sends bare segments, well-formed or not. A segment may also be a range of
   * guest addresses, which is given to the device as it is.
   *
   * @param queue number of a data queue, or "control"
   * @param readable what the device reads, in order
   * @param writable what the device writes, in order: numbers of bytes
   * @param options how the segments are given
   * @returns the used length as it came, the bytes written, and whether those
   * around them are intact
   * @throws {DriverClosedError} The driver was closed
   * @throws {RangeError} There is no such queue, or the chain can never fit
   */
  async submitRaw(
    queue: number | "control",
    readable: readonly RawReadable[],
    writable: readonly RawWritable[],
    options: RawOptions = {},
  ): Promise<RawResult> {
    this.#checkOpen();
    const { indirect = this.#options.style.indirect } = options;
    const request = new RawRequest(readable, writable, indirect);
    this.#queue(queue).submit(request);
    return await request.result;
  }

  /**
   * Settles what the device has returned so far, without waiting for it to
   * signal.
   */
  poll(): void {
    for (const queue of this.#queues.values()) queue.handleUsed();
  }

  /**
   * Rejects what is outstanding, destroys the sessions that are left, and
   * closes the transport.
   *
   * @returns settled when all is done; the same at a second call
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Closes at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    this.#transport.listen({
      signalled: (index) => this.#queues.get(index)?.handleUsed(),
      queueFailed: (index, error) => this.#queues.get(index)?.fail(error),
      failed: (error) => this.#fail(error),
    });
    const { queues, queueSize, controlQueueSize } = this.#options;
    for (let index = 0; index < queues; index++) {
      await this.#startQueue(index, queueSize);
    }
    if (this.#controlIndex !== undefined) {
      await this.#startQueue(this.#controlIndex, controlQueueSize);
    }
  }

  async #startQueue(index: number, size: number): Promise<void> {
    const transport = this.#transport;
    const { eventIndex } = this.#options;
    const ring = new SplitRingDriver(this.allocator, { size, eventIndex });
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

  async #create(
    parameters: SessionParameters,
    queue: number,
    aadLength: number,
  ): Promise<bigint> {
    const { sessionMessages } = this.#transport;
    if (this.#controlIndex === undefined && sessionMessages) {
      return await sessionMessages.create(parameters);
    }
    const bytes = createSessionRequest(
      this.layout,
      parameters,
      queue,
      aadLength,
    );
    return await this.#send("control", bytes, true, readCreated);
  }

  #send<T>(
    queue: number | "control",
    bytes: RequestBytes,
    secret: boolean,
    decode: (answer: Uint8Array<SharedArrayBuffer>) => T,
  ): Promise<T> {
    const request = new FieldsRequest(
      bytes,
      this.#options.style,
      secret,
      decode,
    );
    this.#queue(queue).submit(request);
    return request.result;
  }

  #queue(queue: number | "control"): DriverQueue {
    const index = queue === "control" ? this.#controlIndex : queue;
    const found = index === undefined ? undefined : this.#queues.get(index);
    if (found === undefined) throw new RangeError(`Cannot use queue ${queue}`);
    return found;
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    throw new DriverClosedError("Cannot use the driver: it was closed");
  }

  #fail(error: Error): void {
    for (const queue of this.#queues.values()) queue.fail(error);
  }

  async #close(): Promise<void> {
    const error = new DriverClosedError(
      "Cannot complete the request: the driver was closed",
    );
    const control = this.#controlIndex === undefined
      ? undefined
      : this.#queues.get(this.#controlIndex);
    for (const queue of this.#queues.values()) {
      if (queue !== control) queue.fail(error);
    }
    const ended = Promise.allSettled(
      [...this.#sessions].map((session) => session.destroy()),
    );
    // A device that does not answer shall not keep its driver from leaving.
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.closeTimeout);
    await Promise.race([ended, timeout]);
    clearTimeout(timer);
    this.#fail(error);
    await this.#transport.close();
  }
}
