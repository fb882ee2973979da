/**
 * Making and ending sessions, by the control queue or by message.
 *
 * @module
 */

import type { SessionParameters } from "../spec/session_parameters.ts";
import {
  createSessionRequest,
  destroySessionRequest,
  readCreated,
  readDestroyed,
} from "./control_requests.ts";
import type { DriverQueues } from "./driver_queues.ts";
import type { Layout } from "./requests.ts";
import type { SessionMessages } from "./transport.ts";

/** Makes and ends a driver's sessions. */
export class SessionControl {
  readonly #queues: DriverQueues;
  readonly #layout: Layout;
  readonly #messages: SessionMessages | undefined;

  /**
   * Says how sessions are made; nothing is sent.
   *
   * @param queues the driver's queues
   * @param layout the rules that requests follow
   * @param messages what to use instead of the control queue
   */
  constructor(
    queues: DriverQueues,
    layout: Layout,
    messages: SessionMessages | undefined,
  ) {
    this.#queues = queues;
    this.#layout = layout;
    this.#messages = messages;
  }

  /**
   * Creates a session. The keys are wiped from guest memory.
   *
   * @param parameters what it shall be
   * @param queue the data queue that will use it
   * @param aadLength bytes of additional authenticated data, as a hint
   * @returns its id
   * @throws {CryptoStatusError} The device refused
   * @throws {RangeError} There is no control queue
   */
  async create(
    parameters: SessionParameters,
    queue: number,
    aadLength: number,
  ): Promise<bigint> {
    if (this.#messages) return await this.#messages.create(parameters);
    const bytes = createSessionRequest(
      this.#layout,
      parameters,
      queue,
      aadLength,
    );
    return await this.#queues.send("control", bytes, true, readCreated);
  }

  /**
   * Destroys a session.
   *
   * @param service VIRTIO_CRYPTO_SERVICE_* number of the session
   * @param id its id
   * @throws {CryptoStatusError} The device refused
   * @throws {RangeError} There is no control queue
   */
  async destroy(service: number, id: bigint): Promise<void> {
    if (this.#messages) return await this.#messages.close(id);
    const bytes = destroySessionRequest(this.#layout, service, id);
    await this.#queues.send("control", bytes, false, readDestroyed);
  }
}
