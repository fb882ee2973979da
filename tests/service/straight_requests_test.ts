import { assert, assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { AutoEngine } from "../../device/engine/auto.ts";
import type { Context, InPlaceCipher } from "../../device/engine/engine.ts";
import { openEngines } from "../../device/engine/engines.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import { ENGINES } from "../engine/engines.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import {
  APART,
  DESTINATION,
  HEADER,
  IV,
  KEY,
  REQUESTS,
  RING,
  SHORT,
  SIZE,
  SOURCE,
  STATUS,
  Straight,
  TABLE,
  USED,
  XTS,
} from "./straight.ts";

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
  // The multi-buffer library takes more in a batch.
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
