/**
 * One frontend's connection: the state that its messages make, and what each
 * of them does (QEMU, docs/interop/vhost-user.rst).
 *
 * @module
 */

import { isNotifier, signalPeer } from "../host/eventfd.ts";
import type { Log } from "../log.ts";
import { MAX_MEMORY_REGIONS } from "../memory/guest_memory.ts";
import { CONFIG_SIZE } from "../spec/config.ts";
import { VIRTIO_CRYPTO_OK } from "../spec/constants.ts";
import { createSessionByMessage } from "./crypto_session_service.ts";
import {
  encodeAck,
  encodeReply,
  encodeU64Reply,
  encodeVringStateReply,
} from "./encode.ts";
import { Negotiation, PROTOCOL_FEATURES } from "./features.ts";
import {
  addRegion,
  type MappedRegion,
  mapTable,
  plainRegions,
  releaseRegions,
  removeRegion,
} from "./memory_map.ts";
import { FramingError, type Message, MessageParser } from "./message.ts";
import {
  decodeConfig,
  decodeMemReg,
  decodeMemTable,
  decodeU64,
  decodeVringAddr,
  decodeVringFd,
  decodeVringState,
  encodeConfig,
  PayloadError,
} from "./payload.ts";
import * as p from "./protocol.ts";
import { requestName, requestRule } from "./requests.ts";
import type { ServedRing } from "./served_ring.ts";
import { closeFd, closeFds, type SocketIo } from "./socket.ts";
import type { VhostUserDevice } from "./vhost_user_device.ts";
import { MAX_BASE, Vring } from "./vring.ts";

/** Messages handled before others get their turn. */
const MESSAGES_PER_TURN = 64;

/**
 * What a guest chose is refused. The sender is told where it waits for an
 * answer, and the connection stays in any case.
 */
class GuestChoiceError extends PayloadError {}

/** One frontend. */
export class Connection {
  /** The socket. */
  readonly fd: number;
  readonly #device: VhostUserDevice;
  readonly #io: SocketIo;
  readonly #log: Log;
  readonly #parser = new MessageParser();
  readonly #negotiation = new Negotiation();
  readonly #vrings: Vring[];
  #regions: MappedRegion[] = [];
  #status = 0;
  #busy = false;
  /** The pump that was started last. */
  #pumping: Promise<void> = Promise.resolve();
  /** No further message is handled. */
  #ending = false;
  #closing: Promise<void> | undefined;

  /**
   * @param fd the connected socket, which the connection closes
   * @param device the device of that socket; nobody else uses it meanwhile
   * @param io receives and sends
   * @param log where to write
   */
  constructor(fd: number, device: VhostUserDevice, io: SocketIo, log: Log) {
    this.fd = fd;
    this.#device = device;
    this.#io = io;
    this.#log = log;
    this.#vrings = Array.from({ length: device.queueCount }, () => new Vring());
    device.events = {
      ringDown: (index, _reason, failed) => this.#ringDown(index, failed),
    };
  }

  /** Whether a message is being handled: the socket is not read meanwhile. */
  get busy(): boolean {
    return this.#busy || this.#closing !== undefined;
  }

  /** Whether the connection is over. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Reads and handles what the frontend sent.
   *
   * @returns when there is nothing more for now, or the connection is over
   */
  pump(): Promise<void> {
    if (this.busy || this.#ending) return Promise.resolve();
    return this.#pumping = this.#pump();
  }

  /**
   * Ends the connection from outside. A message that is being handled is done
   * with first: it may hold descriptors and start rings.
   *
   * @returns when all is given back
   */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#pumping.catch(() => {});
    await this.close();
  }

  /**
   * Ends the connection: rings are stopped, sessions wiped, memory unmapped,
   * descriptors closed.
   *
   * @returns when all that is done
   */
  close(): Promise<void> {
    return this.#closing ??= this.#teardown();
  }

  async #pump(): Promise<void> {
    this.#busy = true;
    try {
      for (let n = 0; n < MESSAGES_PER_TURN && !this.#ending; n++) {
        if (!await this.#step()) break;
      }
    } finally {
      this.#busy = false;
    }
  }

  /** Receives once; false when there is nothing to read, or no connection. */
  async #step(): Promise<boolean> {
    const got = this.#io.receive(this.fd, this.#parser.space);
    switch (got.kind) {
      case "idle":
        return false;
      case "closed":
        if (this.#parser.midMessage) {
          this.#log.warn("The frontend closed in the middle of a message");
        }
        await this.close();
        return false;
      case "truncated":
        this.#log.warn("The frontend sent more file descriptors than can be");
        await this.close();
        return false;
      case "data":
    }
    const message = this.#parser.received(got.length, got.fds);
    if (message === undefined) return true;
    if (message instanceof FramingError) {
      this.#log.warn(message.message);
      await this.close();
      return false;
    }
    await this.#handle(message);
    return this.#closing === undefined;
  }

  async #handle(message: Message): Promise<void> {
    const { request, payload } = message;
    this.#log.debug(`${requestName(request)}, ${payload.length} bytes`);
    const rule = requestRule(request);
    // Only a reply tells that something came of it: those that have one of
    // their own need no acknowledgement.
    const acknowledge = message.needReply &&
      this.#negotiation.has(p.VHOST_USER_PROTOCOL_F_REPLY_ACK);
    try {
      if (rule === undefined || !rule.served) {
        throw new PayloadError("Cannot serve it: its feature is not offered");
      }
      const reply = await this.#dispatch(message);
      if (reply !== undefined) await this.#send(reply);
      else if (acknowledge) await this.#send(encodeAck(request, true));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn(`${requestName(request)}: ${reason}`);
      if (acknowledge) await this.#send(encodeAck(request, false));
      else if (!(error instanceof GuestChoiceError)) await this.close();
    } finally {
      // Those that were kept have left the list.
      closeFds(message.fds);
      if (request === p.VHOST_USER_CREATE_CRYPTO_SESSION) payload.fill(0);
    }
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const sent = this.#io.send(this.fd, bytes);
    bytes.fill(0);
    if (sent === "sent") return;
    // A frontend sends one request at a time: one that lets replies pile up
    // does not speak the protocol.
    this.#log.warn("The frontend does not read its replies");
    await this.close();
  }

  /** Does what a message says; returns its reply, where it has one. */
  async #dispatch(
    message: Message,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { request, payload, fds } = message;
    const u64 = (value: bigint) => encodeU64Reply(request, value);
    switch (request) {
      case p.VHOST_USER_GET_FEATURES:
        return u64(this.#device.features);
      case p.VHOST_USER_SET_FEATURES:
        return this.#setFeatures(decodeU64(payload));
      case p.VHOST_USER_GET_PROTOCOL_FEATURES:
        return u64(PROTOCOL_FEATURES);
      case p.VHOST_USER_SET_PROTOCOL_FEATURES:
        return this.#setProtocolFeatures(decodeU64(payload));
      case p.VHOST_USER_SET_OWNER:
        return undefined;
      case p.VHOST_USER_RESET_OWNER:
        await this.#stopAll();
        return undefined;
      case p.VHOST_USER_GET_QUEUE_NUM:
        return u64(BigInt(this.#device.queueCount));
      case p.VHOST_USER_GET_MAX_MEM_SLOTS:
        return u64(BigInt(MAX_MEMORY_REGIONS));
      case p.VHOST_USER_SET_MEM_TABLE:
        await this.#replaceMemory(
          mapTable(decodeMemTable(payload, fds.length), fds),
          this.#regions,
        );
        return undefined;
      case p.VHOST_USER_ADD_MEM_REG: {
        const region = decodeMemReg(payload);
        if (fds.length !== 1) {
          throw new PayloadError("Cannot add a memory region without its file");
        }
        await this.#replaceMemory(
          addRegion(this.#regions, region, fds[0]!),
          [],
        );
        return undefined;
      }
      case p.VHOST_USER_REM_MEM_REG: {
        const region = decodeMemReg(payload);
        const { removed, rest } = removeRegion(this.#regions, region);
        await this.#replaceMemory(rest, [removed]);
        return undefined;
      }
      case p.VHOST_USER_SET_VRING_NUM:
        return this.#setVringNum(payload);
      case p.VHOST_USER_SET_VRING_BASE:
        return this.#setVringBase(payload);
      case p.VHOST_USER_SET_VRING_ADDR:
        return await this.#setVringAddr(payload);
      case p.VHOST_USER_GET_VRING_BASE: {
        const { index } = decodeVringState(payload);
        const base = await this.#getVringBase(index);
        return encodeVringStateReply(request, index, base);
      }
      case p.VHOST_USER_SET_VRING_KICK:
        return await this.#setVringKick(message);
      case p.VHOST_USER_SET_VRING_CALL:
        return await this.#setVringCall(message);
      case p.VHOST_USER_SET_VRING_ERR:
        return this.#setVringErr(message);
      case p.VHOST_USER_SET_VRING_ENABLE:
        return await this.#setVringEnable(payload);
      case p.VHOST_USER_GET_CONFIG:
        return this.#getConfig(request, payload);
      case p.VHOST_USER_SET_CONFIG:
        // v15, "Device configuration layout": all fields are read-only.
        throw new GuestChoiceError("Cannot change the configuration space");
      case p.VHOST_USER_CREATE_CRYPTO_SESSION:
        createSessionByMessage(payload, this.#device.core.sessions, this.#log);
        return encodeReply(request, payload);
      case p.VHOST_USER_CLOSE_CRYPTO_SESSION:
        return this.#closeSession(decodeU64(payload));
      case p.VHOST_USER_GET_STATUS:
        return u64(BigInt(this.#status));
      case p.VHOST_USER_SET_STATUS:
        return await this.#setStatus(decodeU64(payload));
      case p.VHOST_USER_RESET_DEVICE:
        await this.#reset();
        return undefined;
      default:
        throw new PayloadError("Cannot serve it: nothing is known of it");
    }
  }

  #setFeatures(features: bigint): undefined {
    const unknown = features & ~this.#device.features;
    if (unknown !== 0n) {
      throw new PayloadError(
        `Cannot accept features 0x${
          unknown.toString(16)
        }: they are not offered`,
      );
    }
    this.#negotiation.features = features;
  }

  #setProtocolFeatures(features: bigint): undefined {
    const unknown = features & ~PROTOCOL_FEATURES;
    if (unknown !== 0n) {
      throw new PayloadError(
        `Cannot accept protocol features 0x${
          unknown.toString(16)
        }: they are not offered`,
      );
    }
    const { protocolFeatures, sessionMessages } = this.#negotiation;
    this.#negotiation.protocolFeatures = features;
    if (
      this.#negotiation.sessionMessages !== sessionMessages &&
      this.#vrings.some(({ serving }) => serving)
    ) {
      // The last ring would be another one's from one message to the next.
      this.#negotiation.protocolFeatures = protocolFeatures;
      throw new PayloadError(
        "Cannot change who owns the control queue while a ring is served",
      );
    }
  }

  #getConfig(
    request: number,
    payload: Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer> {
    const { offset, flags, data } = decodeConfig(payload);
    // vhost-user, VHOST_USER_GET_CONFIG: no payload says that it went wrong.
    if (offset + data.length > CONFIG_SIZE) {
      this.#log.warn(
        `VHOST_USER_GET_CONFIG: Cannot read ${data.length} bytes at ${offset} of a configuration space of ${CONFIG_SIZE}`,
      );
      return encodeReply(request, new Uint8Array(0));
    }
    const { config } = this.#device.core;
    return encodeReply(
      request,
      encodeConfig({
        offset,
        flags,
        data: config.subarray(offset, offset + data.length),
      }),
    );
  }

  #closeSession(id: bigint): undefined {
    const low = Number(id & 0xffff_ffffn);
    const high = Number(id >> 32n);
    const { sessions } = this.#device.core;
    if (sessions.destroy(low, high) === VIRTIO_CRYPTO_OK) return;
    throw new GuestChoiceError(`Cannot close session ${id}: there is none`);
  }

  async #setStatus(status: bigint): Promise<undefined> {
    if (status > 0xffn) {
      throw new PayloadError(`Cannot set status 0x${status.toString(16)}`);
    }
    // At most 8 bits: exact in a number. virtio 1.1, 2.1: 0 resets the device.
    this.#status = Number(status);
    if (this.#status === 0) await this.#reset();
  }

  // Rings.

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

  #setVringNum(payload: Uint8Array): undefined {
    const { index, num } = decodeVringState(payload);
    this.#mustNotServe(index, "size").num = num;
  }

  #setVringBase(payload: Uint8Array): undefined {
    const { index, num } = decodeVringState(payload);
    const vring = this.#mustNotServe(index, "base");
    if (num > MAX_BASE) throw new PayloadError(`Cannot use base ${num}`);
    vring.base = num;
    // A guest that starts over where its rings never were has been reset, and
    // knows nothing of its sessions any more. A packed ring may stand at its
    // beginning again by chance, but hardly all rings in use do.
    const moved = vring.lastBaseReply !== undefined &&
      vring.lastBaseReply !== num;
    if (moved && !this.#vrings.some((v) => v.serving)) {
      this.#device.core.sessions.clear();
    }
  }

  async #setVringAddr(payload: Uint8Array): Promise<undefined> {
    const addresses = decodeVringAddr(payload);
    const vring = this.#vring(addresses.index);
    vring.addresses = addresses;
    await this.#restart(addresses.index);
  }

  async #getVringBase(index: number): Promise<number> {
    const vring = this.#vring(index);
    await this.#pause(index);
    vring.started = false;
    closeFd(vring.kickFd);
    vring.kickFd = -1;
    return vring.lastBaseReply = vring.position(this.#negotiation);
  }

  async #setVringKick(message: Message): Promise<undefined> {
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

  async #setVringCall(message: Message): Promise<undefined> {
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

  #setVringErr(message: Message): undefined {
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

  async #setVringEnable(payload: Uint8Array): Promise<undefined> {
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
    vring.down = false;
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
      this.#ringDown(index, false);
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

  async #stopAll(): Promise<void> {
    await Promise.all(this.#vrings.map(async (vring, index) => {
      await this.#pause(index);
      vring.started = false;
      vring.enabled = false;
      vring.paused = false;
    }));
  }

  async #reset(): Promise<void> {
    await this.#stopAll();
    // vhost-user, VHOST_USER_RESET_DEVICE: all is as it was at the beginning.
    this.#status = 0;
    for (const vring of this.#vrings) vring.reset();
    this.#device.core.sessions.clear();
  }

  #ringDown(index: number, failed: boolean): void {
    const vring = this.#vrings[index];
    if (vring === undefined) return;
    vring.down = true;
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

  // Memory.

  /** Gives all that serve rings another memory, then releases the old one. */
  async #replaceMemory(
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
    await Promise.all(
      served.filter((index) => !this.#vrings[index]!.down)
        .map((index) => this.#settle(index)),
    );
  }

  async #teardown(): Promise<void> {
    try {
      await this.#stopAll();
      this.#device.core.sessions.clear();
      await this.#replaceMemory([], this.#regions);
    } catch (error) {
      // Whatever could not be undone, no descriptor stays open for it.
      this.#log.error(`A connection ended with an error: ${error}`);
    } finally {
      this.#device.events = undefined;
      closeFds(this.#parser.abandon());
      for (const vring of this.#vrings) {
        closeFds([vring.kickFd, vring.callFd, vring.errFd]);
      }
      closeFd(this.fd);
    }
  }
}
