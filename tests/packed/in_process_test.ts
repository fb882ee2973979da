import { assertEquals, assertInstanceOf } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import type { DriverOptions } from "../../device/driver/driver_options.ts";
import { PackedRingDriver } from "../../device/driver/packed_ring.ts";
import { SplitRingDriver } from "../../device/driver/split_ring.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import { KINDS, session, VERSION_1, work } from "./load.ts";

/** Runs requests at several depths; afterwards the rings are empty. */
async function serves(
  workers: number,
  features: bigint,
  options: DriverOptions,
): Promise<void> {
  const device = new InProcessDevice({
    workers,
    queues: 1,
    features,
    memorySize: 16 << 20,
  });
  assertEquals(device.workers, workers);
  await using driver = await CryptoDriver.attach(device, options);
  const packed = (features >> 34n & 1n) === 1n;
  assertInstanceOf(driver.ring(0), packed ? PackedRingDriver : SplitRingDriver);
  const made = await session(driver);
  for (const depth of [1, 2, 7, 64]) {
    await work(made, 150 + depth, depth);
    assertEquals(driver.ring(0).outstanding, 0);
  }
  const [statistics] = device.statistics;
  assertEquals(statistics!.requests, 4 * 150 + 74);
  await made.destroy();
  // The control queue goes round as well.
  for (let i = 0; i < 50; i++) await (await session(driver)).destroy();
}

for (const workers of [0, 1]) {
  for (const { name, features, packed } of KINDS) {
    Deno.test(`${workers} workers serve a ring that is ${name}`, async () => {
      await serves(workers, features, {
        queueSize: packed ? 37 : 32,
        controlQueueSize: packed ? 5 : 4,
      });
    });
  }

  Deno.test(`${workers} workers serve packed rings of every size`, async () => {
    for (const { features } of KINDS.filter((kind) => kind.packed)) {
      // Without tables a request has two or more descriptors.
      const least = features >> 28n & 1n ? 1 : 2;
      for (const queueSize of [least, 3, 255]) {
        await serves(workers, features, {
          queueSize,
          controlQueueSize: 3,
          descriptors: "joined",
        });
      }
    }
  });

  Deno.test(`${workers} workers serve packed rings with a descriptor for every field`, async () => {
    for (const { features } of KINDS.filter((kind) => kind.packed)) {
      await serves(workers, features, {
        queueSize: 13,
        controlQueueSize: 7,
        descriptors: "fields",
      });
    }
  });
}

Deno.test("A driver of this process takes packed rings only where it says so", async () => {
  const device = new InProcessDevice({ workers: 0 });
  await using driver = await CryptoDriver.attach(device);
  assertEquals(driver.features >> 34n, 0n);
  assertInstanceOf(driver.ring(0), SplitRingDriver);
  assertEquals((VERSION_1 & driver.features) !== 0n, true);
});
