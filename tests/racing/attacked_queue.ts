/**
 * A data queue with requests of every kind in memory of its own, which a
 * second processor changes while the device reads it.
 *
 * @module
 */

import { createCipheriv, createHmac } from "node:crypto";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import { UsedRingError } from "../../device/driver/errors.ts";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import { makeRing } from "../../device/driver/make_ring.ts";
import type { DriverRing, UsedRecord } from "../../device/driver/ring.ts";
import type { SharedRegion } from "../../device/driver/shared_guest_memory.ts";
import type { RingFds } from "../../device/driver/vhost_user_frontend.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { Race, Target } from "./racer.ts";

const MIB = 1 << 20;
/** The region: a guard, the zone of 2 MiB, a guard. */
export const ATTACKED_BYTES = 4 * MIB;
const GUARD_BYTES = MIB;
const GUARD = 0x5a;
/** Sources and results have half a MiB each, of which they use the first half. */
const PART = MIB / 2;
/** Bytes of a request in each. */
const SLOT = 8192;
const FIXED = 72;
const IV_AT = 256;
const DATA_AT = 512;

/** Every 4 bytes of the plaintext of what must not decrypt. */
export const PLAINTEXT = 0x5ac3a55a;
const NO_STATUS = 0xee;
const HIGHEST_STATUS = 4;

const KEY = Uint8Array.from({ length: 16 }, (_, i) => 3 * i + 2);
const AEAD_KEY = Uint8Array.from({ length: 16 }, (_, i) => 9 * i + 4);

/** What is flipped. */
export const FIELDS = [
  "headers",
  "ivs",
  "data",
  "descriptors",
  "indirect tables",
  "rings",
] as const;
export type Field = typeof FIELDS[number];

/** A request as it is written again and again. */
interface Kind {
  readonly opcode: number;
  readonly session: bigint;
  /** le32 fields behind the header, and op_type at 40. */
  readonly fields: readonly number[];
  readonly opType: number;
  readonly iv: Uint8Array;
  readonly data: Uint8Array;
  /** The result; undefined where it must fail. */
  readonly expected: Uint8Array | undefined;
  readonly resultLength: number;
}

const IV = new Uint8Array(16).fill(1);

async function kindsOf(driver: CryptoDriver): Promise<Kind[]> {
  const data = new Uint8Array(2048).fill(0x31);
  const cipher = createCipheriv("aes-128-cbc", KEY, IV);
  cipher.setAutoPadding(false);
  const plaintext = new Uint8Array(
    new Uint32Array(1024).fill(PLAINTEXT).buffer,
  );
  const seal = createCipheriv("aes-128-gcm", AEAD_KEY, IV.subarray(0, 12));
  const sealed = new Uint8Array(plaintext.length + 16);
  sealed.set(seal.update(plaintext));
  seal.final();
  // Every byte of the tag is wrong: no one flip makes it right.
  sealed.set(seal.getAuthTag().map((byte) => byte ^ 0xff), plaintext.length);
  const session = async (options: unknown): Promise<bigint> =>
    (await driver.createSession(options as never)).id;
  const symmetric = { direction: "encrypt", key: KEY };
  return [
    {
      opcode: 0x000,
      session: await session({
        service: "cipher",
        algorithm: "aes-cbc",
        ...symmetric,
      }),
      fields: [16, data.length, data.length],
      opType: 1,
      iv: IV,
      data,
      expected: cipher.update(data),
      resultLength: data.length,
    },
    {
      opcode: 0x200,
      session: await session({
        service: "mac",
        algorithm: "hmac-sha256",
        key: KEY,
      }),
      fields: [data.length, 32],
      opType: 0,
      iv: new Uint8Array(0),
      data,
      expected: createHmac("sha256", KEY).update(data).digest(),
      resultLength: 32,
    },
    {
      opcode: 0x301,
      session: await session({
        service: "aead",
        algorithm: "aes-gcm",
        key: AEAD_KEY,
        direction: "decrypt",
      }),
      fields: [12, 0, sealed.length, plaintext.length],
      opType: 0,
      iv: IV.subarray(0, 12),
      data: sealed,
      expected: undefined,
      resultLength: plaintext.length,
    },
  ];
}

/** What a batch came to. */
export interface Batch {
  /** Whether all of it was answered in time. */
  readonly answered: boolean;
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** The queue under attack. */
export class AttackedQueue {
  readonly index: number;
  readonly #driver: CryptoDriver;
  readonly #region: SharedRegion;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #base: number;
  readonly #kinds: readonly Kind[];
  #ring!: DriverRing;
  #fds!: RingFds;
  #sources = 0;
  #results = 0;
  #ringEnd = 0;
  #next = 0;

  private constructor(
    driver: CryptoDriver,
    region: SharedRegion,
    index: number,
    kinds: readonly Kind[],
  ) {
    this.#driver = driver;
    this.#region = region;
    this.index = index;
    this.#kinds = kinds;
    const { mapping: { buffer, offset } } = region;
    this.#bytes = new Uint8Array(buffer, offset, ATTACKED_BYTES);
    this.#base = region.guestAddress;
    this.#bytes.fill(GUARD, 0, GUARD_BYTES);
    this.#bytes.fill(GUARD, ATTACKED_BYTES - GUARD_BYTES);
  }

  /**
   * Makes the queue; it is not started.
   *
   * @param driver has another queue of the device, and makes the sessions
   * @param region memory that nobody else uses
   * @param index number of the queue
   * @returns the queue
   */
  static async make(
    driver: CryptoDriver,
    region: SharedRegion,
    index: number,
  ): Promise<AttackedQueue> {
    return new AttackedQueue(driver, region, index, await kindsOf(driver));
  }

  /** Lays out a fresh ring. */
  layOut(): { ring: DriverRing } {
    this.#bytes.fill(0, GUARD_BYTES, ATTACKED_BYTES - GUARD_BYTES);
    const { mapping: { buffer, offset }, userAddress } = this.#region;
    const allocator = new GuestAllocator(
      new GuestMemory([{
        guestAddress: this.#base + GUARD_BYTES,
        size: 2 * MIB,
        userAddress: userAddress + GUARD_BYTES,
        buffer,
        offset: offset + GUARD_BYTES,
      }]),
    );
    this.#ring = makeRing(allocator, 64, this.#driver.features);
    this.#ringEnd = allocator.alloc(64) - this.#base;
    this.#sources = allocator.alloc(PART, PART) - this.#base;
    this.#results = allocator.alloc(PART, PART) - this.#base;
    return { ring: this.#ring };
  }

  /** @param fds eventfds of the started ring */
  set fds(fds: RingFds) {
    this.#fds = fds;
  }

  /** What a racer needs for a field. */
  race(
    field: Field,
    control: Int32Array<SharedArrayBuffer>,
    seed: number,
    packed: boolean,
  ): Race {
    const { mapping: { buffer, offset } } = this.#region;
    return {
      memory: buffer,
      offset,
      bytes: ATTACKED_BYTES,
      targets: this.#targets(field, packed),
      watched: Array.from({ length: 16 }, (_, i) => this.#results + i * SLOT),
      forbidden: PLAINTEXT,
      control,
      seed,
    };
  }

  #targets(field: Field, packed: boolean): Target[] {
    const slots = Array.from(
      { length: 16 },
      (_, i) => this.#sources + i * SLOT,
    );
    switch (field) {
      case "headers":
        return slots.map((at) => ({ at, words: FIXED / 4 }));
      case "ivs":
        return slots.map((at) => ({ at: at + IV_AT, words: 4 }));
      case "data":
        return slots.map((at) => ({
          at: at + DATA_AT,
          words: (4096 + 16) / 4,
        }));
      case "descriptors":
        return descriptorTargets(
          this.#ring.guestAddresses.descriptor - this.#base,
          64,
          packed,
        );
      case "indirect tables":
        return descriptorTargets(
          Math.ceil(this.#ringEnd / 16) * 16,
          16 * 8,
          packed,
        );
      case "rings": {
        const { descriptor, available } = this.#ring.guestAddresses;
        return packed
          // Buffer ids and flags; the driver's event suppression.
          ? [
            { at: descriptor - this.#base + 12, words: 64, stride: 4 },
            { at: available - this.#base, words: 1 },
          ]
          : [{ at: available - this.#base, words: 2 + 32 }];
      }
    }
  }

  /**
   * Sends requests and waits until they are answered.
   *
   * @param count how many, at most 16
   * @param indirect by indirect tables
   * @param field what is flipped meanwhile; undefined for nothing
   * @param timeoutMs how long to wait
   * @returns what came of it
   */
  async batch(
    count: number,
    indirect: boolean,
    field: Field | undefined,
    timeoutMs: number,
  ): Promise<Batch> {
    const wrong: string[] = [];
    const kinds = new Map<number, { kind: Kind; slot: number }>();
    this.#bytes.fill(NO_STATUS, this.#results, this.#results + 16 * SLOT);
    for (let slot = 0; slot < count; slot++) {
      const kind = this.#kinds[this.#next++ % this.#kinds.length]!;
      const id = this.#add(kind, slot, indirect);
      if (id < 0) return { answered: false, wrong };
      kinds.set(id, { kind, slot });
    }
    this.#ring.publish();
    this.#ring.needsKick();
    signalEventfd(this.#fds.kick);
    const record: UsedRecord = { id: 0, length: 0 };
    const deadline = performance.now() + timeoutMs;
    try {
      while (kinds.size > 0) {
        if (!this.#ring.take(record)) {
          if (performance.now() > deadline) return { answered: false, wrong };
          await new Promise((resolve) => setTimeout(resolve, 1));
          continue;
        }
        const found = kinds.get(record.id);
        if (found === undefined) return { answered: false, wrong };
        kinds.delete(record.id);
        const problem = this.#judge(found, record.length, field);
        if (problem !== undefined) wrong.push(problem);
      }
    } catch (error) {
      // The driver has read what was flipped.
      if (!(error instanceof UsedRingError)) throw error;
      return { answered: false, wrong };
    }
    drainEventfd(this.#fds.call);
    return { answered: true, wrong };
  }

  #add(kind: Kind, slot: number, indirect: boolean): number {
    const source = this.#sources + slot * SLOT;
    const result = this.#results + slot * SLOT;
    const view = new DataView(
      this.#bytes.buffer,
      this.#bytes.byteOffset + source,
      FIXED,
    );
    this.#bytes.fill(0, source, source + FIXED);
    view.setUint32(0, kind.opcode, true);
    view.setBigUint64(8, kind.session, true);
    kind.fields.forEach((value, i) => view.setUint32(24 + 4 * i, value, true));
    view.setUint32(24 + 40, kind.opType, true);
    this.#bytes.set(kind.iv, source + IV_AT);
    this.#bytes.set(kind.data, source + DATA_AT);
    const range = (at: number, length: number) => ({
      address: this.#base + at,
      length,
    });
    return this.#ring.add(
      [
        range(source, FIXED),
        ...(kind.iv.length > 0 ? [range(source + IV_AT, kind.iv.length)] : []),
        range(source + DATA_AT, kind.data.length),
      ],
      [range(result, kind.resultLength), range(result + kind.resultLength, 1)],
      indirect,
    );
  }

  /** What is wrong with an answer; where the chain was as it was put. */
  #judge(
    { kind, slot }: { kind: Kind; slot: number },
    length: number,
    field: Field | undefined,
  ): string | undefined {
    const at = this.#results + slot * SLOT;
    const status = this.#bytes[at + kind.resultLength]!;
    if (field === undefined) {
      const right = kind.expected === undefined ? status === 2 : status === 0 &&
        kind.expected.every((byte, i) => this.#bytes[at + i] === byte);
      return right ? undefined : `a good request: status ${status}`;
    }
    if (field !== "headers" && field !== "ivs" && field !== "data") {
      return undefined;
    }
    if (length !== kind.resultLength + 1) return `used length ${length}`;
    return status <= HIGHEST_STATUS ? undefined : `status ${status}`;
  }

  /** Whether nothing was written to the guards. */
  get guardsIntact(): boolean {
    return this.#bytes.subarray(0, GUARD_BYTES).every((b) => b === GUARD) &&
      this.#bytes.subarray(-GUARD_BYTES).every((b) => b === GUARD);
  }

  /** Whether plaintext lies where results go. */
  get plaintextSeen(): boolean {
    const words = new Uint32Array(
      this.#bytes.buffer,
      this.#bytes.byteOffset + this.#results,
      PART / 4,
    );
    return words.includes(PLAINTEXT);
  }
}

/** Bits that leave a buffer of a slot in its part of the zone. */
const INSIDE = Array.from({ length: 14 }, (_, i) => 1 << (i + 4));
const LENGTHS = [...Array.from({ length: 13 }, (_, i) => 1 << i), 1 << 31];

/**
 * The words of descriptors, with flips after which they name what was offered,
 * or nothing that is memory: what else a guest names is its own to lose.
 */
function descriptorTargets(
  at: number,
  count: number,
  packed: boolean,
): Target[] {
  const words = { words: count, stride: 4 };
  return [
    { at, ...words, masks: INSIDE },
    { at: at + 4, ...words, masks: [1 << 8] },
    { at: at + 8, ...words, masks: LENGTHS },
    {
      at: at + 12,
      ...words,
      // Flags: NEXT, WRITE, INDIRECT. Split: `next`; packed: AVAIL and USED.
      masks: packed
        ? [16, 17, 18, 23, 31].map((bit) => 1 << bit)
        : [0, 1, 2, 16, 17, 18, 22, 30].map((bit) => 1 << bit),
    },
  ];
}
