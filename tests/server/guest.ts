/**
 * A guest behind a frontend of this process, whose rings survive being stopped
 * and started.
 *
 * @module
 */

import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import type { RegionOptions } from "../../device/driver/shared_guest_memory.ts";
import { SplitRingDriver } from "../../device/driver/split_ring.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import { GuestQueue } from "./guest_queue.ts";
import type { GuestSession } from "./guest_session.ts";
import { CBC_INFO } from "./guest_session.ts";
import * as p from "../../device/vhost_user/protocol.ts";

/** VERSION_1, INDIRECT_DESC, EVENT_IDX and PROTOCOL_FEATURES. */
export const DEVICE_FEATURES = 1n << 32n | 1n << 30n | 1n << 29n | 1n << 28n;
/** What QEMU's cryptodev sets, whatever the guest has taken. */
export const CRYPTODEV_FEATURES = 1n << 30n;

/** Everything but CONFIG, which makes a cryptodev. */
export const CRYPTODEV_PROTOCOL_FEATURES = ~(1n <<
  BigInt(p.VHOST_USER_PROTOCOL_F_CONFIG)) & 0xffff_ffffn;

/** How a guest is made. */
export interface GuestOptions {
  /** Who owns the control queue; "cryptodev" when left out. */
  readonly mode?: "device" | "cryptodev";
  /** Its memory; one region of 2 MiB when left out. */
  readonly memory?: readonly RegionOptions[];
  /** Virtio features to take; those of the mode when left out. */
  readonly features?: bigint;
  /** Protocol features to take; those of the mode when left out. */
  readonly protocolFeatures?: bigint;
}

/** Where the memory of a guest begins, if not said. */
export const MEMORY_AT = 0x4000_0000;

/** A guest. */
export class Guest implements AsyncDisposable {
  readonly frontend: VhostUserFrontend;
  /** Where its rings and requests get their memory. */
  allocator: GuestAllocator;
  readonly #cryptodev: boolean;
  readonly #eventIndex: boolean;

  private constructor(frontend: VhostUserFrontend, options: GuestOptions) {
    this.frontend = frontend;
    this.allocator = new GuestAllocator(frontend.shared.memory);
    this.#cryptodev = options.mode !== "device";
    // A guest of QEMU's cryptodev uses it without the backend knowing.
    this.#eventIndex = this.#cryptodev ||
      (frontend.features & 1n << 29n) !== 0n;
  }

  /**
   * Connects, negotiates and shares memory.
   *
   * @param path the server's socket
   * @param options how the guest is made
   * @returns the guest; no ring is started
   */
  static async connect(
    path: string,
    options: GuestOptions = {},
  ): Promise<Guest> {
    return await Guest.over(
      await VhostUserFrontend.connect(path, { timeoutMs: 20_000 }),
      options,
    );
  }

  /**
   * Negotiates and shares memory.
   *
   * @param frontend connected, and closed if this fails
   * @param options how the guest is made
   * @returns the guest; no ring is started
   */
  static async over(
    frontend: VhostUserFrontend,
    options: GuestOptions = {},
  ): Promise<Guest> {
    const device = options.mode === "device";
    try {
      await frontend.negotiate({
        features: options.features ??
          (device ? DEVICE_FEATURES : CRYPTODEV_FEATURES),
        protocolFeatures: options.protocolFeatures ??
          (device ? 0xffff_ffffn : CRYPTODEV_PROTOCOL_FEATURES),
      });
      await frontend.shareMemory(
        options.memory ?? [{ guestAddress: MEMORY_AT, size: 2 << 20 }],
      );
      return new Guest(frontend, options);
    } catch (error) {
      await frontend.close();
      throw error;
    }
  }

  /**
   * Lays out a queue; it is not started.
   *
   * @param index number of the queue
   * @param size entries of its ring
   * @param startIndex where its indices start
   * @returns the queue
   */
  queue(index: number, size = 64, startIndex = 0): GuestQueue {
    const eventIndex = this.#eventIndex;
    const ring = new SplitRingDriver(this.allocator, {
      size,
      eventIndex,
      startIndex,
    });
    return new GuestQueue(this, index, ring);
  }

  /**
   * Lays out a queue and starts it.
   *
   * @param index number of the queue
   * @param size entries of its ring
   * @returns the queue
   */
  async start(index: number, size = 64): Promise<GuestQueue> {
    const queue = this.queue(index, size);
    await queue.start();
    return queue;
  }

  /**
   * Creates a session that encrypts by AES-128-CBC.
   *
   * @param key the key
   * @param control the control queue, where the guest has one
   * @returns the session
   */
  async session(
    key: Uint8Array = new Uint8Array(16).fill(0x11),
    control?: GuestQueue,
  ): Promise<GuestSession> {
    if (this.#cryptodev) {
      const id = await this.frontend.createCryptoSession(CBC_INFO, key);
      if (id < 0n) throw new Error(`The session was refused: ${id}`);
      return { id, key };
    }
    if (control === undefined) throw new Error("A control queue is needed");
    return { id: await control.createSession(key), key };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.frontend.close();
  }
}
