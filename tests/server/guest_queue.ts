/**
 * A ring of a guest, and encryption requests whose results are verified.
 *
 * @module
 */

import { createCipheriv } from "node:crypto";
import { guestBytes } from "../../device/driver/guest_view.ts";
import type { SplitRingDriver } from "../../device/driver/split_ring.ts";
import type { RingFds } from "../../device/driver/vhost_user_frontend.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";

import type { Guest } from "./guest.ts";
import { Load } from "./guest_load.ts";
import { CBC_INFO, encryption, type GuestSession } from "./guest_session.ts";

/** Status byte of a request that succeeded. */
const OK = 0;
/** What the status byte is before. */
const NO_STATUS = 0xee;

const IV = new Uint8Array(16);

/** A request in the ring. */
interface Outstanding {
  readonly address: number;
  readonly readable: number;
  readonly writable: number;
  readonly expected: Uint8Array | undefined;
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
