import { assertEquals } from "@std/assert";
import { Take } from "../../device/virtqueue/ring.ts";
import { INDIRECT, NEXT, WRITE } from "../support/guest_ring.ts";
import { BASE } from "../support/plain_memory.ts";
import { RingPair } from "./device_side.ts";

/** Where buffers lie: behind the ring. */
const DATA = BASE + 0x4000;
/** Where indirect tables lie. */
const TABLE = BASE + 0x8000;

Deno.test("SplitRing walks a direct chain in the order of its next fields", () => {
  const pair = new RingPair();
  pair.guest.describe(5, [DATA, 10, NEXT, 2]);
  pair.guest.describe(2, [DATA + 100, 20, NEXT, 7]);
  pair.guest.describe(7, [DATA + 50, 30, WRITE | NEXT, 0]);
  pair.guest.describe(0, [DATA + 200, 1, WRITE]);
  const chain = pair.takeHead(5);
  assertEquals(pair.parts, {
    readable: [[DATA, 10], [DATA + 100, 20]],
    writable: [[DATA + 50, 30], [DATA + 200, 1]],
  });
  assertEquals(
    [chain.id, chain.descriptors, chain.readableLength, chain.writableLength],
    [5, 4, 30, 31],
  );
  assertEquals(pair.fault, "NONE");
  assertEquals(pair.statusAddress, DATA + 200);
});

Deno.test("SplitRing walks a chain as long as its ring", () => {
  const pair = new RingPair({ size: 8 });
  for (let i = 0; i < 8; i++) {
    const next = (i + 5) % 8;
    pair.guest.describe(i, [DATA + i, 1, next === 0 ? WRITE : NEXT, next]);
  }
  const chain = pair.takeHead(0);
  assertEquals([chain.descriptors, pair.fault], [8, "NONE"]);
  assertEquals([chain.readableLength, chain.writableLength], [7, 1]);
});

Deno.test("SplitRing walks an indirect table, longer than the ring too", () => {
  const pair = new RingPair({ size: 2 });
  const count = 200;
  for (let i = 0; i < count; i++) {
    const flags = (i < 150 ? 0 : WRITE) | (i < count - 1 ? NEXT : 0);
    pair.guest.table(TABLE + 16 * i, [DATA + i, 1, flags, i + 1]);
  }
  pair.guest.describe(1, [TABLE, 16 * count, INDIRECT]);
  const chain = pair.takeHead(1);
  assertEquals([pair.fault, chain.descriptors], ["NONE", 1]);
  assertEquals([chain.readableLength, chain.writableLength], [150, 50]);
  assertEquals(pair.statusAddress, DATA + count - 1);
});

Deno.test("SplitRing follows next within an indirect table", () => {
  const pair = new RingPair();
  pair.guest.table(
    TABLE,
    [DATA, 4, NEXT, 2],
    [DATA + 30, 3, WRITE, 9],
    [DATA + 10, 5, NEXT, 1],
  );
  pair.guest.describe(0, [TABLE, 48, INDIRECT]);
  pair.takeHead(0);
  assertEquals(pair.parts, {
    readable: [[DATA, 4], [DATA + 10, 5]],
    writable: [[DATA + 30, 3]],
  });
  assertEquals(pair.fault, "NONE");
});

Deno.test("SplitRing walks direct descriptors followed by an indirect table", () => {
  const pair = new RingPair();
  pair.guest.table(TABLE, [DATA + 10, 5, NEXT, 1], [DATA + 30, 3, WRITE]);
  pair.guest.describe(3, [DATA, 4, NEXT, 6]);
  pair.guest.describe(6, [TABLE, 32, INDIRECT]);
  const chain = pair.takeHead(3);
  assertEquals(pair.parts, {
    readable: [[DATA, 4], [DATA + 10, 5]],
    writable: [[DATA + 30, 3]],
  });
  assertEquals([chain.id, chain.descriptors, pair.fault], [3, 2, "NONE"]);
});

Deno.test("SplitRing ignores WRITE on the descriptor of an indirect table", () => {
  // virtio 1.1, 2.6.5.3.2
  const pair = new RingPair();
  pair.guest.table(TABLE, [DATA, 4, NEXT, 1], [DATA + 30, 3, WRITE]);
  pair.guest.describe(0, [TABLE, 32, INDIRECT | WRITE]);
  const chain = pair.takeHead(0);
  assertEquals([chain.readableLength, chain.writableLength], [4, 3]);
  assertEquals(pair.fault, "NONE");
});

Deno.test("SplitRing passes over descriptors of no bytes, wherever they point", () => {
  const pair = new RingPair();
  pair.guest.describe(
    0,
    [0, 0, NEXT, 1],
    [DATA, 4, NEXT, 2],
    [2 ** 63, 0, NEXT, 3],
    [0xffff_ffff, 0, WRITE | NEXT, 4],
    [DATA + 9, 2, WRITE | NEXT, 5],
    [DATA, 0, WRITE],
  );
  const chain = pair.takeHead(0);
  assertEquals(pair.parts, {
    readable: [[DATA, 4]],
    writable: [[DATA + 9, 2]],
  });
  assertEquals([chain.descriptors, pair.fault], [6, "NONE"]);
  assertEquals(pair.statusAddress, DATA + 10);
});

Deno.test("SplitRing takes a chain of no bytes at all", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 0]);
  const chain = pair.takeHead(0);
  assertEquals([chain.readableLength, chain.writableLength], [0, 0]);
  assertEquals(pair.statusAddress, undefined);
  assertEquals(pair.fault, "NONE");
});

Deno.test("SplitRing puts a second chain's segments behind the first one's", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 4, NEXT, 1], [DATA + 8, 1, WRITE]);
  pair.guest.describe(2, [DATA + 16, 2, NEXT, 3], [DATA + 24, 3, WRITE]);
  pair.takeHead(0);
  pair.guest.offer(2);
  assertEquals(pair.ring.take(pair.chain, pair.segments), Take.TAKEN);
  const { readableFirst, writableFirst, end } = pair.chain;
  assertEquals([readableFirst, writableFirst, end], [2, 3, 4]);
  assertEquals(pair.parts, {
    readable: [[DATA + 16, 2]],
    writable: [[DATA + 24, 3]],
  });
});

Deno.test("SplitRing reads a descriptor's flags as bits and ignores those unknown", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 4, 0xfff0 | NEXT, 1], [DATA + 8, 1, 0xff02]);
  const chain = pair.takeHead(0);
  assertEquals([chain.readableLength, chain.writableLength], [4, 1]);
});
