import { assertEquals } from "@std/assert";
import { SplitRing } from "../../device/virtqueue/split_ring.ts";
import type { GuestRingOptions } from "../support/guest_ring.ts";
import { WRITE } from "../support/guest_ring.ts";
import { BASE } from "../support/plain_memory.ts";
import { RingPair } from "./device_side.ts";

const DATA = BASE + 0x4000;

function pairOf(options: GuestRingOptions): RingPair {
  const pair = new RingPair(options);
  pair.guest.describe(0, [DATA, 1, WRITE]);
  return pair;
}

/** Returns some chains and asks whether to signal. */
function serve(pair: RingPair, count: number): boolean {
  for (let i = 0; i < count; i++) {
    pair.takeHead(0);
    pair.ring.put(pair.chain, 1);
  }
  pair.ring.publish();
  return pair.ring.shouldSignal();
}

Deno.test("By flags, the device signals unless NO_INTERRUPT is set", () => {
  const pair = pairOf({ notification: "flags" });
  assertEquals(serve(pair, 1), true);
  pair.guest.availableFlags = 1;
  assertEquals(serve(pair, 1), false);
  pair.guest.availableFlags = 0xfffe;
  assertEquals(serve(pair, 1), true);
});

Deno.test("By flags, used_event says nothing", () => {
  const pair = pairOf({ notification: "flags" });
  pair.guest.usedEvent = 1000;
  assertEquals(serve(pair, 2), true);
});

Deno.test("By flags, disarm asks for no kicks and arm for kicks", () => {
  const pair = pairOf({ notification: "flags" });
  pair.ring.disarm();
  assertEquals(pair.guest.usedFlags, 1);
  assertEquals(pair.ring.arm(), false);
  assertEquals(pair.guest.usedFlags, 0);
  assertEquals(pair.guest.availEvent, 0);
});

Deno.test("By event index, the device signals when the event is passed, exactly", () => {
  const pair = pairOf({ notification: "event-index" });
  pair.guest.usedEvent = 0;
  assertEquals(serve(pair, 1), true);
  // The next entry is 1; the driver wants to hear of entry 3.
  pair.guest.usedEvent = 3;
  assertEquals(serve(pair, 1), false);
  assertEquals(serve(pair, 1), false);
  assertEquals(serve(pair, 1), true);
  assertEquals(serve(pair, 1), false);
});

Deno.test("By event index, one signal is enough for a batch that passes the event", () => {
  const pair = pairOf({ notification: "event-index" });
  serve(pair, 1);
  pair.guest.usedEvent = 4;
  assertEquals(serve(pair, 7), true);
  pair.guest.usedEvent = 4;
  assertEquals(serve(pair, 7), false);
  pair.guest.usedEvent = 22;
  assertEquals(serve(pair, 7), false);
  assertEquals(serve(pair, 1), true);
});

Deno.test("By event index, events wrap at 16 bits", () => {
  const pair = pairOf({ notification: "event-index", start: 0xfffd });
  serve(pair, 1);
  // Entries 0xfffe, 0xffff, 0, 1.
  pair.guest.usedEvent = 0;
  assertEquals(serve(pair, 1), false);
  assertEquals(serve(pair, 1), false);
  assertEquals(serve(pair, 1), true);
  pair.guest.usedEvent = 0xffff;
  assertEquals(serve(pair, 1), false);
});

Deno.test("By event index, a batch over the wrap passes an event behind it", () => {
  const pair = pairOf({ notification: "event-index", start: 0xfffb });
  serve(pair, 1);
  pair.guest.usedEvent = 1;
  assertEquals(serve(pair, 6), true);
});

Deno.test("By event index, avail.flags says nothing", () => {
  // virtio 1.1, 2.6.7.2
  const pair = pairOf({ notification: "event-index" });
  pair.guest.availableFlags = 1;
  pair.guest.usedEvent = 0;
  assertEquals(serve(pair, 1), true);
  pair.guest.usedEvent = 1;
  assertEquals(serve(pair, 1), true);
});

Deno.test("By event index, a ring that just started signals whatever the event is", () => {
  const pair = pairOf({ notification: "event-index" });
  pair.guest.usedEvent = 500;
  assertEquals(serve(pair, 1), true);
  assertEquals(serve(pair, 1), false);
});

Deno.test("By event index, nothing new is no reason to signal", () => {
  const pair = pairOf({ notification: "event-index" });
  serve(pair, 1);
  pair.guest.usedEvent = 0;
  assertEquals(pair.ring.shouldSignal(), false);
  pair.guest.usedEvent = 1;
  assertEquals(pair.ring.shouldSignal(), false);
});

Deno.test("By event index, arm asks for a kick of the next entry", () => {
  const pair = pairOf({ notification: "event-index", start: 0xffff });
  assertEquals(pair.ring.arm(), false);
  assertEquals(pair.guest.availEvent, 0xffff);
  pair.ring.disarm();
  serve(pair, 3);
  assertEquals(pair.ring.arm(), false);
  assertEquals(pair.guest.availEvent, 2);
  assertEquals(pair.guest.usedFlags, 0);
});

Deno.test("Where the negotiation is unknown, avail_event is kept and the flag counts", () => {
  const pair = pairOf({ notification: "unknown" });
  pair.guest.usedEvent = 1000;
  assertEquals(serve(pair, 2), true);
  pair.guest.availableFlags = 1;
  assertEquals(serve(pair, 1), false);
  assertEquals(pair.ring.arm(), false);
  assertEquals(pair.guest.availEvent, 3);
  // NO_NOTIFY would stop a driver that knows no event index for good.
  pair.ring.disarm();
  assertEquals(pair.guest.usedFlags, 0);
});

for (const notification of ["flags", "event-index", "unknown"] as const) {
  Deno.test(`By ${notification}, arm sees a chain offered after the last look`, () => {
    const pair = pairOf({ notification });
    serve(pair, 1);
    // The driver published while the device disliked kicks: none comes.
    pair.guest.offer(0);
    assertEquals(pair.ring.arm(), true);
    serve(pair, 0);
    pair.take();
    pair.ring.put(pair.chain, 1);
    pair.ring.publish();
    assertEquals(pair.ring.arm(), false);
  });

  Deno.test(`By ${notification}, arm sees a chain that was offered, seen and untaken`, () => {
    const pair = pairOf({ notification });
    pair.takeHead(0);
    pair.ring.untake(pair.chain);
    assertEquals(pair.ring.arm(), true);
  });
}

Deno.test("By flags, a ring resumed after a stop in the middle of work asks for kicks again", () => {
  const pair = pairOf({ notification: "flags" });
  pair.ring.disarm();
  const resumed = new SplitRing(
    pair.guest.memory,
    pair.guest.setup({ state: pair.ring.state }),
  );
  assertEquals(resumed.arm(), false);
  assertEquals(pair.guest.usedFlags, 0);
});
