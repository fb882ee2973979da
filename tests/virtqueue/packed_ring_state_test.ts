import { assertEquals } from "@std/assert";
import { Chain } from "../../device/virtqueue/chain.ts";
import { firstState, openRing } from "../../device/virtqueue/open_ring.ts";
import { PackedRing } from "../../device/virtqueue/packed_ring.ts";
import { Take } from "../../device/virtqueue/ring.ts";
import { SplitRing } from "../../device/virtqueue/split_ring.ts";
import {
  AVAIL,
  GuestPackedRing,
  type PackedBuffer,
  stateAt,
  USED,
} from "../support/guest_packed_ring.ts";
import { GuestRing, WRITE } from "../support/guest_ring.ts";
import { BASE, plainMemory } from "../support/plain_memory.ts";
import { PackedPair } from "./device_side.ts";

const DATA = BASE + 0x4000;

Deno.test("A ring's format says which class opens it", () => {
  const memory = plainMemory(0x1000);
  const packed = new GuestPackedRing(memory).setup();
  assertEquals(openRing(memory, packed) instanceof PackedRing, true);
  const split = new GuestRing(memory).setup();
  assertEquals(openRing(memory, split) instanceof SplitRing, true);
  assertEquals(firstState("split"), 0);
  // virtio 1.1, 2.7.1: both wrap counters start at 1.
  assertEquals(firstState("packed"), 0x8000_8000);
});

Deno.test("PackedRing's state has both offsets and wrap counters in 32 bits", () => {
  const pair = new PackedPair({ size: 3 });
  assertEquals(pair.ring.state, 0x8000_8000);
  pair.takeList(0, [DATA, 1], [DATA, 1, WRITE]);
  assertEquals(pair.ring.state, 0x8000_8002);
  pair.answer(1);
  assertEquals(pair.ring.state, 0x8002_8002);
  pair.takeList(0, [DATA, 1], [DATA, 1, WRITE]);
  assertEquals(pair.ring.state, 0x8002_0001);
  pair.answer(1);
  assertEquals(pair.ring.state, 0x0001_0001);
});

for (const size of [1, 2, 3, 255, 256]) {
  Deno.test(`PackedRing of ${size} entries is stopped and goes on by its state after every list`, () => {
    const memory = plainMemory(0x1_0000);
    const guest = new GuestPackedRing(memory, { size });
    const { chain, segments } = new PackedPair({ size });
    let state = firstState("packed");
    const step = Math.min(size, 2);
    for (let i = 0; i < 4 * size; i++) {
      const ring = openRing(memory, guest.setup({ state }));
      assertEquals(ring.state, state);
      segments.clear();
      assertEquals(ring.take(chain, segments), Take.EMPTY);
      const buffers = Array.from(
        { length: 1 + i % step },
        (): PackedBuffer => [DATA, 1, WRITE],
      );
      guest.offer(i % size, ...buffers);
      assertEquals(ring.take(chain, segments), Take.TAKEN);
      ring.put(chain, i);
      ring.publish();
      assertEquals(guest.takeUsed(), [{ id: i % size, length: i }]);
      state = ring.state;
      assertEquals(state, stateAt(guest.next));
    }
  });
}

Deno.test("PackedRing returns where it is told, though lists before it were never returned", () => {
  const memory = plainMemory(0x1_0000);
  const guest = new GuestPackedRing(memory, { size: 4 });
  guest.offer(0, [DATA, 1], [DATA, 1, WRITE]);
  guest.offer(1, [DATA, 1, WRITE]);
  // Whoever served it before took the first list.
  const ring = openRing(memory, guest.setup({ state: 0x8000_8002 }));
  const { chain, segments } = new PackedPair();
  assertEquals(ring.take(chain, segments), Take.TAKEN);
  assertEquals(chain.id, 1);
  ring.put(chain, 1);
  ring.publish();
  // virtio 1.1, 2.7: in the order of completion.
  assertEquals(guest.read(0), {
    id: 1,
    length: 1,
    flags: AVAIL | USED | WRITE,
  });
  assertEquals(ring.state, 0x8001_8003);
});

Deno.test("PackedRing shows nothing of what was put before it is published, then all at once", () => {
  for (const offset of [0, 6]) {
    const start = { offset, wrap: true };
    const pair = new PackedPair({ size: 8, start });
    for (const id of [4, 5, 6]) {
      pair.takeList(id, [DATA, 1], [DATA, 1, WRITE]);
      pair.ring.put(pair.chain, id);
      assertEquals(pair.guest.takeUsed(), []);
    }
    pair.ring.publish();
    assertEquals(
      pair.guest.takeUsed(),
      [4, 5, 6].map((id) => ({ id, length: id })),
    );
    // A second time nothing changes.
    pair.guest.offer(7, [DATA, 1, WRITE]);
    pair.ring.publish();
    assertEquals(pair.take(), Take.TAKEN);
    assertEquals(pair.chain.id, 7);
  }
});

Deno.test("PackedRing makes the last list available again by untake", () => {
  for (const offset of [0, 2, 3]) {
    const start = { offset, wrap: false };
    const pair = new PackedPair({ size: 4, start });
    pair.guest.offer(0, [DATA, 1, WRITE]);
    pair.guest.offer(1, [DATA, 1], [DATA + 1, 2, WRITE]);
    assertEquals(pair.take(), Take.TAKEN);
    const before = pair.ring.state;
    assertEquals(pair.take(), Take.TAKEN);
    pair.ring.untake(pair.chain);
    assertEquals(pair.ring.state, before);
    const again = new Chain();
    assertEquals(pair.ring.take(again, pair.segments), Take.TAKEN);
    assertEquals([again.id, again.writableLength], [1, 2]);
    assertEquals(pair.take(), Take.EMPTY);
  }
});

Deno.test("PackedRing that holds all of itself has all of it again by untake", () => {
  for (const size of [1, 3]) {
    const pair = new PackedPair({ size });
    for (let i = 0; i < 6; i++) {
      const buffers = Array.from(
        { length: size },
        (): PackedBuffer => [DATA, 1, WRITE],
      );
      pair.takeList(0, ...buffers);
      pair.ring.untake(pair.chain);
      assertEquals(pair.ring.state, stateAt(pair.guest.taken));
      assertEquals(pair.take(), Take.TAKEN);
      pair.answer(1);
      assertEquals(pair.guest.takeUsed().length, 1);
    }
  }
});

Deno.test("PackedRing walks an untaken list anew, as the driver has it by then", () => {
  const pair = new PackedPair();
  pair.takeList(0, [DATA, 1, WRITE]);
  pair.ring.untake(pair.chain);
  pair.guest.write(0, [DATA, 5, WRITE | AVAIL], 9);
  assertEquals(pair.take(), Take.TAKEN);
  assertEquals([pair.chain.id, pair.chain.writableLength], [9, 5]);
});

Deno.test("PackedRing takes lists again that were put back, the last one first", () => {
  const pair = new PackedPair({ size: 5, start: { offset: 3, wrap: true } });
  pair.guest.offer(0, [DATA, 1, WRITE]);
  pair.guest.offer(1, [DATA, 1], [DATA, 1, WRITE]);
  pair.guest.offer(2, [DATA, 1], [DATA, 2, WRITE]);
  const chains = [new Chain(), new Chain(), new Chain()];
  for (const chain of chains) {
    assertEquals(pair.ring.take(chain, pair.segments), Take.TAKEN);
  }
  pair.ring.untake(chains[2]!);
  pair.ring.untake(chains[1]!);
  pair.ring.put(chains[0]!, 7);
  pair.ring.publish();
  for (const id of [1, 2]) {
    assertEquals(pair.take(), Take.TAKEN);
    assertEquals(pair.chain.id, id);
    pair.answer(id);
  }
  assertEquals(
    pair.guest.takeUsed(),
    [7, 1, 2].map((length, id) => ({ id, length })),
  );
});
