/**
 * A guest whose memory, rings and requests outlive its backend: it finds out
 * what was completed, and goes on with another one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { createCipheriv } from "node:crypto";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import { guestBytes } from "../../device/driver/guest_view.ts";
import type { UsedRecord } from "../../device/driver/ring.ts";
import { SharedGuestMemory } from "../../device/driver/shared_guest_memory.ts";
import { SplitRingDriver } from "../../device/driver/split_ring.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import {
  createEventfd,
  drainEventfd,
  signalEventfd,
} from "../../device/host/eventfd.ts";
import { closeFds } from "../../device/vhost_user/socket.ts";
import { CRYPTODEV_PROTOCOL_FEATURES } from "../server/guest.ts";
import { encryption } from "../server/guest_session.ts";
import { until } from "../server/test_server.ts";

/** CIPHER_SESSION_MODE: requests have v15's layout, and may bring keys along. */
export const V15_FEATURES = 1n << 32n | 1n << 30n | 1n << 29n | 1n << 1n;
/** What QEMU's cryptodev sets. */
export const LEGACY_FEATURES = 1n << 30n;

const NO_STATUS = 0xee;
const IV = new Uint8Array(16);

/** How a request came back. */
export interface Returned {
  readonly number: number;
  readonly status: number;
  /** Whether the result is what it had to be. */
  readonly right: boolean;
}

interface Held {
  readonly number: number;
  readonly address: number;
  readonly readable: number;
  readonly writable: number;
  readonly expected: Uint8Array;
}

/** A ring with numbered requests in it. */
export class SurvivingQueue {
  readonly index: number;
  readonly ring: SplitRingDriver;
  readonly fds = {
    kick: createEventfd(),
    call: createEventfd(),
    err: createEventfd(),
  };
  readonly #allocator: GuestAllocator;
  readonly #held = new Map<number, Held>();
  #next = 0;

  /**
   * @param allocator where its memory comes from
   * @param index number of the queue
   */
  constructor(allocator: GuestAllocator, index: number) {
    this.#allocator = allocator;
    this.index = index;
    this.ring = new SplitRingDriver(allocator, { size: 64, eventIndex: true });
  }

  /** Requests that the device has. */
  get outstanding(): number {
    return this.#held.size;
  }

  /** The used index: requests that any device has completed so far. */
  get usedIndex(): number {
    const at = this.ring.guestAddresses.used + 2;
    const bytes = guestBytes(this.#allocator.memory, at, 2);
    return bytes[0]! | bytes[1]! << 8;
  }

  /**
   * Adds an encryption, published by {@linkcode publish}.
   *
   * @param key the key, AES-128-CBC
   * @param session the session with that key; left out: the key goes along
   * @param size bytes to encrypt
   * @returns the request's number; -1 where there is no room
   */
  add(key: Uint8Array, session?: bigint, size = 64): number {
    const source = new Uint8Array(size).fill(this.#next & 0xff);
    const cipher = createCipheriv("aes-128-cbc", key, IV);
    cipher.setAutoPadding(false);
    const bytes = session === undefined
      ? statelessEncryption(key, source)
      : encryption(session, source);
    return this.addRaw(bytes, cipher.update(source));
  }

  /**
   * Adds a request of any bytes.
   *
   * @param bytes what the device reads
   * @param expected what it has to write before its status
   * @returns the request's number; -1 where there is no room
   */
  addRaw(bytes: Uint8Array, expected: Uint8Array): number {
    const writable = expected.length + 1;
    const address = this.#allocator.tryAlloc(bytes.length + writable);
    if (address === undefined) return -1;
    const { memory } = this.#allocator;
    guestBytes(memory, address, bytes.length).set(bytes);
    guestBytes(memory, address + bytes.length, writable).fill(NO_STATUS);
    const id = this.ring.add(
      [{ address, length: bytes.length }],
      [{ address: address + bytes.length, length: writable }],
      false,
    );
    if (id < 0) {
      this.#allocator.free(address);
      return -1;
    }
    const number = this.#next++;
    const readable = bytes.length;
    this.#held.set(id, { number, address, readable, writable, expected });
    return number;
  }

  /** Shows the device what was added, and kicks it. */
  publish(): void {
    this.ring.publish();
    if (this.ring.needsKick()) signalEventfd(this.fds.kick);
  }

  /** Takes what came back. Each request comes once, and in order. */
  collect(): Returned[] {
    const record: UsedRecord = { id: 0, length: 0 };
    const returned: Returned[] = [];
    drainEventfd(this.fds.call);
    while (this.ring.take(record)) {
      const held = this.#held.get(record.id);
      if (held === undefined) {
        throw new Error(`Request ${record.id} came back twice`);
      }
      const oldest = Math.min(
        ...[...this.#held.values()].map(({ number }) => number),
      );
      assertEquals(held.number, oldest, "out of order");
      this.#held.delete(record.id);
      const answer = guestBytes(
        this.#allocator.memory,
        held.address + held.readable,
        held.writable,
      );
      assertEquals(record.length, held.writable);
      returned.push({
        number: held.number,
        status: answer.at(-1)!,
        right: held.expected.every((byte, i) => byte === answer[i]),
      });
      this.#allocator.free(held.address);
    }
    return returned;
  }

  /** Whether nothing was written to what the device still has. */
  untouched(): boolean {
    return [...this.#held.values()].every(({ address, readable, writable }) =>
      guestBytes(this.#allocator.memory, address + readable, writable)
        .every((byte) => byte === NO_STATUS)
    );
  }

  /** Waits until the device has nothing left, and takes it. */
  async drain(): Promise<Returned[]> {
    const returned: Returned[] = [];
    await until(`queue ${this.index} to be empty`, () => {
      returned.push(...this.collect());
      return this.outstanding === 0;
    }, 20_000);
    return returned;
  }
}

/** A request that brings its key along: v15's non-session mode. */
function statelessEncryption(
  key: Uint8Array,
  source: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24 + 80 + key.length + 16 + source.length);
  const view = new DataView(bytes.buffer);
  const words: Record<number, number> = {
    16: 2, // flag: non-session mode
    24: 3, // algo: AES_CBC
    28: key.length,
    32: 1, // op: encrypt
    36: 16, // iv_len
    40: source.length,
    44: source.length,
    96: 1, // op_type: CIPHER
  };
  for (const [at, value] of Object.entries(words)) {
    view.setUint32(Number(at), value, true);
  }
  bytes.set(key, 104);
  bytes.set(source, 104 + key.length + 16);
  return bytes;
}

/** Guest memory and rings that stay, and a connection that does not. */
export class SurvivingGuest implements AsyncDisposable {
  readonly shared = new SharedGuestMemory();
  readonly allocator: GuestAllocator;
  readonly queues: SurvivingQueue[];
  #frontend: VhostUserFrontend | undefined;
  readonly #features: bigint;

  /**
   * @param queues how many rings it has
   * @param features the virtio features it takes
   * @param memorySize bytes of its memory
   */
  constructor(queues: number, features: bigint, memorySize = 4 << 20) {
    this.shared.add({ guestAddress: 0x4000_0000, size: memorySize });
    this.allocator = new GuestAllocator(this.shared.memory);
    this.queues = Array.from(
      { length: queues },
      (_, index) => new SurvivingQueue(this.allocator, index),
    );
    this.#features = features;
  }

  /** The connection there is. */
  get frontend(): VhostUserFrontend {
    if (this.#frontend === undefined) {
      throw new Error("The guest is not connected");
    }
    return this.#frontend;
  }

  /**
   * Connects, and goes on with each ring where its used index stands.
   *
   * @param path the server's socket
   */
  async connect(path: string): Promise<void> {
    await this.#frontend?.close();
    const frontend = this.#frontend = await VhostUserFrontend.connect(path, {
      timeoutMs: 10_000,
    });
    await frontend.negotiate({
      features: this.#features,
      protocolFeatures: this.#features === LEGACY_FEATURES
        ? CRYPTODEV_PROTOCOL_FEATURES
        : 0xffff_ffffn,
    });
    await frontend.setMemTable(this.shared.regions);
    for (const { index, ring, usedIndex, fds } of this.queues) {
      const { size, userAddresses } = ring;
      await frontend.startRing(
        index,
        { size, base: usedIndex, userAddresses },
        fds,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#frontend?.close();
    for (const { fds } of this.queues) closeFds(Object.values(fds));
    this.shared.close();
  }
}

/** Requests that never end, on all queues of a guest. */
export class SurvivingLoad {
  /** What came back so far, by queue. */
  readonly returned: Returned[][];
  #going = true;
  readonly #done: Promise<void>;

  /**
   * @param guest whose queues are loaded
   * @param add adds a request to a queue; false where it has no room
   */
  constructor(
    guest: SurvivingGuest,
    add: (queue: SurvivingQueue) => boolean,
  ) {
    this.returned = guest.queues.map(() => []);
    this.#done = this.#run(guest, add);
    // Told by end().
    this.#done.catch(() => {});
  }

  async #run(
    guest: SurvivingGuest,
    add: (queue: SurvivingQueue) => boolean,
  ): Promise<void> {
    for (let going = true; going;) {
      // The last turn begins after end(): what a server answered that is gone
      // by then is collected, and what it has not answered is outstanding.
      going = this.#going;
      for (const queue of guest.queues) {
        this.returned[queue.index]!.push(...queue.collect());
        while (queue.outstanding < 48 && add(queue));
        queue.publish();
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /**
   * Waits until each queue has answered some.
   *
   * @param count how many
   */
  async progress(count: number): Promise<void> {
    const before = this.returned.map(({ length }) => length);
    await until("requests to be answered", async () => {
      if (!this.#going) await this.#done;
      return this.returned.every(({ length }, i) =>
        length >= before[i]! + count
      );
    }, 20_000);
  }

  /** Adds no more, after a last turn. */
  async end(): Promise<void> {
    this.#going = false;
    await this.#done;
  }
}
