/**
 * A guest behind a frontend of this process: rings that survive being stopped
 * and started, and encryption requests whose results are verified.
 *
 * @module
 */

import { createCipheriv } from "node:crypto";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import { guestBytes } from "../../device/driver/guest_view.ts";
import type { RegionOptions } from "../../device/driver/shared_guest_memory.ts";
import { SplitRingDriver } from "../../device/driver/split_ring.ts";
import {
  type RingFds,
  VhostUserFrontend,
} from "../../device/driver/vhost_user_frontend.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import * as p from "../../device/vhost_user/protocol.ts";

/** VERSION_1, INDIRECT_DESC, EVENT_IDX and PROTOCOL_FEATURES. */
export const DEVICE_FEATURES = 1n << 32n | 1n << 30n | 1n << 29n | 1n << 28n;
/** What QEMU's cryptodev sets, whatever the guest has taken. */
export const CRYPTODEV_FEATURES = 1n << 30n;

/** Everything but CONFIG, which makes a cryptodev. */
export const CRYPTODEV_PROTOCOL_FEATURES = ~(1n <<
  BigInt(p.VHOST_USER_PROTOCOL_F_CONFIG)) & 0xffff_ffffn;

/** Status byte of a request that succeeded. */
const OK = 0;
/** What the status byte is before. */
const NO_STATUS = 0xee;

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

/** What a session message says of AES-128-CBC. */
export const CBC_INFO = {
  cipherAlgo: 3,
  keyLength: 16,
  hashAlgo: 0,
  hashResultLength: 0,
  authKeyLength: 0,
  aadLength: 0,
  opType: 1,
  direction: 1,
  hashMode: 0,
  chainOrder: 0,
} as const;

/** A session and its key. */
export interface GuestSession {
  readonly id: bigint;
  readonly key: Uint8Array;
}

/** A request in the ring. */
interface Outstanding {
  readonly address: number;
  readonly readable: number;
  readonly writable: number;
  readonly expected: Uint8Array | undefined;
}

/**
 * The bytes of a request that encrypts by CBC, in the legacy layout, with an iv
 * of zeros.
 *
 * @param session id of the session
 * @param source what to encrypt
 * @returns header, fixed part, iv, source
 */
export function encryption(
  session: bigint,
  source: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24 + 48 + 16 + source.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, session, true);
  view.setUint32(24, 16, true); // iv_len
  view.setUint32(28, source.length, true); // src_data_len
  view.setUint32(32, source.length, true); // dst_data_len
  view.setUint32(24 + 40, 1, true); // op_type: CIPHER
  bytes.set(source, 24 + 48 + 16);
  return bytes;
}

/** A ring and the requests in it. */
export class GuestQueue {
  readonly guest: Guest;
  readonly index: number;
  readonly ring: SplitRingDriver;
  fds: RingFds;
  /** Requests that came back with the right result. */
  completed = 0;
  /** Sizes of the sources to encrypt, used in turn; multiples of 16. */
  sizes: readonly number[] = [16, 64, 1024];
  readonly #held = new Map<number, Outstanding>();
  /** Ids in the order in which they were added. */
  readonly #order: number[] = [];
  readonly #record = { id: 0, length: 0 };
  #made = 0;

  constructor(guest: Guest, index: number, ring: SplitRingDriver) {
    this.guest = guest;
    this.index = index;
    this.ring = ring;
    const { frontend } = guest;
    this.fds = {
      kick: frontend.eventfd(),
      call: frontend.eventfd(),
      err: frontend.eventfd(),
    };
  }

  /** Requests in the ring. */
  get outstanding(): number {
    return this.#held.size;
  }

  /**
   * Starts the ring, or starts it again.
   *
   * @param base where to go on
   */
  async start(base = this.ring.base): Promise<void> {
    const { size, userAddresses } = this.ring;
    await this.guest.frontend.startRing(
      this.index,
      { size, base, userAddresses },
      this.fds,
    );
  }

  /** Stops the ring; returns where to go on. */
  async stop(): Promise<number> {
    return await this.guest.frontend.getVringBase(this.index);
  }

  /** The available index, as the device can see it. */
  get availableIndex(): number {
    return this.#u16(this.ring.guestAddresses.available + 2);
  }

  /** The used index. */
  get usedIndex(): number {
    return this.#u16(this.ring.guestAddresses.used + 2);
  }

  /** avail_event: behind the used ring's elements. */
  get availEvent(): number {
    return this.#u16(this.ring.guestAddresses.used + 4 + 8 * this.ring.size);
  }

  /** Sets avail.flags. */
  set availableFlags(flags: number) {
    this.#write(this.ring.guestAddresses.available, flags);
  }

  /** Makes the ring one that cannot be served: its index is far ahead. */
  breakRing(): void {
    this.#write(
      this.ring.guestAddresses.available + 2,
      (this.availableIndex + this.ring.size + 1) & 0xffff,
    );
    this.kick();
  }

  /** Takes {@linkcode breakRing} back. */
  mendRing(): void {
    this.#write(
      this.ring.guestAddresses.available + 2,
      (this.availableIndex - this.ring.size - 1) & 0xffff,
    );
  }

  kick(): void {
    signalEventfd(this.fds.kick);
  }

  /**
   * Adds an encryption request that is published by {@linkcode publish}.
   *
   * @param session the session
   * @returns false where the ring is full
   */
  add(session: GuestSession): boolean {
    const size = this.sizes[this.#made % this.sizes.length]!;
    const source = new Uint8Array(size).fill(this.#made & 0xff);
    new DataView(source.buffer).setUint32(0, this.#made, true);
    const cipher = createCipheriv("aes-128-cbc", session.key, IV);
    cipher.setAutoPadding(false);
    const expected = cipher.update(source);
    if (this.addRaw(encryption(session.id, source), size + 1, expected) < 0) {
      return false;
    }
    this.#made++;
    return true;
  }

  /**
   * Adds a request of any bytes.
   *
   * @param bytes what the device reads
   * @param writable bytes it may write, the status last
   * @param expected what it must write; left out: anything
   * @returns its id; -1 where the ring is full
   */
  addRaw(bytes: Uint8Array, writable: number, expected?: Uint8Array): number {
    const { allocator } = this.guest;
    const { memory } = allocator;
    const address = allocator.tryAlloc(bytes.length + writable);
    if (address === undefined) return -1;
    guestBytes(memory, address, bytes.length).set(bytes);
    const answer = address + bytes.length;
    guestBytes(memory, answer, writable).fill(NO_STATUS);
    const id = this.ring.add(
      [{ address, length: bytes.length }],
      [{ address: answer, length: writable }],
      false,
    );
    if (id < 0) {
      allocator.free(address);
      return -1;
    }
    this.#held.set(id, { address, readable: bytes.length, writable, expected });
    this.#order.push(id);
    return id;
  }

  /** Publishes what was added, and kicks where the device wants it. */
  publish(): void {
    this.ring.publish();
    if (this.ring.needsKick()) this.kick();
  }

  /**
   * Takes what the device has returned, and verifies it: results, statuses,
   * lengths and their order.
   *
   * @returns what the device wrote, request by request
   */
  collect(): Uint8Array<ArrayBuffer>[] {
    const answers: Uint8Array<ArrayBuffer>[] = [];
    while (this.ring.take(this.#record)) {
      const { id, length } = this.#record;
      if (this.#order.shift() !== id) {
        throw new Error(`Request ${id} of queue ${this.index} out of order`);
      }
      const request = this.#held.get(id)!;
      this.#held.delete(id);
      const { memory } = this.guest.allocator;
      const answer = guestBytes(
        memory,
        request.address + request.readable,
        request.writable,
      ).slice();
      this.guest.allocator.free(request.address);
      if (request.expected !== undefined) {
        const status = answer.at(-1);
        if (length !== request.writable || status !== OK) {
          throw new Error(
            `Queue ${this.index}: ${length} bytes used of ${request.writable}, status ${status}`,
          );
        }
        if (request.expected.some((byte, i) => byte !== answer[i])) {
          throw new Error(`Queue ${this.index}: a result is wrong`);
        }
      }
      this.completed++;
      answers.push(answer);
    }
    return answers;
  }

  /**
   * Waits for a signal, or for a time, and takes what came.
   *
   * @param timeoutMs how long to wait, in milliseconds
   * @returns whether there was a signal
   */
  async called(timeoutMs: number): Promise<boolean> {
    const { call } = this.fds;
    const ready = await this.guest.frontend.waitReadable([call], timeoutMs);
    if (ready.length > 0) drainEventfd(call);
    this.collect();
    return ready.length > 0;
  }

  /**
   * Waits until nothing is outstanding. Only signals wake it.
   *
   * @param timeoutMs how long to wait for one, in milliseconds
   */
  async drain(timeoutMs = 20_000): Promise<void> {
    this.collect();
    while (this.outstanding > 0) {
      if (this.ring.enableInterrupts()) {
        this.collect();
        continue;
      }
      if (!await this.called(timeoutMs) && this.outstanding > 0) {
        throw new Error(
          `Queue ${this.index}: ${this.outstanding} requests were not answered`,
        );
      }
    }
  }

  /**
   * Encrypts.
   *
   * @param session the session
   * @param count how many requests
   * @param depth how many at a time
   */
  async run(session: GuestSession, count: number, depth = 16): Promise<void> {
    for (let left = count; left > 0; left -= depth) {
      for (let i = 0; i < Math.min(left, depth); i++) {
        if (!this.add(session)) throw new Error("The ring is full");
      }
      this.publish();
      await this.drain();
    }
  }

  /**
   * Keeps requests outstanding until it is told to stop.
   *
   * @param session the session
   * @param depth how many at a time
   * @returns the load
   */
  load(session: GuestSession, depth = 16): Load {
    return new Load(this, session, depth);
  }

  /** Creates a session by this queue, which is the control queue. */
  async createSession(key: Uint8Array): Promise<bigint> {
    const bytes = new Uint8Array(16 + 56 + key.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x02, true); // CIPHER_CREATE_SESSION
    view.setUint32(16, CBC_INFO.cipherAlgo, true);
    view.setUint32(20, key.length, true);
    view.setUint32(24, 1, true); // encrypt
    view.setUint32(16 + 48, 1, true); // op_type: CIPHER
    bytes.set(key, 16 + 56);
    const answer = new DataView((await this.exchange(bytes, 16)).buffer);
    const status = answer.getUint32(8, true);
    if (status !== OK) throw new Error(`No session: status ${status}`);
    return answer.getBigUint64(0, true);
  }

  /**
   * Sends a request of any bytes and waits for its answer.
   *
   * @param bytes what the device reads
   * @param writable bytes it may write
   * @returns what it wrote
   */
  async exchange(
    bytes: Uint8Array,
    writable: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.addRaw(bytes, writable);
    this.publish();
    for (let i = 0; i < 100; i++) {
      const [answer] = this.ring.enableInterrupts() ? this.collect() : [];
      if (answer !== undefined) return answer;
      const { call } = this.fds;
      const ready = await this.guest.frontend.waitReadable([call], 20_000);
      if (ready.length === 0) break;
      drainEventfd(call);
      const [late] = this.collect();
      if (late !== undefined) return late;
    }
    throw new Error(`Queue ${this.index} does not answer`);
  }

  #u16(address: number): number {
    const { memory } = this.guest.allocator;
    return new Uint16Array(guestBytes(memory, address, 2).slice().buffer)[0]!;
  }

  #write(address: number, value: number): void {
    guestBytes(this.guest.allocator.memory, address, 2)
      .set([value & 0xff, value >> 8]);
  }
}

const IV = new Uint8Array(16);

/** Requests that never end. */
export class Load {
  readonly #queue: GuestQueue;
  readonly #session: GuestSession;
  readonly #depth: number;
  #going = true;
  readonly #done: Promise<void>;

  constructor(queue: GuestQueue, session: GuestSession, depth: number) {
    this.#queue = queue;
    this.#session = session;
    this.#depth = depth;
    this.#done = this.#run();
    // Told by end(); until then it must not end the test run.
    this.#done.catch(() => {});
  }

  /**
   * Waits until some more requests have been answered.
   *
   * @param count how many
   */
  async progress(count: number): Promise<void> {
    const queue = this.#queue;
    const target = queue.completed + count;
    const deadline = performance.now() + 20_000;
    while (queue.completed < target) {
      if (performance.now() > deadline) {
        throw new Error(`Queue ${queue.index} stands still`);
      }
      await Promise.race([
        this.#done,
        new Promise((resolve) => setTimeout(resolve, 1)),
      ]);
    }
  }

  /** Adds no more; what is outstanding stays so until it is answered. */
  async halt(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  /** Adds no more, and waits until all is answered. */
  async end(): Promise<void> {
    await this.halt();
    await this.#queue.drain();
  }

  async #run(): Promise<void> {
    const queue = this.#queue;
    while (this.#going) {
      while (queue.outstanding < this.#depth && queue.add(this.#session));
      queue.publish();
      if (queue.ring.enableInterrupts()) queue.collect();
      else await queue.called(20);
    }
  }
}
