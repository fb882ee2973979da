import { assert, assertEquals } from "@std/assert";
import { PrivateMemory } from "../../device/engine/libcrypto/private_memory.ts";
import { Ranges } from "../../device/engine/libcrypto/ranges.ts";
import { guestAddresses } from "../../device/host/guest_addresses.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { SegmentTable, Span } from "../../device/memory/segments.ts";
import { ENGINES } from "./engines.ts";

const ignore = !("libcrypto" in ENGINES);

function test(name: string, fn: () => void): void {
  Deno.test({ name: `libcrypto ${name}`, ignore, fn });
}

test("keeps nothing of data once it is wiped", () => {
  const memory = new PrivateMemory();
  memory.setIv(new Uint8Array(16).fill(9), 16);
  memory.reserve(5000);
  memory.bytes.fill(9, 0, 5000);
  const { bytes, iv } = memory;
  memory.wipe();
  assert([...bytes, ...iv].every((byte) => byte === 0));
});

test("gives a large buffer back, overwritten, after its batch", () => {
  const memory = new PrivateMemory();
  memory.reserve(1 << 20);
  const kept = memory.bytes;
  memory.release();
  assertEquals(memory.bytes, kept);
  memory.reserve((1 << 20) + 1);
  const large = memory.bytes;
  large[0] = large[1 << 20] = 9;
  memory.release();
  assertEquals(memory.bytes.length, 0);
  assert(large.every((byte) => byte === 0));
});

/** Memory of two regions that lie apart. */
function twoRegions(): GuestMemory {
  return new GuestMemory([4096, 8192].map((guestAddress) => ({
    guestAddress,
    userAddress: guestAddress,
    size: 1000,
    buffer: new SharedArrayBuffer(4096),
    offset: 24,
  })));
}

test("takes segments that adjoin for one range", () => {
  const addresses = guestAddresses(twoRegions());
  const segments = new SegmentTable(300);
  const [first, second] = addresses.start as unknown as [number, number];
  segments.push(0, 100, 10);
  segments.push(0, 110, 0);
  segments.push(0, 110, 20);
  segments.push(0, 131, 5);
  segments.push(1, 0, 7);
  const ranges = new Ranges();
  const span = new Span();
  span.skip = 4;
  assert(ranges.fill(addresses, segments, span, 37));
  const found = Array.from(
    { length: ranges.count },
    (_, i) => [ranges.start[i], ranges.length[i]],
  );
  assertEquals(found, [[first + 104, 26], [first + 131, 5], [second, 6]]);
  // More ranges than there was room for.
  segments.clear();
  for (let i = 0; i < 300; i++) segments.push(0, 3 * i, 1);
  span.skip = 0;
  assert(ranges.fill(addresses, segments, span, 300));
  assertEquals(ranges.count, 300);
  assertEquals(ranges.start[299], first + 897);
  assertEquals(ranges.length[299], 1);
});

test("finds no range outside of segments and regions", () => {
  const addresses = guestAddresses(twoRegions());
  const segments = new SegmentTable(4);
  const ranges = new Ranges();
  const span = new Span();
  const fails = (length: number) =>
    assert(!ranges.fill(addresses, segments, span, length));
  fails(1); // no segments
  segments.push(0, 0, 10);
  fails(11); // past the last segment
  span.skip = 10;
  fails(1); // skip past the last segment
  span.skip = 0;
  segments.push(0, 991, 10);
  fails(20); // past its region
  segments.clear();
  segments.push(2, 0, 10);
  fails(1); // no such region
  assert(ranges.fill(addresses, segments, span, 0));
  assertEquals(ranges.count, 0);
});
