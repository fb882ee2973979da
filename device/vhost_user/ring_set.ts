/**
 * The rings of one connection: what the frontend said of each, who serves it,
 * and the memory they lie in (QEMU, docs/interop/vhost-user.rst, "Ring
 * states").
 *
 * @module
 */

import { isNotifier, signalPeer } from "../host/eventfd.ts";
import type { Log } from "../log.ts";
import type { Negotiation } from "./features.ts";
import {
  type MappedRegion,
  plainRegions,
  releaseRegions,
} from "./memory_map.ts";
import type { Message } from "./message.ts";
import {
  decodeVringAddr,
  decodeVringFd,
  decodeVringState,
  PayloadError,
} from "./payload.ts";
import { ringPlace } from "./ring_depth.ts";
import type { RingSnapshot, VringSnapshot } from "./snapshot.ts";
import type { ServedRing } from "./served_ring.ts";
import { closeFd, closeFds } from "./socket.ts";
import type { VhostUserDevice } from "./vhost_user_device.ts";
import { MAX_BASE, Vring } from "./vring.ts";

/** The rings of one connection. */
export class RingSet {
  readonly #device: VhostUserDevice;
  readonly #negotiation: Negotiation;
  readonly #log: Log;
  readonly #vrings: Vring[];
  #regions: MappedRegion[] = [];

  /**
   * @param device whose queues serve the rings
   * @param negotiation what the connection negotiates
   * @param log where to write
   */
  constructor(device: VhostUserDevice, negotiation: Negotiation, log: Log) {
    this.#device = device;
    this.#negotiation = negotiation;
    this.#log = log;
    this.#vrings = Array.from({ length: device.queueCount }, () => new Vring());
  }

  /** Whether a ring is served. */
  get serving(): boolean {
    return this.#vrings.some((vring) => vring.serving);
  }

  /** The frontend's memory. */
  get regions(): MappedRegion[] {
    return this.#regions;
  }

  /**
   * A ring at this moment.
   *
   * @param index number of the ring
   * @returns plain data
   */
  snapshot(index: number): VringSnapshot {
    const vring = this.#vring(index);
    const { sessionMessages } = this.#negotiation;
    return {
      running: vring.serving,
      enabled: sessionMessages ? !vring.paused : vring.enabled,
      broken: vring.down ?? null,
      ring: this.#ringSnapshot(index, vring),
    };
  }

  #ringSnapshot(index: number, vring: Vring): RingSnapshot | null {
    if (vring.addresses === undefined || vring.num === 0) return null;
    const setup = vring.setup(this.#negotiation);
    const state = vring.serving
      ? this.#server(index).position ?? setup.state
      : setup.state;
    const place = ringPlace(setup, state, this.#regions);
    const { inOrder, notification } = this.#negotiation;
    return place === undefined ? null : {
      type: setup.format,
      size: setup.size,
      ...place,
      inOrder,
      eventIdx: notification === "event-index",
    };
  }

  /** Forgets all that was said of the rings, which are stopped. */
  reset(): void {
    for (const vring of this.#vrings) vring.reset();
  }

  /** Closes the rings' descriptors. */
  closeFds(): void {
    for (const vring of this.#vrings) {
      closeFds([vring.kickFd, vring.callFd, vring.errFd]);
    }
  }

  #vring(index: number): Vring {
    const vring = this.#vrings[index];
    if (vring === undefined) {
      throw new PayloadError(
        `Cannot use ring ${index}: there are ${this.#vrings.length}`,
      );
    }
    return vring;
  }

  #server(index: number): ServedRing {
    return this.#device.ring(index, this.#negotiation.sessionMessages);
  }

  #mustNotServe(index: number, what: string): Vring {
    const vring = this.#vring(index);
    if (vring.serving) {
      throw new PayloadError(
        `Cannot change the ${what} of ring ${index} while it is served`,
      );
    }
    return vring;
  }

  /**
   * SET_VRING_NUM. The messages that set a ring up may come in any order: it
   * starts with the last one that it needs.
   *
   * @param payload a vring state
   * @throws {PayloadError} There is no such ring, or it is served
   */
  async setNum(payload: Uint8Array): Promise<undefined> {
    const { index, num } = decodeVringState(payload);
    this.#mustNotServe(index, "size").num = num;
    await this.#settle(index);
  }

  /**
   * SET_VRING_BASE. One that shows that the guest was reset ends its sessions.
   *
   * @param payload a vring state
   * @throws {PayloadError} There is no such ring, or it is served
   */
  setBase(payload: Uint8Array): undefined {
    const { index, num } = decodeVringState(payload);
    const vring = this.#mustNotServe(index, "base");
    if (num > MAX_BASE) throw new PayloadError(`Cannot use base ${num}`);
    vring.base = num;
    // A guest that starts over where its rings never were has been reset, and
    // knows nothing of its sessions any more. A packed ring may stand at its
    // beginning again by chance, but hardly all rings in use do.
    const moved = vring.lastBaseReply !== undefined &&
      vring.lastBaseReply !== num;
    if (moved && !this.serving) {
      this.#device.core.sessions.clear();
    }
  }

  /**
   * SET_VRING_ADDR. A ring that is served goes on at its new place.
   *
   * @param payload vring addresses
   * @throws {PayloadError} There is no such ring, or an address is too large
   */
  async setAddr(payload: Uint8Array): Promise<undefined> {
    const addresses = decodeVringAddr(payload);
    const vring = this.#vring(addresses.index);
    vring.addresses = addresses;
    await this.#restart(addresses.index);
  }

  /**
   * GET_VRING_BASE: stops the ring.
   *
   * @param index number of the ring
   * @returns where to go on with it
   * @throws {PayloadError} There is no such ring
   */
  async getBase(index: number): Promise<number> {
    const vring = this.#vring(index);
    await this.#pause(index);
    vring.started = false;
    closeFd(vring.kickFd);
    vring.kickFd = -1;
    return vring.lastBaseReply = vring.position(this.#negotiation);
  }

  /**
   * SET_VRING_KICK: starts the ring, or lets it start when the rest is there.
   *
   * @param message the message, whose descriptor the ring takes
   * @throws {PayloadError} There is no such ring, or no descriptor for it
   */
  async setKick(message: Message): Promise<undefined> {
    const { index, vring, fd } = this.#vringFd(message);
    if (fd < 0) {
      throw new PayloadError(`Cannot serve ring ${index} without a kick`);
    }
    await this.#pause(index);
    closeFd(vring.kickFd);
    vring.kickFd = fd;
    vring.started = true;
    await this.#settle(index);
  }

  /**
   * SET_VRING_CALL. A ring that is served signals the new one once.
   *
   * @param message the message, whose descriptor the ring takes
   * @throws {PayloadError} There is no such ring, or the descriptor is unfit
   */
  async setCall(message: Message): Promise<undefined> {
    const { index, vring, fd } = this.#vringFd(message);
    const old = vring.callFd;
    vring.callFd = fd;
    try {
      if (vring.serving) await this.#server(index).setCall(fd);
    } catch (error) {
      // Its worker threw: that costs this ring, and not the connection.
      this.#log.error(`Ring ${index} did not take its call: ${error}`);
    } finally {
      closeFd(old);
    }
  }

  /**
   * SET_VRING_ERR.
   *
   * @param message the message, whose descriptor the ring takes
   * @throws {PayloadError} There is no such ring, or the descriptor is unfit
   */
  setErr(message: Message): undefined {
    const { vring, fd } = this.#vringFd(message);
    closeFd(vring.errFd);
    vring.errFd = fd;
  }

  /** Takes the descriptor out of a message; the ring owns it from here on. */
  #vringFd(message: Message): { index: number; vring: Vring; fd: number } {
    const { index, fd = -1 } = decodeVringFd(message.payload, message.fds);
    const vring = this.#vring(index);
    if (fd >= 0 && !isNotifier(fd)) {
      throw new PayloadError(
        `Cannot use a file descriptor for ring ${index} that is no eventfd or pipe`,
      );
    }
    message.fds.length = 0;
    return { index, vring, fd };
  }

  /**
   * SET_VRING_ENABLE.
   *
   * @param payload a vring state
   * @throws {PayloadError} There is no such ring, or the number is not 0 or 1
   */
  async setEnable(payload: Uint8Array): Promise<undefined> {
    const { index, num } = decodeVringState(payload);
    if (num > 1) {
      throw new PayloadError(`Cannot set ring ${index} to enabled ${num}`);
    }
    const vring = this.#vring(index);
    vring.enabled = num === 1;
    vring.paused = num === 0;
    await this.#settle(index);
  }

  /** Serves a ring, or stops serving it, as its state now says. */
  async #settle(index: number): Promise<void> {
    const vring = this.#vring(index);
    const wanted = vring.wanted(this.#negotiation);
    if (wanted === vring.serving) return;
    if (!wanted) {
      await this.#pause(index);
      return;
    }
    vring.down = undefined;
    vring.unfit = false;
    const layout = this.#device.core.layout(
      this.#negotiation.features,
      this.#negotiation.sessionMessages,
    );
    try {
      await this.#server(index).start(
        vring.setup(this.#negotiation),
        layout,
        { kick: vring.kickFd, call: vring.callFd },
      );
      vring.serving = true;
    } catch (error) {
      // What a guest put into its registers must not end the connection.
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn(`Ring ${index} cannot start: ${reason}`);
      vring.unfit = true;
      this.ringDown(index, reason, false);
    }
  }

  /** Stops serving a ring, if it is; it can go on later. */
  async #pause(index: number): Promise<void> {
    const vring = this.#vring(index);
    if (!vring.serving) return;
    vring.serving = false;
    try {
      const state = await this.#server(index).stop();
      if (state !== undefined) vring.base = state;
    } catch (error) {
      this.#log.error(`Ring ${index} stopped with an error: ${error}`);
      this.#recoverBase(index);
    }
  }

  async #restart(index: number): Promise<void> {
    await this.#pause(index);
    await this.#settle(index);
  }

  /** Stops all rings; each can be started again. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#vrings.map(async (vring, index) => {
      await this.#pause(index);
      vring.started = false;
      vring.enabled = false;
      vring.paused = false;
    }));
  }

  /**
   * A ring is broken, or its worker threw: its error descriptor is signalled.
   *
   * @param index number of the ring
   * @param reason what is wrong
   * @param failed whether the worker threw, which ended it
   */
  ringDown(index: number, reason: string, failed: boolean): void {
    const vring = this.#vrings[index];
    if (vring === undefined) return;
    vring.down = reason;
    if (failed && vring.serving) {
      vring.serving = false;
      this.#recoverBase(index);
    }
    if (vring.errFd >= 0) signalPeer(vring.errFd);
  }

  /**
   * Finds out where to go on with a ring whose worker is gone. Requests are
   * answered in order, so it is where the used index stands: in a split ring
   * itself, behind 16 bits of flags (virtio 1.1, 2.6.8). A packed one does not
   * tell: there it is where the worker was after its last round.
   */
  #recoverBase(index: number): void {
    const vring = this.#vring(index);
    if (this.#negotiation.format === "packed") {
      const { position } = this.#server(index);
      if (position !== undefined) vring.base = position;
      return;
    }
    const at = (vring.addresses?.used ?? -1) + 2;
    const region = this.#regions.find((r) =>
      at >= r.userAddress && at + 2 <= r.userAddress + r.size
    );
    if (region === undefined) return;
    const offset = region.offset + (at - region.userAddress);
    // Served rings are aligned.
    if (offset % 2 !== 0) return;
    vring.base = Atomics.load(new Uint16Array(region.buffer, offset, 1), 0);
  }

  /**
   * Gives all that serve rings another memory, then releases the old one.
   * Rings that could not start in that are tried again.
   *
   * @param regions the new memory
   * @param old what is to be released, once nobody uses it
   */
  async replaceMemory(
    regions: MappedRegion[],
    old: readonly MappedRegion[],
  ): Promise<void> {
    // Stopped first, so that where each ring stands is known even when the new
    // memory does not hold it.
    const served = [...this.#vrings.keys()].filter((index) =>
      this.#vrings[index]!.serving
    );
    await Promise.all(served.map((index) => this.#pause(index)));
    this.#regions = regions;
    const plain = plainRegions(regions);
    await Promise.all(this.#device.rings.map(async (ring) => {
      try {
        await ring.setMemory(plain);
      } catch (error) {
        // Its worker threw, and its events have told of it.
        this.#log.error(`A queue did not take the new memory: ${error}`);
      }
    }));
    releaseRegions(old);
    await Promise.all(this.#vrings.map(async ({ down, unfit }, index) => {
      const goesOn = served.includes(index) && down === undefined;
      if (goesOn || unfit) await this.#settle(index);
    }));
  }
}
