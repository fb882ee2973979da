/**
 * Sessions as a program uses them.
 *
 * @module
 */

import type { SessionParameters } from "../spec/session_parameters.ts";
import {
  type ChainOperation,
  chainRequest,
  type ChainResult,
  opcodeOf,
  type Operation,
  operationRequest,
  type Operator,
} from "./operation.ts";
import type { DataLayout, RequestBytes } from "./requests.ts";

export type { ChainOperation, ChainResult, Operation };

/** What a session needs of its driver. */
export interface SessionHost {
  /**
   * The layout of a service's data requests.
   *
   * @param opcode opcode of a data request
   * @returns its layout
   */
  dataLayout(opcode: number): DataLayout;
  /**
   * Sends a data request.
   *
   * @param queue number of a data queue
   * @param bytes the request
   * @param decode makes the result from the writable part
   * @returns the result
   */
  request<T>(
    queue: number,
    bytes: RequestBytes,
    decode: (answer: Uint8Array<SharedArrayBuffer>) => T,
  ): Promise<T>;
  /**
   * Destroys a session.
   *
   * @param session the session
   */
  destroySession(session: SessionHandle): Promise<void>;
}

const WIPED = new Uint8Array(0);

/** What all sessions have. */
export class SessionHandle implements AsyncDisposable {
  /** The device's id of the session. */
  readonly id: bigint;
  /** VIRTIO_CRYPTO_SERVICE_* number. */
  readonly service: number;
  /** Number of the algorithm within its service; of a chain's cipher. */
  readonly algorithm: number;
  /** Length of digest, MAC or tag in bytes; 0 for ciphers. */
  readonly resultLength: number;
  /** The data queue its requests go to. */
  readonly queue: number;
  /** Opcode of its data requests. */
  readonly opcode: number;
  /**
   * The driver.
   *
   * @internal
   */
  protected readonly host: SessionHost;
  /**
   * How its operations name it.
   *
   * @internal
   */
  protected readonly operator: Operator;
  #destroyed: Promise<void> | undefined;

  /**
   * Makes the session of an id; a driver does it when it has created one.
   *
   * @param host the driver
   * @param parameters what the session was created from; its key is not kept
   * @param id the device's id of it
   * @param queue the data queue its requests go to
   * @internal
   */
  constructor(
    host: SessionHost,
    parameters: SessionParameters,
    id: bigint,
    queue: number,
  ) {
    this.host = host;
    this.id = id;
    this.service = parameters.service;
    this.algorithm = parameters.algorithm;
    this.resultLength = parameters.resultLength;
    this.queue = queue;
    this.opcode = opcodeOf(parameters);
    this.operator = {
      parameters: { ...parameters, key: WIPED },
      sessionId: id,
    };
  }

  /**
   * Destroys the session. Operations still outstanding may fail with INVSESS.
   *
   * @returns settled when the device has done so; the same at a second call
   * @throws {CryptoStatusError} The device refused
   */
  destroy(): Promise<void> {
    this.#destroyed ??= this.host.destroySession(this);
    return this.#destroyed;
  }

  /** Destroys the session at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy();
  }
}

/** A session: an algorithm, a key and, for ciphers and AEAD, a direction. */
export class Session extends SessionHandle {
  /**
   * Runs one operation. Many may be outstanding; those of one queue go to the
   * device in the order of the calls.
   *
   * @param operation what to work on
   * @returns ciphertext, plaintext, digest or MAC; for AEAD encryption
   * ciphertext, then tag
   * @throws {CryptoStatusError} The device refused, or a tag is wrong
   * @throws {DriverClosedError} The driver was closed
   * @throws {RangeError} There is no such queue
   * @throws {OutOfGuestMemoryError} The operation is larger than guest memory
   * @throws {QueueFailedError} The queue is served no more
   * @throws {UsedLengthError} The device broke the rules
   * @throws {UsedRingError} The device broke the ring
   */
  run(operation: Operation): Promise<Uint8Array<ArrayBuffer>> {
    const layout = this.host.dataLayout(this.opcode);
    const { bytes, decode } = operationRequest(
      layout,
      this.operator,
      operation,
    );
    return this.host.request(operation.queue ?? this.queue, bytes, decode);
  }
}

/** A session that chains a cipher with a hash or MAC. */
export class ChainSession extends SessionHandle {
  /**
   * Runs one operation, like {@linkcode Session.run}.
   *
   * @param operation what to work on, and which ranges of it
   * @returns the source with the ciphered range replaced, and the digest
   * @throws {CryptoStatusError} The device refused
   * @throws {DriverClosedError} The driver was closed
   * @throws {RangeError} There is no such queue
   * @throws {OutOfGuestMemoryError} The operation is larger than guest memory
   * @throws {QueueFailedError} The queue is served no more
   * @throws {UsedLengthError} The device broke the rules
   * @throws {UsedRingError} The device broke the ring
   */
  run(operation: ChainOperation): Promise<ChainResult> {
    const layout = this.host.dataLayout(this.opcode);
    const { bytes, decode } = chainRequest(layout, this.operator, operation);
    return this.host.request(operation.queue ?? this.queue, bytes, decode);
  }
}
