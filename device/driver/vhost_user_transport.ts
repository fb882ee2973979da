/**
 * A transport to a vhost-user backend: rings in memory shared by file, kicks
 * and calls by eventfd.
 *
 * @module
 */

import { drainEventfd, signalEventfd } from "../host/eventfd.ts";
import { POLLIN, PollSet } from "../host/poll.ts";
import type { GuestMemory } from "../memory/guest_memory.ts";
import { CONFIG_SIZE, decodeConfig } from "../spec/config.ts";
import {
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
} from "../spec/constants.ts";
import {
  VHOST_USER_F_PROTOCOL_FEATURES,
  VHOST_USER_PROTOCOL_F_CONFIG,
  VHOST_USER_PROTOCOL_F_CRYPTO_SESSION,
  VHOST_USER_PROTOCOL_F_MQ,
} from "../vhost_user/protocol.ts";
import { asError, QueueFailedError } from "./errors.ts";
import type { DriverRing } from "./ring.ts";
import { sessionMessagesOf } from "./session_messages.ts";
import type { RegionOptions } from "./shared_guest_memory.ts";
import type {
  SessionMessages,
  Transport,
  TransportListener,
} from "./transport.ts";
import {
  ConnectionClosedError,
  type ConnectOptions,
} from "./vhost_user_channel.ts";
import { type RingFds, VhostUserFrontend } from "./vhost_user_frontend.ts";

/** A feature that was asked for is not there. */
export class MissingFeatureError extends Error {
  /** The name of the class. */
  override readonly name = "MissingFeatureError";
}

/** How a backend is used. What is left out is chosen. */
export interface VhostUserTransportOptions extends ConnectOptions {
  /**
   * What of the device the backend has.
   *
   * - device: all of it, with configuration space and control queue, as for
   *   QEMU's vhost-user-test-device
   * - cryptodev: the data queues; sessions are made by message, and the guest's
   *   features stay unknown to it, as for QEMU's cryptodev-vhost-user
   */
  readonly mode?: "device" | "cryptodev";
  /**
   * Virtio feature bits to take where they are offered; a legacy driver's
   * (VERSION_1, INDIRECT_DESC and EVENT_IDX) when left out. Bits 0 to 4 decide
   * the layout of requests, and whether they may bring their keys along.
   */
  readonly features?: bigint;
  /** Protocol feature bits to take where they are offered; all. */
  readonly protocolFeatures?: bigint;
  /** Guest memory to make: 1 to 8 regions; one of 64 MiB when left out. */
  readonly memory?: readonly RegionOptions[];
}

function bit(number: number): bigint {
  return 1n << BigInt(number);
}

const LEGACY_FEATURES = bit(VIRTIO_F_VERSION_1) |
  bit(VIRTIO_F_RING_INDIRECT_DESC) | bit(VIRTIO_F_RING_EVENT_IDX);
const ALL = 0xffff_ffff_ffff_ffffn;

const DEFAULT_MEMORY: readonly RegionOptions[] = [
  { guestAddress: 0x4000_0000, size: 64 << 20 },
];

/**
 * A transport to a vhost-user backend, such as {@linkcode VhostUserServer}: it
 * is what QEMU is to a guest. It needs `--allow-ffi`.
 *
 * @example
 * ```ts
 * import {
 *   CryptoDriver,
 *   VhostUserServer,
 *   VhostUserTransport,
 * } from "../../mod.ts";
 *
 * const socketPath = `/tmp/virtio-crypto-${crypto.randomUUID()}.sock`;
 * await using _server = VhostUserServer.listen({ socketPath });
 * await using driver = await CryptoDriver.attach(
 *   await VhostUserTransport.connect(socketPath),
 * );
 * console.log(driver.dataQueues); // 2
 * ```
 */
export class VhostUserTransport implements Transport {
  /**
   * The frontend, for what a driver does not do.
   *
   * @internal
   */
  readonly frontend: VhostUserFrontend;
  readonly memory: GuestMemory;
  readonly features: bigint;
  readonly config: Uint8Array<ArrayBuffer> | undefined;
  readonly dataQueues: number;
  readonly sessionMessages: SessionMessages | undefined;
  readonly #rings = new Map<number, RingFds>();
  /** Rings whose signals are waited for. */
  readonly #watched = new Map<number, RingFds>();
  /** Ends a wait, so that the next one is for something else. */
  readonly #wake: number;
  #loop: Promise<void> | undefined;
  #listener: TransportListener | undefined;
  #closing: Promise<void> | undefined;
  #failed = false;

  private constructor(
    frontend: VhostUserFrontend,
    parts: {
      readonly memory: GuestMemory;
      readonly features: bigint;
      readonly config: Uint8Array<ArrayBuffer> | undefined;
      readonly dataQueues: number;
    },
  ) {
    this.frontend = frontend;
    this.#wake = frontend.eventfd();
    this.memory = parts.memory;
    this.features = parts.features;
    this.config = parts.config;
    this.dataQueues = parts.dataQueues;
    this.sessionMessages = parts.config === undefined
      ? sessionMessagesOf(frontend)
      : undefined;
  }

  /**
   * Connects to a backend, negotiates, and shares memory with it.
   *
   * @param path the backend's socket
   * @param options how to use the backend
   * @returns the transport; no queue is started yet
   * @throws {SocketError} Nobody listened there until the time was over
   * @throws {MissingFeatureError} The backend does not offer what the mode needs
   * @throws {ConnectionClosedError} The backend closed the connection
   * @throws {RequestRefusedError} The backend refused a request
   * @throws {UnexpectedReplyError} The backend's answer is not one to the request
   * @throws {BackendTimeoutError} The backend did not answer in time
   * @throws {LibraryError} The C library cannot be opened, or FFI is not permitted
   */
  static async connect(
    path: string,
    options: VhostUserTransportOptions = {},
  ): Promise<VhostUserTransport> {
    const frontend = await VhostUserFrontend.connect(path, options);
    try {
      return await VhostUserTransport.#over(frontend, options);
    } catch (error) {
      await frontend.close();
      throw error;
    }
  }

  static async #over(
    frontend: VhostUserFrontend,
    options: VhostUserTransportOptions,
  ): Promise<VhostUserTransport> {
    const cryptodev = options.mode === "cryptodev";
    const wanted = options.features ?? LEGACY_FEATURES;
    const offered = await frontend.getFeatures();
    // QEMU tells the backend of a cryptodev nothing of what the guest took.
    await frontend.negotiate({
      features: bit(VHOST_USER_F_PROTOCOL_FEATURES) | (cryptodev ? 0n : wanted),
      protocolFeatures: (options.protocolFeatures ?? ALL) &
        (cryptodev ? ~bit(VHOST_USER_PROTOCOL_F_CONFIG) : ALL),
    });
    const has = (feature: number) =>
      (frontend.protocolFeatures & bit(feature)) !== 0n;
    const needed = cryptodev
      ? VHOST_USER_PROTOCOL_F_CRYPTO_SESSION
      : VHOST_USER_PROTOCOL_F_CONFIG;
    if (!has(needed)) {
      throw new MissingFeatureError(
        `Cannot use the backend as a ${
          cryptodev ? "cryptodev" : "device"
        }: protocol feature ${needed} was not negotiated`,
      );
    }
    const queues = has(VHOST_USER_PROTOCOL_F_MQ)
      ? await frontend.getQueueNum()
      : 1;
    const config = cryptodev
      ? undefined
      : await frontend.getConfig(0, CONFIG_SIZE);
    if (!cryptodev && config === undefined) {
      throw new MissingFeatureError(
        "Cannot use the backend as a device: it has no configuration space",
      );
    }
    return new VhostUserTransport(frontend, {
      memory: await frontend.shareMemory(options.memory ?? DEFAULT_MEMORY),
      features: offered & wanted,
      config,
      dataQueues: config === undefined
        ? queues
        : decodeConfig(config).maxDataqueues,
    });
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    this.#loop = this.#watch();
  }

  async startQueue(index: number, ring: DriverRing): Promise<void> {
    const fds = await this.frontend.startRing(index, ring);
    this.#rings.set(index, fds);
    this.#watched.set(index, fds);
    signalEventfd(this.#wake);
  }

  kick(index: number): void {
    const fds = this.#rings.get(index);
    if (fds !== undefined && this.#closing === undefined) {
      signalEventfd(fds.kick);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    signalEventfd(this.#wake);
    await this.#loop;
    try {
      for (const index of this.#failed ? [] : this.#rings.keys()) {
        await this.frontend.getVringBase(index);
      }
    } catch {
      // A backend that is gone has stopped its rings as well.
    } finally {
      await this.frontend.close();
    }
  }

  /** Tells the listener of signals, broken rings and a backend that is gone. */
  async #watch(): Promise<void> {
    const set = new PollSet();
    const { fd } = this.frontend.channel;
    try {
      while (this.#closing === undefined) {
        drainEventfd(this.#wake);
        set.clear();
        set.add(this.#wake, POLLIN);
        // No events: hang-ups are reported whether asked for or not, and what
        // can be read is for the frontend.
        const connection = set.add(fd, 0);
        const rings = [...this.#watched];
        for (const [, { call, err }] of rings) {
          set.add(call, POLLIN);
          set.add(err, POLLIN);
        }
        await set.wait(-1);
        if (this.#closing !== undefined) return;
        let at = connection + 1;
        for (const [index, fds] of rings) {
          const called = set.ready(at++) !== 0;
          const broken = set.ready(at++) !== 0;
          if (called) this.#called(index, fds);
          if (broken) this.#broken(index);
        }
        if (set.ready(connection) !== 0) {
          throw new ConnectionClosedError(
            "Cannot go on: the backend closed the connection",
          );
        }
      }
    } catch (error) {
      this.#failed = true;
      this.#listener?.failed(asError(error));
    }
  }

  #called(index: number, fds: RingFds): void {
    drainEventfd(fds.call);
    this.#listener?.signalled(index);
  }

  #broken(index: number): void {
    this.#watched.delete(index);
    this.#listener?.queueFailed(
      index,
      new QueueFailedError(index, "its ring is broken"),
    );
  }
}
