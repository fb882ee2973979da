import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  RingError,
  type RingSetup,
  Take,
} from "../../device/virtqueue/ring.ts";
import { SplitRing } from "../../device/virtqueue/split_ring.ts";
import { GuestRing, NEXT, WRITE } from "../support/guest_ring.ts";
import {
  BASE,
  plainMemory,
  plainRegion,
  USER_DISTANCE,
} from "../support/plain_memory.ts";
import { RingPair } from "./device_side.ts";

const DATA = BASE + 0x4000;

/** The ring is broken and stays so, whatever the driver does next. */
function assertBroken(pair: RingPair): void {
  assertEquals(pair.take(), Take.BROKEN);
  assertInstanceOf(pair.ring.broken, RingError);
  pair.guest.describe(0, [DATA, 1, WRITE]);
  pair.guest.availableIndex = pair.ring.state;
  pair.guest.offer(0);
  assertEquals(pair.take(), Take.BROKEN);
}

/** Why a ring cannot start. */
function refusal(
  memory: GuestMemory,
  setup: RingSetup,
): void {
  assertThrows(() => new SplitRing(memory, setup), RingError);
}

Deno.test("An available index more than the ring's size ahead breaks the ring", () => {
  const pair = new RingPair({ size: 8, start: 0xfffa });
  pair.guest.availableIndex = 0xfffa + 8 - 0x1_0000;
  assertEquals(pair.take(), Take.TAKEN);
  const broken = new RingPair({ size: 8, start: 0xfffa });
  broken.guest.availableIndex = 0xfffa + 9 - 0x1_0000;
  assertBroken(broken);
});

Deno.test("An available index that goes back breaks the ring", () => {
  const pair = new RingPair({ size: 8, start: 5 });
  pair.guest.availableIndex = 4;
  assertBroken(pair);
});

Deno.test("An available index that runs away while chains are taken breaks the ring", () => {
  const pair = new RingPair({ size: 8 });
  pair.guest.offer(0, 0);
  assertEquals(pair.take(), Take.TAKEN);
  pair.guest.availableIndex = 11;
  assertEquals(pair.take(), Take.TAKEN);
  assertBroken(pair);
});

Deno.test("A head out of range breaks the ring", () => {
  for (const head of [8, 0x8000, 0xffff]) {
    const pair = new RingPair({ size: 8 });
    pair.guest.offer(head);
    assertBroken(pair);
  }
});

Deno.test("A loop in the ring's own table breaks the ring", () => {
  const self = new RingPair();
  self.guest.describe(0, [DATA, 4, NEXT, 0]);
  self.guest.offer(0);
  assertBroken(self);
  const cycle = new RingPair();
  cycle.guest.describe(
    0,
    [DATA, 4, NEXT, 1],
    [DATA, 4, WRITE | NEXT, 2],
    [DATA, 4, WRITE | NEXT, 1],
  );
  cycle.guest.offer(0);
  assertBroken(cycle);
  const empty = new RingPair();
  empty.guest.describe(0, [0, 0, NEXT, 1], [0, 0, NEXT, 0]);
  empty.guest.offer(0);
  assertBroken(empty);
});

Deno.test("A broken ring's state is the chain that broke it", () => {
  const pair = new RingPair();
  pair.guest.describe(0, [DATA, 1, WRITE]);
  pair.takeHead(0);
  pair.guest.offer(99);
  assertEquals(pair.take(), Take.BROKEN);
  assertEquals(pair.ring.state, 1);
});

Deno.test("SplitRing refuses sizes that are no power of two up to 32768", () => {
  const memory = plainMemory(0x8_0000 + 0x10_0000);
  const setup = new GuestRing(memory, { size: 8 }).setup();
  for (const size of [0, -1, 3, 6, 12, 255, 257, 32769, 65536, 2 ** 31]) {
    refusal(memory, { ...setup, size });
  }
});

Deno.test("SplitRing serves every size from 1 to 32768", () => {
  for (let size = 1; size <= 32768; size *= 2) {
    const pair = new RingPair({ size, start: 0xffff }, plainMemory(0x10_0000));
    const data = pair.guest.end;
    pair.guest.describe(size - 1, [data, 3, WRITE]);
    for (let i = 0; i < 3; i++) {
      pair.takeHead(size - 1);
      assertEquals(pair.statusAddress, data + 2);
      pair.ring.put(pair.chain, i);
      pair.ring.publish();
      assertEquals(pair.guest.takeUsed(), [{ id: size - 1, length: i }]);
    }
    assertEquals(pair.take(), Take.EMPTY);
  }
});

Deno.test("SplitRing refuses misaligned parts", () => {
  const memory = plainMemory(0x1_0000);
  const setup = new GuestRing(memory).setup();
  for (let by = 1; by < 16; by++) {
    refusal(memory, {
      ...setup,
      descriptorAddress: setup.descriptorAddress + by,
    });
  }
  refusal(memory, { ...setup, availableAddress: setup.availableAddress + 1 });
  for (let by = 1; by < 4; by++) {
    refusal(memory, { ...setup, usedAddress: setup.usedAddress + by });
  }
  // The available ring needs 2 only.
  new SplitRing(memory, {
    ...setup,
    availableAddress: setup.availableAddress + 2,
  });
});

Deno.test("SplitRing refuses parts whose place in the buffer is misaligned", () => {
  for (const by of [1, 2, 4, 8]) {
    const region = { ...plainRegion(0x1000), offset: 48 + by };
    const memory = new GuestMemory([region]);
    const setup = new GuestRing(new GuestMemory([plainRegion(0x1000)])).setup();
    refusal(memory, setup);
  }
});

Deno.test("SplitRing refuses parts that are not wholly in one region", () => {
  const size = 0x1000;
  const memory = new GuestMemory([plainRegion(size)]);
  const setup = new GuestRing(memory, { size: 8 }).setup();
  const end = BASE + USER_DISTANCE + size;
  const bytes = {
    descriptorAddress: 128,
    availableAddress: 6 + 16,
    usedAddress: 6 + 64,
  };
  for (const [name, length] of Object.entries(bytes)) {
    const step = name === "availableAddress" ? 2 : 16;
    const last = Math.floor((end - length) / step) * step;
    new SplitRing(memory, { ...setup, [name]: last });
    // One step further on, the last field is outside; so is all of it.
    for (
      const address of [last + step, end, 0, BASE, 2 ** 53 - 16, 2 ** 64]
    ) refusal(memory, { ...setup, [name]: address });
  }
});

Deno.test("SplitRing refuses a ring over the border of adjacent regions", () => {
  const memory = new GuestMemory([
    plainRegion(0x1000),
    plainRegion(0x1000, BASE + 0x1000),
  ]);
  const setup = new GuestRing(memory).setup();
  refusal(memory, {
    ...setup,
    descriptorAddress: BASE + USER_DISTANCE + 0x1000 - 64,
  });
});

Deno.test("SplitRing refuses every ring where there is no memory", () => {
  refusal(new GuestMemory([]), new GuestRing(plainMemory(0x1000)).setup());
});
