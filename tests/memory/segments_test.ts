import { assertEquals, assertThrows } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  SegmentCursor,
  SegmentTable,
  Span,
} from "../../device/memory/segments.ts";
import { assertSame } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { plainRegion } from "../support/plain_memory.ts";

/** Two regions whose bytes tell where they are from. */
function memoryOf(size: number): GuestMemory {
  const memory = new GuestMemory([
    plainRegion(size, 0x1000),
    plainRegion(size, 0x10_0000),
  ]);
  memory.bytes[0]!.set(new Random(2).bytes(size));
  memory.bytes[1]!.set(new Random(3).bytes(size));
  return memory;
}

/** A table of [region, offset, length]. */
function tableOf(...segments: (readonly [number, number, number])[]) {
  const table = new SegmentTable(segments.length);
  for (const [region, offset, length] of segments) {
    table.push(region, offset, length);
  }
  return table;
}

Deno.test("SegmentTable takes segments up to its capacity and can be filled again", () => {
  const table = new SegmentTable(2);
  assertEquals(table.capacity, 2);
  assertEquals(table.push(1, 2 ** 30 - 1, 0xffff_ffff), true);
  assertEquals(table.push(0, 7, 1), true);
  assertEquals(table.push(0, 8, 1), false);
  assertEquals(table.count, 2);
  assertEquals([table.region[0], table.offset[0], table.length[0]], [
    1,
    2 ** 30 - 1,
    0xffff_ffff,
  ]);
  table.clear();
  assertEquals(table.count, 0);
  assertEquals(table.push(3, 4, 5), true);
  assertEquals([table.region[0], table.offset[0], table.length[0]], [3, 4, 5]);
});

Deno.test("SegmentCursor reads the same bytes wherever they are cut", () => {
  const memory = memoryOf(64);
  const expected = memory.bytes[0]!.slice(8, 32);
  for (let first = 0; first <= 24; first++) {
    for (let second = first; second <= 24; second++) {
      const table = tableOf(
        [0, 8, first],
        [0, 8 + first, second - first],
        [0, 8 + second, 24 - second],
      );
      const cursor = new SegmentCursor(memory, table);
      cursor.seek(0);
      const target = new Uint8Array(26);
      cursor.read(target, 1, 5);
      cursor.read(target, 6, 19);
      assertSame(
        target.subarray(1, 25),
        expected,
        `cut at ${first}, ${second}`,
      );
      assertEquals([target[0], target[25]], [0, 0]);
    }
  }
});

Deno.test("SegmentCursor writes only its segments wherever they are cut", () => {
  const source = new Random(4).bytes(24);
  for (let cut = 0; cut <= 20; cut++) {
    const memory = memoryOf(64);
    const before = memory.bytes.map((b) => b.slice());
    const table = tableOf([0, 40, cut], [1, 3, 20 - cut]);
    const cursor = new SegmentCursor(memory, table);
    cursor.seek(0);
    cursor.write(source, 2, 7);
    cursor.write(source, 9, 13);
    before[0]!.set(source.subarray(2, 2 + cut), 40);
    before[1]!.set(source.subarray(2 + cut, 22), 3);
    assertSame(memory.bytes[0]!, before[0]!, `region 0, cut at ${cut}`);
    assertSame(memory.bytes[1]!, before[1]!, `region 1, cut at ${cut}`);
  }
});

Deno.test("SegmentCursor passes over segments of no bytes", () => {
  const memory = memoryOf(64);
  const table = tableOf([0, 5, 0], [1, 1, 2], [0, 9, 0], [0, 9, 0], [0, 20, 2]);
  const cursor = new SegmentCursor(memory, table);
  const target = new Uint8Array(4);
  cursor.seek(0);
  cursor.read(target, 0, 4);
  assertEquals(
    target,
    Uint8Array.of(
      memory.bytes[1]![1]!,
      memory.bytes[1]![2]!,
      memory.bytes[0]![20]!,
      memory.bytes[0]![21]!,
    ),
  );
});

Deno.test("SegmentCursor's spans start where the cursor was", () => {
  const memory = memoryOf(64);
  const table = tableOf([0, 0, 10], [0, 30, 10], [1, 0, 10]);
  const cursor = new SegmentCursor(memory, table);
  const spans = [new Span(), new Span(), new Span(), new Span()];
  cursor.seek(0, 3);
  cursor.take(spans[0]!, 7);
  cursor.take(spans[1]!, 12);
  cursor.take(spans[2]!, 0);
  cursor.take(spans[3]!, 8);
  assertEquals(spans.map((s) => [s.segment, s.skip, s.length]), [
    [0, 3, 7],
    [1, 0, 12],
    [2, 2, 0],
    [2, 2, 8],
  ]);
  const target = new Uint8Array(8);
  cursor.seekSpan(spans[3]!);
  cursor.read(target, 0, 8);
  assertSame(target, memory.bytes[1]!.slice(2, 10), "the last span");
  spans[3]!.clear();
  assertEquals([spans[3]!.segment, spans[3]!.skip, spans[3]!.length], [
    0,
    0,
    0,
  ]);
});

Deno.test("SegmentCursor skips over several segments at once", () => {
  const memory = memoryOf(64);
  const table = tableOf([0, 0, 4], [0, 8, 4], [0, 16, 4]);
  const cursor = new SegmentCursor(memory, table);
  cursor.seek(0);
  cursor.skip(1);
  cursor.skip(8);
  const target = new Uint8Array(3);
  cursor.read(target, 0, 3);
  assertSame(target, memory.bytes[0]!.slice(17, 20), "after 9 bytes");
  // An offset of more bytes than the first segment has is the same place.
  cursor.seek(0, 9);
  cursor.read(target, 0, 3);
  assertSame(target, memory.bytes[0]!.slice(17, 20), "from offset 9");
});

Deno.test("SegmentCursor throws when it runs off its table", () => {
  const memory = memoryOf(64);
  const table = tableOf([0, 0, 4], [0, 8, 4]);
  const cursor = new SegmentCursor(memory, table);
  const bytes = new Uint8Array(16);
  cursor.seek(0);
  assertThrows(() => cursor.read(bytes, 0, 9), RangeError);
  cursor.seek(0);
  assertThrows(() => cursor.write(bytes, 0, 9), RangeError);
  cursor.seek(2);
  assertThrows(() => cursor.read(bytes, 0, 1), RangeError);
  cursor.read(bytes, 0, 0);
  // What an earlier round left behind the count is not the table's.
  table.clear();
  cursor.seek(0);
  assertThrows(() => cursor.read(bytes, 0, 1), RangeError);
});

Deno.test("SegmentCursor copies small and large runs alike", () => {
  const size = 70_000;
  const memory = memoryOf(size);
  for (const length of [1, 255, 256, 257, 4096, 65_536]) {
    const table = tableOf([0, 3, length], [1, 7, 1], [0, 66_000, 300]);
    const cursor = new SegmentCursor(memory, table);
    const target = new Uint8Array(length + 303);
    cursor.seek(0);
    cursor.read(target, 1, length + 301);
    const expected = new Uint8Array(length + 303);
    expected.set(memory.bytes[0]!.subarray(3, 3 + length), 1);
    expected[length + 1] = memory.bytes[1]![7]!;
    expected.set(memory.bytes[0]!.subarray(66_000, 66_300), length + 2);
    assertSame(target, expected, `read ${length}`);

    const source = new Random(length).bytes(length + 301);
    const after = memory.bytes.map((b) => b.slice());
    after[0]!.set(source.subarray(0, length), 3);
    after[1]![7] = source[length]!;
    after[0]!.set(source.subarray(length + 1), 66_000);
    cursor.seek(0);
    cursor.write(source, 0, source.length);
    assertSame(memory.bytes[0]!, after[0]!, `write ${length}`);
    assertSame(memory.bytes[1]!, after[1]!, `write ${length}, region 1`);
  }
});

Deno.test("SegmentCursor works in the memory it was given last", () => {
  const old = memoryOf(16);
  const table = tableOf([0, 2, 4]);
  const cursor = new SegmentCursor(old, table);
  const now = new GuestMemory([plainRegion(16, 0x1000)]);
  now.bytes[0]!.set([0, 0, 9, 8, 7, 6]);
  cursor.memory = now;
  cursor.seek(0);
  const target = new Uint8Array(4);
  cursor.read(target, 0, 4);
  assertEquals(target, Uint8Array.of(9, 8, 7, 6));
});
