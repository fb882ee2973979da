import { assertEquals } from "@std/assert";
import { PackedRing } from "../../device/virtqueue/packed_ring.ts";
import {
  DESC,
  DISABLE,
  ENABLE,
  type GuestPackedRingOptions,
  type Place,
  placeBits,
} from "../support/guest_packed_ring.ts";
import { WRITE } from "../support/guest_ring.ts";
import { BASE } from "../support/plain_memory.ts";
import { PackedPair } from "./device_side.ts";

const DATA = BASE + 0x4000;

const BY_EVENT = { notification: "event-index" } as const;

/** Serves lists of one descriptor; returns whether to signal. */
function serve(pair: PackedPair, count: number, each = 1): boolean {
  for (let i = 0; i < count; i++) {
    const buffers = Array.from({ length: each }, () => [DATA, 1] as const);
    pair.takeList(0, ...buffers.slice(1), [DATA, 1, WRITE]);
    pair.ring.put(pair.chain, 1);
  }
  pair.ring.publish();
  return pair.ring.shouldSignal();
}

/** A pair that owes no signal any more. */
function settled(options: GuestPackedRingOptions): PackedPair {
  const pair = new PackedPair(options);
  pair.ring.shouldSignal();
  return pair;
}

/** Sets the place that the driver wants to hear of. */
function want(pair: PackedPair, place: Place): void {
  pair.guest.setDriverEvents(DESC, placeBits(place));
}

for (const notification of ["flags", "event-index"] as const) {
  Deno.test(`By ${notification}, a packed ring signals while events are enabled and not while they are disabled`, () => {
    const pair = new PackedPair({ notification });
    assertEquals(serve(pair, 1), true);
    pair.guest.setDriverEvents(DISABLE);
    assertEquals(serve(pair, 2), false);
    pair.guest.setDriverEvents(DISABLE, 0x8002);
    assertEquals(serve(pair, 1), false);
    pair.guest.setDriverEvents(ENABLE);
    assertEquals(serve(pair, 1), true);
    // 14 bits are reserved.
    pair.guest.setDriverEvents(DISABLE | 0xfffc);
    assertEquals(serve(pair, 1), false);
  });

  Deno.test(`By ${notification}, a packed ring takes reserved flags for a wish to be told`, () => {
    const pair = settled({ notification });
    pair.guest.setDriverEvents(3, 0x7000);
    assertEquals(serve(pair, 1), true);
  });
}

Deno.test("By flags, a packed ring takes no notice of a descriptor's event", () => {
  const pair = settled({ notification: "flags" });
  want(pair, { offset: 7, wrap: true });
  assertEquals(serve(pair, 1), true);
});

Deno.test("By event index, a packed ring signals when the descriptor that was named is used", () => {
  for (const size of [1, 2, 3, 8, 255]) {
    const pair = settled({ ...BY_EVENT, size });
    // More than two rounds: every offset with both wrap counters.
    for (let i = 0; i < 3 * size; i++) {
      const ahead = i % Math.min(size, 3);
      want(pair, pair.guest.behind(pair.guest.next, ahead));
      for (let k = 0; k < ahead; k++) assertEquals(serve(pair, 1), false);
      assertEquals(serve(pair, 1), true, `size ${size}, ${i}`);
      assertEquals(serve(pair, 1), false, "once");
    }
  }
});

Deno.test("By event index, a packed ring looks at the wrap counter", () => {
  const pair = settled({ ...BY_EVENT, size: 4 });
  want(pair, { offset: 2, wrap: false });
  assertEquals(serve(pair, 4), false);
  assertEquals(serve(pair, 2), false);
  assertEquals(serve(pair, 1), true);
});

Deno.test("By event index, a packed ring counts descriptors, also those that were skipped", () => {
  for (const [event, expected] of [[3, true], [4, true], [5, true]] as const) {
    const pair = settled({ ...BY_EVENT, size: 8 });
    want(pair, { offset: event, wrap: true });
    assertEquals(serve(pair, 1, 3), false);
    assertEquals(serve(pair, 1, 3), expected);
    assertEquals(serve(pair, 1, 2), false);
  }
});

Deno.test("By event index, a packed ring signals for a batch over the wrap that passes the event", () => {
  for (
    const [place, expected] of [
      [{ offset: 5, wrap: true }, false],
      [{ offset: 6, wrap: true }, true],
      [{ offset: 7, wrap: true }, true],
      [{ offset: 0, wrap: false }, true],
      [{ offset: 1, wrap: false }, true],
      [{ offset: 2, wrap: false }, false],
      [{ offset: 0, wrap: true }, false],
      [{ offset: 7, wrap: false }, false],
    ] as const
  ) {
    const start = { offset: 6, wrap: true };
    const pair = settled({ ...BY_EVENT, size: 8, start });
    want(pair, place);
    assertEquals(serve(pair, 4), expected, JSON.stringify(place));
  }
});

Deno.test("By event index, a packed ring signals for an event behind the ring", () => {
  const pair = settled({ ...BY_EVENT, size: 8 });
  want(pair, { offset: 8, wrap: true });
  assertEquals(serve(pair, 1), true);
});

Deno.test("By event index, a packed ring that just started signals whatever the event is", () => {
  const pair = new PackedPair(BY_EVENT);
  want(pair, { offset: 5, wrap: false });
  assertEquals(serve(pair, 1), true);
  assertEquals(serve(pair, 1), false);
});

Deno.test("By event index, nothing new in a packed ring is no reason to signal", () => {
  const pair = settled(BY_EVENT);
  serve(pair, 1);
  for (let offset = 0; offset < 8; offset++) {
    for (const wrap of [true, false]) {
      want(pair, { offset, wrap });
      assertEquals(pair.ring.shouldSignal(), false);
    }
  }
});

Deno.test("By flags, a packed ring's arm and disarm enable and disable events", () => {
  const pair = new PackedPair({ notification: "flags" });
  pair.ring.disarm();
  assertEquals(pair.guest.deviceWants, [DISABLE, 0]);
  assertEquals(pair.ring.arm(), false);
  assertEquals(pair.guest.deviceWants, [ENABLE, 0]);
});

Deno.test("By event index, a packed ring's arm names the next descriptor", () => {
  for (const size of [1, 3, 8]) {
    const start = { offset: size - 1, wrap: true };
    const pair = new PackedPair({ ...BY_EVENT, size, start });
    for (let i = 0; i < 3 * size; i++) {
      assertEquals(pair.ring.arm(), false);
      assertEquals(pair.guest.deviceWants, [DESC, placeBits(pair.guest.next)]);
      pair.ring.disarm();
      assertEquals(pair.guest.deviceWants[0], DISABLE);
      serve(pair, 1);
    }
  }
});

for (const notification of ["flags", "event-index"] as const) {
  Deno.test(`By ${notification}, a packed ring's arm sees a list offered after the last look`, () => {
    const pair = new PackedPair({ notification, size: 3 });
    for (let i = 0; i < 9; i++) {
      pair.guest.offer(0, [DATA, 1, WRITE]);
      assertEquals(pair.ring.arm(), true);
      pair.take();
      assertEquals(pair.ring.arm(), false);
      pair.answer(1);
      assertEquals(pair.ring.arm(), false);
      assertEquals(pair.guest.takeUsed().length, 1);
    }
  });

  Deno.test(`By ${notification}, a packed ring's arm sees a list that was untaken`, () => {
    const pair = new PackedPair({ notification });
    pair.takeList(0, [DATA, 1], [DATA, 1, WRITE]);
    pair.ring.untake(pair.chain);
    assertEquals(pair.ring.arm(), true);
  });

  Deno.test(`By ${notification}, a packed ring resumed after a stop in the middle of work can be armed and disarmed`, () => {
    const pair = new PackedPair({ notification });
    pair.ring.disarm();
    const resumed = new PackedRing(
      pair.guest.memory,
      pair.guest.setup({ state: pair.ring.state }),
    );
    assertEquals(resumed.arm(), false);
    assertEquals(
      pair.guest.deviceWants[0],
      notification === "flags" ? ENABLE : DESC,
    );
    const again = new PackedRing(
      pair.guest.memory,
      pair.guest.setup({ state: pair.ring.state }),
    );
    again.disarm();
    assertEquals(pair.guest.deviceWants[0], DISABLE);
  });
}
