import { assertEquals } from "@std/assert";
import { addressOf } from "../../device/host/libc.ts";
import { largeBuffer } from "../support/large_buffer.ts";
import {
  APART,
  DESTINATION,
  HEADER,
  IV,
  REQUESTS,
  SHORT,
  SIZE,
  SOURCE,
  STATUS,
  Straight,
  TABLE,
} from "./straight.ts";

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
}
