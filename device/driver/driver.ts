/**
 * A driver of a virtio-crypto device.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { decodeConfig, type DeviceConfig } from "../spec/config.ts";
import { VIRTIO_CRYPTO_S_HW_READY } from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import {
  type AlgorithmChoice,
  algorithmNumber,
  isOffered,
} from "./algorithm_choice.ts";
import { SERVICE_NUMBERS, type ServiceName } from "../spec/services.ts";
import {
  type DriverOptions,
  type RawOptions,
  type UsedOptions,
  usedOptions,
} from "./driver_options.ts";
import { DriverQueues } from "./driver_queues.ts";
import {
  DeviceNotReadyError,
  DriverClosedError,
  StatelessModeError,
} from "./errors.ts";
import { GuestAllocator } from "./guest_allocator.ts";
import {
  type ChainOperation,
  chainRequest,
  type ChainResult,
  opcodeOf,
  type Operation,
  type OperationRequest,
  operationRequest,
} from "./operation.ts";
import {
  type RawReadable,
  RawRequest,
  type RawResult,
  type RawWritable,
} from "./raw_request.ts";
import { type DataLayout, dataLayoutOf, type Layout } from "./requests.ts";
import type { DriverRing } from "./ring.ts";
import {
  ChainSession,
  Session,
  type SessionHandle,
  type SessionHost,
} from "./session.ts";
import { SessionControl } from "./session_control.ts";
import {
  type ChainSessionOptions,
  type SessionOptions,
  sessionParameters,
} from "./session_options.ts";
import type { Transport } from "./transport.ts";

/** Devices that have, or had, a driver: its rings lie in their memory. */
const attached = new WeakSet<Transport>();

/**
 * Drives a virtio-crypto device: creates sessions and runs operations. Which
 * layout its requests have follows from the negotiated features; see
 * {@linkcode Layout}.
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
export class CryptoDriver implements AsyncDisposable {
  /** The configuration space; undefined where the device has none. */
  readonly config: DeviceConfig | undefined;
  /** Hands out the guest's memory. */
  readonly allocator: GuestAllocator;
  readonly #transport: Transport;
  readonly #options: UsedOptions;
  readonly #queues: DriverQueues;
  readonly #control: SessionControl;
  readonly #sessions = new Set<SessionHandle>();
  /** What sessions need of their driver, and nobody else. */
  readonly #host: SessionHost = {
    dataLayout: (opcode) => this.dataLayout(opcode),
    request: async (queue, bytes, decode) => {
      this.#checkOpen();
      return await this.#queues.send(queue, bytes, false, decode);
    },
    destroySession: async (session) => {
      this.#sessions.delete(session);
      await this.#control.destroy(session.service, session.id);
    },
  };
  #closed: Promise<void> | undefined;

  private constructor(
    transport: Transport,
    options: DriverOptions,
    config: DeviceConfig | undefined,
  ) {
    this.#transport = transport;
    this.config = config;
    this.#options = usedOptions(options, transport, config);
    this.allocator = new GuestAllocator(transport.memory);
    this.#queues = new DriverQueues(
      transport,
      this.#options,
      this.allocator,
      config?.maxDataqueues,
    );
    this.#control = new SessionControl(
      this.#queues,
      this.layout,
      config === undefined ? transport.sessionMessages : undefined,
    );
  }

  /**
   * Starts the queues of a device (v15, "Device Initialization").
   *
   * @param transport carries the rings; the driver closes it in the end
   * @param options how to use the device
   * @returns the driver
   * @throws {DeviceNotReadyError} The device's status is not HW_READY, it was
   * closed, or another driver was attached to it
   * @throws {RangeError} An option does not fit the device
   * @throws {WorkerError} A queue of a device in this process has no worker
   * @throws {RequestRefusedError} A backend does not serve a queue
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
    if (attached.has(transport)) {
      throw new DeviceNotReadyError(
        "Cannot attach to a device that another driver was attached to",
      );
    }
    attached.add(transport);
    await driver.#queues.start();
    return driver;
  }

  /** The rules that requests follow. */
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
    return this.#queues.get(queue).ring;
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
   * Whether a service takes requests that bring their keys along: always in
   * v15, and in revision 1 where the service's stateless bit was negotiated.
   *
   * @param service the service; chains are of the cipher service
   * @returns true where {@linkcode CryptoDriver.run} is possible
   */
  hasStateless(service: ServiceName): boolean {
    const layout = this.dataLayout(SERVICE_NUMBERS[service] << 8);
    return layout === "v15" || layout === "revision1-stateless";
  }

  /**
   * The layout of a service's data requests.
   *
   * @param opcode opcode of a data request, which tells the service
   * @returns the layout
   */
  dataLayout(opcode: number): DataLayout {
    const { layout, modeServices } = this.#options;
    return dataLayoutOf(layout, modeServices, opcode);
  }

  /**
   * Creates a session. Afterwards no byte of its key is in guest memory.
   *
   * @param options what the session shall be
   * @returns the session
   * @throws {CryptoStatusError} The device refused
   * @throws {TypeError} The algorithm's name, its direction or a chain's order
   * is unknown, or it is a SHAKE and has no `resultLength`; or sessions are made
   * by message (`mode: "cryptodev"`) and it is neither a cipher nor a chain
   * @throws {DriverClosedError} The driver was closed
   * @throws {QueueFailedError} The control queue is served no more
   *
   * @example Encrypting, then authenticating the ciphertext
   * ```ts
   * import { CryptoDriver } from "./driver.ts";
   * import { InProcessDevice } from "../in_process.ts";
   *
   * await using driver = await CryptoDriver.attach(
   *   new InProcessDevice({ workers: 0 }),
   * );
   * const session = await driver.createSession({
   *   service: "chain",
   *   cipher: {
   *     algorithm: "aes-ctr",
   *     key: new Uint8Array(16),
   *     direction: "encrypt",
   *   },
   *   hash: { algorithm: "hmac-sha256", key: new Uint8Array(32) },
   *   order: "cipher-then-hash",
   * });
   * const { data, digest } = await session.run({
   *   iv: new Uint8Array(16),
   *   data: new Uint8Array(100),
   *   cipherStart: 20, // the first 20 bytes stay as they are
   * });
   * console.log(data.length, digest.length); // 100 32
   * ```
   */
  createSession(options: SessionOptions): Promise<Session>;
  /**
   * Creates a session of algorithm chaining.
   *
   * @param options what the session shall be
   * @returns the session
   */
  createSession(options: ChainSessionOptions): Promise<ChainSession>;
  async createSession(
    options: SessionOptions | ChainSessionOptions,
  ): Promise<Session | ChainSession> {
    this.#checkOpen();
    const parameters = sessionParameters(options);
    const { queue = 0 } = options;
    const aadLength = "aadLength" in options ? options.aadLength ?? 0 : 0;
    try {
      const id = await this.#control.create(parameters, queue, aadLength);
      this.#checkOpen();
      const session = options.service === "chain"
        ? new ChainSession(this.#host, parameters, id, queue)
        : new Session(this.#host, parameters, id, queue);
      this.#sessions.add(session);
      return session;
    } finally {
      forgetKeys(options, parameters);
    }
  }

  /**
   * Runs one operation without a session: its parameters and keys are in the
   * request (v15's non-session mode; virtio 1.4, 5.9.7.6, stateless mode).
   * Afterwards no byte of its key is in guest memory.
   *
   * @param operation what a session would be, and what to work on
   * @returns ciphertext, plaintext, digest or MAC; for AEAD encryption
   * ciphertext, then tag
   * @throws {StatelessModeError} There is no such mode with what was negotiated
   * @throws {CryptoStatusError} The device refused, or a tag is wrong
   * @throws {TypeError} The algorithm's name, its direction or a chain's order
   * is unknown
   * @throws {RangeError} There is no such queue
   * @throws {OutOfGuestMemoryError} The operation is larger than guest memory
   * @throws {DriverClosedError} The driver was closed
   * @throws {QueueFailedError} The queue is served no more
   *
   * @example A digest, with the features of virtio 1.4
   * ```ts
   * import { CryptoDriver } from "./driver.ts";
   * import { InProcessDevice } from "../in_process.ts";
   *
   * const VERSION_1 = 1n << 32n;
   * const REVISION_1 = 1n << 0n;
   * const HASH_STATELESS_MODE = 1n << 2n;
   * await using driver = await CryptoDriver.attach(
   *   new InProcessDevice({
   *     workers: 0,
   *     spec: "1.4",
   *     features: VERSION_1 | REVISION_1 | HASH_STATELESS_MODE,
   *   }),
   * );
   * const digest = await driver.run({
   *   service: "hash",
   *   algorithm: "sha256",
   *   data: new TextEncoder().encode("abc"),
   * });
   * console.log(digest.length); // 32
   * ```
   */
  run(operation: SessionOptions & Operation): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Runs one operation of algorithm chaining without a session.
   *
   * @param operation what a session would be, and what to work on
   * @returns the source with the ciphered range replaced, and the digest
   */
  run(operation: ChainSessionOptions & ChainOperation): Promise<ChainResult>;
  async run(
    operation:
      | SessionOptions & Operation
      | ChainSessionOptions & ChainOperation,
  ): Promise<Uint8Array<ArrayBuffer> | ChainResult> {
    this.#checkOpen();
    const { service, queue = 0 } = operation;
    if (!this.hasStateless(service === "chain" ? "cipher" : service)) {
      throw new StatelessModeError(
        `Cannot run a ${service} operation without a session: the negotiated features 0x${
          this.features.toString(16)
        } give layout ${this.layout}, and no stateless mode for the service`,
      );
    }
    const parameters = sessionParameters(operation);
    const layout = this.dataLayout(opcodeOf(parameters));
    const operator = { parameters, sessionId: undefined };
    try {
      if (operation.service === "chain") {
        const request = chainRequest(layout, operator, operation);
        return await this.#sendSecret(queue, request);
      }
      const request = operationRequest(layout, operator, operation);
      return await this.#sendSecret(queue, request);
    } finally {
      forgetKeys(operation, parameters);
    }
  }

  /**
   * Sends bare segments, well-formed or not: the way to see what a device makes
   * of a request that was laid out elsewhere. A segment may also be a range of
   * guest addresses, which is given to the device as it is.
   *
   * @param queue number of a data queue, or "control"
   * @param readable what the device reads, in order
   * @param writable what the device writes, in order: numbers of bytes
   * @param options how the segments are given
   * @returns the used length as it came, the bytes written, and whether those
   * around them are intact
   *
   * @example A request of 8 bytes gets VIRTIO_CRYPTO_ERR
   * ```ts
   * import { CryptoDriver } from "./driver.ts";
   * import { InProcessDevice } from "../in_process.ts";
   *
   * await using driver = await CryptoDriver.attach(
   *   new InProcessDevice({ workers: 0 }),
   * );
   * const { usedLength, bytes } = await driver.submitRaw(
   *   0,
   *   [new Uint8Array(8)],
   *   [1],
   * );
   * console.log(usedLength, bytes[0]); // 1 1
   * ```
   * @throws {DriverClosedError} The driver was closed
   * @throws {QueueFailedError} The queue is served no more
   * @throws {RangeError} There is no such queue, the chain can never fit, or a
   * number of bytes is none
   * @throws {OutOfGuestMemoryError} The segments are larger than guest memory
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
    this.#queues.get(queue).submit(request);
    return await request.result;
  }

  /**
   * Settles what the device has returned so far, without waiting for it to
   * signal.
   */
  poll(): void {
    this.#queues.poll();
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

  async #sendSecret<T>(
    queue: number,
    { bytes, decode }: OperationRequest<T>,
  ): Promise<T> {
    return await this.#queues.send(queue, bytes, true, decode);
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    throw new DriverClosedError("Cannot use the driver: it was closed");
  }

  async #close(): Promise<void> {
    const error = new DriverClosedError(
      "Cannot complete the request: the driver was closed",
    );
    this.#queues.failData(error);
    const ended = Promise.allSettled(
      [...this.#sessions].map((session) => session.destroy()),
    );
    // A device that does not answer shall not keep its driver from leaving.
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.closeTimeout);
    await Promise.race([ended, timeout]);
    clearTimeout(timer);
    this.#queues.fail(error);
    await this.#transport.close();
  }
}

/** Overwrites the copy of its keys that a chain's parameters have. */
function forgetKeys(
  { service }: SessionOptions | ChainSessionOptions,
  { key }: SessionParameters,
): void {
  if (service === "chain") key.fill(0);
}
