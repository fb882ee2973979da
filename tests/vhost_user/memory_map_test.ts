import { assert, assertEquals, assertThrows } from "@std/assert";
import { libc } from "../../device/host/libc.ts";
import { MappingError, MappingSpace } from "../../device/host/mapping_space.ts";
import { mapShared } from "../../device/host/shared_mapping.ts";
import {
  addRegion,
  type MappedRegion,
  mapTable,
  releaseRegions,
  removeRegion,
} from "../../device/vhost_user/memory_map.ts";
import { memfd, openFds } from "./bytes.ts";

const PAGE = 4096;
const MIB = 2 ** 20;

/** Regions of files of their own, each with its number in its first byte. */
class Files {
  readonly fds: number[] = [];

  add(size: number, mmapOffset = 0) {
    const number = this.fds.length;
    const fd = memfd(mmapOffset + size);
    this.fds.push(fd);
    libc().pwrite(fd, Uint8Array.of(1 + number), 1n, BigInt(mmapOffset));
    const guestAddress = number * 1024 * MIB;
    return {
      guestAddress,
      userAddress: guestAddress + 2 ** 40,
      size,
      mmapOffset,
    };
  }

  close(): void {
    for (const fd of this.fds) libc().close(fd);
  }
}

/** First bytes of regions, through the views that threads make. */
function firsts(regions: readonly MappedRegion[]): number[] {
  return regions.map(({ buffer, offset, size }) =>
    new Uint8Array(buffer, offset, size)[0]!
  );
}

/** Where regions are, in the order of their places. */
function places(regions: readonly MappedRegion[]): [number, number][] {
  return regions.map(({ offset, size }): [number, number] => [offset, size])
    .toSorted(([a], [b]) => a - b);
}

function assertSideBySide(regions: readonly MappedRegion[]): void {
  assertEquals(new Set(regions.map(({ buffer }) => buffer)).size, 1);
  let end = 0;
  for (const [offset, size] of places(regions)) {
    assert(offset >= end);
    // A page before the first one, and what their ends lack of one.
    assert(offset - end < 2 * PAGE);
    end = offset + size;
  }
}

Deno.test("the regions of a memory table are side by side in one buffer", () => {
  const before = openFds();
  const files = new Files();
  const table = [
    files.add(200 * MIB),
    files.add(PAGE + 7, 3),
    files.add(100 * MIB, 5 * PAGE),
  ];
  const regions = mapTable(table, files.fds);
  files.close();
  assertSideBySide(regions);
  assertEquals(firsts(regions), [1, 2, 3]);
  for (const { fd } of regions) {
    // F_GETFD, FD_CLOEXEC: child processes do not get it.
    assertEquals(libc().fcntl(fd, 1, 0), 1);
  }
  releaseRegions(regions);
  assertEquals(openFds(), before);
});

Deno.test("a region that is added is mapped beside the others, which are mapped anew", () => {
  const before = openFds();
  const files = new Files();
  let regions: MappedRegion[] = [];
  for (const size of [PAGE, 100 * MIB, 10, 300 * MIB]) {
    const region = files.add(size);
    const { all, replaced } = addRegion(regions, region, files.fds.at(-1)!);
    assertEquals(replaced, regions);
    assertEquals(all.length, regions.length + 1);
    // Until they are released, both are there.
    assertEquals(firsts(all), [...firsts(replaced), all.length]);
    releaseRegions(replaced);
    regions = all;
    assertSideBySide(regions);
  }
  files.close();
  const { removed, rest } = removeRegion(regions, regions[1]!);
  releaseRegions([removed]);
  assertEquals(firsts(rest), [1, 3, 4]);
  releaseRegions(rest);
  assertEquals(openFds(), before);
});

Deno.test("a region is mapped alone where others cannot be mapped anew", () => {
  const before = openFds();
  const files = new Files();
  const regions = mapTable([files.add(4 * PAGE)], files.fds);
  // Its first page is still there.
  assertEquals(libc().ftruncate(files.fds[0]!, BigInt(PAGE)), 0);
  const region = files.add(PAGE);
  const { all, replaced } = addRegion(regions, region, files.fds[1]!);
  assertEquals(replaced, []);
  assertEquals(all[0], regions[0]);
  assert(all[0]!.buffer !== all[1]!.buffer);
  assertEquals(firsts(all), [1, 2]);
  files.close();
  releaseRegions(all);
  assertEquals(openFds(), before);
});

Deno.test("a region that cannot be added leaves the others as they are", () => {
  const before = openFds();
  const files = new Files();
  const first = files.add(PAGE);
  const regions = mapTable([first], files.fds);
  const fds = openFds();
  const other = { ...files.add(PAGE), size: 2 * PAGE };
  const add = (guestAddress: number, size: number) =>
    addRegion(regions, { ...other, guestAddress, size }, files.fds[1]!);
  assertThrows(() => add(2 ** 32, 2 * PAGE), MappingError, `${PAGE} bytes`);
  assertThrows(() => add(first.guestAddress, PAGE), RangeError, "overlapping");
  assertThrows(
    () => addRegion(regions, other, -1),
    MappingError,
    "not open",
  );
  assertEquals(firsts(regions), [1]);
  assertEquals(openFds(), fds + 1);
  files.close();
  releaseRegions(regions);
  assertEquals(openFds(), before);
});

Deno.test("a table of which one region cannot be mapped leaves nothing mapped and nothing open", () => {
  const files = new Files();
  const table = [files.add(PAGE), files.add(PAGE)];
  const before = openFds();
  for (const wrong of [{ size: 2 * PAGE }, { guestAddress: 0 }]) {
    assertThrows(() =>
      mapTable([table[0]!, { ...table[1]!, ...wrong }], files.fds)
    );
  }
  assertEquals(openFds(), before);
  files.close();
});

Deno.test("mappings of one space never share a place, and take one that was given back", () => {
  const fd = memfd(64 * PAGE);
  // Each page has its number.
  for (let page = 0; page < 64; page++) {
    libc().pwrite(fd, Uint8Array.of(page), 1n, BigInt(page * PAGE));
  }
  const space = new MappingSpace(16 * PAGE);
  const mapped = new Map<number, ReturnType<typeof mapShared>>();
  // Three at a time stay, of one to four pages.
  for (let turn = 0; turn < 200; turn++) {
    const page = (turn * 7) % 60;
    mapped.get(page)?.release();
    mapped.delete(page);
    mapped.set(page, mapShared(fd, page * PAGE, (1 + turn % 4) * PAGE, space));
    if (mapped.size > 3) {
      const [oldest] = mapped.keys();
      mapped.get(oldest!)!.release();
      mapped.delete(oldest!);
    }
    for (const [first, { buffer, offset, size }] of mapped) {
      const bytes = new Uint8Array(buffer, offset, size);
      for (let at = 0; at < size; at += PAGE) {
        assertEquals(bytes[at], first + at / PAGE);
      }
    }
  }
  const buffers = new Set([...mapped.values()].map(({ buffer }) => buffer));
  assertEquals(buffers.size, 1);
  for (const mapping of mapped.values()) mapping.release();
  libc().close(fd);
});

Deno.test("what is more than a space expected is in another buffer", () => {
  const fd = memfd(200 * MIB);
  const space = new MappingSpace(PAGE);
  using small = mapShared(fd, 0, PAGE, space);
  using large = mapShared(fd, 0, 200 * MIB, space);
  using next = mapShared(fd, PAGE, PAGE, space);
  assert(small.buffer !== large.buffer);
  assert(next.buffer === small.buffer);
  libc().close(fd);
});
