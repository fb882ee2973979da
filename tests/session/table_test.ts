import { assertEquals, assertThrows } from "@std/assert";
import {
  createSessionTable,
  MAX_ENDED,
  MAX_GENERATION,
  MAX_KEY_MATERIAL,
  MAX_SESSIONS,
  type SessionFields,
  SessionTable,
} from "../../device/session/table.ts";
import { Random } from "../engine/random.ts";
import { fieldsOf, occurrences } from "../support/sessions.ts";

const FIELDS = fieldsOf({
  service: 3,
  opType: 1,
  algorithm: 54,
  op: 2,
  chainOrder: 1,
  hashMode: 3,
  hashAlgorithm: 12,
  resultLength: 0x7fff_0001,
});

/** The fields of a session with one key, or of a chain with two. */
function keyed(key: Uint8Array, authKeyLength = 0): SessionFields {
  return { ...FIELDS, keyLength: key.length - authKeyLength, authKeyLength };
}

/** Two threads' views of one table. */
function tableOf(slots: number) {
  const buffer = createSessionTable(slots);
  return {
    bytes: new Uint8Array(buffer),
    main: new SessionTable(buffer),
    worker: new SessionTable(buffer),
  };
}

Deno.test("SessionTable shows a published session in every view", () => {
  const { main, worker } = tableOf(4);
  const key = new Random(1).bytes(32);
  assertEquals([main.slots, worker.slots], [4, 4]);
  main.publish(2, 7, keyed(key, 12), key);
  const fields = fieldsOf();
  const read = new Uint8Array(MAX_KEY_MATERIAL).fill(0xee);
  assertEquals(worker.read(2, 7, fields, read), 32);
  assertEquals(fields, keyed(key, 12));
  assertEquals(read.subarray(0, 32), key);
  assertEquals(read[32], 0xee);
  assertEquals(worker.isLive(2, 7), true);
  assertEquals(worker.service(2), 3);
});

Deno.test("SessionTable compares both halves of an id in full", () => {
  const { main, worker } = tableOf(4);
  main.publish(1, 0x1234_5678, FIELDS, new Uint8Array(0));
  for (
    const [low, high] of [
      [1, 0x1234_5679],
      [1, 0x5678],
      [1, 0x9234_5678],
      [1, 0],
      [1, 0xffff_ffff],
      [0, 0x1234_5678],
      [2, 0x1234_5678],
      [4, 0x1234_5678],
      [5, 0x1234_5678],
      [0x101, 0x1234_5678],
      [0x8000_0001, 0x1234_5678],
      [0xffff_ffff, 0x1234_5678],
    ] as const
  ) {
    assertEquals(worker.isLive(low, high), false, `${high}:${low}`);
    assertEquals(
      worker.read(low, high, fieldsOf(), new Uint8Array(MAX_KEY_MATERIAL)),
      -1,
    );
  }
  assertEquals(worker.isLive(1, 0x1234_5678), true);
});

Deno.test("SessionTable's slots that never held a session are not live", () => {
  const { worker } = tableOf(2);
  assertEquals(worker.isLive(0, 0), false);
  assertEquals(worker.isLive(1, 1), false);
});

Deno.test("SessionTable ends a session at once and counts it", () => {
  const { main, worker } = tableOf(2);
  main.publish(0, 1, FIELDS, new Uint8Array(0));
  main.publish(1, 1, FIELDS, new Uint8Array(0));
  assertEquals(worker.retired, 0);
  main.retire(0);
  assertEquals(worker.retired, 1);
  assertEquals([worker.isLive(0, 1), worker.isLive(1, 1)], [false, true]);
  assertEquals(
    worker.read(0, 1, fieldsOf(), new Uint8Array(MAX_KEY_MATERIAL)),
    -1,
  );
});

Deno.test("SessionTable says which sessions ended, or that they were too many", () => {
  const { main, worker } = tableOf(4);
  const slots = new Int32Array(MAX_ENDED);
  assertEquals(worker.ended(0, slots), 0);
  const end = (slot: number) => {
    main.publish(slot, 1, FIELDS, new Uint8Array(0));
    main.retire(slot);
  };
  for (const slot of [2, 0, 3]) end(slot);
  assertEquals(worker.ended(0, slots), 3);
  assertEquals([...slots.subarray(0, 3)], [2, 0, 3]);
  assertEquals(worker.ended(2, slots), 1);
  assertEquals(slots[0], 3);
  for (let i = 3; i < MAX_ENDED - 1; i++) end(i & 3);
  assertEquals(worker.ended(0, slots), MAX_ENDED - 1);
  assertEquals([...slots.subarray(0, 4)], [2, 0, 3, 3]);
  // The main thread may be writing over the first one by now.
  end(1);
  assertEquals(worker.ended(0, slots), -1);
  assertEquals(worker.ended(1, slots), MAX_ENDED - 1);
  assertEquals([slots[0], slots[MAX_ENDED - 2]], [0, 1]);
});

Deno.test("SessionTable keeps no byte of a key or parameter of an ended session", () => {
  for (const length of [1, 16, 63, 64, 65, 319, 320, 321, 512, 768]) {
    const { bytes, main } = tableOf(3);
    const empty = bytes.slice();
    const key = new Random(length).bytes(length).map((b) => b | 1);
    main.publish(1, 1, keyed(key, length >> 1), key);
    assertEquals(occurrences(bytes, key) >= 1, true);
    main.retire(1);
    // What differs is the slot's sequence, the retire counter, and which ended.
    let different = 0;
    bytes.forEach((b, i) => different += b === empty[i] ? 0 : 1);
    assertEquals(different, 3, `a key of ${length} bytes`);
  }
});

Deno.test("SessionTable keeps keys of all sizes in neighbouring slots apart", () => {
  const sizes = [768, 64, 320, 0, 1, 65, 321, 63];
  const { main, worker } = tableOf(sizes.length);
  const keys = sizes.map((size, i) => new Random(i).bytes(size));
  keys.forEach((key, i) =>
    main.publish(i, i + 1, { ...keyed(key), algorithm: i }, key)
  );
  const read = new Uint8Array(MAX_KEY_MATERIAL);
  keys.forEach((key, i) => {
    const fields = fieldsOf();
    assertEquals(worker.read(i, i + 1, fields, read), key.length);
    assertEquals(read.slice(0, key.length), key);
    assertEquals(fields.algorithm, i);
  });
  main.retire(0);
  assertEquals(worker.read(1, 2, fieldsOf(), read), 64);
  assertEquals(read.slice(0, 64), keys[1]);
});

Deno.test("SessionTable holds a slot's sessions of different key sizes, one after the other", () => {
  const { main, worker } = tableOf(1);
  const read = new Uint8Array(MAX_KEY_MATERIAL);
  for (let generation = 1; generation < 100; generation++) {
    const key = new Random(generation).bytes(generation * 7 % 769);
    main.publish(0, generation, keyed(key), key);
    assertEquals(worker.read(0, generation, fieldsOf(), read), key.length);
    assertEquals(read.slice(0, key.length), key);
    main.retire(0);
  }
});

Deno.test("SessionTable's generations go up to 2^31 - 1", () => {
  const { main, worker } = tableOf(1);
  main.publish(0, MAX_GENERATION, FIELDS, new Uint8Array(0));
  assertEquals(worker.isLive(0, MAX_GENERATION), true);
  assertEquals(worker.isLive(0, MAX_GENERATION + 1), false);
  assertEquals(MAX_GENERATION, 2 ** 31 - 1);
});

Deno.test("createSessionTable refuses numbers of slots it cannot make", () => {
  for (const slots of [0, -1, 1.5, NaN, MAX_SESSIONS + 1]) {
    assertThrows(() => createSessionTable(slots), RangeError);
  }
});
