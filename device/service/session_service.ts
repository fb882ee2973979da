/**
 * Sessions as drivers and frontends ask for them: judged, created and
 * destroyed. Main thread only.
 *
 * @module
 */

import type { LiveSession, SessionRegistry } from "../session/registry.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOSPC,
  VIRTIO_CRYPTO_OK,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import type { Capabilities } from "./capabilities.ts";

/** The limits a device sets its sessions. */
export interface ControlLimits {
  /** Largest content of a data request in bytes. */
  readonly maxSize: number;
  /** Number of data queues. */
  readonly dataQueues: number;
}

/** The sessions of a device as the control queue and the frontend make them. */
export class SessionService {
  readonly #registry: SessionRegistry;
  readonly #capabilities: Capabilities;
  readonly #limits: ControlLimits;
  readonly #retired: () => void;

  /**
   * @param registry the device's sessions
   * @param capabilities what the device serves
   * @param limits what a session may ask for
   * @param retired called after sessions ended, to wake those who hold contexts
   */
  constructor(
    registry: SessionRegistry,
    capabilities: Capabilities,
    limits: ControlLimits,
    retired: () => void,
  ) {
    this.#registry = registry;
    this.#capabilities = capabilities;
    this.#limits = limits;
    this.#retired = retired;
  }

  /** One bit a service. */
  get services(): number {
    return this.#capabilities.services;
  }

  /** Number of live sessions. */
  get size(): number {
    return this.#registry.size;
  }

  /**
   * Lists live sessions.
   *
   * @param most how many at most
   * @returns their ids and parameters, without keys
   */
  list(most: number): readonly LiveSession[] {
    return this.#registry.list(most);
  }

  /**
   * Judges the parameters of a session: what is not offered (NOTSUPP), then
   * the values (ERR).
   *
   * @param parameters what the driver asks for
   * @returns VIRTIO_CRYPTO_OK, or the status the request gets
   */
  check(parameters: SessionParameters): number {
    const offered = this.#capabilities.checkOffered(parameters);
    return offered === VIRTIO_CRYPTO_OK
      ? this.#capabilities.checkValues(parameters, this.#limits.maxSize)
      : offered;
  }

  /**
   * Creates a session of parameters that were judged good.
   *
   * @param parameters what the driver asks for
   * @param queueId the data queue the driver says it will use; with REVISION_1
   * the field is reserved, and nothing is judged by it
   * @param revision1 whether VIRTIO_CRYPTO_F_REVISION_1 was negotiated
   * @returns status, and the id's halves, 0 on failure
   */
  create(
    parameters: SessionParameters,
    queueId: number,
    revision1 = false,
  ): { status: number; low: number; high: number } {
    if (!revision1 && queueId >= this.#limits.dataQueues) {
      return { status: VIRTIO_CRYPTO_ERR, low: 0, high: 0 };
    }
    const id = this.#registry.create(parameters, parameters.key);
    if (id !== undefined) return { status: VIRTIO_CRYPTO_OK, ...id };
    const status = revision1 ? VIRTIO_CRYPTO_NOSPC : VIRTIO_CRYPTO_ERR;
    return { status, low: 0, high: 0 };
  }

  /**
   * Destroys a session.
   *
   * @param low low half of its id
   * @param high high half of its id
   * @param service the service it must be of; left out: any
   * @returns VIRTIO_CRYPTO_OK, or VIRTIO_CRYPTO_ERR when there is no such one
   */
  destroy(low: number, high: number, service?: number): number {
    const found = this.#registry.service(low, high);
    if (found < 0 || (service !== undefined && found !== service)) {
      return VIRTIO_CRYPTO_ERR;
    }
    this.#registry.destroy(low, high);
    this.#retired();
    return VIRTIO_CRYPTO_OK;
  }

  /** Destroys all sessions. */
  clear(): void {
    if (this.#registry.clear() > 0) this.#retired();
  }
}
