import { assert, assertEquals } from "@std/assert";
import {
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import { AutoEngine } from "../../device/engine/auto.ts";
import type {
  Context,
  Engine,
  EngineName,
  InPlaceCipher,
} from "../../device/engine/engine.ts";
import { openEngines } from "../../device/engine/engines.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import { addressOf } from "../../device/host/libc.ts";
import { DataQueue } from "../../device/service/data_queue.ts";
import { DeviceCore } from "../../device/service/device_core.ts";
import { ENGINES } from "../engine/engines.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { largeBuffer } from "../support/large_buffer.ts";

const SIZE = 1 << 18;
const RING = 16;
const DESCRIPTORS = 0x1000;
const AVAILABLE = 0x2000;
const USED = 0x3000;
/** Where the buffers of each request are, and how far they are apart. */
const REQUESTS = 0x8000;
const APART = 0x800;
// Offsets from there.
const HEADER = 0;
const IV = 0x80;
const SOURCE = 0x100;
const DESTINATION = 0x400;
const STATUS = 0x700;
const TABLE = 0x740;

const INDIRECT = 4;
const KEY = Uint8Array.from({ length: 16 }, (_, i) => 7 * i);
const XTS = 13;

/** XTS has two keys, which must differ. */
function keyOf(algorithm: number): Uint8Array<ArrayBuffer> {
  return algorithm === XTS
    ? Uint8Array.from([...KEY, ...KEY.map((byte) => byte ^ 0x55)])
    : KEY;
}

/** What a device is, and what its memory is cut into. */
interface StraightOptions {
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
class Straight {
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

const ignore = !("ipsec-mb" in ENGINES);

/** An engine that never has memory for a key, and counts who asks. */
class WithoutMemory extends IpsecMbEngine {
  asked = 0;

  override prepare(): Context {
    this.asked++;
    throw new Error("Cannot allocate a context");
  }

  override inPlace(
    ...operation: Parameters<IpsecMbEngine["inPlace"]>
  ): InPlaceCipher | undefined {
    const cipher = super.inPlace(...operation);
    if (cipher !== undefined) {
      cipher.addKey = () => {
        this.asked++;
        return -1;
      };
    }
    return cipher;
  }
}

Deno.test({
  name:
    "Straight requests are served by another engine where theirs has no memory for a key",
  ignore,
  fn() {
    const poor = new WithoutMemory();
    const device = new Straight("noble", {
      engines: [new AutoEngine([new NobleEngine(), poor])],
    });
    const slots = Array.from({ length: RING }, (_, i) => i);
    const places = slots.map((i) => device.place(i, 64));
    // Alone, and in a batch.
    for (const batch of [[0], slots.slice(1)]) {
      const before = poor.asked;
      device.run(batch);
      assert(poor.asked > before, `${batch}`);
    }
    for (const at of places) device.assertServed("aes-cbc", at, 64);
    const { requests, statuses } = device.queue.counters.read();
    assertEquals([requests, statuses[0]], [RING, RING]);
    assertEquals(device.queue.keyBytes, 0);
  },
});

/** The engines that have a short way, of those that are here. */
const SHORT = (["libcrypto", "ipsec-mb"] as const).filter((name) =>
  name in ENGINES
);

for (const engine of SHORT) {
  const ciphers = [["aes-cbc", 3], ["aes-ctr", 4], ["aes-xts", XTS]] as const;
  for (const [name, number] of ciphers) {
    // The multi-buffer library has none.
    if (name === "aes-xts" && engine === "ipsec-mb") continue;
    for (const alone of [false, true]) {
      const how = alone ? "one at a time" : "in a batch";
      Deno.test(`Straight requests of ${name} come out right on ${engine} ${how}, and are counted`, () => {
        const device = new Straight(engine, { algorithm: number });
        const slots = Array.from({ length: RING }, (_, i) => i);
        const lengths = slots.map((i) => 16 * (1 + i * 3));
        const places = slots.map((i) => device.place(i, lengths[i]!));
        if (alone) { for (const slot of slots) device.run([slot]); }
        else device.run(slots);
        places.forEach((at, i) => {
          const length = lengths[i]!;
          device.assertServed(name, at, length);
          assertEquals(device.bytes[at + DESTINATION + length], 0xa5);
          assertEquals(device.view.getUint32(USED + 4 + 8 * i, true), i);
          const used = device.view.getUint32(USED + 8 + 8 * i, true);
          assertEquals(used, length + 1);
        });
        const { requests, statuses } = device.queue.counters.read();
        assertEquals([requests, statuses[0]], [RING, RING]);
      });
    }
  }
}

Deno.test({
  name:
    "A straight chain with a word changed is served as the portable engine serves it",
  ignore: SHORT.length === 0,
  fn() {
    const values = [
      0,
      1,
      2,
      3,
      15,
      17,
      48,
      0x101,
      0x1_0001,
      0x7fff_ffff,
      0xffff_ffff,
      SIZE - 8,
      SIZE,
    ];
    // Every word of header and fixed part, and of the table.
    const offsets = [
      ...Array.from({ length: 18 }, (_, i) => HEADER + 4 * i),
      ...Array.from({ length: 20 }, (_, i) => TABLE + 4 * i),
    ];
    let served = 0;
    for (const offset of offsets) {
      for (const value of values) {
        const devices = (["noble", ...SHORT] as const).map((engine) => {
          const device = new Straight(engine);
          for (const slot of [0, 1, 2]) device.place(slot, 48);
          device.view.setUint32(REQUESTS + APART + offset, value, true);
          return device;
        });
        for (const device of devices) device.run([0, 1, 2]);
        const [slow, ...fast] = devices.map((device) => {
          const bytes = device.bytes.slice();
          // The generation in the headers differs from device to device.
          for (const slot of [0, 1, 2]) {
            bytes.fill(
              0,
              REQUESTS + slot * APART + 12,
              REQUESTS + slot * APART + 16,
            );
          }
          return bytes;
        });
        fast.forEach((bytes, i) => {
          const differs = bytes.findIndex((byte, i) => byte !== slow![i]);
          assertEquals(
            differs,
            -1,
            `${SHORT[i]}: 0x${value.toString(16)} at 0x${offset.toString(16)}`,
          );
        });
        if (slow![REQUESTS + APART + STATUS] === 0) served++;
      }
    }
    assert(served > 0);
  },
});

for (const name of SHORT) {
  Deno.test(`A chain's parts may be in several regions, as may the chains of a batch, ${name}`, () => {
    const second = REQUESTS + APART;
    const cuts = [
      REQUESTS + IV,
      REQUESTS + SOURCE,
      REQUESTS + DESTINATION,
      REQUESTS + STATUS,
      REQUESTS + TABLE,
      second,
      // Of this one only the table is elsewhere.
      second + TABLE,
      second + APART,
      second + 3 * APART,
    ];
    // Further apart than what one lookup tells of, and some above 4 GiB.
    const memories = [0x1000, 0x1_0000_0000, 0x4_0000_0000].flatMap((gap) =>
      [false, true].map((separate) => ({ cuts, gap, separate }))
    );
    for (const memory of memories) {
      const device = new Straight(name, memory);
      for (const batch of [[0], [1, 2, 3, 0, 4, 5, 6]]) {
        const places = batch.map((slot) => device.place(slot, 64 + 16 * slot));
        const before = device.rounds;
        device.run(batch);
        assertEquals(device.rounds - before, 1);
        batch.forEach((slot, i) =>
          device.assertServed("aes-cbc", places[i]!, 64 + 16 * slot)
        );
      }
      // Nobody needed a context: all went the short way.
      assertEquals(device.queue.contexts, 0);
    }
  });

  Deno.test(`Tables may be in another region than all else, ${name}`, () => {
    const tables = 0x3_0000;
    // The second request, the third one, and the tables are in regions of
    // their own, each apart so far that nothing is known of the next one.
    const cuts = [REQUESTS + APART, REQUESTS + 2 * APART, tables];
    for (const separate of [false, true]) {
      const device = new Straight(name, {
        cuts,
        gap: 0x1_0000_0000,
        separate,
        tables,
      });
      const slots = [0, 1, 2, 3];
      // At first nothing is known of where they are, then it is.
      for (let turn = 0; turn < 3; turn++) {
        const places = slots.map((slot) => device.place(slot, 64));
        const before = device.rounds;
        device.run(slots);
        for (const at of places) device.assertServed("aes-cbc", at, 64);
        assertEquals(device.rounds - before, 1);
      }
      assertEquals(device.queue.contexts, 0);
    }
  });

  Deno.test(`A counter that wraps is seen in whichever region the iv is, ${name}`, () => {
    const cuts = [REQUESTS + IV, REQUESTS + SOURCE, REQUESTS + APART];
    for (const separate of [false, true]) {
      const device = new Straight(name, {
        algorithm: 4,
        cuts,
        gap: 0x1_0000_0000,
        separate,
      });
      for (const slots of [[0, 1, 2], [0, 1, 2], [1, 2]]) {
        const places = slots.map((slot) => device.place(slot, 64));
        for (const at of places) {
          device.bytes.fill(0xff, at + IV + 12, at + IV + 16);
        }
        device.run(slots);
        for (const at of places) device.assertServed("aes-ctr", at, 64);
      }
    }
  });

  Deno.test(`Source and destination may be the same or overlap, ${name}`, () => {
    for (const distance of [0, 1, -1, 16, -16, 63, -63, 64, -64]) {
      const device = new Straight(name);
      const at = device.place(0, 64);
      const source = device.bytes.slice(at + SOURCE, at + SOURCE + 64);
      device.view.setUint32(at + TABLE + 48, at + SOURCE + distance, true);
      device.run([0]);
      const written = at + SOURCE + distance;
      device.bytes.copyWithin(at + DESTINATION, written, written + 64);
      device.bytes.set(source, at + SOURCE);
      device.assertServed("aes-cbc", at, 64);
      const isPlain = distance === 0 || Math.abs(distance) === 64;
      assertEquals(device.queue.contexts, isPlain ? 0 : 1, `by ${distance}`);
    }
  });

  Deno.test(`Any one part of a chain may be in another region than the others, ${name}`, () => {
    const elsewhere = 0x3_0000;
    const parts = [HEADER, IV, SOURCE, DESTINATION, STATUS];
    parts.forEach((part, entry) => {
      const device = new Straight(name, {
        cuts: [elsewhere],
        gap: 0x1_0000_0000,
      });
      const at = device.place(0, 64);
      // There the part is put, and brought back for the check.
      device.bytes.copyWithin(elsewhere, at + part, at + part + 72);
      const address = device.address(elsewhere);
      const words = at + TABLE + 16 * entry;
      device.view.setUint32(words, address % 2 ** 32, true);
      device.view.setUint32(words + 4, Math.floor(address / 2 ** 32), true);
      device.run([0]);
      device.bytes.copyWithin(at + part, elsewhere, elsewhere + 64);
      device.assertServed("aes-cbc", at, 64);
      assertEquals(device.queue.contexts, 0, `part at ${part}`);
    });
  });

  Deno.test(`Parts may be on both sides of a multiple of 4 GiB of the process's addresses, ${name}`, () => {
    // So large that there is one. It costs what of it is touched.
    const buffer = largeBuffer(
      2 ** 32 + 2 * SIZE,
      "requests at a multiple of 4 GiB",
    );
    if (buffer === undefined) return;
    const start = Number(addressOf(new Uint8Array(buffer)) % 2n ** 32n);
    const border = 2 ** 32 - start + (start > 2 ** 32 - SIZE ? 2 ** 32 : 0);
    // The border is before and behind every part, and in each.
    for (const part of [-8, IV, IV + 8, SOURCE, SOURCE + 20, DESTINATION + 4]) {
      const requests = border - (APART + part);
      const device = new Straight(name, { buffer, requests });
      const places = [0, 1, 2].map((slot) => device.place(slot, 64));
      device.run([0, 1, 2]);
      for (const at of places) device.assertServed("aes-cbc", at, 64);
      assertEquals(device.queue.contexts, 0, `border at ${part}`);
    }
  });

  Deno.test(`A part that goes on in the next region is served the general way, ${name}`, () => {
    for (const part of [HEADER, IV, SOURCE, DESTINATION]) {
      // Of what is that far away, something else is known.
      const border = 1 << 24;
      const device = new Straight(name, {
        buffer: new SharedArrayBuffer(border + SIZE),
        cuts: [border],
        requests: border - APART - part - 8,
      });
      // Then it is known where both regions are.
      for (const slot of [0, 2, 1]) {
        assertEquals(device.queue.contexts, 0);
        const at = device.place(slot, 64);
        device.run([slot]);
        device.assertServed("aes-cbc", at, 64);
      }
      assertEquals(device.queue.contexts, 1, `part at ${part}`);
    }
  });

  Deno.test(`A header that alone goes on in the next region is read there, ${name}`, () => {
    const border = 0x3_0000;
    const device = new Straight(name, { cuts: [border] });
    const at = device.place(0, 64);
    device.bytes.copyWithin(border - 8, at + HEADER, at + HEADER + 72);
    device.bytes.fill(0, at + HEADER, at + HEADER + 72);
    device.view.setUint32(at + TABLE, border - 8, true);
    device.run([0]);
    device.assertServed("aes-cbc", at, 64);
    assertEquals(device.queue.contexts, 1);
  });

  Deno.test(`A batch is run with the keys of sessions that end while it is taken, ${name}`, () => {
    const [engine] = openEngines([name]);
    const device = new Straight(name, { engines: [engine!] });
    const ended = device.session;
    device.place(0, 64);
    device.run([0]);
    const keys = [1, 2].map((n) => KEY.map((byte) => byte ^ n));
    const other = device.create(keys[0]!);
    const next = { low: ended.low, high: ended.high + 1 };
    // What the main thread may do at any time: here, as the batch's second
    // session is made ready.
    const cipher = engine!.inPlace!(
      ALGORITHMS["aes-cbc"],
      "encrypt",
      16,
      false,
    )!;
    const addKey = cipher.addKey.bind(cipher);
    cipher.addKey = (key) => {
      cipher.addKey = addKey;
      assertEquals(device.core.sessions.destroy(ended.low, ended.high), 0);
      assertEquals(device.create(keys[1]!), next);
      return addKey(key);
    };
    const places = [ended, other, next].map((id, i) =>
      device.place(1 + i, 64, 0, id)
    );
    device.run([1, 2, 3]);
    [KEY, ...keys].forEach((key, i) =>
      device.assertServed("aes-cbc", places[i]!, 64, key)
    );
    // The keys of the two that are live.
    assertEquals(device.queue.keyBytes, 2 * cipher.keyBytes);
  });
}

Deno.test({
  name:
    "Long sources at one offset in a page go the general way, which spreads them",
  ignore: !("ipsec-mb" in ENGINES),
  fn() {
    const length = 9008;
    const ciphers = [
      ["aes-cbc", 3, 1],
      ["aes-cbc", 3, 2],
      ["aes-ctr", 4, 1],
    ] as const;
    for (const [name, algorithm, op] of ciphers) {
      for (const distance of [3 * 4096, 3 * 4096 + 64]) {
        const device = new Straight("ipsec-mb", { algorithm, op });
        const slots = [0, 1, 2];
        const places = slots.map((slot) => {
          const at = device.place(slot, 16, op - 1);
          const source = 0x10000 + slot * distance;
          const written = 0x20000 + slot * distance;
          device.bytes.set(new Random(slot).bytes(length), source);
          for (const [entry, offset] of [[2, source], [3, written]] as const) {
            device.view.setUint32(at + TABLE + 16 * entry, offset, true);
            device.view.setUint32(at + TABLE + 16 * entry + 8, length, true);
          }
          device.view.setUint32(at + HEADER + 28, length, true);
          device.view.setUint32(at + HEADER + 32, length, true);
          return { at, source, written };
        });
        device.run(slots);
        for (const { at, source, written } of places) {
          assertEquals(device.bytes[at + STATUS], 0);
          // Deciphered and enciphered again, it is what it was.
          const [from, to] = op === 1 ? [source, written] : [written, source];
          const expected = reference(name, device.key, {
            source: device.bytes.slice(from, from + length),
            iv: device.bytes.slice(at + IV, at + IV + 16),
            resultLength: 0,
          });
          assertEquals(
            device.bytes.slice(to, to + length),
            new Uint8Array(expected),
          );
        }
        // Only lanes that go side by side are the worse for it.
        const isSpread = name === "aes-cbc" && op === 1 &&
          distance % 4096 === 0;
        assertEquals(device.queue.contexts, isSpread ? 1 : 0);
      }
    }
  },
});

Deno.test({
  name: "A batch ends where its sources are more than half a mebibyte",
  // The multi-buffer library's longer buffers go the general way.
  ignore: !("libcrypto" in ENGINES),
  fn() {
    const device = new Straight("libcrypto");
    const slots = Array.from({ length: RING }, (_, i) => i);
    // All of the same 60 KiB, from place to place: only the bound matters.
    const length = 60 * 1024;
    for (const slot of slots) {
      const at = device.place(slot, 16);
      device.view.setUint32(at + HEADER + 28, length, true);
      device.view.setUint32(at + HEADER + 32, length, true);
      for (const [entry, offset] of [[2, 0x10000], [3, 0x20000]] as const) {
        device.view.setUint32(at + TABLE + 16 * entry, offset, true);
        device.view.setUint32(at + TABLE + 16 * entry + 8, length, true);
      }
    }
    device.run(slots);
    const { requests, rounds, statuses } = device.queue.counters.read();
    assertEquals([requests, statuses[0]], [RING, RING]);
    assert(rounds > 1);
  },
});

Deno.test("Every algorithm's block is a power of two, which straight requests rely on", () => {
  for (const { block } of Object.values(ALGORITHMS)) {
    assertEquals(block & (block - 1), 0);
  }
});
