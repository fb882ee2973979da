/**
 * The requests of a vhost-user frontend, as methods.
 *
 * @module
 */

import {
  answeredCryptoSession,
  type CryptoSessionInfo,
  encodeCryptoSessionCreate,
} from "../vhost_user/crypto_session.ts";
import type { Message } from "../vhost_user/message.ts";
import {
  decodeConfig,
  decodeU64,
  decodeVringState,
  encodeConfig,
  encodeMemReg,
  encodeMemTable,
  encodeU64,
  encodeVringAddr,
  encodeVringFd,
  encodeVringState,
  type MemRegion,
  type VringAddr,
} from "../vhost_user/payload.ts";
import * as p from "../vhost_user/protocol.ts";
import type { SharedRegion } from "./shared_guest_memory.ts";
import {
  UnexpectedReplyError,
  type VhostUserChannel,
} from "./vhost_user_channel.ts";

function bit(number: number): bigint {
  return 1n << BigInt(number);
}

/**
 * A connection to a backend, with one method for each request. Each waits for
 * the backend's answer, where there is one, and throws a {@linkcode
 * RequestRefusedError} where that is a refusal.
 */
export class VhostUserRequests {
  /** The connection, for messages that are not right. */
  readonly channel: VhostUserChannel;
  /** The virtio features that were set last. */
  features = 0n;
  /** The protocol features that were set last. */
  protocolFeatures = 0n;

  /** @param channel the connection */
  constructor(channel: VhostUserChannel) {
    this.channel = channel;
  }

  /** @returns the virtio features the backend offers */
  async getFeatures(): Promise<bigint> {
    return await this.#getU64(p.VHOST_USER_GET_FEATURES);
  }

  /** @param features the virtio features taken */
  async setFeatures(features: bigint): Promise<void> {
    await this.#setU64(p.VHOST_USER_SET_FEATURES, features);
    this.features = features;
  }

  /** @returns the protocol features the backend offers */
  async getProtocolFeatures(): Promise<bigint> {
    return await this.#getU64(p.VHOST_USER_GET_PROTOCOL_FEATURES);
  }

  /**
   * Sets the protocol features. From here on requests are acknowledged if
   * REPLY_ACK is among them.
   *
   * @param features the protocol features taken
   */
  async setProtocolFeatures(features: bigint): Promise<void> {
    await this.#setU64(p.VHOST_USER_SET_PROTOCOL_FEATURES, features);
    this.protocolFeatures = features;
    this.channel.acknowledged =
      (features & bit(p.VHOST_USER_PROTOCOL_F_REPLY_ACK)) !== 0n;
  }

  /** @returns how many queues the backend has */
  async getQueueNum(): Promise<number> {
    return Number(await this.#getU64(p.VHOST_USER_GET_QUEUE_NUM));
  }

  /** Declares this frontend the owner. */
  async setOwner(): Promise<void> {
    await this.channel.set(p.VHOST_USER_SET_OWNER);
  }

  /** Sends the deprecated RESET_OWNER. */
  async resetOwner(): Promise<void> {
    await this.channel.set(p.VHOST_USER_RESET_OWNER);
  }

  /** Resets the device. */
  async resetDevice(): Promise<void> {
    await this.channel.set(p.VHOST_USER_RESET_DEVICE);
  }

  /** @returns the virtio device status */
  async getStatus(): Promise<number> {
    return Number(await this.#getU64(p.VHOST_USER_GET_STATUS));
  }

  /** @param status the virtio device status */
  async setStatus(status: number): Promise<void> {
    await this.#setU64(p.VHOST_USER_SET_STATUS, BigInt(status));
  }

  /**
   * Reads the configuration space.
   *
   * @param offset where to start, in bytes
   * @param size number of bytes
   * @returns the bytes; undefined where the backend answers with an error
   */
  async getConfig(
    offset: number,
    size: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const data = new Uint8Array(size);
    const reply = await this.channel.request(
      p.VHOST_USER_GET_CONFIG,
      encodeConfig({ offset, flags: 0, data }),
    );
    if (reply.length === 0) return undefined;
    this.#mustBe(reply, p.CONFIG_HEADER_SIZE + size, "GET_CONFIG");
    return decodeConfig(reply).data;
  }

  /**
   * Writes the configuration space.
   *
   * @param offset where to start, in bytes
   * @param data the bytes
   */
  async setConfig(offset: number, data: Uint8Array): Promise<void> {
    await this.channel.set(
      p.VHOST_USER_SET_CONFIG,
      encodeConfig({ offset, flags: 0, data }),
    );
  }

  /** @returns how many memory regions the backend can have */
  async getMaxMemSlots(): Promise<number> {
    return Number(await this.#getU64(p.VHOST_USER_GET_MAX_MEM_SLOTS));
  }

  /**
   * Sends a memory table, right or wrong.
   *
   * @param regions the regions
   * @param fds their files
   */
  async setMemTable(
    regions: readonly (MemRegion & Partial<SharedRegion>)[],
    fds: readonly number[] = regions.flatMap(({ fd }) => fd ?? []),
  ): Promise<void> {
    const payload = encodeMemTable(regions);
    await this.channel.set(p.VHOST_USER_SET_MEM_TABLE, payload, fds);
  }

  /**
   * Sends ADD_MEM_REG, right or wrong.
   *
   * @param region the region
   * @param fds its file
   */
  async addMemReg(region: MemRegion, fds: readonly number[]): Promise<void> {
    const payload = encodeMemReg(region);
    await this.channel.set(p.VHOST_USER_ADD_MEM_REG, payload, fds);
  }

  /**
   * Sends REM_MEM_REG, right or wrong.
   *
   * @param region the region
   * @param fds descriptors that do not belong there, as some frontends send
   */
  async remMemReg(
    region: MemRegion,
    fds: readonly number[] = [],
  ): Promise<void> {
    const payload = encodeMemReg(region);
    await this.channel.set(p.VHOST_USER_REM_MEM_REG, payload, fds);
  }

  /**
   * @param index which ring
   * @param num its number of descriptors
   */
  async setVringNum(index: number, num: number): Promise<void> {
    await this.#setState(p.VHOST_USER_SET_VRING_NUM, index, num);
  }

  /**
   * @param index which ring
   * @param num its base, in the form of the ring's kind
   */
  async setVringBase(index: number, num: number): Promise<void> {
    await this.#setState(p.VHOST_USER_SET_VRING_BASE, index, num);
  }

  /**
   * Stops a ring.
   *
   * @param index which ring
   * @returns its base
   */
  async getVringBase(index: number): Promise<number> {
    const reply = await this.channel.request(
      p.VHOST_USER_GET_VRING_BASE,
      encodeVringState({ index, num: 0 }),
    );
    this.#mustBe(reply, p.VRING_STATE_SIZE, "GET_VRING_BASE");
    const state = decodeVringState(reply);
    if (state.index === index) return state.num;
    throw new UnexpectedReplyError(
      `Cannot use the base of ring ${state.index} for ring ${index}`,
    );
  }

  /** @param addr which ring, and where it lies in the frontend's addresses */
  async setVringAddr(addr: VringAddr): Promise<void> {
    await this.channel.set(p.VHOST_USER_SET_VRING_ADDR, encodeVringAddr(addr));
  }

  /**
   * @param index which ring
   * @param fd the eventfd; undefined for none
   */
  async setVringKick(index: number, fd: number | undefined): Promise<void> {
    await this.#setFd(p.VHOST_USER_SET_VRING_KICK, index, fd);
  }

  /**
   * @param index which ring
   * @param fd the eventfd; undefined for none
   */
  async setVringCall(index: number, fd: number | undefined): Promise<void> {
    await this.#setFd(p.VHOST_USER_SET_VRING_CALL, index, fd);
  }

  /**
   * @param index which ring
   * @param fd the eventfd; undefined for none
   */
  async setVringErr(index: number, fd: number | undefined): Promise<void> {
    await this.#setFd(p.VHOST_USER_SET_VRING_ERR, index, fd);
  }

  /**
   * @param index which ring
   * @param enabled whether it is to be served
   */
  async setVringEnable(index: number, enabled: boolean): Promise<void> {
    await this.#setState(
      p.VHOST_USER_SET_VRING_ENABLE,
      index,
      enabled ? 1 : 0,
    );
  }

  /**
   * Creates a session by message, as QEMU's cryptodev does.
   *
   * @param info its parameters
   * @param key key of the cipher, up to 64 bytes
   * @param authKey key of the MAC, up to 512 bytes
   * @param size of the message: as QEMU from 8 on, if not said
   * @returns the session's id; negative where the backend refused
   */
  async createCryptoSession(
    info: CryptoSessionInfo,
    key: Uint8Array,
    authKey: Uint8Array = new Uint8Array(),
    size:
      | typeof p.CRYPTO_SESSION_SIZE_OLD
      | typeof p.CRYPTO_SESSION_SIZE_NEW = p.CRYPTO_SESSION_SIZE_NEW,
  ): Promise<bigint> {
    const payload = encodeCryptoSessionCreate(info, key, authKey, size);
    try {
      const reply = await this.channel.request(
        p.VHOST_USER_CREATE_CRYPTO_SESSION,
        payload,
      );
      this.#mustBe(reply, size, "CREATE_CRYPTO_SESSION");
      const id = answeredCryptoSession(reply);
      reply.fill(0);
      return id;
    } finally {
      payload.fill(0);
    }
  }

  /** @param id a session's id */
  async closeCryptoSession(id: bigint): Promise<void> {
    await this.#setU64(p.VHOST_USER_CLOSE_CRYPTO_SESSION, id);
  }

  /**
   * Sends a message as it is given, right or wrong.
   *
   * @param request number of the request
   * @param payload its payload
   * @param fds descriptors to send along; they stay open here
   * @param flags its flags: version 1 and nothing else, if not said
   */
  async send(
    request: number,
    payload?: Uint8Array,
    fds?: readonly number[],
    flags?: number,
  ): Promise<void> {
    await this.channel.send(request, payload, fds, flags);
  }

  /**
   * Receives the next message, whatever it answers.
   *
   * @param timeoutMs how long to wait, in milliseconds
   * @returns the message; its descriptors are the caller's
   */
  async receive(timeoutMs?: number): Promise<Message> {
    return await this.channel.receive(timeoutMs);
  }

  /**
   * Waits until descriptors can be read: the eventfds of rings, say.
   *
   * @param fds the descriptors
   * @param timeoutMs milliseconds; -1 waits without end
   * @returns those that can be read, in the order of `fds`; none after the timeout
   */
  async waitReadable(
    fds: readonly number[],
    timeoutMs: number,
  ): Promise<number[]> {
    return await this.channel.waitReadable(fds, timeoutMs);
  }

  async #getU64(request: number): Promise<bigint> {
    const reply = await this.channel.request(request);
    this.#mustBe(reply, p.U64_SIZE, `request ${request}`);
    return decodeU64(reply);
  }

  async #setU64(request: number, value: bigint): Promise<void> {
    await this.channel.set(request, encodeU64(value));
  }

  async #setState(request: number, index: number, num: number): Promise<void> {
    await this.channel.set(request, encodeVringState({ index, num }));
  }

  async #setFd(
    request: number,
    index: number,
    fd: number | undefined,
  ): Promise<void> {
    const payload = encodeVringFd(index, fd !== undefined);
    await this.channel.set(request, payload, fd === undefined ? [] : [fd]);
  }

  #mustBe(reply: Uint8Array, size: number, what: string): void {
    if (reply.length === size) return;
    throw new UnexpectedReplyError(
      `Cannot use a reply of ${reply.length} bytes to ${what}: it must have ${size}`,
    );
  }
}
