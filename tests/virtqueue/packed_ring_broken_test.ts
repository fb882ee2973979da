import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { openRing } from "../../device/virtqueue/open_ring.ts";
import {
  RingError,
  type RingSetup,
  Take,
} from "../../device/virtqueue/ring.ts";
import { AVAIL, GuestPackedRing, USED } from "../support/guest_packed_ring.ts";
import { NEXT, WRITE } from "../support/guest_ring.ts";
import {
  BASE,
  plainMemory,
  plainRegion,
  USER_DISTANCE,
} from "../support/plain_memory.ts";
import { PackedPair } from "./device_side.ts";

const DATA = BASE + 0x4000;

/** The ring is broken and stays so, whatever the driver does next. */
function assertBroken(pair: PackedPair): void {
  const { state } = pair.ring;
  assertEquals(pair.take(), Take.BROKEN);
  assertInstanceOf(pair.ring.broken, RingError);
  for (let offset = 0; offset < pair.guest.size; offset++) {
    for (const flags of [AVAIL, USED]) {
      pair.guest.write(offset, [DATA, 1, flags], 0);
      assertEquals(pair.take(), Take.BROKEN);
    }
  }
  assertEquals(pair.ring.state, state, "where the list is that broke it");
}

/** A ring that cannot start. */
function refusal(memory: GuestMemory, setup: RingSetup): void {
  assertThrows(() => openRing(memory, setup), RingError);
}

Deno.test("A list as long as a packed ring that goes on breaks it", () => {
  for (const size of [1, 2, 3, 8]) {
    for (const offset of [0, size - 1]) {
      const pair = new PackedPair({ size, start: { offset, wrap: false } });
      const buffers = Array.from(
        { length: size },
        () => [DATA, 1, NEXT] as const,
      );
      pair.guest.offerRaw(0, ...buffers);
      assertBroken(pair);
    }
  }
});

Deno.test("A list of a packed ring that goes on where nothing is available breaks it", () => {
  for (const flags of [0, USED, AVAIL | USED]) {
    const pair = new PackedPair({ size: 8 });
    pair.guest.offerRaw(0, [DATA, 1, NEXT], [DATA, 1, NEXT]);
    pair.guest.write(2, [DATA, 1, WRITE | flags], 0);
    assertBroken(pair);
  }
});

Deno.test("A list that reaches into what the device holds breaks a packed ring", () => {
  const pair = new PackedPair({ size: 4 });
  pair.takeList(0, [DATA, 1, WRITE]);
  pair.guest.offerRaw(
    1,
    [DATA, 1, NEXT],
    [DATA, 1, NEXT],
    [DATA, 1, NEXT],
    [DATA, 1, WRITE],
  );
  assertBroken(pair);
});

Deno.test("A driver that offers more descriptors than a packed ring has breaks it", () => {
  const pair = new PackedPair({ size: 2 });
  for (const id of [0, 1]) pair.takeList(id, [DATA, 1, WRITE]);
  assertEquals(pair.take(), Take.EMPTY);
  pair.guest.offer(2, [DATA, 1, WRITE]);
  assertBroken(pair);
});

Deno.test("What was taken before a packed ring broke is still returned", () => {
  const pair = new PackedPair({ size: 4 });
  pair.guest.offer(3, [DATA, 1, WRITE]);
  pair.guest.offerRaw(1, [DATA, 1, NEXT]);
  assertEquals(pair.take(), Take.TAKEN);
  const { id, descriptors } = pair.chain;
  assertEquals(pair.take(), Take.BROKEN);
  Object.assign(pair.chain, { id, descriptors });
  pair.answer(1);
  assertEquals(pair.guest.takeUsed(), [{ id: 3, length: 1 }]);
  assertEquals(pair.ring.state, 0x8001_8001);
});

Deno.test("PackedRing refuses sizes that are not 1 to 32768", () => {
  const memory = plainMemory(0x10_0000);
  const setup = new GuestPackedRing(memory).setup();
  for (const size of [0, -1, 32769, 65536, 2 ** 31, NaN]) {
    refusal(memory, { ...setup, size });
  }
});

Deno.test("PackedRing refuses misaligned parts", () => {
  const memory = plainMemory(0x1_0000);
  const setup = new GuestPackedRing(memory).setup();
  for (let by = 1; by < 16; by++) {
    refusal(memory, {
      ...setup,
      descriptorAddress: setup.descriptorAddress + by,
    });
  }
  // virtio 1.1, 2.7.10.1: the event suppression structures need 4 only.
  for (const name of ["availableAddress", "usedAddress"] as const) {
    for (let by = 1; by < 4; by++) {
      refusal(memory, { ...setup, [name]: setup[name] + by });
    }
    openRing(memory, { ...setup, [name]: setup[name] + 4 });
  }
});

Deno.test("PackedRing refuses parts whose place in the buffer is misaligned", () => {
  const setup = new GuestPackedRing(plainMemory(0x1000)).setup();
  for (const by of [1, 2, 4, 8]) {
    const region = { ...plainRegion(0x1000), offset: 48 + by };
    refusal(new GuestMemory([region]), setup);
  }
});

Deno.test("PackedRing refuses parts that are not wholly in one region", () => {
  const size = 0x1000;
  const memory = new GuestMemory([
    plainRegion(size),
    plainRegion(size, BASE + 2 * size),
  ]);
  const setup = new GuestPackedRing(memory).setup();
  const end = BASE + USER_DISTANCE + size;
  for (
    const [name, length] of [
      ["descriptorAddress", 128],
      ["availableAddress", 4],
      ["usedAddress", 4],
    ] as const
  ) {
    const step = name === "descriptorAddress" ? 16 : 4;
    openRing(memory, { ...setup, [name]: end - length });
    for (
      const address of [
        end - length + step,
        end,
        0,
        BASE,
        2 ** 53 - 16,
        2 ** 64,
      ]
    ) refusal(memory, { ...setup, [name]: address });
  }
});

Deno.test("PackedRing refuses every ring where there is no memory", () => {
  const setup = new GuestPackedRing(plainMemory(0x1000)).setup();
  refusal(new GuestMemory([]), setup);
});

Deno.test("PackedRing refuses states that a ring of its size cannot have", () => {
  const memory = plainMemory(0x1000);
  const setup = new GuestPackedRing(memory, { size: 3 }).setup();
  for (
    const state of [
      0x8003_8003, // offsets behind the ring
      0x8000_8003,
      0x8003_8000,
      0x7fff_7fff,
      0x8001_8000, // returned before it was taken
      0x0000_8001, // four held, of three
    ]
  ) refusal(memory, { ...setup, state });
  for (
    const state of [
      0x8000_8000,
      0x0002_0002,
      0x0000_8000, // all three are held
      0x8002_0002,
      0x8001_8002,
      0x0002_8001,
    ]
  ) assertEquals(openRing(memory, { ...setup, state }).state, state);
});
