import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  GuestMemory,
  MAX_MEMORY_REGIONS,
  type MemoryRegion,
} from "../../device/memory/guest_memory.ts";
import { Random } from "../engine/random.ts";
import { largeBuffer } from "../support/large_buffer.ts";
import { plainRegion } from "../support/plain_memory.ts";

/** 0x1000-0x1fff, adjoining 0x2000-0x2fff, a hole, 0x5000-0x57ff. */
function someRegions(): MemoryRegion[] {
  return [
    plainRegion(0x800, 0x5000),
    plainRegion(0x1000, 0x1000),
    plainRegion(0x1000, 0x2000),
  ];
}

/** What `find` has to give, by trying every region. */
function expected(memory: GuestMemory, address: number): number {
  return memory.regions.findIndex((r) =>
    address >= r.guestAddress && address < r.guestAddress + r.size
  );
}

Deno.test("GuestMemory sorts its regions by guest address", () => {
  const memory = new GuestMemory(someRegions());
  assertEquals(
    memory.regions.map((r) => r.guestAddress),
    [0x1000, 0x2000, 0x5000],
  );
});

Deno.test("GuestMemory finds first and last byte of each region", () => {
  const memory = new GuestMemory(someRegions());
  assertEquals(memory.find(0x1000), 0);
  assertEquals(memory.find(0x1fff), 0);
  assertEquals(memory.find(0x2000), 1);
  assertEquals(memory.find(0x2fff), 1);
  assertEquals(memory.find(0x5000), 2);
  assertEquals(memory.find(0x57ff), 2);
});

Deno.test("GuestMemory finds nothing before, between and behind its regions", () => {
  const memory = new GuestMemory(someRegions());
  for (
    const address of [
      0,
      0xfff,
      0x3000,
      0x4fff,
      0x5800,
      2 ** 53,
      2 ** 64 - 1,
      -1,
    ]
  ) assertEquals(memory.find(address), -1, `0x${address.toString(16)}`);
});

Deno.test("GuestMemory gives offset and room within a region", () => {
  const memory = new GuestMemory(someRegions());
  assertEquals(memory.offsetIn(1, 0x2003), 3);
  assertEquals(memory.room(1, 0x2003), 0xffd);
  assertEquals(memory.room(0, 0x1fff), 1);
});

Deno.test("GuestMemory's last hit never answers for another region", () => {
  const memory = new GuestMemory(someRegions());
  const random = new Random(1);
  for (let i = 0; i < 2000; i++) {
    const address = 0x800 + random.below(0x5800);
    assertEquals(memory.find(address), expected(memory, address));
  }
});

Deno.test("GuestMemory translates above 4 GiB and up to 2^53", () => {
  const top = Number.MAX_SAFE_INTEGER - 0x1000;
  const region: MemoryRegion = { ...plainRegion(0x1000), guestAddress: top };
  const memory = new GuestMemory([region, plainRegion(0x1000, 0x1_0000_0000)]);
  assertEquals(memory.find(0x1_0000_0fff), 0);
  assertEquals(memory.find(0x0_0000_0fff), -1);
  assertEquals(memory.find(top + 0xfff), 1);
  assertEquals(memory.offsetIn(1, top + 0xfff), 0xfff);
  // 2^53 and its neighbours are one number: no region reaches there.
  assertEquals(memory.find(2 ** 53), -1);
});

Deno.test("GuestMemory without regions finds nothing", () => {
  const memory = new GuestMemory([]);
  assertEquals(memory.find(0), -1);
  assertEquals(memory.findUser(0, 1), -1);
});

Deno.test("GuestMemory's views end where their region ends", () => {
  const memory = new GuestMemory(someRegions());
  assertEquals(memory.bytes.map((b) => b.length), [0x1000, 0x1000, 0x800]);
  assertEquals(memory.bytes[0]![0x1000], undefined);
  assertEquals(memory.data.map((d) => d.byteLength), [0x1000, 0x1000, 0x800]);
  memory.bytes[2]![0] = 7;
  const region = memory.regions[2]!;
  assertEquals(new Uint8Array(region.buffer)[region.offset], 7);
});

Deno.test("GuestMemory takes the most regions and no more", () => {
  const regions = Array.from(
    { length: MAX_MEMORY_REGIONS + 1 },
    (_, i) => plainRegion(16, i * 32),
  );
  const memory = new GuestMemory(regions.slice(1));
  for (const { guestAddress } of memory.regions) {
    assertEquals(
      memory.find(guestAddress + 15),
      expected(memory, guestAddress),
    );
    assertEquals(memory.find(guestAddress + 16), -1);
  }
  assertThrows(() => new GuestMemory(regions), RangeError);
});

Deno.test("GuestMemory refuses a region that is empty, wraps or leaves its buffer", () => {
  const good = plainRegion(0x1000);
  const bad: Partial<MemoryRegion>[] = [
    { size: 0 },
    { size: -1 },
    { guestAddress: -1 },
    { guestAddress: Number.MAX_SAFE_INTEGER },
    { userAddress: Number.MAX_SAFE_INTEGER },
    { offset: -1 },
    { offset: 129 },
    { size: 0x1000 + 129 - 64 },
  ];
  new GuestMemory([good]);
  for (const change of bad) {
    assertThrows(
      () => new GuestMemory([{ ...good, ...change }]),
      RangeError,
      undefined,
      JSON.stringify(change),
    );
  }
});

Deno.test("GuestMemory takes a region that fills its buffer to the last byte", () => {
  const buffer = new SharedArrayBuffer(16);
  const region = { guestAddress: 0, userAddress: 0, size: 15, buffer };
  assertEquals(
    new GuestMemory([{ ...region, offset: 1 }]).bytes[0]!.length,
    15,
  );
});

Deno.test("GuestMemory refuses regions that overlap, in either order", () => {
  const base = plainRegion(0x1000, 0x1000);
  for (
    const [address, size] of [
      [0x1000, 0x1000],
      [0x1fff, 1],
      [0x1400, 0x10],
      [0x800, 0x801],
      [0, 0x4000],
    ] as const
  ) {
    const other = plainRegion(size, address);
    assertThrows(() => new GuestMemory([base, other]), RangeError);
    assertThrows(() => new GuestMemory([other, base]), RangeError);
  }
});

Deno.test("GuestMemory finds ring parts by the frontend's addresses", () => {
  const one = { ...plainRegion(0x1000, 0x1000), userAddress: 0x9000 };
  const two = { ...plainRegion(0x1000, 0x2000), userAddress: 0x4000 };
  const memory = new GuestMemory([one, two]);
  assertEquals(memory.findUser(0x9000, 0x1000), 0);
  assertEquals(memory.findUser(0x4fff, 1), 1);
  // Guest addresses are not the frontend's.
  assertEquals(memory.findUser(0x1000, 1), -1);
  assertEquals(memory.findUser(0x8fff, 2), -1);
  assertEquals(memory.findUser(0x9fff, 2), -1);
  assertEquals(memory.findUser(0x9000, 0x1001), -1);
});

Deno.test("GuestMemory does not join regions for a ring that runs over both", () => {
  const memory = new GuestMemory([
    plainRegion(0x1000, 0x1000),
    plainRegion(0x1000, 0x2000),
  ]);
  const user = memory.regions[0]!.userAddress;
  assertEquals(memory.findUser(user, 0x1000), 0);
  assertEquals(memory.findUser(user + 0xff0, 0x20), -1);
});

Deno.test("GuestMemory sees all windows of one buffer in one view, whatever their order", () => {
  const one = new SharedArrayBuffer(0x1_0000);
  const other = new SharedArrayBuffer(0x1000);
  const region = (
    guestAddress: number,
    buffer: SharedArrayBuffer,
    offset: number,
    size: number,
  ) => ({ guestAddress, userAddress: guestAddress, buffer, offset, size });
  const memory = new GuestMemory([
    region(0x1000, one, 0x8000, 0x1000),
    region(0x2000, other, 8, 9),
    region(0x3000, one, 0x100, 0x1000),
    // Inside of the first one, and not a multiple of 4.
    region(0x5000, one, 0x8010, 10),
    // Has no words.
    region(0x6000, other, 17, 16),
  ]);
  assertEquals(memory.views.length, 2);
  memory.words.forEach((words, window) => {
    if (words.length === 0) return;
    const { buffer, byteOffset, length } = memory
      .views[memory.viewOf[window]!]!;
    const at = memory.wordOf[window]!;
    assertEquals(buffer, words.buffer);
    assertEquals(byteOffset + 4 * at, words.byteOffset);
    assert(at + words.length <= length);
  });
  assertEquals(memory.words.map(({ length }) => length), [1024, 2, 1024, 2, 0]);
});

Deno.test("GuestMemory sees no more than 2^31 words in one view", () => {
  const GIB = 2 ** 30;
  // It costs what of it is touched: nothing.
  const buffer = largeBuffer(9 * GIB + 8, "memory of more than one view");
  if (buffer === undefined) return;
  const memory = new GuestMemory([{
    guestAddress: 0,
    userAddress: 0,
    size: 9 * GIB,
    buffer,
    offset: 8,
  }]);
  assertEquals(
    memory.views.map(({ byteOffset, length }) => [byteOffset, length]),
    [[8, 2 ** 31], [8 + 8 * GIB, 2 ** 28]],
  );
  assertEquals([...memory.viewOf], [0, 0, 0, 0, 0, 0, 0, 0, 1]);
  assertEquals(
    [...memory.wordOf],
    [0, 1, 2, 3, 4, 5, 6, 7, 0].map((n) => n * GIB / 4),
  );
});
