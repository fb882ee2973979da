import { assertEquals } from "@std/assert";
import { INDIRECT_MAX } from "../../device/virtqueue/descriptor.ts";
import { Take } from "../../device/virtqueue/ring.ts";
import {
  INDIRECT,
  NEXT,
  type RawDescriptor,
  WRITE,
} from "../support/guest_ring.ts";
import { BASE, plainMemory } from "../support/plain_memory.ts";
import { RingPair } from "./device_side.ts";

const DATA = BASE + 0x4000;
const TABLE = BASE + 0x8000;
const OUTSIDE = 0x7000_0000;
/** The last bytes of memory. */
const END = BASE + 0x1_0000;

/** What a chain has to come to. */
interface Verdict {
  readonly fault: string;
  /** Guest address of the status; undefined: there is no place for it. */
  readonly status: number | undefined;
}

/** Takes a chain that starts at descriptor 0, and the good one behind it. */
function judge(
  direct: readonly RawDescriptor[],
  table: readonly RawDescriptor[],
  verdict: Verdict,
  options: { indirect?: boolean; size?: number } = {},
): void {
  const pair = new RingPair(options);
  pair.guest.table(TABLE, ...table);
  pair.guest.describe(0, ...direct);
  pair.takeHead(0);
  assertEquals<Verdict>(
    { fault: pair.fault, status: pair.statusAddress },
    verdict,
  );
  // The queue goes on.
  pair.guest.describe(0, [DATA, 1, NEXT, 1], [DATA + 5, 1, WRITE]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["NONE", DATA + 5]);
  assertEquals(pair.ring.broken, undefined);
}

Deno.test("A next past the ring's table is a fault of the chain", () => {
  const fault = "NEXT_OUT_OF_RANGE";
  judge([[DATA, 4, NEXT, 8]], [], { fault, status: undefined });
  judge([[DATA, 4, WRITE | NEXT, 0xffff]], [], { fault, status: DATA + 3 });
});

Deno.test("A next past an indirect table is a fault of the chain", () => {
  judge(
    [[TABLE, 32, INDIRECT]],
    [[DATA, 4, NEXT, 1], [DATA + 8, 4, WRITE | NEXT, 2]],
    { fault: "NEXT_OUT_OF_RANGE", status: DATA + 11 },
  );
});

Deno.test("An indirect table that was not negotiated is a fault of the chain", () => {
  const good: RawDescriptor[] = [[DATA, 4, NEXT, 1], [DATA + 8, 4, WRITE]];
  judge([[TABLE, 32, INDIRECT]], good, {
    fault: "BAD_INDIRECT",
    status: undefined,
  }, { indirect: false });
  judge([[DATA, 4, WRITE | NEXT, 1], [TABLE, 32, INDIRECT]], good, {
    fault: "BAD_INDIRECT",
    status: DATA + 3,
  }, { indirect: false });
});

Deno.test("An indirect table inside an indirect table is a fault of the chain", () => {
  const fault = "BAD_INDIRECT";
  judge([[TABLE, 16, INDIRECT]], [[TABLE, 16, INDIRECT]], {
    fault,
    status: undefined,
  });
  judge(
    [[TABLE, 48, INDIRECT]],
    [[DATA, 4, NEXT, 1], [DATA + 8, 4, WRITE | NEXT, 2], [TABLE, 16, INDIRECT]],
    { fault, status: DATA + 11 },
  );
});

Deno.test("INDIRECT together with NEXT is a fault of the chain", () => {
  judge(
    [[TABLE, 32, INDIRECT | NEXT, 1], [DATA, 1, WRITE]],
    [[DATA, 4, NEXT, 1], [DATA + 8, 4, WRITE]],
    { fault: "BAD_INDIRECT", status: undefined },
  );
});

Deno.test("An indirect table of an odd length is a fault of the chain", () => {
  for (const length of [0, 1, 15, 17, 33, 0xffff_ffff]) {
    judge(
      [[DATA + 20, 1, WRITE | NEXT, 1], [TABLE, length, INDIRECT]],
      [[DATA, 4, WRITE | NEXT, 1], [DATA + 8, 4, WRITE]],
      { fault: "BAD_INDIRECT", status: DATA + 20 },
    );
  }
});

Deno.test("An indirect table may have 65536 entries and no more", () => {
  assertEquals(INDIRECT_MAX, 65536);
  const good: RawDescriptor[] = [[DATA, 4, NEXT, 1], [DATA + 8, 4, WRITE]];
  const memory = plainMemory(0x8000 + 16 * 65537);
  const pair = new RingPair({}, memory);
  pair.guest.table(TABLE, ...good);
  pair.guest.describe(0, [TABLE, 16 * 65536, INDIRECT]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["NONE", DATA + 11]);
  pair.guest.describe(0, [TABLE, 16 * 65537, INDIRECT]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["BAD_INDIRECT", DATA + 11]);
});

Deno.test("An indirect table outside memory is a fault of the chain", () => {
  for (const address of [OUTSIDE, END, 2 ** 63, 0]) {
    judge([[DATA, 1, WRITE | NEXT, 1], [address, 32, INDIRECT]], [], {
      fault: "BAD_INDIRECT",
      status: DATA,
    });
  }
});

Deno.test("An entry of an indirect table over the end of memory is a fault", () => {
  const pair = new RingPair();
  pair.guest.table(END - 24, [DATA, 4, WRITE | NEXT, 1]);
  pair.guest.describe(0, [END - 24, 32, INDIRECT]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["BAD_INDIRECT", DATA + 3]);
});

Deno.test("A buffer outside memory is a fault of the chain", () => {
  const fault = "OUTSIDE_MEMORY";
  judge([[OUTSIDE, 4, NEXT, 1], [DATA, 1, WRITE]], [], { fault, status: DATA });
  judge([[DATA, 4, NEXT, 1], [OUTSIDE, 1, WRITE]], [], {
    fault,
    status: undefined,
  });
  judge(
    [[DATA, 4, NEXT, 1], [DATA + 8, 4, WRITE | NEXT, 2], [OUTSIDE, 1, WRITE]],
    [],
    { fault, status: undefined },
  );
});

Deno.test("A readable buffer behind a writable one is a fault of the chain", () => {
  const fault = "READABLE_AFTER_WRITABLE";
  judge([[DATA, 4, WRITE | NEXT, 1], [DATA + 8, 1]], [], {
    fault,
    status: DATA + 3,
  });
  judge(
    [[DATA, 4, WRITE | NEXT, 1], [DATA + 8, 1, NEXT, 2], [DATA + 9, 2, WRITE]],
    [],
    { fault, status: DATA + 10 },
  );
  judge(
    [[DATA, 4, WRITE | NEXT, 1], [TABLE, 16, INDIRECT]],
    [[DATA + 8, 1]],
    { fault, status: DATA + 3 },
  );
  judge(
    [[TABLE, 48, INDIRECT]],
    [
      [DATA, 4, WRITE | NEXT, 1],
      [DATA + 8, 1, NEXT, 2],
      [DATA + 9, 2, WRITE],
    ],
    { fault, status: DATA + 10 },
  );
});

Deno.test("A loop inside an indirect table is a fault of the chain", () => {
  judge([[TABLE, 16, INDIRECT]], [[DATA, 4, WRITE | NEXT, 0]], {
    fault: "LOOP",
    status: DATA + 3,
  });
  judge(
    [[TABLE, 48, INDIRECT]],
    [
      [DATA, 4, NEXT, 1],
      [DATA + 4, 1, NEXT, 2],
      [DATA + 5, 1, NEXT, 1],
    ],
    { fault: "LOOP", status: undefined },
  );
});

Deno.test("A chain of 2^32 bytes is too long, one less is not", () => {
  const size = 1 << 26;
  const memory = plainMemory(size + 0x1_0000);
  const pair = new RingPair({ size: 128 }, memory);
  // 64 times 64 MiB, the last buffer being the writable one.
  for (
    const [last, fault] of [[size - 1, "NONE"], [size, "TOO_LONG"]] as const
  ) {
    for (let i = 0; i < 63; i++) {
      pair.guest.describe(i, [DATA, size, NEXT, i + 1]);
    }
    pair.guest.describe(63, [DATA, last, WRITE]);
    const chain = pair.takeHead(0);
    assertEquals(pair.fault, fault);
    assertEquals(chain.readableLength, 63 * size);
    assertEquals(pair.statusAddress, DATA + last - 1);
  }
});

Deno.test("A chain that is too long by its writable part has its length bounded", () => {
  const size = 1 << 26;
  const memory = plainMemory(size + 0x1_0000);
  const pair = new RingPair({ size: 128 }, memory);
  for (let i = 0; i < 100; i++) {
    pair.guest.describe(i, [DATA, size, WRITE | NEXT, i + 1]);
  }
  pair.guest.describe(100, [DATA + 77, 3, WRITE]);
  const chain = pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["TOO_LONG", DATA + 79]);
  assertEquals(chain.writableLength, 0xffff_ffff);
});

Deno.test("A chain too long by its readable part still has its status", () => {
  const size = 1 << 26;
  const memory = plainMemory(size + 0x1_0000);
  const pair = new RingPair({ size: 128 }, memory);
  for (let i = 0; i < 100; i++) {
    pair.guest.describe(i, [DATA, size, NEXT, i + 1]);
  }
  pair.guest.describe(100, [DATA + 77, 3, WRITE]);
  pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], ["TOO_LONG", DATA + 79]);
});

Deno.test("A chain of more segments than the table holds is a fault with a status", () => {
  const pair = new RingPair({}, plainMemory(0x1_0000), {}, 3);
  pair.guest.describe(
    0,
    [DATA, 1, NEXT, 1],
    [DATA + 1, 1, NEXT, 2],
    [DATA + 2, 1, NEXT, 3],
    [DATA + 3, 4, WRITE],
  );
  const chain = pair.takeHead(0);
  assertEquals([pair.fault, pair.statusAddress], [
    "TOO_MANY_SEGMENTS",
    DATA + 6,
  ]);
  assertEquals(chain.writableLength, 4);
  // The same behind another chain's segments.
  pair.guest.describe(0, [DATA, 1, NEXT, 1], [DATA + 1, 1, WRITE]);
  pair.takeHead(0);
  assertEquals(pair.fault, "NONE");
  pair.guest.offer(0);
  assertEquals(pair.ring.take(pair.chain, pair.segments), Take.TAKEN);
  assertEquals(pair.fault, "TOO_MANY_SEGMENTS");
  pair.ring.untake(pair.chain);
  assertEquals(pair.take(), Take.TAKEN);
  assertEquals(pair.fault, "NONE");
});
