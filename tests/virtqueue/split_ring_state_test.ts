import { assertEquals } from "@std/assert";
import { Chain } from "../../device/virtqueue/chain.ts";
import { Take } from "../../device/virtqueue/ring.ts";
import { SplitRing } from "../../device/virtqueue/split_ring.ts";
import { NEXT, WRITE } from "../support/guest_ring.ts";
import { BASE, plainMemory } from "../support/plain_memory.ts";
import { RingPair } from "./device_side.ts";

const DATA = BASE + 0x4000;

Deno.test("SplitRing gives chains in the order in which they were offered", () => {
  const pair = new RingPair({ size: 4 });
  for (let i = 0; i < 4; i++) pair.guest.describe(i, [DATA + i, 1, WRITE]);
  pair.guest.offer(2, 0, 3, 1);
  const ids = [0, 1, 2, 3].map(() => {
    assertEquals(pair.take(), Take.TAKEN);
    return pair.chain.id;
  });
  assertEquals(ids, [2, 0, 3, 1]);
  assertEquals(pair.take(), Take.EMPTY);
});

Deno.test("SplitRing serves a chain that crosses the ring's end", () => {
  const pair = new RingPair({ size: 4, start: 3 });
  pair.guest.describe(3, [DATA, 4, NEXT, 0]);
  pair.guest.describe(0, [DATA + 8, 2, WRITE]);
  pair.guest.describe(2, [DATA + 16, 1, WRITE]);
  pair.guest.offer(3, 2);
  for (const id of [3, 2]) {
    assertEquals(pair.take(), Take.TAKEN);
    assertEquals(pair.chain.id, id);
    pair.ring.put(pair.chain, id);
  }
  pair.ring.publish();
  assertEquals(pair.guest.takeUsed(), [
    { id: 3, length: 3 },
    { id: 2, length: 2 },
  ]);
  assertEquals(pair.guest.usedIndex, 5);
});

Deno.test("SplitRing's indices wrap at 16 bits", () => {
  const pair = new RingPair({ size: 4, start: 0xfffe });
  pair.guest.describe(1, [DATA, 1, WRITE]);
  for (let i = 0; i < 6; i++) {
    pair.takeHead(1);
    pair.ring.put(pair.chain, 100 + i);
    pair.ring.publish();
    const index = (0xffff + i) & 0xffff;
    assertEquals([pair.guest.usedIndex, pair.ring.state], [index, index]);
    assertEquals(pair.guest.takeUsed(), [{ id: 1, length: 100 + i }]);
  }
});

Deno.test("SplitRing shows nothing of what was put before it is published", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 1, WRITE]);
  pair.takeHead(0);
  pair.ring.put(pair.chain, 1);
  assertEquals(pair.guest.usedIndex, 0);
  pair.ring.publish();
  assertEquals(pair.guest.usedIndex, 1);
});

Deno.test("SplitRing writes used lengths of 32 bits", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 1, WRITE]);
  pair.takeHead(0);
  pair.ring.put(pair.chain, 0xffff_ffff);
  pair.ring.publish();
  assertEquals(pair.guest.takeUsed(), [{ id: 0, length: 0xffff_ffff }]);
});

Deno.test("SplitRing goes on at the used index that memory holds", () => {
  const memory = plainMemory(0x1_0000);
  const pair = new RingPair({ size: 8, start: 6 }, memory);
  pair.guest.describe(0, [DATA, 1, WRITE]);
  for (let i = 0; i < 3; i++) {
    pair.takeHead(0);
    pair.ring.put(pair.chain, i);
  }
  pair.ring.publish();
  assertEquals(pair.guest.takeUsed().length, 3);
  const { state } = pair.ring;
  assertEquals(state, 9);
  const resumed = new SplitRing(memory, pair.guest.setup({ state }));
  assertEquals(resumed.state, 9);
  pair.guest.offer(0);
  assertEquals(resumed.take(pair.chain, pair.segments), Take.TAKEN);
  resumed.put(pair.chain, 77);
  resumed.publish();
  assertEquals(pair.guest.usedIndex, 10);
  assertEquals(pair.guest.takeUsed(), [{ id: 0, length: 77 }]);
});

Deno.test("SplitRing's used index is its own, whatever the base is", () => {
  const memory = plainMemory(0x1_0000);
  const pair = new RingPair({ size: 8, start: 0xffff }, memory);
  const ring = new SplitRing(memory, pair.guest.setup({ state: 5 }));
  pair.guest.availableIndex = 5;
  pair.guest.describe(3, [DATA, 1, WRITE]);
  pair.guest.offer(3);
  assertEquals(ring.take(pair.chain, pair.segments), Take.TAKEN);
  ring.put(pair.chain, 9);
  ring.publish();
  assertEquals([ring.state, pair.guest.usedIndex], [6, 0]);
  assertEquals(pair.guest.takeUsed(), [{ id: 3, length: 9 }]);
});

Deno.test("SplitRing takes the base's low 16 bits", () => {
  const pair = new RingPair({ start: 2 }, undefined, { state: 0x1_0002 });
  assertEquals(pair.ring.state, 2);
});

Deno.test("SplitRing makes the last chain available again by untake", () => {
  const pair = new RingPair({ size: 4, start: 0xffff });
  pair.guest.describe(0, [DATA, 1, WRITE], [DATA + 1, 2, WRITE]);
  pair.guest.offer(0, 1);
  assertEquals(pair.take(), Take.TAKEN);
  assertEquals(pair.take(), Take.TAKEN);
  assertEquals(pair.ring.state, 1);
  pair.ring.untake(pair.chain);
  assertEquals(pair.ring.state, 0);
  const again = new Chain();
  assertEquals(pair.ring.take(again, pair.segments), Take.TAKEN);
  assertEquals([again.id, again.writableLength], [1, 2]);
  assertEquals(pair.take(), Take.EMPTY);
});

Deno.test("SplitRing walks an untaken chain anew, as the driver has it by then", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 1, WRITE]);
  pair.takeHead(0);
  pair.ring.untake(pair.chain);
  pair.guest.describe(0, [DATA, 5, WRITE]);
  assertEquals(pair.take(), Take.TAKEN);
  assertEquals(pair.chain.writableLength, 5);
});
