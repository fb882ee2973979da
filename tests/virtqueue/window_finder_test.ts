import { assert, assertEquals } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  WINDOW_SHIFT,
  WindowField,
  WindowFinder,
} from "../../device/virtqueue/window_finder.ts";

const GIB = 2 ** 30;
const SIZE = 0x1_0000;
// The guess for an address is shared by all that are 16 GiB apart.
const STARTS = [0x10_0000, 4 * GIB - SIZE, 4 * GIB + SIZE, 20 * GIB + SIZE];

/** Where each window is in the process, or so it is said. */
const ADDRESSES = STARTS.map((start) => 0x7f12_8000_0000 + start);

function finderOf(starts: readonly number[]): WindowFinder {
  const finder = new WindowFinder();
  const buffer = new SharedArrayBuffer(starts.length * 2 * SIZE);
  finder.bind(
    new GuestMemory(starts.map((guestAddress, i) => ({
      guestAddress,
      userAddress: guestAddress,
      size: SIZE,
      // In pairs of one buffer.
      buffer: i < 2 ? buffer : new SharedArrayBuffer(SIZE),
      offset: i < 2 ? SIZE - i * SIZE : 0,
    }))),
    Int32Array.from(ADDRESSES.flatMap((at) => [at, at / 2 ** 32])),
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

Deno.test("WindowFinder tells where a window is in its view and in the process", () => {
  const { windows } = finderOf(STARTS);
  const rows = STARTS.map((_, window) => {
    const at = window << WINDOW_SHIFT;
    const { LOW, HIGH, SIZE, VIEW, WORD, ADDRESS_LOW, ADDRESS_HIGH } =
      WindowField;
    const whole = (low: number, high: number) =>
      (windows[at + low]! >>> 0) + 2 ** 32 * windows[at + high]!;
    return [
      whole(LOW, HIGH),
      windows[at + SIZE],
      windows[at + VIEW],
      windows[at + WORD],
      whole(ADDRESS_LOW, ADDRESS_HIGH),
    ];
  });
  assertEquals(rows, [
    [STARTS[0], SIZE, 0, SIZE / 4, ADDRESSES[0]],
    [STARTS[1], SIZE, 0, 0, ADDRESSES[1]],
    [STARTS[2], SIZE, 1, 0, ADDRESSES[2]],
    [STARTS[3], SIZE, 2, 0, ADDRESSES[3]],
  ]);
});

Deno.test("WindowFinder guesses the window that was last found near an address", () => {
  const finder = finderOf(STARTS);
  const guess = (at: number) =>
    finder.guess(at % 2 ** 32, Math.floor(at / 2 ** 32));
  // Nothing was found yet.
  for (const start of STARTS) assertEquals(guess(start), 0);
  for (const start of STARTS) {
    const window = STARTS.indexOf(start);
    place(finder, start, 1);
    assertEquals(guess(start + SIZE - 1), window);
    // It is a guess: nothing is there.
    assertEquals(guess(start + 16 * GIB), window);
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
  finder.bind(other, new Int32Array(0));
  assertEquals(finder.memory, other);
  assertEquals(place(finder, STARTS[1]!, 1), -1);
  assertEquals(place(finder, 0, 1), -1);
});
