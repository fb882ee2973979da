/**
 * A vhost-user frontend: what QEMU is to a backend. The demonstration, the tests
 * and whoever tests a backend use it.
 *
 * @module
 */

import { createEventfd } from "../host/eventfd.ts";
import type { GuestMemory } from "../memory/guest_memory.ts";
import * as p from "../vhost_user/protocol.ts";
import { closeFds } from "../vhost_user/socket.ts";
import type { RingAddresses } from "./ring.ts";
import {
  type RegionOptions,
  SharedGuestMemory,
  type SharedRegion,
} from "./shared_guest_memory.ts";
import { type ConnectOptions, VhostUserChannel } from "./vhost_user_channel.ts";
import { VhostUserRequests } from "./vhost_user_requests.ts";

/** A ring to start: a driver's ring is one. */
export interface StartableRing {
  /** Number of descriptors. */
  readonly size: number;
  /** Value of SET_VRING_BASE. */
  readonly base: number;
  /** Where the ring lies, in the frontend's addresses. */
  readonly userAddresses: RingAddresses;
}

/** The eventfds of a ring. */
export interface RingFds {
  /** Signalled by the driver: there is something new. */
  readonly kick: number;
  /** Signalled by the device: something was used. */
  readonly call: number;
  /** Signalled by the device: the ring is broken. */
  readonly err: number;
}

/** What to negotiate. */
export interface NegotiateOptions {
  /** Virtio feature bits to take where they are offered; all if not said. */
  readonly features?: bigint;
  /** Protocol feature bits to take where they are offered; all if not said. */
  readonly protocolFeatures?: bigint;
}

const ALL = 0xffff_ffff_ffff_ffffn;

function bit(number: number): bigint {
  return 1n << BigInt(number);
}

/**
 * A frontend: a connection to a backend, the memory shared with it and the
 * eventfds of its rings.
 */
export class VhostUserFrontend extends VhostUserRequests
  implements AsyncDisposable {
  /** The memory shared with the backend. */
  readonly shared: SharedGuestMemory = new SharedGuestMemory();
  /** Descriptors to close in the end. */
  readonly #fds: number[] = [];

  /**
   * Connects to a backend, which may be about to start.
   *
   * @param path the backend's socket
   * @param options how long to try
   * @returns the frontend; nothing is negotiated yet
   * @throws {SocketError} Nobody listened there until the time was over
   */
  static async connect(
    path: string,
    options: ConnectOptions = {},
  ): Promise<VhostUserFrontend> {
    return new VhostUserFrontend(await VhostUserChannel.connect(path, options));
  }

  /**
   * Negotiates as frontends do: features, protocol features where there are any,
   * owner, features taken.
   *
   * @param options what to take of the offer
   * @returns the virtio features taken
   */
  async negotiate(options: NegotiateOptions = {}): Promise<bigint> {
    const offered = await this.getFeatures();
    if ((offered & bit(p.VHOST_USER_F_PROTOCOL_FEATURES)) !== 0n) {
      const protocol = await this.getProtocolFeatures();
      await this.setProtocolFeatures(
        protocol & (options.protocolFeatures ?? ALL),
      );
    }
    await this.setOwner();
    await this.setFeatures(offered & (options.features ?? ALL));
    return this.features;
  }

  /**
   * Makes memory and shares it as the whole memory table.
   *
   * @param regions 1 to 8 regions
   * @returns the memory as this process sees it
   */
  async shareMemory(regions: readonly RegionOptions[]): Promise<GuestMemory> {
    for (const region of regions) this.shared.add(region);
    await this.setMemTable(this.shared.regions);
    return this.shared.memory;
  }

  /**
   * Makes a region and adds it to what is shared (ADD_MEM_REG).
   *
   * @param options its place and size
   * @returns the region; `shared.memory` has it from now on
   */
  async addMemory(options: RegionOptions): Promise<SharedRegion> {
    const region = this.shared.add(options);
    await this.addMemReg(region, [region.fd]);
    return region;
  }

  /**
   * Takes a region back (REM_MEM_REG). Nobody here may have views of it.
   *
   * @param region a region that is shared
   */
  async removeMemory(region: SharedRegion): Promise<void> {
    await this.remMemReg(region);
    this.shared.remove(region);
  }

  /**
   * Sets a ring up and starts it, in the order of frontends: size, base, addresses, kick, call, and where protocol features
   * were negotiated, enabled.
   *
   * @param index which ring
   * @param ring its memory
   * @param fds its eventfds; new ones, which stay open until {@linkcode close},
   * if not said
   * @returns its eventfds
   */
  async startRing(
    index: number,
    ring: StartableRing,
    fds: RingFds = {
      kick: this.eventfd(),
      call: this.eventfd(),
      err: this.eventfd(),
    },
  ): Promise<RingFds> {
    await this.setVringNum(index, ring.size);
    await this.setVringBase(index, ring.base);
    await this.setVringAddr({ index, flags: 0, ...ring.userAddresses });
    await this.setVringErr(index, fds.err);
    await this.setVringKick(index, fds.kick);
    await this.setVringCall(index, fds.call);
    if ((this.features & bit(p.VHOST_USER_F_PROTOCOL_FEATURES)) !== 0n) {
      await this.setVringEnable(index, true);
    }
    return fds;
  }

  /** @returns an eventfd that {@linkcode close} closes */
  eventfd(): number {
    const fd = createEventfd();
    this.#fds.push(fd);
    return fd;
  }

  /**
   * Hangs up and gives everything back: sockets, eventfds, memory. Nobody may
   * use the memory any more.
   */
  async close(): Promise<void> {
    await this.channel.close();
    closeFds(this.#fds.splice(0));
    this.shared.close();
  }

  /** {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
