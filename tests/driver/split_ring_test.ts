import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsedRingError } from "../../device/driver/errors.ts";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import type { GuestRange } from "../../device/driver/guest_view.ts";
import type { UsedRecord } from "../../device/driver/ring.ts";
import {
  SplitRingDriver,
  type SplitRingOptions,
} from "../../device/driver/split_ring.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  BASE,
  ScriptedDevice,
  testMemory,
  USER_DISTANCE,
} from "./scripted_device.ts";

interface Setup {
  readonly allocator: GuestAllocator;
  readonly ring: SplitRingDriver;
  readonly device: ScriptedDevice;
}

function setUp(options: Partial<SplitRingOptions> = {}): Setup {
  const memory = testMemory();
  const allocator = new GuestAllocator(memory);
  const ring = new SplitRingDriver(allocator, {
    size: 8,
    eventIndex: true,
    ...options,
  });
  return { allocator, ring, device: new ScriptedDevice(memory, ring) };
}

/** Ranges in memory that is not the ring's. */
function ranges(...lengths: readonly number[]): GuestRange[] {
  let address = BASE + 0x8_0000;
  return lengths.map((length) => {
    const range = { address, length };
    address += length + 16;
    return range;
  });
}

const [READ] = ranges(24) as [GuestRange];
const WRITE: GuestRange = { address: READ.address + 4096, length: 17 };

function add(ring: SplitRingDriver, indirect = false): number {
  return ring.add([READ], [WRITE], indirect);
}

Deno.test("a split ring's parts lie where the standard aligns them", () => {
  for (const size of [1, 2, 256, 32768]) {
    const memory = testMemory(2 << 20);
    const ring = new SplitRingDriver(new GuestAllocator(memory), {
      size,
      eventIndex: false,
    });
    const { descriptor, available, used } = ring.guestAddresses;
    assertEquals(descriptor % 16, 0);
    assertEquals(available % 2, 0);
    assertEquals(used % 4, 0);
    const parts = [
      [descriptor, 16 * size],
      [available, 6 + 2 * size],
      [used, 6 + 8 * size],
    ].sort((a, b) => a[0]! - b[0]!);
    assert(parts[0]![0]! + parts[0]![1]! <= parts[1]![0]!);
    assert(parts[1]![0]! + parts[1]![1]! <= parts[2]![0]!);
    assertEquals(ring.userAddresses, {
      descriptor: descriptor + USER_DISTANCE,
      available: available + USER_DISTANCE,
      used: used + USER_DISTANCE,
    });
  }
});

Deno.test("a split ring refuses sizes that the standard does not have", () => {
  for (const size of [0, 3, 65536, 1.5]) {
    assertThrows(() => setUp({ size }), RangeError, `${size}`);
  }
});

Deno.test("a split ring refuses memory that is mapped misaligned", () => {
  const memory = new GuestMemory([{
    guestAddress: 0x1000,
    userAddress: 0x1000,
    size: 4096,
    buffer: new SharedArrayBuffer(8192),
    offset: 8,
  }]);
  const allocator = new GuestAllocator(memory);
  assertThrows(
    () => new SplitRingDriver(allocator, { size: 8, eventIndex: true }),
    RangeError,
    "mapped at offset 8",
  );
});

Deno.test("a split ring starts from cleared memory", () => {
  const memory = testMemory();
  memory.bytes[0]!.fill(0xff);
  const ring = new SplitRingDriver(new GuestAllocator(memory), {
    size: 8,
    eventIndex: false,
  });
  const device = new ScriptedDevice(memory, ring);
  assertEquals(device.waiting, 0);
  assertEquals(device.availableFlags, 0);
  assert(!ring.hasUsed());
});

Deno.test("a chain reaches the device as it was added, directly", () => {
  const { ring, device } = setUp();
  const readable = ranges(1, 0, 300);
  const writable = [WRITE, { address: 2 ** 45 + 5, length: 0xffff_ffff }];
  const id = ring.add(readable, writable, false);
  assertEquals(device.waiting, 0);
  ring.publish();
  assertEquals(device.waiting, 1);
  const { descriptors, head, indirect } = device.take();
  assertEquals(head, id);
  assert(!indirect);
  assertEquals(
    descriptors.map((d) => [d.address, d.length, d.flags]),
    [
      [readable[0]!.address, 1, 1],
      [readable[1]!.address, 0, 1],
      [readable[2]!.address, 300, 1],
      [WRITE.address, 17, 3],
      [2 ** 45 + 5, 0xffff_ffff, 2],
    ],
  );
  assertEquals(ring.freeDescriptors, 3);
});

Deno.test("a chain reaches the device as it was added, by an indirect table", () => {
  const { ring, device } = setUp({ size: 4 });
  // More entries than the ring has descriptors.
  const readable = ranges(...new Array(20).fill(3));
  const id = ring.add(readable, [WRITE], true);
  ring.publish();
  const taken = device.take();
  assertEquals(taken.head, id);
  assert(taken.indirect);
  assertEquals(
    taken.descriptors.map((d) => [d.address, d.length, d.flags, d.next]),
    [
      ...readable.map((r, i) => [r.address, r.length, 1, i + 1]),
      [WRITE.address, 17, 2, 0],
    ],
  );
  assertEquals(ring.freeDescriptors, 3);
});

Deno.test("a split ring has room for its descriptors and no more", () => {
  const { ring, device } = setUp({ size: 8 });
  for (let i = 0; i < 4; i++) assert(add(ring) >= 0);
  assertEquals(add(ring), -1);
  assertEquals(add(ring, true), -1);
  assertEquals(ring.outstanding, 4);
  ring.publish();
  const record: UsedRecord = { id: -1, length: -1 };
  device.put(device.take().head, 17);
  assert(ring.take(record));
  assert(add(ring, true) >= 0);
  assert(add(ring, true) >= 0);
  assertEquals(add(ring, true), -1);
});

Deno.test("a split ring refuses chains that can never fit", () => {
  const { ring } = setUp({ size: 8 });
  assertThrows(() => ring.add([], [], false), RangeError, "0 buffers");
  const nine = ranges(...new Array(9).fill(1));
  assertThrows(() => ring.add(nine, [], false), RangeError, "9 buffers");
  assert(ring.add(nine, [], true) >= 0);
});

Deno.test("used elements come back in the device's order, whatever it is", () => {
  const { ring, device } = setUp({ size: 8 });
  const ids = [add(ring), add(ring), add(ring)];
  ring.publish();
  for (let i = 0; i < 3; i++) device.take();
  const record: UsedRecord = { id: -1, length: -1 };
  assert(!ring.take(record));
  for (const i of [2, 0, 1]) device.put(ids[i]!, 100 + i);
  for (const i of [2, 0, 1]) {
    assert(ring.hasUsed());
    assert(ring.take(record));
    assertEquals(record, { id: ids[i]!, length: 100 + i });
  }
  assert(!ring.hasUsed());
  assert(!ring.take(record));
  assertEquals(ring.outstanding, 0);
  assertEquals(ring.freeDescriptors, 8);
});

Deno.test("a split ring goes on when its indices wrap at 16 bits", () => {
  for (const eventIndex of [false, true]) {
    for (const indirect of [false, true]) {
      const { ring, device } = setUp({
        size: 4,
        eventIndex,
        startIndex: 65_530,
      });
      assertEquals(ring.base, 65_530);
      const record: UsedRecord = { id: -1, length: -1 };
      for (let i = 0; i < 20; i++) {
        device.setAvailEvent(device.availableIndex);
        const id = add(ring, indirect);
        ring.publish();
        assertEquals(device.availableIndex, (65_531 + i) & 0xffff);
        assert(ring.needsKick());
        assert(!ring.enableInterrupts());
        const taken = device.take();
        assertEquals(taken.head, id);
        device.put(taken.head, i);
        assert(ring.enableInterrupts());
        assert(ring.take(record));
        assertEquals(record, { id, length: i });
        assert(!ring.take(record));
      }
    }
  }
});

Deno.test("a split ring survives more requests than an index can count", () => {
  const { ring, device } = setUp({ size: 4 });
  const record: UsedRecord = { id: -1, length: -1 };
  for (let i = 0; i < 70_000; i++) {
    add(ring, i % 3 === 0);
    ring.publish();
    device.put(device.take().head, 17);
    assert(ring.take(record));
  }
  assertEquals(ring.freeDescriptors, 4);
  // The device polled and asked for no kick: 70000 were published unasked.
  assert(ring.needsKick());
});

Deno.test("with event indices the driver kicks when avail_event is passed", () => {
  const { ring, device } = setUp({ size: 8 });
  assert(!ring.needsKick(), "nothing was published");
  device.setAvailEvent(0);
  add(ring);
  assert(!ring.needsKick(), "added is not published");
  ring.publish();
  assert(ring.needsKick());
  assert(!ring.needsKick(), "asked twice");
  // The device wants to hear of entry 2: 1 does not reach it, 2 does.
  device.setAvailEvent(2);
  add(ring);
  ring.publish();
  assert(!ring.needsKick());
  add(ring);
  ring.publish();
  assert(ring.needsKick());
  // An event of the past says nothing.
  add(ring);
  ring.publish();
  assert(!ring.needsKick());
});

Deno.test("with event indices the flag of the used ring says nothing", () => {
  const { ring, device } = setUp();
  device.setUsedFlags(1);
  device.setAvailEvent(0);
  add(ring);
  ring.publish();
  assert(ring.needsKick());
});

Deno.test("without event indices the device's flag says whether to kick", () => {
  const { ring, device } = setUp({ eventIndex: false });
  device.setAvailEvent(1000);
  add(ring);
  ring.publish();
  assert(ring.needsKick());
  device.setUsedFlags(1);
  add(ring);
  ring.publish();
  assert(!ring.needsKick());
  device.setUsedFlags(0);
  assert(!ring.needsKick(), "what was asked for is not asked for again");
});

Deno.test("with event indices used_event says whether to signal", () => {
  const { ring, device } = setUp({ size: 8 });
  assertEquals(device.usedEvent, 0);
  ring.disableInterrupts();
  assertEquals(device.usedEvent, 65_535);
  assert(!ring.enableInterrupts());
  assertEquals(device.usedEvent, 0);
  add(ring);
  ring.publish();
  ring.disableInterrupts();
  device.put(device.take().head, 17);
  assert(ring.enableInterrupts(), "one came while signals were off");
  const record: UsedRecord = { id: -1, length: -1 };
  assert(ring.take(record));
  assert(!ring.enableInterrupts());
  assertEquals(device.usedEvent, 1);
  assertEquals(device.availableFlags, 0);
});

Deno.test("without event indices the driver's flag says whether to signal", () => {
  const { ring, device } = setUp({ eventIndex: false });
  assertEquals(device.availableFlags, 0);
  ring.disableInterrupts();
  assertEquals(device.availableFlags, 1);
  add(ring);
  ring.publish();
  device.put(device.take().head, 17);
  assert(ring.enableInterrupts());
  assertEquals(device.availableFlags, 0);
});

Deno.test("an id that the device does not hold is an error", () => {
  const record: UsedRecord = { id: -1, length: -1 };
  for (
    const [name, id] of [
      ["out of range", 8],
      ["far out of range", 0xffff_ffff],
      ["a descriptor inside a chain", 1],
      ["free", 5],
    ] as const
  ) {
    const { ring, device } = setUp({ size: 8 });
    assertEquals(add(ring), 0);
    ring.publish();
    device.put(id, 17);
    assertThrows(() => ring.take(record), UsedRingError, `id ${id}`, name);
  }
});

Deno.test("an id that was added but not published is an error", () => {
  const { ring, device } = setUp({ size: 8 });
  add(ring);
  ring.publish();
  const unpublished = add(ring);
  device.put(unpublished, 17);
  const record: UsedRecord = { id: -1, length: -1 };
  assertThrows(() => ring.take(record), UsedRingError, "does not hold");
});

Deno.test("an id that was returned twice is an error", () => {
  const { ring, device } = setUp({ size: 8 });
  const id = add(ring);
  add(ring);
  ring.publish();
  device.put(id, 17);
  device.put(id, 17);
  const record: UsedRecord = { id: -1, length: -1 };
  assert(ring.take(record));
  assertThrows(() => ring.take(record), UsedRingError, `id ${id}`);
});

Deno.test("more used elements than requests are an error", () => {
  const { ring, device } = setUp({ size: 8 });
  const id = add(ring);
  ring.publish();
  device.put(id, 17, false);
  device.put(id, 17);
  const record: UsedRecord = { id: -1, length: -1 };
  assertThrows(() => ring.take(record), UsedRingError, "2 used elements");
});

Deno.test("a split ring that was freed leaves nothing in use", () => {
  const { allocator, ring, device } = setUp({ size: 8 });
  const record: UsedRecord = { id: -1, length: -1 };
  for (const count of [3, 5, 200, 2]) {
    ring.add(ranges(...new Array(count).fill(1)), [], true);
    ring.publish();
    device.put(device.take().head, 0);
    assert(ring.take(record));
  }
  ring.free();
  assertEquals(allocator.used, 0);
});

Deno.test("an indirect table that finds no memory is no room", () => {
  const memory = testMemory(4096);
  const allocator = new GuestAllocator(memory);
  const ring = new SplitRingDriver(allocator, { size: 8, eventIndex: true });
  while (allocator.tryAlloc(64) !== undefined);
  assertEquals(ring.add([READ], [WRITE], true), -1);
  assertEquals(ring.freeDescriptors, 8);
  assert(ring.add([READ], [WRITE], false) >= 0);
});
