import { assertEquals } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { Take } from "../../device/virtqueue/ring.ts";
import type {
  GuestPackedRingOptions,
  PackedBuffer,
} from "../support/guest_packed_ring.ts";
import { INDIRECT, WRITE } from "../support/guest_ring.ts";
import { BASE, plainMemory, plainRegion } from "../support/plain_memory.ts";
import { PackedPair } from "./device_side.ts";

const DATA = BASE + 0x4000;
const TABLE = BASE + 0x8000;
const OUTSIDE = 0x7000_0000;
/** The last bytes of memory. */
const END = BASE + 0x1_0000;

const GOOD: readonly PackedBuffer[] = [[DATA, 4], [DATA + 8, 4, WRITE]];

/** What a list has to come to. */
interface Verdict {
  readonly fault: string;
  /** Guest address of the status; undefined: there is no place for it. */
  readonly status: number | undefined;
}

/** Takes a list, and the good one behind it. */
function judge(
  list: readonly PackedBuffer[],
  verdict: Verdict,
  options: GuestPackedRingOptions & { table?: readonly PackedBuffer[] } = {},
): void {
  for (const offset of [0, 6]) {
    const pair = new PackedPair({ start: { offset, wrap: true }, ...options });
    pair.guest.table(TABLE, ...options.table ?? []);
    pair.takeList(1, ...list);
    assertEquals<Verdict>(
      { fault: pair.fault, status: pair.statusAddress },
      verdict,
    );
    // The queue goes on, behind all descriptors of the list.
    assertEquals(pair.chain.descriptors, list.length);
    pair.answer(1);
    pair.takeList(2, [DATA, 1], [DATA + 5, 1, WRITE]);
    assertEquals([pair.fault, pair.statusAddress], ["NONE", DATA + 5]);
    pair.answer(1);
    assertEquals(pair.guest.takeUsed(), [
      { id: 1, length: 1 },
      { id: 2, length: 1 },
    ]);
    assertEquals(pair.ring.broken, undefined);
  }
}

Deno.test("A packed ring's indirect table that was not negotiated is a fault of the chain", () => {
  const table: PackedBuffer = [TABLE, 32, INDIRECT];
  const options = { indirect: false, table: GOOD };
  judge([table], { fault: "BAD_INDIRECT", status: undefined }, options);
  judge([[DATA, 4, WRITE], table], {
    fault: "BAD_INDIRECT",
    status: DATA + 3,
  }, options);
});

Deno.test("A packed ring's INDIRECT together with NEXT is a fault of the chain", () => {
  judge([[TABLE, 32, INDIRECT], [DATA + 100, 1, WRITE]], {
    fault: "BAD_INDIRECT",
    status: DATA + 100,
  }, { table: GOOD });
  // Such tables are not walked: a list could have thousands of them.
  judge([[TABLE, 32, INDIRECT], [DATA + 100, 1]], {
    fault: "BAD_INDIRECT",
    status: undefined,
  }, { table: GOOD });
});

Deno.test("A packed ring's list of descriptors of both kinds is a fault, and its status is found", () => {
  // virtio 1.1, 2.7.5
  judge([[DATA, 4], [TABLE, 32, INDIRECT]], {
    fault: "BAD_INDIRECT",
    status: DATA + 11,
  }, { table: GOOD });
});

Deno.test("A packed ring's indirect table of an odd length is a fault of the chain", () => {
  for (const length of [0, 1, 15, 17, 33, 0xffff_ffff]) {
    judge([[TABLE, length, INDIRECT]], {
      fault: "BAD_INDIRECT",
      status: undefined,
    }, { table: GOOD });
  }
});

Deno.test("A packed ring's indirect table outside memory is a fault of the chain", () => {
  for (const address of [OUTSIDE, END, 2 ** 63, 0]) {
    judge([[address, 32, INDIRECT]], {
      fault: "BAD_INDIRECT",
      status: undefined,
    });
  }
});

Deno.test("A packed ring's indirect entry over the end of memory is a fault", () => {
  const pair = new PackedPair();
  pair.guest.table(END - 24, [DATA, 4, WRITE]);
  pair.takeList(0, [END - 24, 32, INDIRECT]);
  assertEquals([pair.fault, pair.statusAddress], ["BAD_INDIRECT", DATA + 3]);
});

Deno.test("A packed ring's indirect table may lie in two adjacent regions", () => {
  const first = BASE + 0x10_0000;
  const second = first + 0x1000;
  const pair = new PackedPair(
    {},
    new GuestMemory([
      plainRegion(0x8000),
      plainRegion(0x1000, second),
      plainRegion(0x1000, first),
    ]),
  );
  pair.guest.table(second - 16, [DATA, 4]);
  pair.guest.table(second, [second - 1, 2, WRITE]);
  pair.takeList(0, [second - 16, 32, INDIRECT]);
  assertEquals(pair.parts, {
    readable: [[DATA, 4]],
    writable: [[second - 1, 1], [second, 1]],
  });
  assertEquals(pair.fault, "NONE");
  // An entry over the border has no place of its own.
  pair.takeList(0, [second - 8, 16, INDIRECT]);
  assertEquals([pair.fault, pair.statusAddress], ["BAD_INDIRECT", undefined]);
});

Deno.test("A packed ring's indirect table may have 65536 entries; of a longer one the status is found", () => {
  for (const [entries, fault] of [[65536, "NONE"], [65537, "BAD_INDIRECT"]]) {
    const memory = plainMemory(0x8000 + 16 * 65537);
    const pair = new PackedPair({}, memory);
    const last = (entries as number) - 1;
    pair.guest.table(TABLE, ...GOOD.slice(0, 1));
    pair.guest.table(TABLE + 16 * last, [DATA + 8, 4, WRITE]);
    pair.takeList(0, [TABLE, 16 * (last + 1), INDIRECT]);
    assertEquals([pair.fault, pair.statusAddress], [fault, DATA + 11]);
  }
});

Deno.test("Of a packed ring's indirect table that is too long only the last 65536 entries are looked at", () => {
  for (const [place, status] of [[0, undefined], [1, DATA + 11]] as const) {
    const memory = plainMemory(0x8000 + 16 * 65537);
    const pair = new PackedPair({}, memory);
    pair.guest.table(TABLE + 16 * place, [DATA + 8, 4, WRITE]);
    pair.takeList(0, [TABLE, 16 * 65537, INDIRECT]);
    assertEquals([pair.fault, pair.statusAddress], ["BAD_INDIRECT", status]);
  }
});

Deno.test("A packed ring's buffer outside memory is a fault of the chain", () => {
  const fault = "OUTSIDE_MEMORY";
  for (
    const address of [OUTSIDE, 0, END, 2 ** 63, 2 ** 53 + 2, 2 ** 64 - 2 ** 11]
  ) {
    judge([[address, 4], [DATA, 1, WRITE]], { fault, status: DATA });
    judge([[DATA, 4], [address, 1, WRITE]], { fault, status: undefined });
  }
  judge([[END - 4, 5], [DATA, 1, WRITE]], { fault, status: DATA });
  judge([[TABLE, 32, INDIRECT]], { fault, status: DATA }, {
    table: [[OUTSIDE, 4], [DATA, 1, WRITE]],
  });
});

Deno.test("A packed ring's readable buffer behind a writable one is a fault of the chain", () => {
  const fault = "READABLE_AFTER_WRITABLE";
  judge([[DATA, 4, WRITE], [DATA + 8, 1]], { fault, status: DATA + 3 });
  judge([[DATA, 4, WRITE], [DATA + 8, 1], [DATA + 9, 2, WRITE]], {
    fault,
    status: DATA + 10,
  });
  judge([[TABLE, 32, INDIRECT]], { fault, status: DATA + 3 }, {
    table: [[DATA, 4, WRITE], [DATA + 8, 1]],
  });
});

Deno.test("A packed ring's chain of 2^32 bytes is too long, one less is not", () => {
  const size = 1 << 26;
  const pair = new PackedPair({ size: 128 }, plainMemory(size + 0x1_0000));
  for (
    const [last, fault] of [[size - 1, "NONE"], [size, "TOO_LONG"]] as const
  ) {
    const buffers = Array.from(
      { length: 63 },
      (): PackedBuffer => [DATA, size],
    );
    const chain = pair.takeList(0, ...buffers, [DATA, last, WRITE]);
    assertEquals([pair.fault, pair.statusAddress], [fault, DATA + last - 1]);
    assertEquals(chain.descriptors, 64);
    pair.answer(1);
  }
});

Deno.test("A packed ring's chain of more segments than the table holds can be put back and taken again", () => {
  const pair = new PackedPair({}, plainMemory(0x1_0000), {}, 3);
  pair.takeList(0, [DATA, 1], [DATA + 1, 1, WRITE]);
  assertEquals(pair.fault, "NONE");
  pair.guest.offer(1, [DATA, 1], [DATA + 1, 4, WRITE]);
  assertEquals(pair.ring.take(pair.chain, pair.segments), Take.TAKEN);
  assertEquals([pair.fault, pair.statusAddress], [
    "TOO_MANY_SEGMENTS",
    DATA + 4,
  ]);
  pair.ring.untake(pair.chain);
  assertEquals(pair.take(), Take.TAKEN);
  assertEquals([pair.fault, pair.chain.id], ["NONE", 1]);
});

Deno.test("Zero-length buffers of a packed ring are legal", () => {
  judge([[OUTSIDE, 0], [DATA, 4], [0, 0, WRITE], [DATA + 8, 2, WRITE]], {
    fault: "NONE",
    status: DATA + 9,
  });
  judge([[DATA, 4], [DATA, 0, WRITE]], {
    fault: "NONE",
    status: undefined,
  });
});
