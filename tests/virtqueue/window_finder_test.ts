import { assert, assertEquals } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { WindowFinder } from "../../device/virtqueue/window_finder.ts";

const GIB = 2 ** 30;
const SIZE = 0x1_0000;
// The guess for an address is shared by all that are 16 GiB apart.
const STARTS = [0x10_0000, 4 * GIB - SIZE, 4 * GIB + SIZE, 20 * GIB + SIZE];

function finderOf(starts: readonly number[]): WindowFinder {
  const finder = new WindowFinder();
  finder.bind(
    new GuestMemory(starts.map((guestAddress) => ({
      guestAddress,
      userAddress: guestAddress,
      size: SIZE,
      buffer: new SharedArrayBuffer(SIZE),
      offset: 0,
    }))),
  );
  return finder;
}

/** Offset and window, or -1 where it is in none. */
function place(finder: WindowFinder, address: number, length: number) {
  const high = Math.floor(address / 2 ** 32);
  const offset = finder.place(address % 2 ** 32, high, length);
  return offset < 0 ? -1 : [finder.placed, offset];
}

Deno.test("WindowFinder finds buffers in every window, in any order", () => {
  const finder = finderOf(STARTS);
  for (const round of [STARTS, STARTS.toReversed()]) {
    for (const start of round) {
      const window = STARTS.indexOf(start);
      assertEquals(place(finder, start, SIZE), [window, 0]);
      assertEquals(place(finder, start + 40, 8), [window, 40]);
      assertEquals(place(finder, start + SIZE - 1, 1), [window, SIZE - 1]);
    }
  }
});

Deno.test("WindowFinder finds nothing that is not wholly in one window", () => {
  const finder = finderOf(STARTS);
  // Once as nothing is known of the address, and once as its window is.
  for (const known of [false, true]) {
    for (const start of STARTS) {
      if (known) assert(place(finder, start, 1) !== -1);
      assertEquals(place(finder, start - 1, 1), -1);
      assertEquals(place(finder, start - 1, 2), -1);
      assertEquals(place(finder, start, SIZE + 1), -1);
      assertEquals(place(finder, start + SIZE - 1, 2), -1);
      assertEquals(place(finder, start + SIZE, 1), -1);
      assertEquals(place(finder, start + 32 * GIB, 1), -1);
    }
  }
  assertEquals(place(finder, 2 ** 64 - 2 ** 33, 1), -1);
});

Deno.test("WindowFinder forgets what it knew when it turns to another memory", () => {
  const finder = finderOf(STARTS);
  assertEquals(place(finder, STARTS[1]!, 1), [1, 0]);
  const other = new GuestMemory([]);
  finder.bind(other);
  assertEquals(finder.memory, other);
  assertEquals(place(finder, STARTS[1]!, 1), -1);
  assertEquals(place(finder, 0, 1), -1);
});
