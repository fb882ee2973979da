import { assert, assertEquals, assertThrows } from "@std/assert";
import { OutOfGuestMemoryError } from "../../device/driver/errors.ts";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";

/** Regions of one buffer each, given as [guest address, size]. */
function memoryOf(...regions: readonly [number, number][]): GuestMemory {
  return new GuestMemory(regions.map(([guestAddress, size]) => ({
    guestAddress,
    userAddress: guestAddress,
    size,
    buffer: new SharedArrayBuffer(size),
    offset: 0,
  })));
}

Deno.test("the allocator gives ranges that do not overlap and are aligned", () => {
  const allocator = new GuestAllocator(memoryOf([0x1000, 65536]));
  const ranges: [number, number][] = [];
  for (const [size, alignment] of [[1, 1], [16, 16], [100, 64], [5, 4096]]) {
    const address = allocator.alloc(size!, alignment);
    assertEquals(address % alignment!, 0);
    ranges.push([address, address + size!]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < ranges.length; i++) {
    assert(ranges[i - 1]![1] <= ranges[i]![0]);
  }
});

Deno.test("the allocator gives memory back to be used again, joined", () => {
  const allocator = new GuestAllocator(memoryOf([0, 4096]));
  for (let round = 0; round < 3; round++) {
    const small = Array.from({ length: 64 }, () => allocator.alloc(64));
    assertEquals(allocator.tryAlloc(1), undefined);
    // Every other one first, so that each joins with two neighbours at last.
    for (let i = 0; i < 64; i += 2) allocator.free(small[i]!);
    for (let i = 1; i < 64; i += 2) allocator.free(small[i]!);
    assertEquals(allocator.used, 0);
    const whole = allocator.alloc(4096);
    assertEquals(whole, 0);
    allocator.free(whole);
  }
});

Deno.test("the allocator never gives a range that crosses two regions", () => {
  // The regions touch, so that joining holes over the border would show.
  const allocator = new GuestAllocator(memoryOf([0, 4096], [4096, 8192]));
  const first = allocator.alloc(4096);
  const second = allocator.alloc(8192);
  assertEquals([first, second], [0, 4096]);
  allocator.free(first);
  allocator.free(second);
  assertEquals(allocator.tryAlloc(12288), undefined);
  assertEquals(allocator.alloc(8192), 4096);
});

Deno.test("the allocator skips the unaligned start of a region", () => {
  const allocator = new GuestAllocator(memoryOf([0x1001, 4096]));
  assertEquals(allocator.alloc(64), 0x1040);
});

Deno.test("the allocator refuses what it cannot give", () => {
  const allocator = new GuestAllocator(memoryOf([0, 4096]));
  assertThrows(() => allocator.alloc(4097), OutOfGuestMemoryError, "4097");
  assertThrows(() => allocator.alloc(-1), RangeError, "-1");
  assertThrows(() => allocator.alloc(1.5), RangeError, "1.5");
  assertThrows(() => allocator.alloc(1, 3), RangeError, "3");
});

Deno.test("the allocator refuses to free a range twice", () => {
  const allocator = new GuestAllocator(memoryOf([0, 4096]));
  const address = allocator.alloc(10);
  allocator.free(address);
  assertThrows(() => allocator.free(address), RangeError, "not in use");
  assertThrows(() => allocator.free(64), RangeError, "not in use");
});

Deno.test("the allocator keeps its books over a random sequence", () => {
  const memory = memoryOf([0x10_0000, 1 << 20], [0x1_0000_0000, 1 << 20]);
  const allocator = new GuestAllocator(memory);
  const live = new Map<number, number>();
  let seed = 1;
  const random = (below: number) => {
    seed = Math.imul(seed, 1103515245) + 12345 >>> 0;
    return (seed >>> 8) % below;
  };
  for (let i = 0; i < 20_000; i++) {
    if (random(2) === 0 && live.size > 0) {
      const address = [...live.keys()][random(live.size)]!;
      allocator.free(address);
      live.delete(address);
    } else {
      const size = random(16) === 0 ? random(200_000) : random(2000);
      const address = allocator.tryAlloc(size);
      if (address === undefined) continue;
      for (const [start, length] of live) {
        assert(address + size <= start || start + length <= address);
      }
      const region = memory.find(address);
      assert(region >= 0 && memory.room(region, address) >= size);
      live.set(address, size);
    }
  }
  for (const address of live.keys()) allocator.free(address);
  assertEquals(allocator.used, 0);
  const whole = [allocator.alloc(1 << 20), allocator.alloc(1 << 20)];
  assertEquals(whole.sort((a, b) => a - b), [0x10_0000, 0x1_0000_0000]);
});
