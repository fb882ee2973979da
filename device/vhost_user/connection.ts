/**
 * One frontend's connection: the state that its messages make, and what each
 * of them does (QEMU, docs/interop/vhost-user.rst).
 *
 * @module
 */

import type { Log } from "../log.ts";
import {
  MAX_MEMORY_REGIONS,
  type MemoryRegion,
} from "../memory/guest_memory.ts";
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
import { addRegion, mapTable, removeRegion } from "./memory_map.ts";
import { FramingError, type Message, MessageParser } from "./message.ts";
import {
  decodeConfig,
  decodeMemReg,
  decodeMemTable,
  decodeU64,
  decodeVringState,
  encodeConfig,
  PayloadError,
} from "./payload.ts";
import * as p from "./protocol.ts";
import { requestName, requestRule } from "./requests.ts";
import { RingSet } from "./ring_set.ts";
import type { VringSnapshot } from "./snapshot.ts";
import { closeFd, closeFds, type SocketIo } from "./socket.ts";
import type { VhostUserDevice } from "./vhost_user_device.ts";

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
  readonly #rings: RingSet;
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
    this.#rings = new RingSet(device, this.#negotiation, log);
    device.events = {
      ringDown: (index, reason, failed) =>
        this.#rings.ringDown(index, reason, failed),
    };
  }

  /** Whether a message is being handled: the socket is not read meanwhile. */
  get busy(): boolean {
    return this.#busy || this.#closing !== undefined;
  }

  /** Who owns the control queue; null before that is negotiated. */
  get mode(): "device" | "cryptodev" | null {
    if (this.#negotiation.protocolFeatures === 0n) return null;
    return this.#negotiation.sessionMessages ? "cryptodev" : "device";
  }

  /** The negotiated feature bits. */
  get features(): bigint {
    return this.#negotiation.features;
  }

  /** The guest's memory. */
  get memory(): readonly MemoryRegion[] {
    return this.#rings.regions;
  }

  /**
   * A ring at this moment.
   *
   * @param index number of the ring
   * @returns plain data
   */
  ring(index: number): VringSnapshot {
    return this.#rings.snapshot(index);
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
        await this.#rings.stopAll();
        return undefined;
      case p.VHOST_USER_GET_QUEUE_NUM:
        return u64(BigInt(this.#device.queueCount));
      case p.VHOST_USER_GET_MAX_MEM_SLOTS:
        return u64(BigInt(MAX_MEMORY_REGIONS));
      case p.VHOST_USER_SET_MEM_TABLE:
        await this.#rings.replaceMemory(
          mapTable(decodeMemTable(payload, fds.length), fds),
          this.#rings.regions,
        );
        return undefined;
      case p.VHOST_USER_ADD_MEM_REG: {
        const region = decodeMemReg(payload);
        if (fds.length !== 1) {
          throw new PayloadError("Cannot add a memory region without its file");
        }
        const { all, replaced } = addRegion(
          this.#rings.regions,
          region,
          fds[0]!,
        );
        await this.#rings.replaceMemory(all, replaced);
        return undefined;
      }
      case p.VHOST_USER_REM_MEM_REG: {
        const region = decodeMemReg(payload);
        const { removed, rest } = removeRegion(this.#rings.regions, region);
        await this.#rings.replaceMemory(rest, [removed]);
        return undefined;
      }
      case p.VHOST_USER_SET_VRING_NUM:
        return await this.#rings.setNum(payload);
      case p.VHOST_USER_SET_VRING_BASE:
        return this.#rings.setBase(payload);
      case p.VHOST_USER_SET_VRING_ADDR:
        return await this.#rings.setAddr(payload);
      case p.VHOST_USER_GET_VRING_BASE: {
        const { index } = decodeVringState(payload);
        const base = await this.#rings.getBase(index);
        return encodeVringStateReply(request, index, base);
      }
      case p.VHOST_USER_SET_VRING_KICK:
        return await this.#rings.setKick(message);
      case p.VHOST_USER_SET_VRING_CALL:
        return await this.#rings.setCall(message);
      case p.VHOST_USER_SET_VRING_ERR:
        return this.#rings.setErr(message);
      case p.VHOST_USER_SET_VRING_ENABLE:
        return await this.#rings.setEnable(payload);
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
      this.#rings.serving
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

  async #reset(): Promise<void> {
    await this.#rings.stopAll();
    // vhost-user, VHOST_USER_RESET_DEVICE: all is as it was at the beginning.
    this.#status = 0;
    this.#rings.reset();
    this.#device.core.sessions.clear();
  }

  async #teardown(): Promise<void> {
    try {
      await this.#rings.stopAll();
      this.#device.core.sessions.clear();
      await this.#rings.replaceMemory([], this.#rings.regions);
    } catch (error) {
      // Whatever could not be undone, no descriptor stays open for it.
      this.#log.error(`A connection ended with an error: ${error}`);
    } finally {
      this.#device.events = undefined;
      closeFds(this.#parser.abandon());
      this.#rings.closeFds();
      closeFd(this.fd);
    }
  }
}
