import { assertEquals } from "@std/assert";
import { Take } from "../../device/virtqueue/ring.ts";
import {
  AVAIL,
  type PackedBuffer,
  USED,
} from "../support/guest_packed_ring.ts";
import { INDIRECT, NEXT, WRITE } from "../support/guest_ring.ts";
import { BASE, plainMemory } from "../support/plain_memory.ts";
import { PackedPair } from "./device_side.ts";

/** Where buffers lie: behind the ring. */
const DATA = BASE + 0x4000;
/** Where indirect tables lie. */
const TABLE = BASE + 0x8000;

Deno.test("PackedRing walks a list in the order of the ring", () => {
  const pair = new PackedPair();
  const chain = pair.takeList(
    3,
    [DATA, 10],
    [DATA + 100, 20],
    [DATA + 50, 30, WRITE],
    [DATA + 200, 1, WRITE],
  );
  assertEquals(pair.parts, {
    readable: [[DATA, 10], [DATA + 100, 20]],
    writable: [[DATA + 50, 30], [DATA + 200, 1]],
  });
  assertEquals(
    [chain.id, chain.descriptors, chain.readableLength, chain.writableLength],
    [3, 4, 30, 31],
  );
  assertEquals(pair.fault, "NONE");
  assertEquals(pair.statusAddress, DATA + 200);
});

Deno.test("PackedRing walks a list over the ring's end", () => {
  for (const wrap of [true, false]) {
    const pair = new PackedPair({ size: 8, start: { offset: 6, wrap } });
    const chain = pair.takeList(
      5,
      [DATA, 1],
      [DATA + 1, 2],
      [DATA + 3, 3, WRITE],
      [DATA + 6, 4, WRITE],
    );
    assertEquals([chain.id, chain.descriptors, pair.fault], [5, 4, "NONE"]);
    assertEquals([chain.readableLength, chain.writableLength], [3, 7]);
    pair.answer(7);
    assertEquals(pair.guest.takeUsed(), [{ id: 5, length: 7 }]);
    assertEquals(pair.guest.taken, { offset: 2, wrap: !wrap });
  }
});

Deno.test("PackedRing takes the id of the list's last descriptor, whatever it is", () => {
  const pair = new PackedPair({ size: 8 });
  for (const id of [0, 7, 8, 0x7fff, 0xffff]) {
    assertEquals(pair.takeList(id, [DATA, 1], [DATA, 1, WRITE]).id, id);
    pair.answer(1);
    assertEquals(pair.guest.takeUsed(), [{ id, length: 1 }]);
  }
});

Deno.test("PackedRing returns a list by one used descriptor in the place of its first", () => {
  const pair = new PackedPair({ size: 8 });
  pair.takeList(4, [DATA, 1], [DATA + 1, 1], [DATA + 2, 9, WRITE]);
  const before = [1, 2].map((offset) => pair.guest.read(offset));
  pair.answer(9);
  assertEquals(pair.guest.read(0), {
    id: 4,
    length: 9,
    flags: AVAIL | USED | WRITE,
  });
  assertEquals([1, 2].map((offset) => pair.guest.read(offset)), before);
});

Deno.test("PackedRing says by WRITE whether it wrote, in both rounds", () => {
  const pair = new PackedPair({ size: 2 });
  for (const both of [AVAIL | USED, 0, AVAIL | USED]) {
    pair.takeList(0, [DATA, 4, WRITE]);
    pair.answer(0);
    assertEquals(pair.guest.read(0), { id: 0, length: 0, flags: both });
    pair.takeList(1, [DATA, 4, WRITE]);
    pair.answer(0xffff_ffff);
    assertEquals(pair.guest.read(1), {
      id: 1,
      length: 0xffff_ffff,
      flags: both | WRITE,
    });
    assertEquals(pair.guest.takeUsed().length, 2);
  }
});

for (const size of [1, 2, 3, 5, 255, 256, 1000, 32768]) {
  Deno.test(`PackedRing of ${size} entries serves lists of every length through three rounds`, () => {
    const pair = new PackedPair(
      { size },
      plainMemory(0x10_0000),
      {},
      2 * size,
    );
    const data = pair.guest.end;
    const lengths = size < 8
      ? Array.from({ length: size }, (_, i) => i + 1)
      : [1, 2, 3, 7, size - 1, size];
    let served = 0;
    for (let i = 0; served < 3 * size; i++) {
      const count = lengths[i % lengths.length]!;
      const buffers = Array.from(
        { length: count },
        (_, k): PackedBuffer => [data + k, 1, k === count - 1 ? WRITE : 0],
      );
      const chain = pair.takeList(i % size, ...buffers);
      assertEquals(
        [chain.id, chain.descriptors, chain.readableLength, pair.fault],
        [i % size, count, count - 1, "NONE"],
      );
      assertEquals(pair.statusAddress, data + count - 1);
      assertEquals(pair.take(), Take.EMPTY);
      pair.answer(i);
      assertEquals(pair.guest.takeUsed(), [{ id: i % size, length: i }]);
      served += count;
    }
    pair.guest.assertEmpty();
  });

  Deno.test(`PackedRing of ${size} entries takes as many lists as it has entries`, () => {
    const pair = new PackedPair(
      { size },
      plainMemory(0x10_0000),
      {},
      2 * size,
    );
    const data = pair.guest.end;
    for (let round = 0; round < 3; round++) {
      for (let id = 0; id < size; id++) {
        pair.guest.offer(id, [data + id, 1, WRITE]);
      }
      const chains = [];
      for (let id = 0; id < size; id++) {
        assertEquals(pair.take(), Take.TAKEN);
        assertEquals(pair.chain.id, id);
        chains.push({ id, length: round });
      }
      assertEquals(pair.take(), Take.EMPTY);
      for (const { id, length } of chains) {
        pair.chain.id = id;
        pair.ring.put(pair.chain, length);
      }
      pair.ring.publish();
      assertEquals(pair.guest.takeUsed(), chains);
    }
  });
}

Deno.test("PackedRing walks an indirect table by its length, not by NEXT", () => {
  const pair = new PackedPair();
  // virtio 1.1, 2.7.7: WRITE is the only valid flag.
  const table = pair.guest.table(
    TABLE,
    [DATA, 4],
    [DATA + 10, 5, NEXT],
    [DATA + 20, 6, INDIRECT | AVAIL | USED],
    [DATA + 30, 3, WRITE | NEXT | INDIRECT],
  );
  const chain = pair.takeList(6, table);
  assertEquals(pair.parts, {
    readable: [[DATA, 4], [DATA + 10, 5], [DATA + 20, 6]],
    writable: [[DATA + 30, 3]],
  });
  assertEquals([chain.id, chain.descriptors, pair.fault], [6, 1, "NONE"]);
});

Deno.test("PackedRing ignores WRITE on the descriptor of an indirect table", () => {
  const pair = new PackedPair();
  const [address, length, flags] = pair.guest.table(
    TABLE,
    [DATA, 4],
    [DATA + 8, 4, WRITE],
  );
  const chain = pair.takeList(0, [address, length, flags! | WRITE]);
  assertEquals([chain.readableLength, chain.writableLength], [4, 4]);
  assertEquals(pair.fault, "NONE");
});

Deno.test("PackedRing walks an indirect table longer than the ring, in a ring of one", () => {
  const pair = new PackedPair({ size: 1 });
  const count = 200;
  const entries = Array.from(
    { length: count },
    (_, i): PackedBuffer => [DATA + i, 1, i < 150 ? 0 : WRITE],
  );
  const table = pair.guest.table(TABLE, ...entries);
  for (let round = 0; round < 4; round++) {
    const chain = pair.takeList(0, table);
    assertEquals([pair.fault, chain.descriptors], ["NONE", 1]);
    assertEquals([chain.readableLength, chain.writableLength], [150, 50]);
    assertEquals(pair.statusAddress, DATA + count - 1);
    pair.answer(50);
    assertEquals(pair.guest.takeUsed(), [{ id: 0, length: 50 }]);
  }
});

Deno.test("PackedRing takes an indirect table that is not aligned", () => {
  const pair = new PackedPair();
  const table = pair.guest.table(
    TABLE + 3,
    [DATA, 4],
    [DATA + 8, 4, WRITE],
  );
  const chain = pair.takeList(0, table);
  assertEquals([chain.readableLength, chain.writableLength], [4, 4]);
  assertEquals(pair.fault, "NONE");
});

Deno.test("PackedRing serves lists, tables and single buffers one after the other", () => {
  const pair = new PackedPair({ size: 5 });
  const table = pair.guest.table(TABLE, [DATA, 8], [DATA + 8, 8, WRITE]);
  for (let i = 0; i < 12; i++) {
    pair.takeList(0, [DATA, 1], [DATA, 2, WRITE]);
    assertEquals([pair.fault, pair.chain.writableLength], ["NONE", 2]);
    pair.answer(1);
    pair.takeList(1, table);
    assertEquals([pair.fault, pair.chain.writableLength], ["NONE", 8]);
    pair.answer(2);
    pair.takeList(2, [DATA, 3, WRITE]);
    assertEquals([pair.fault, pair.chain.writableLength], ["NONE", 3]);
    pair.answer(3);
    assertEquals(
      pair.guest.takeUsed(),
      [0, 1, 2].map((id) => ({ id, length: id + 1 })),
    );
  }
});

Deno.test("PackedRing gives lists in the order of the ring, and nothing before they are available", () => {
  const pair = new PackedPair({ size: 4 });
  assertEquals(pair.take(), Take.EMPTY);
  for (const id of [2, 0, 3]) pair.guest.offer(id, [DATA + id, 1, WRITE]);
  const ids = [0, 1, 2].map(() => {
    assertEquals(pair.take(), Take.TAKEN);
    return pair.chain.id;
  });
  assertEquals(ids, [2, 0, 3]);
  assertEquals(pair.take(), Take.EMPTY);
});

Deno.test("PackedRing takes nothing whose flags are those of another round", () => {
  for (const wrap of [true, false]) {
    const pair = new PackedPair({ start: { offset: 3, wrap } });
    for (const flags of [0, AVAIL | USED, wrap ? USED : AVAIL]) {
      pair.guest.write(3, [DATA, 1, WRITE | flags], 0);
      assertEquals(pair.take(), Take.EMPTY);
    }
    pair.guest.write(3, [DATA, 1, WRITE | (wrap ? AVAIL : USED)], 0);
    assertEquals(pair.take(), Take.TAKEN);
  }
});
