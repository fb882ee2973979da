/**
 * What carries a driver's rings to a device: a device in this process, or a
 * vhost-user backend behind a socket.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import type { DriverRing } from "./ring.ts";

/** What a transport tells its driver. */
export interface TransportListener {
  /**
   * A queue has been signalled. It may come from within {@linkcode
   * Transport.kick}, and it may come when there is nothing new.
   *
   * @param index number of the queue
   */
  signalled(index: number): void;
  /**
   * The device serves a queue no more, and nothing it holds of that queue will
   * come back. Other queues go on.
   *
   * @param index number of the queue
   * @param error why
   */
  queueFailed(index: number, error: Error): void;
  /**
   * The device is gone, and nothing it holds will come back.
   *
   * @param error why
   */
  failed(error: Error): void;
}

/** Makes and ends sessions without a control queue, as QEMU does. */
export interface SessionMessages {
  /**
   * Creates a session (vhost-user, VHOST_USER_CREATE_CRYPTO_SESSION).
   *
   * @param parameters what the session shall be
   * @returns the session's id
   * @throws {Error} The device refused
   */
  create(parameters: SessionParameters): Promise<bigint>;
  /**
   * Destroys a session (vhost-user, VHOST_USER_CLOSE_CRYPTO_SESSION).
   *
   * @param sessionId the session's id
   */
  close(sessionId: bigint): Promise<void>;
}

/**
 * A device as its driver sees it: memory that both share, features negotiated,
 * and a way to say that there is something new in a queue. Requests themselves
 * pass only through memory.
 */
export interface Transport {
  /** The memory that rings and buffers lie in. The driver hands it out. */
  readonly memory: GuestMemory;
  /** The negotiated feature bits. */
  readonly features: bigint;
  /**
   * The configuration space, read after negotiation (56 bytes); undefined
   * where the device has none, and then no control queue either.
   */
  readonly config: Uint8Array | undefined;
  /** Number of data queues that can be started. */
  readonly dataQueues: number;
  /** Creates sessions where there is no control queue. */
  readonly sessionMessages?: SessionMessages | undefined;
  /**
   * Says who is told of signals. Called once, before any queue is started.
   *
   * @param listener the driver
   */
  listen(listener: TransportListener): void;
  /**
   * Starts a queue.
   *
   * @param index number of the queue; the control queue's is max_dataqueues
   * @param ring the queue's ring, in `memory`, empty
   * @throws {Error} The device refused
   */
  startQueue(index: number, ring: DriverRing): Promise<void>;
  /**
   * Tells the device that a queue has something new. It does not wait.
   *
   * @param index number of a queue that was started
   */
  kick(index: number): void;
  /** Stops all queues. Afterwards the device touches the memory no more. */
  close(): Promise<void>;
}
