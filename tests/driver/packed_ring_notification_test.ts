import { assert, assertEquals } from "@std/assert";
import { DESC, DISABLE, ENABLE, type Place } from "./scripted_packed_device.ts";
import {
  add,
  ranges,
  send,
  setUp,
  takeAll,
  WRITE,
} from "./packed_ring_setup.ts";

Deno.test("a packed ring kicks as the device's flags say", () => {
  for (const eventIndex of [false, true]) {
    const { ring, device } = setUp({ eventIndex });
    assert(!ring.needsKick(), "nothing was published");
    add(ring);
    assert(!ring.needsKick(), "added is not published");
    ring.publish();
    assert(ring.needsKick());
    assert(!ring.needsKick(), "asked twice");
    device.want(DISABLE);
    send(ring, 1);
    assert(!ring.needsKick());
    device.want(ENABLE);
    assert(!ring.needsKick(), "what was asked for is not asked for again");
    send(ring, 1);
    assert(ring.needsKick());
  }
});

Deno.test("a packed ring kicks when the descriptor that the device names is passed", () => {
  for (const size of [3, 8]) {
    const { ring, device } = setUp({ size });
    const start = (): Place => device.next;
    for (let i = 0; i < 5 * size; i++) {
      // Names the third descriptor from here: one, then two are published.
      device.want(DESC, device.behind(start(), 2));
      const ids = send(ring, 1);
      assert(!ring.needsKick());
      ids.push(...send(ring, 2));
      assert(ring.needsKick(), `size ${size}, ${i}`);
      for (const id of ids) {
        device.take();
        device.put(id, 1);
      }
      assertEquals(takeAll(ring).length, 3);
      // An event of the past says nothing.
      const [id] = send(ring, 1) as [number];
      assert(!ring.needsKick());
      device.take();
      device.put(id, 1);
      takeAll(ring);
    }
  }
});

Deno.test("a packed ring does not kick for what is added and not published", () => {
  for (
    const [offset, expected] of [[0, true], [1, false], [2, false]] as const
  ) {
    const { ring, device } = setUp({ size: 8 });
    device.want(DESC, [offset, 1]);
    send(ring, 1);
    add(ring);
    assertEquals(ring.needsKick(), expected);
    ring.publish();
    assertEquals(ring.needsKick(), !expected);
  }
});

Deno.test("a packed ring kicks for a list that has the named descriptor in its middle", () => {
  const { ring, device } = setUp({ size: 8 });
  device.want(DESC, [3, 1]);
  ring.add(ranges(1, 1, 1), [WRITE], false);
  ring.publish();
  assert(ring.needsKick());
});

Deno.test("a packed ring kicks rather than not where a device names what is not there", () => {
  const { ring, device } = setUp({ size: 8 });
  device.want(DESC, [8, 1]);
  send(ring, 1);
  assert(ring.needsKick());
  device.want(3);
  send(ring, 1);
  assert(ring.needsKick());
});

Deno.test("a packed ring that nobody asked for long kicks", () => {
  const { ring, device } = setUp({ size: 2 });
  for (let i = 0; i < 9; i++) {
    const [id] = send(ring, 1) as [number];
    device.take();
    device.put(id, 1);
    takeAll(ring);
  }
  device.want(DESC, [0, 0]);
  assert(ring.needsKick());
});

Deno.test("with event indices a packed ring names the used descriptor it waits for", () => {
  const { ring, device } = setUp({ size: 3 });
  for (let i = 0; i < 9; i++) {
    ring.disableInterrupts();
    assertEquals(device.driverWants[0], DISABLE);
    assert(!ring.enableInterrupts());
    assertEquals(device.driverWants, [DESC, ...device.used]);
    const id = add(ring);
    ring.publish();
    ring.disableInterrupts();
    device.put(id, 17, device.take().count);
    assert(ring.enableInterrupts(), "one came while signals were off");
    assertEquals(takeAll(ring).length, 1);
  }
});

Deno.test("without event indices a packed ring enables and disables signals", () => {
  const { ring, device } = setUp({ eventIndex: false });
  ring.disableInterrupts();
  assertEquals(device.driverWants, [DISABLE, 0, 0]);
  send(ring, 1);
  device.put(device.take().id, 17);
  assert(ring.enableInterrupts());
  assertEquals(device.driverWants, [ENABLE, 0, 0]);
});
