import { assertEquals } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { INDIRECT, NEXT, WRITE } from "../support/guest_ring.ts";
import { BASE, plainRegion } from "../support/plain_memory.ts";
import { RingPair } from "./device_side.ts";

/** The ring's region, then two that adjoin each other, then a hole. */
const FIRST = BASE + 0x10_0000;
const SECOND = FIRST + 0x1000;
const END = SECOND + 0x1000;

function pairOf(): RingPair {
  return new RingPair(
    {},
    new GuestMemory([
      plainRegion(0x4000),
      plainRegion(0x1000, SECOND),
      plainRegion(0x1000, FIRST),
    ]),
  );
}

Deno.test("Chain cuts a buffer that runs over adjacent regions", () => {
  const pair = pairOf();
  pair.guest.describe(
    0,
    [SECOND - 10, 30, NEXT, 1],
    [SECOND - 1, 2, WRITE],
  );
  const chain = pair.takeHead(0);
  assertEquals(pair.parts, {
    readable: [[SECOND - 10, 10], [SECOND, 20]],
    writable: [[SECOND - 1, 1], [SECOND, 1]],
  });
  assertEquals([chain.readableLength, chain.writableLength], [30, 2]);
  assertEquals([pair.fault, pair.statusAddress], ["NONE", SECOND]);
});

Deno.test("Chain takes a buffer that is two regions to the last byte", () => {
  const pair = pairOf();
  pair.guest.describe(0, [FIRST, 0x2000, WRITE]);
  const chain = pair.takeHead(0);
  assertEquals(pair.parts.writable, [[FIRST, 0x1000], [SECOND, 0x1000]]);
  assertEquals([chain.writableLength, pair.fault], [0x2000, "NONE"]);
  assertEquals(pair.statusAddress, END - 1);
});

Deno.test("Chain faults on a buffer that leaves memory by one byte", () => {
  const pair = pairOf();
  pair.guest.describe(0, [END - 4, 5, NEXT, 1], [FIRST, 1, WRITE]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["OUTSIDE_MEMORY", FIRST]);
  pair.guest.describe(0, [FIRST, 1, NEXT, 1], [END - 4, 5, WRITE]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["OUTSIDE_MEMORY", undefined]);
});

Deno.test("Chain faults on a buffer that starts before memory and runs into it", () => {
  const pair = pairOf();
  pair.guest.describe(0, [FIRST - 1, 8, NEXT, 1], [FIRST, 1, WRITE]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["OUTSIDE_MEMORY", FIRST]);
});

Deno.test("Chain faults on addresses near 2^64 and does not wrap", () => {
  const pair = pairOf();
  for (const address of [2 ** 64 - 2 ** 11, 2 ** 63, 2 ** 53, 2 ** 53 + 2]) {
    pair.guest.describe(0, [address, 0xffff_ffff, NEXT, 1], [FIRST, 1, WRITE]);
    pair.takeHead(0);
    assertEquals([pair.fault, pair.statusAddress], ["OUTSIDE_MEMORY", FIRST]);
  }
});

Deno.test("Chain takes the status in the last writable byte, when that one is in memory", () => {
  const pair = pairOf();
  // The first writable buffer is nowhere, the last one is.
  pair.guest.describe(
    0,
    [FIRST, 8, NEXT, 1],
    [END, 8, WRITE | NEXT, 2],
    [SECOND, 3, WRITE],
  );
  const chain = pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], [
    "OUTSIDE_MEMORY",
    SECOND + 2,
  ]);
  assertEquals(chain.writableLength, 11);
});

Deno.test("SplitRing reads an indirect table that lies in two adjacent regions", () => {
  const pair = pairOf();
  pair.guest.table(SECOND - 16, [FIRST, 4, NEXT, 1], [FIRST + 8, 2, WRITE]);
  pair.guest.describe(0, [SECOND - 16, 32, INDIRECT]);
  pair.takeHead(0);
  assertEquals(pair.parts, {
    readable: [[FIRST, 4]],
    writable: [[FIRST + 8, 2]],
  });
});
