/**
 * A session as a program uses it.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_AEAD_DECRYPT,
  VIRTIO_CRYPTO_AEAD_ENCRYPT,
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_ENCRYPT,
  VIRTIO_CRYPTO_HASH,
  VIRTIO_CRYPTO_MAC,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import { dataRequest } from "./data_requests.ts";
import { CryptoStatusError } from "./errors.ts";
import type { Layout, RequestBytes } from "./requests.ts";

/** One operation. All lengths are in bytes. */
export interface Operation {
  /**
   * What is worked on; for AEAD decryption ciphertext, then tag. It must stay
   * as it is until the operation is done.
   */
  readonly data: Uint8Array;
  /** iv, counter or nonce; none when left out. */
  readonly iv?: Uint8Array;
  /** Additional authenticated data of AEAD; none when left out. */
  readonly aad?: Uint8Array;
  /** The data queue to use; the session's own when left out. */
  readonly queue?: number;
  /** Length of digest, MAC or tag; the session's when left out. */
  readonly resultLength?: number;
  /** Give the iv field of AEAD a full 16 bytes; see DataParameters. */
  readonly fullIv?: boolean;
}

/** What a session needs of its driver. */
export interface SessionHost {
  /** The negotiated layout. */
  readonly layout: Layout;
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
  destroySession(session: Session): Promise<void>;
}

const NONE = new Uint8Array(0);

/** A session: an algorithm, a key and, for ciphers and AEAD, a direction. */
export class Session {
  /** The device's id of the session. */
  readonly id: bigint;
  /** VIRTIO_CRYPTO_SERVICE_* number. */
  readonly service: number;
  /** Number of the algorithm within its service. */
  readonly algorithm: number;
  /** Length of digest, MAC or tag in bytes; 0 for ciphers. */
  readonly resultLength: number;
  /** The data queue its requests go to. */
  readonly queue: number;
  /** Opcode of its data requests. */
  readonly opcode: number;
  readonly #host: SessionHost;
  #destroyed: Promise<void> | undefined;

  /**
   * Makes the session of an id; a driver does it when it has created one.
   *
   * @param host the driver
   * @param parameters what the session was created from
   * @param id the device's id of it
   * @param queue the data queue its requests go to
   */
  constructor(
    host: SessionHost,
    parameters: SessionParameters,
    id: bigint,
    queue: number,
  ) {
    this.#host = host;
    this.id = id;
    this.service = parameters.service;
    this.algorithm = parameters.algorithm;
    this.resultLength = parameters.resultLength;
    this.queue = queue;
    this.opcode = opcodeOf(parameters);
  }

  /**
   * Runs one operation. Many may be outstanding; those of one queue go to the
   * device in the order of the calls.
   *
   * @param operation what to work on
   * @returns ciphertext, plaintext, digest or MAC; for AEAD encryption
   * ciphertext, then tag
   * @throws {CryptoStatusError} The device refused, or a tag is wrong
   * @throws {DriverClosedError} The driver was closed
   * @throws {UsedLengthError} The device broke the rules
   */
  run(operation: Operation): Promise<Uint8Array<ArrayBuffer>> {
    const { data, iv = NONE, aad = NONE, queue = this.queue } = operation;
    const { resultLength = this.resultLength, fullIv = false } = operation;
    const destinationLength = this.#destinationLength(data, resultLength);
    const length = this.service === VIRTIO_CRYPTO_SERVICE_CIPHER ||
        this.service === VIRTIO_CRYPTO_SERVICE_AEAD
      ? destinationLength
      : resultLength;
    const bytes = dataRequest(this.#host.layout, {
      opcode: this.opcode,
      algorithm: this.algorithm,
      sessionId: this.id,
      iv,
      source: data,
      aad,
      destinationLength,
      resultLength,
      fullIv,
    });
    return this.#host.request(queue, bytes, (answer) => {
      // The status is the last byte of the writable part, whatever precedes.
      const status = answer[answer.length - 1]!;
      if (status !== VIRTIO_CRYPTO_OK) {
        throw new CryptoStatusError("run the operation", status);
      }
      return answer.slice(0, length);
    });
  }

  /**
   * Destroys the session. Operations still outstanding may fail with INVSESS.
   *
   * @returns settled when the device has done so; the same at a second call
   * @throws {CryptoStatusError} The device refused
   */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#host.destroySession(this);
    return this.#destroyed;
  }

  /** Destroys the session at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy();
  }

  #destinationLength(data: Uint8Array, tagLength: number): number {
    switch (this.opcode) {
      case VIRTIO_CRYPTO_CIPHER_ENCRYPT:
      case VIRTIO_CRYPTO_CIPHER_DECRYPT:
        return data.length;
      case VIRTIO_CRYPTO_AEAD_ENCRYPT:
        return data.length + tagLength;
      case VIRTIO_CRYPTO_AEAD_DECRYPT:
        // A source shorter than its tag is for the device to refuse.
        return Math.max(0, data.length - tagLength);
      default:
        return 0;
    }
  }
}

function opcodeOf({ service, op }: SessionParameters): number {
  const decrypt = op === VIRTIO_CRYPTO_OP_DECRYPT;
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      return decrypt
        ? VIRTIO_CRYPTO_CIPHER_DECRYPT
        : VIRTIO_CRYPTO_CIPHER_ENCRYPT;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      return VIRTIO_CRYPTO_HASH;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      return decrypt ? VIRTIO_CRYPTO_AEAD_DECRYPT : VIRTIO_CRYPTO_AEAD_ENCRYPT;
    default:
      return VIRTIO_CRYPTO_MAC;
  }
}
