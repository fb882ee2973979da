import { assert, assertEquals, assertRejects } from "@std/assert";
import { BASE, type Taken } from "./scripted_device.ts";
import { script, setUp } from "./scripted_driver.ts";

Deno.test("raw segments reach the device as they were cut", async () => {
  const seen: Taken[] = [];
  const { driver } = await setUp({
    script: script((taken) => {
      seen.push(taken);
      return { bytes: Uint8Array.of(1, 2, 3), usedLength: 2 };
    }),
  });
  const { usedLength, writable, bytes, intact } = await driver.submitRaw(
    0,
    [Uint8Array.of(9), new Uint8Array(0), Uint8Array.of(8, 7)],
    [1, 0, 3],
    { indirect: false },
  );
  assertEquals(usedLength, 2);
  assertEquals(writable, [
    Uint8Array.of(1),
    new Uint8Array(0),
    Uint8Array.of(2, 3, 0xa5),
  ]);
  assertEquals(bytes, Uint8Array.of(1, 2, 3, 0xa5));
  assert(intact);
  assertEquals(seen[0]!.readable, Uint8Array.of(9, 8, 7));
  assertEquals(
    seen[0]!.descriptors.map((d) => [d.length, d.flags]),
    [[1, 1], [0, 1], [2, 1], [1, 3], [0, 3], [3, 2]],
  );
});

Deno.test("a raw segment may be any range of guest addresses", async () => {
  const { transport, driver } = await setUp();
  transport.script = () => undefined;
  const inside = { address: BASE + 1000, length: 1 };
  const outside = { address: 2 ** 63, length: 7 };
  const pending = driver.submitRaw(0, [inside], [outside, 2]);
  await Promise.resolve();
  const taken = transport.held.get(0)![0]!;
  assertEquals(
    taken.descriptors.map((d) => [d.address, d.length]).slice(0, 2),
    [[BASE + 1000, 1], [2 ** 63, 7]],
  );
  transport.devices.get(0)!.put(taken.head, 0);
  transport.listener!.signalled(0);
  const { writable } = await pending;
  assertEquals(writable, [new Uint8Array(0), Uint8Array.of(0xa5, 0xa5)]);
});

Deno.test("a raw result says when bytes around its segments changed", async () => {
  for (const distance of [-1, 4]) {
    const { transport, driver } = await setUp();
    transport.script = (_queue, taken) => {
      const { address } = taken.descriptors[1]!;
      transport.memory.bytes[0]![address - BASE + distance] = 0;
      return { bytes: new Uint8Array(4) };
    };
    const result = await driver.submitRaw(0, [Uint8Array.of(9)], [4]);
    assert(!result.intact);
  }
});

Deno.test("a raw chain that can never fit is refused", async () => {
  const { driver } = await setUp({}, { queueSize: 4 });
  await assertRejects(
    () => driver.submitRaw(0, [], [1, 1, 1, 1, 1], { indirect: false }),
    RangeError,
    "5 buffers",
  );
  await assertRejects(() => driver.submitRaw(7, [], [1]), RangeError, "7");
});

Deno.test("a raw segment of no such number of bytes is refused", async () => {
  const { driver } = await setUp();
  for (const length of [-1, 1.5, NaN]) {
    await assertRejects(
      () => driver.submitRaw(0, [new Uint8Array(1)], [length]),
      RangeError,
      `${length} bytes`,
    );
  }
});
