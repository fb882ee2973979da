import { assert, assertEquals, assertRejects } from "@std/assert";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import { sleep, until } from "../server/test_server.ts";
import { Backend } from "./backend.ts";
import {
  EVENT_INDEX,
  IN_ORDER,
  INDIRECT,
  KINDS,
  PACKED,
  session,
  VERSION_1,
  work,
} from "./load.ts";

const ALL = VERSION_1 | PACKED | IN_ORDER | EVENT_INDEX | INDIRECT;

/** A packed ring's base whose two halves, taken and returned, are one. */
function assertSettled(base: number, size: number): void {
  assertEquals(base >>> 16, base & 0xffff, `0x${base.toString(16)}`);
  assert((base & 0x7fff) < size, `0x${base.toString(16)}`);
}

for (const { name, features, packed } of KINDS) {
  const size = packed ? 21 : 16;

  Deno.test(`A backend serves a ring that is ${name}`, async () => {
    await using backend = await Backend.start(features, {
      queueSize: size,
      controlQueueSize: packed ? 5 : 4,
    });
    assertEquals(backend.driver.features, features);
    const made = await session(backend.driver);
    for (const depth of [1, 3, 64]) await work(made, 200, depth);
    for (let i = 0; i < 20; i++) {
      await (await session(backend.driver)).destroy();
    }
    assertEquals(backend.server.log.filter((l) => !l.startsWith("info")), []);
  });

  Deno.test(`A backend's ring that is ${name} is stopped and goes on amid work`, async () => {
    await using backend = await Backend.start(features, { queueSize: size });
    const made = await session(backend.driver);
    let ended = false;
    const load = work(made, 2000, 32).finally(() => ended = true);
    let stops = 0;
    while (!ended) {
      const base = await backend.stop(0);
      if (packed) assertSettled(base, size);
      assertEquals(await backend.stop(0), base, "and again");
      // Nothing is served meanwhile.
      const { outstanding } = backend.driver.ring(0);
      await sleep(stops % 3);
      backend.driver.poll();
      if (stops % 3 > 0) await sleep(1);
      assert(backend.driver.ring(0).outstanding <= outstanding || ended);
      await backend.go(0, base);
      stops++;
      await sleep(1);
    }
    await load;
    assert(stops > 3, `${stops} stops`);
    assertEquals(backend.server.log.filter((l) => !l.startsWith("info")), []);
  });
}

Deno.test("A packed ring goes on through new memory tables, addresses and pauses amid work", async () => {
  for (const features of [ALL, ALL & ~EVENT_INDEX & ~INDIRECT]) {
    await using backend = await Backend.start(features, { queueSize: 19 });
    const { frontend, driver } = backend;
    const made = await session(driver);
    let ended = false;
    const load = work(made, 3000, 40).finally(() => ended = true);
    for (let i = 0; !ended; i++) {
      switch (i % 3) {
        case 0:
          await frontend.setMemTable(frontend.shared.regions);
          break;
        case 1:
          await frontend.setVringEnable(0, false);
          await frontend.setVringEnable(0, true);
          break;
        default: {
          const { userAddresses } = driver.ring(0);
          await frontend.setVringAddr({ index: 0, flags: 0, ...userAddresses });
        }
      }
    }
    await load;
    await made.destroy();
  }
});

Deno.test("A packed ring of three descriptors is stopped after every request", async () => {
  const features = ALL & ~INDIRECT;
  await using backend = await Backend.start(features, { queueSize: 3 });
  const made = await session(backend.driver);
  const bases: number[] = [];
  for (let i = 0; i < 12; i++) {
    await work(made, 1, 1);
    const base = await backend.stop(0);
    bases.push(base);
    await backend.go(0, base);
  }
  // Two descriptors a request; six of them are both rounds.
  const [a, b, c] = [0x8002_8002, 0x0001_0001, 0x8000_8000];
  assertEquals(bases, Array.from({ length: 4 }, () => [a, b, c]).flat());
});

Deno.test("A packed ring that was never started stands at its beginning", async () => {
  await using backend = await Backend.start(ALL, { queueSize: 4 });
  const { frontend } = backend;
  await backend.stop(0);
  assertEquals(await backend.stop(0), 0x8000_8000);
  await frontend.setVringBase(0, 0x0001_0001);
  assertEquals(await backend.stop(0), 0x0001_0001);
  await frontend.resetDevice();
  assertEquals(await backend.stop(0), 0x8000_8000);
});

Deno.test("Sessions outlive a stop of packed rings, and not a start from their beginning", async () => {
  await using backend = await Backend.start(ALL, {
    queueSize: 5,
    controlQueueSize: 5,
  });
  const { driver } = backend;
  const made = await session(driver);
  await work(made, 7, 1);
  const bases = [await backend.stop(0), await backend.stop(1)];
  assertEquals(bases, [0x0002_0002, 0x8001_8001]);
  for (const index of [0, 1]) await backend.go(index, bases[index]!);
  await work(made, 2, 1);
  // A guest that starts over has rings that do as well; here only the backend
  // is told so, and then told better.
  const base = await backend.stop(0);
  await backend.stop(1);
  await backend.frontend.setVringBase(0, 0x8000_8000);
  await backend.go(0, base);
  const error = await assertRejects(
    () => work(made, 1, 1),
    CryptoStatusError,
  ) as CryptoStatusError;
  assertEquals(error.statusName, "INVSESS");
});

Deno.test("A packed ring whose state it cannot have is down, its ERR signalled, and others go on", async () => {
  await using backend = await Backend.start(ALL, { queueSize: 4 });
  const { driver, server } = backend;
  const made = await session(driver);
  await backend.stop(0);
  await backend.go(0, 0x8004_8004);
  await until(
    "the ring to be refused",
    () => server.log.some((line) => line.includes("Cannot go on at")),
  );
  await assertRejects(() => work(made, 1, 1), Error, "its ring is broken");
  await made.destroy();
});
