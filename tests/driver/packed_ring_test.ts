import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsedRingError } from "../../device/driver/errors.ts";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import type { GuestRange } from "../../device/driver/guest_view.ts";
import { makeRing } from "../../device/driver/make_ring.ts";
import { PackedRingDriver } from "../../device/driver/packed_ring.ts";
import type { UsedRecord } from "../../device/driver/ring.ts";
import { SplitRingDriver } from "../../device/driver/split_ring.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { testMemory, USER_DISTANCE } from "./scripted_device.ts";
import { ENABLE, ScriptedPackedDevice } from "./scripted_packed_device.ts";
import {
  add,
  ranges,
  READ,
  send,
  setUp,
  takeAll,
  WRITE,
} from "./packed_ring_setup.ts";

Deno.test("the negotiated features say what kind of ring there is", () => {
  const allocator = new GuestAllocator(testMemory());
  const VERSION_1 = 1n << 32n;
  assert(makeRing(allocator, 8, VERSION_1) instanceof SplitRingDriver);
  const IN_ORDER = 1n << 35n;
  assert(
    makeRing(allocator, 8, VERSION_1 | IN_ORDER) instanceof SplitRingDriver,
  );
  const PACKED = 1n << 34n;
  assert(
    makeRing(allocator, 7, VERSION_1 | PACKED) instanceof PackedRingDriver,
  );
});

Deno.test("a packed ring's parts lie where the standard aligns them", () => {
  for (const size of [1, 3, 256, 32768]) {
    const { ring } = setUp({ size });
    const { descriptor, available, used } = ring.guestAddresses;
    assertEquals([descriptor % 16, available % 4, used % 4], [0, 0, 0]);
    const parts = [[descriptor, 16 * size], [available, 4], [used, 4]]
      .sort((a, b) => a[0]! - b[0]!);
    assert(parts[0]![0]! + parts[0]![1]! <= parts[1]![0]!);
    assert(parts[1]![0]! + parts[1]![1]! <= parts[2]![0]!);
    assertEquals(ring.userAddresses, {
      descriptor: descriptor + USER_DISTANCE,
      available: available + USER_DISTANCE,
      used: used + USER_DISTANCE,
    });
    assertEquals(ring.base, 0x8000_8000);
  }
});

Deno.test("a packed ring refuses sizes that the standard does not have", () => {
  for (const size of [0, -1, 32769, 65536, 1.5, NaN]) {
    assertThrows(() => setUp({ size }), RangeError, `${size}`);
  }
});

Deno.test("a packed ring refuses memory that is mapped misaligned", () => {
  const memory = new GuestMemory([{
    guestAddress: 0x1000,
    userAddress: 0x1000,
    size: 4096,
    buffer: new SharedArrayBuffer(8192),
    offset: 8,
  }]);
  const allocator = new GuestAllocator(memory);
  assertThrows(
    () => new PackedRingDriver(allocator, { size: 8, eventIndex: true }),
    RangeError,
    "mapped at offset 8",
  );
});

Deno.test("a packed ring starts from cleared memory", () => {
  const memory = testMemory();
  memory.bytes[0]!.fill(0xff);
  const ring = new PackedRingDriver(new GuestAllocator(memory), {
    size: 8,
    eventIndex: false,
  });
  const device = new ScriptedPackedDevice(memory, ring);
  assert(!device.waiting);
  assertEquals(device.driverWants, [ENABLE, 0, 0]);
  assert(!ring.hasUsed());
});

Deno.test("a list reaches a packed ring's device as it was added, directly", () => {
  const { ring, device } = setUp();
  const readable = ranges(1, 0, 300);
  const writable = [WRITE, { address: 2 ** 45 + 5, length: 0xffff_ffff }];
  const id = ring.add(readable, writable, false);
  assert(!device.waiting, "added is not published");
  ring.publish();
  const taken = device.take();
  assertEquals([taken.id, taken.count, taken.indirect], [id, 5, false]);
  assertEquals(
    taken.descriptors.map((d) => [d.address, d.length, d.flags]),
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

Deno.test("a list reaches a packed ring's device as it was added, by an indirect table", () => {
  const { ring, device } = setUp({ size: 1 });
  for (let i = 0; i < 5; i++) {
    // More entries than the ring has descriptors.
    const readable = ranges(...new Array(20 + i).fill(3));
    const id = ring.add(readable, [WRITE], true);
    ring.publish();
    const taken = device.take();
    assertEquals([taken.id, taken.count, taken.indirect], [id, 1, true]);
    // virtio 1.1, 2.7.7: WRITE is the only flag of an entry.
    assertEquals(
      taken.descriptors.map((d) => [d.address, d.length, d.flags]),
      [
        ...readable.map((r) => [r.address, r.length, 0]),
        [WRITE.address, 17, 2],
      ],
    );
    device.put(taken.id, i);
    assertEquals(takeAll(ring), [[id, i]]);
  }
});

Deno.test("requests of a packed ring that are published together appear at once", () => {
  const { ring, device } = setUp({ size: 5 });
  for (let i = 0; i < 10; i++) {
    const first = add(ring);
    const second = ring.add([], [WRITE], false);
    assert(!device.waiting);
    ring.publish();
    const lists = [device.take(), device.take()];
    assertEquals(lists.map(({ id }) => id), [first, second]);
    assert(!device.waiting);
    for (const { id, count } of lists) device.put(id, 1, count);
    assertEquals(takeAll(ring), [[first, 1], [second, 1]]);
  }
});

Deno.test("a packed ring has room for its descriptors and no more", () => {
  const { ring, device } = setUp({ size: 7 });
  for (let i = 0; i < 3; i++) assert(add(ring) >= 0);
  assertEquals(add(ring), -1);
  assert(add(ring, true) >= 0);
  assertEquals(add(ring, true), -1);
  assertEquals([ring.outstanding, ring.freeDescriptors], [4, 0]);
  ring.publish();
  const { id, count } = device.take();
  device.put(id, 17, count);
  assertEquals(takeAll(ring), [[id, 17]]);
  assert(add(ring, true) >= 0);
  assert(add(ring, true) >= 0);
  assertEquals(add(ring, true), -1);
});

Deno.test("a packed ring refuses lists that can never fit", () => {
  const { ring } = setUp({ size: 3 });
  assertThrows(() => ring.add([], [], false), RangeError, "0 buffers");
  const four = ranges(1, 1, 1, 1);
  assertThrows(() => ring.add(four, [], false), RangeError, "4 buffers");
  assert(ring.add(four, [], true) >= 0);
});

for (const size of [1, 2, 3, 255, 256, 32768]) {
  Deno.test(`a packed ring of ${size} descriptors goes round and round`, () => {
    for (const inOrder of [false, true]) {
      const { ring, device } = setUp({ size, inOrder });
      const most = Math.min(size, 3);
      for (let i = 0; i < Math.max(20, size); i++) {
        const buffers = new Array<GuestRange>(1 + i % most).fill(WRITE);
        const id = ring.add([], buffers, i % 4 === 0);
        ring.publish();
        const taken = device.take();
        assertEquals([taken.id, taken.descriptors.length], [
          id,
          buffers.length,
        ]);
        assert(!ring.hasUsed());
        device.put(id, i, taken.count);
        assert(ring.hasUsed());
        assertEquals(takeAll(ring), [[id, i]]);
        assertEquals([ring.outstanding, ring.freeDescriptors], [0, size]);
      }
    }
  });
}

Deno.test("a packed ring's used descriptors come back in the device's order, whatever it is", () => {
  const { ring, device } = setUp({ size: 5 });
  for (let round = 0; round < 7; round++) {
    const ids = [add(ring), ring.add([], [WRITE], false), add(ring, true)];
    ring.publish();
    const lists = [device.take(), device.take(), device.take()];
    assertEquals(lists.map(({ id }) => id), ids);
    assertEquals(takeAll(ring), []);
    const order = [[2, 0, 1], [1, 2, 0], [0, 1, 2]][round % 3]!;
    for (const i of order) device.put(ids[i]!, 100 + i, lists[i]!.count);
    assertEquals(takeAll(ring), order.map((i) => [ids[i]!, 100 + i]));
    assertEquals([ring.outstanding, ring.freeDescriptors], [0, 5]);
  }
});

Deno.test("a packed ring's requests can be added while others are out and return in another order", () => {
  const { ring, device } = setUp({ size: 4 });
  const [a, b] = send(ring, 2) as [number, number];
  const c = ring.add([], [WRITE], false);
  for (let i = 0; i < 2; i++) device.take();
  device.put(b, 2);
  assertEquals(takeAll(ring), [[b, 2]]);
  ring.publish();
  assertEquals(device.take().id, c);
  device.put(c, 3);
  device.put(a, 1);
  assertEquals(takeAll(ring), [[c, 3], [a, 1]]);
});

Deno.test("a used descriptor without WRITE has no length", () => {
  // virtio 1.1, 2.7.4
  const { ring, device } = setUp();
  const [id] = send(ring, 1) as [number];
  device.put(id, 99, 1, false);
  assertEquals(takeAll(ring), [[id, 0]]);
});

Deno.test("in order, a packed ring's used descriptor stands for all before it", () => {
  const { ring, device } = setUp({ size: 7, inOrder: true });
  for (let round = 0; round < 9; round++) {
    const ids = [
      ring.add([READ], [WRITE, WRITE], false),
      ring.add([READ], [], false),
      ring.add([READ], [WRITE], true),
      ring.add([], [WRITE], false),
    ];
    ring.publish();
    const counts = ids.map(() => device.take().count);
    assertEquals(counts, [3, 1, 1, 1]);
    // One for the first three, one for the last.
    device.put(ids[2]!, 5, 5);
    const record: UsedRecord = { id: -1, length: -1 };
    assert(ring.take(record));
    assertEquals([record.id, record.length], [ids[0]!, 34]);
    assert(ring.hasUsed(), "in the middle of a batch");
    assertEquals(takeAll(ring), [[ids[1]!, 0], [ids[2]!, 5]]);
    assert(!ring.hasUsed());
    device.put(ids[3]!, 1);
    assertEquals(takeAll(ring), [[ids[3]!, 1]]);
    assertEquals([ring.outstanding, ring.freeDescriptors], [0, 7]);
  }
});

Deno.test("in order, a packed ring's device may return each request by itself", () => {
  const { ring, device } = setUp({ size: 3, inOrder: true });
  for (let i = 0; i < 9; i++) {
    const ids = send(ring, 2);
    device.take();
    device.put(ids[0]!, 1);
    assertEquals(takeAll(ring), [[ids[0]!, 1]]);
    device.take();
    device.put(ids[1]!, 2);
    assertEquals(takeAll(ring), [[ids[1]!, 2]]);
  }
});

Deno.test("in order, a packed ring's batch does not reach to what was added since", () => {
  const { ring, device } = setUp({ inOrder: true });
  const ids = send(ring, 2);
  const later = ring.add([], [WRITE], false);
  device.put(ids[1]!, 9, 2);
  assertEquals(takeAll(ring), [[ids[0]!, 17], [ids[1]!, 9]]);
  assertEquals(ring.outstanding, 1);
  ring.publish();
  device.put(later, 1);
  assertEquals(takeAll(ring), [[later, 1]]);
});

Deno.test("an id that a packed ring's device does not hold is an error", () => {
  for (const inOrder of [false, true]) {
    for (const id of [8, 0xffff, 5]) {
      const { ring, device } = setUp({ size: 8, inOrder });
      assertEquals(add(ring), 0);
      ring.publish();
      device.put(id, 17, 2);
      assertThrows(() => takeAll(ring), UsedRingError, `id ${id}`);
    }
    const { ring, device } = setUp({ size: 8, inOrder });
    send(ring, 1);
    const unpublished = add(ring);
    device.put(unpublished, 17);
    assertThrows(() => takeAll(ring), UsedRingError, "does not hold");
  }
});

Deno.test("an id that a packed ring's device returned twice is an error", () => {
  const { ring, device } = setUp({ size: 8 });
  const [id] = send(ring, 2) as [number];
  device.put(id, 17);
  device.put(id, 17);
  const record: UsedRecord = { id: -1, length: -1 };
  assert(ring.take(record));
  assertThrows(() => ring.take(record), UsedRingError, `id ${id}`);
});

Deno.test("a used descriptor of an empty packed ring is an error", () => {
  const { ring, device } = setUp({ size: 8 });
  device.put(0, 17);
  assertThrows(() => takeAll(ring), UsedRingError, "id 0");
});

Deno.test("a packed ring that was freed leaves nothing in use", () => {
  const { allocator, ring, device } = setUp({ size: 8 });
  for (const count of [3, 5, 200, 2]) {
    ring.add(ranges(...new Array(count).fill(1)), [], true);
    ring.publish();
    device.put(device.take().id, 0);
    assertEquals(takeAll(ring).length, 1);
  }
  ring.free();
  assertEquals(allocator.used, 0);
});

Deno.test("a packed ring's indirect table that finds no memory is no room", () => {
  const memory = testMemory(4096);
  const allocator = new GuestAllocator(memory);
  const ring = new PackedRingDriver(allocator, { size: 8, eventIndex: true });
  const device = new ScriptedPackedDevice(memory, ring);
  while (allocator.tryAlloc(64) !== undefined);
  assertEquals(add(ring, true), -1);
  assertEquals(ring.freeDescriptors, 8);
  ring.publish();
  assert(!device.waiting);
  assert(add(ring) >= 0);
  ring.publish();
  assertEquals(device.take().count, 2);
});
