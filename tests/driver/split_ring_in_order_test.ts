import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsedRingError } from "../../device/driver/errors.ts";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import type { GuestRange } from "../../device/driver/guest_view.ts";
import type { UsedRecord } from "../../device/driver/ring.ts";
import { SplitRingDriver } from "../../device/driver/split_ring.ts";
import { BASE, ScriptedDevice, testMemory } from "./scripted_device.ts";

const READ: GuestRange = { address: BASE + 0x8_0000, length: 24 };
const WRITE: GuestRange = { address: READ.address + 4096, length: 17 };

function setUp(size: number, startIndex = 0): {
  ring: SplitRingDriver;
  device: ScriptedDevice;
} {
  const memory = testMemory();
  const ring = new SplitRingDriver(new GuestAllocator(memory), {
    size,
    eventIndex: true,
    inOrder: true,
    startIndex,
  });
  return { ring, device: new ScriptedDevice(memory, ring) };
}

function takeAll(ring: SplitRingDriver): [id: number, length: number][] {
  const record: UsedRecord = { id: -1, length: -1 };
  const taken: [number, number][] = [];
  while (ring.take(record)) taken.push([record.id, record.length]);
  return taken;
}

Deno.test("in order, a split ring's descriptors are used round and round", () => {
  // virtio 1.1, 2.6.5 and 2.6.9: next is the following one, 0 after the last.
  const { ring, device } = setUp(8, 0xfffd);
  let expected = 0;
  for (let i = 0; i < 40; i++) {
    const count = 1 + i % 5;
    const readable = new Array<GuestRange>(count - 1).fill(READ);
    const id = ring.add(readable, [WRITE], false);
    assertEquals(id, expected);
    ring.publish();
    const taken = device.take();
    assertEquals(taken.head, id);
    taken.descriptors.slice(0, -1).forEach(({ next }, k) => {
      assertEquals(next, (id + k + 1) % 8);
    });
    expected = (id + count) % 8;
    device.put(id, i);
    assertEquals(takeAll(ring), [[id, i]]);
    assertEquals(ring.freeDescriptors, 8);
  }
});

Deno.test("in order, a split ring's used element stands for all before it", () => {
  const { ring, device } = setUp(8, 0xfffd);
  for (let round = 0; round < 9; round++) {
    const ids = [
      ring.add([READ], [WRITE, WRITE], false),
      ring.add([READ], [], false),
      ring.add([READ], [WRITE], true),
      ring.add([READ], [WRITE], false),
    ];
    ring.publish();
    for (let i = 0; i < 4; i++) device.take();
    // virtio 1.1, 2.6.9: the index grows by the size of the batch, and only
    // the first of its elements is written.
    device.put(ids[2]!, 5, false);
    device.put(0xffff_ffff, 0, false);
    device.put(0xffff_ffff, 0);
    assertEquals(takeAll(ring), [[ids[0]!, 34], [ids[1]!, 0], [ids[2]!, 5]]);
    assert(!ring.hasUsed());
    device.put(ids[3]!, 17);
    assertEquals(takeAll(ring), [[ids[3]!, 17]]);
    assertEquals([ring.outstanding, ring.freeDescriptors], [0, 8]);
  }
});

Deno.test("in order, a split ring's batch of more than were used is an error", () => {
  const { ring, device } = setUp(8);
  const ids = [0, 1, 2].map(() => ring.add([READ], [WRITE], false));
  ring.publish();
  device.put(ids[1]!, 17);
  assertThrows(() => takeAll(ring), UsedRingError, "1 places on");
});

Deno.test("in order, an id that a split ring's device does not hold is an error", () => {
  for (const id of [1, 5, 8, 0xffff_ffff]) {
    const { ring, device } = setUp(8);
    assertEquals(ring.add([READ], [WRITE], false), 0);
    ring.publish();
    device.put(id, 17);
    assertThrows(() => takeAll(ring), UsedRingError, `id ${id}`);
  }
});

Deno.test("in order, a full split ring has its room back in one run", () => {
  const { ring, device } = setUp(8);
  for (let round = 0; round < 5; round++) {
    const ids = [3, 2, 2].map((count) =>
      ring.add(new Array<GuestRange>(count).fill(READ), [], false)
    );
    assertEquals(ring.add([READ], [WRITE], false), -1);
    ring.publish();
    for (const id of ids) {
      assertEquals(device.take().head, id);
      device.put(id, 0);
    }
    assertEquals(takeAll(ring).map(([id]) => id), ids);
    const all = ring.add(new Array<GuestRange>(8).fill(READ), [], false);
    ring.publish();
    assertEquals(device.take().descriptors.length, 8);
    device.put(all, 0);
    assertEquals(takeAll(ring), [[all, 0]]);
  }
});
