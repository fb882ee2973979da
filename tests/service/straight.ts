/**
 * A data queue with requests as drivers cut them, in memory of its own.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import type { Engine, EngineName } from "../../device/engine/engine.ts";
import { DataQueue } from "../../device/service/data_queue.ts";
import { DeviceCore } from "../../device/service/device_core.ts";
import { ENGINES } from "../engine/engines.ts";
import { reference } from "../engine/reference.ts";

export const SIZE = 1 << 18;
export const RING = 16;
const DESCRIPTORS = 0x1000;
const AVAILABLE = 0x2000;
export const USED = 0x3000;
/** Where the buffers of each request are, and how far they are apart. */
export const REQUESTS = 0x8000;
export const APART = 0x800;
// Offsets from there.
export const HEADER = 0;
export const IV = 0x80;
export const SOURCE = 0x100;
export const DESTINATION = 0x400;
export const STATUS = 0x700;
export const TABLE = 0x740;

const INDIRECT = 4;
export const KEY = Uint8Array.from({ length: 16 }, (_, i) => 7 * i);
export const XTS = 13;

/** XTS has two keys, which must differ. */
function keyOf(algorithm: number): Uint8Array<ArrayBuffer> {
  return algorithm === XTS
    ? Uint8Array.from([...KEY, ...KEY.map((byte) => byte ^ 0x55)])
    : KEY;
}

/** What a device is, and what its memory is cut into. */
export interface StraightOptions {
  /** Number of the session's cipher; left out: AES-CBC. */
  readonly algorithm?: number;
  /** VIRTIO_CRYPTO_OP_* of the session; left out: ENCRYPT. */
  readonly op?: number;
  /** The queue's own engines; those of the device when left out. */
  readonly engines?: readonly Engine[];
  /** Where a region of memory ends and the next one begins. */
  readonly cuts?: readonly number[];
  /** Bytes of a gap in the guest's addresses between two regions. */
  readonly gap?: number;
  /** Whether each region is of a buffer of its own. */
  readonly separate?: boolean;
  /** The memory. */
  readonly buffer?: SharedArrayBuffer;
  /** Where in it the requests are. */
  readonly requests?: number;
  /** Where their tables are; left out: each behind its request. */
  readonly tables?: number;
}

/** A queue over memory of its own, with requests as drivers cut them. */
export class Straight {
  readonly key: Uint8Array;
  readonly core: DeviceCore;
  readonly queue: DataQueue;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  readonly session: { readonly low: number; readonly high: number };
  readonly #cuts: readonly number[];
  readonly #gap: number;
  readonly #requests: number;
  readonly #tables: number | undefined;
  /** Regions of buffers of their own, and where they are in `bytes`. */
  readonly #separate: (readonly [Uint8Array<SharedArrayBuffer>, number])[] = [];
  #offered = 0;

  /**
   * @param engine the device's
   * @param options what differs from a session of AES-CBC in one region
   */
  constructor(engine: EngineName, options: StraightOptions = {}) {
    const { algorithm = 3, op = 1, cuts = [], gap = 0 } = options;
    this.#cuts = cuts;
    this.#gap = gap;
    this.#requests = options.requests ?? REQUESTS;
    this.#tables = options.tables;
    this.key = keyOf(algorithm);
    this.core = new DeviceCore({ engines: [engine] }, () => {});
    this.queue = new DataQueue(
      this.core.queueOptions(0),
      options.engines ?? this.core.capabilities.engines,
      () => false,
    );
    const buffer = options.buffer ?? new SharedArrayBuffer(SIZE);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.queue.setMemory([0, ...cuts].map((offset, i) => {
      const size = (cuts[i] ?? buffer.byteLength) - offset;
      const own = options.separate ? new SharedArrayBuffer(size) : undefined;
      if (own) this.#separate.push([new Uint8Array(own), offset]);
      return {
        guestAddress: this.address(offset),
        userAddress: this.address(offset),
        size,
        buffer: own ?? buffer,
        offset: own ? 0 : offset,
      };
    }));
    this.session = this.create(this.key, algorithm, op);
    this.queue.start({
      ring: {
        format: "split",
        size: RING,
        descriptorAddress: DESCRIPTORS,
        availableAddress: AVAILABLE,
        usedAddress: USED,
        state: 0,
        notification: "flags",
        indirect: true,
      },
      layout: this.core.layout(0n, false),
    });
  }

  /** The guest's address of an offset in memory. */
  address(offset: number): number {
    return offset + this.#gap * this.#cuts.filter((at) => at <= offset).length;
  }

  /** Creates a session; returns its id. */
  create(key: Uint8Array, algorithm = 3, op = 1) {
    const { status, ...id } = this.core.sessions.create({
      service: 0,
      opType: 1,
      algorithm,
      op,
      keyLength: key.length,
      chainOrder: 0,
      hashMode: 0,
      hashAlgorithm: 0,
      authKeyLength: 0,
      resultLength: 0,
      key,
    }, 0);
    assertEquals(status, 0);
    return id;
  }

  /** Writes a request of `length` bytes, and returns where it is. */
  place(slot: number, length: number, opcode = 0, id = this.session): number {
    const at = this.#requests + slot * APART;
    const words = (from: number, ...values: number[]) =>
      values.forEach((value, i) =>
        this.view.setUint32(from + 4 * i, value, true)
      );
    const { low, high } = id;
    words(at + HEADER, opcode, 0, low, high, 0, 0, 16, length, length);
    words(at + HEADER + 64, 1);
    for (let i = 0; i < 16; i++) this.bytes[at + IV + i] = slot + i;
    for (let i = 0; i < length; i++) this.bytes[at + SOURCE + i] = slot ^ i;
    this.bytes.fill(0xa5, at + DESTINATION, at + STATUS + 1);
    const buffers = [
      [HEADER, 72, 1],
      [IV, 16, 1],
      [SOURCE, length, 1],
      [DESTINATION, length, 3],
      [STATUS, 1, 2],
    ] as const;
    const halves = (offset: number) => {
      const address = this.address(offset);
      return [address % 2 ** 32, Math.floor(address / 2 ** 32)] as const;
    };
    const table = this.#tables === undefined
      ? at + TABLE
      : this.#tables + slot * APART;
    buffers.forEach(([offset, bytes, flags], i) =>
      words(
        table + 16 * i,
        ...halves(at + offset),
        bytes,
        flags | i + 1 << 16,
      )
    );
    words(DESCRIPTORS + 16 * slot, ...halves(table), 80, INDIRECT);
    return at;
  }

  /** Checks that a request was served with the right result. */
  assertServed(
    name: AlgorithmName,
    at: number,
    length: number,
    key = this.key,
  ): void {
    assertEquals(this.bytes[at + STATUS], 0, `request at ${at}`);
    const expected = reference(name, key, {
      source: this.bytes.slice(at + SOURCE, at + SOURCE + length),
      iv: this.bytes.slice(at + IV, at + IV + 16),
      resultLength: 0,
    });
    assertEquals(
      this.bytes.slice(at + DESTINATION, at + DESTINATION + length),
      new Uint8Array(expected),
    );
  }

  /** Rounds that answered something. */
  get rounds(): number {
    return this.queue.counters.read().rounds;
  }

  /** Offers heads and runs until all that can be served is. */
  run(heads: readonly number[]): void {
    for (const head of heads) {
      const entry = AVAILABLE + 4 + 2 * (this.#offered++ % RING);
      this.view.setUint16(entry, head, true);
    }
    this.view.setUint16(AVAILABLE + 2, this.#offered, true);
    for (const [region, offset] of this.#separate) {
      region.set(this.bytes.subarray(offset, offset + region.length));
    }
    for (let i = 0; i < 100 && this.queue.run() !== 0; i++);
    for (const [region, offset] of this.#separate) {
      this.bytes.set(region, offset);
    }
  }
}

/** The engines that have a short way, of those that are here. */
export const SHORT = (["libcrypto", "ipsec-mb"] as const).filter((name) =>
  name in ENGINES
);
