import { assert, assertEquals, assertRejects } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { DriverClosedError } from "../../device/driver/errors.ts";
import type { Session } from "../../device/driver/session.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import { Random } from "../engine/random.ts";
import { occurrences } from "../support/sessions.ts";
import { sum } from "../support/device.ts";

const KEY = new Random(22).bytes(16).map((b) => b | 1);

async function attached(workers: number) {
  const device = new InProcessDevice({ workers, memorySize: 4 << 20 });
  const driver = await CryptoDriver.attach(device);
  const session = await driver.createSession({
    service: "mac",
    algorithm: "hmac-sha256",
    key: KEY,
  });
  return { device, driver, session };
}

/** Starts requests; returns how each of them will end. */
function startMany(session: Session, count: number): Promise<string>[] {
  return Array.from(
    { length: count },
    (_, i) =>
      session.run({ data: new Uint8Array(2000), queue: i % 2 }).then(
        () => "done",
        (error: Error) => error.name,
      ),
  );
}

for (const workers of [0, 2]) {
  Deno.test(`close() with outstanding requests settles each of them, with ${workers} workers`, async () => {
    const { device, driver, session } = await attached(workers);
    const outcomes = startMany(session, 600);
    await driver.close();
    const ends = await Promise.all(outcomes);
    const done = ends.filter((e) => e === "done").length;
    const closed = ends.filter((e) => e === "DriverClosedError").length;
    assertEquals(done + closed, 600);
    const after = sum(device.statistics.map((s) => s.requests));
    assert(after >= done && after <= 600);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // A closed device works no more.
    assertEquals(sum(device.statistics.map((s) => s.requests)), after);
    await assertRejects(
      () => session.run({ data: KEY }),
      DriverClosedError,
    );
    await driver.close();
    await device.close();
  });

  Deno.test(`No key is in guest memory after it was given to the device, with ${workers} workers`, async () => {
    const { device, driver, session } = await attached(workers);
    await session.run({ data: new Uint8Array(20) });
    const bytes = device.memory.bytes[0]!.slice();
    assertEquals(occurrences(bytes, KEY), 0);
    await driver.close();
  });
}

Deno.test("A second close() waits for what the first one does", async () => {
  const { device, driver } = await attached(2);
  let closed = false;
  const first = device.close().then(() => closed = true);
  await device.close();
  assert(closed);
  await first;
  await driver.close();
});

Deno.test("A ring that is broken is told to the driver with its queue and reason", async () => {
  for (const workers of [0, 2]) {
    const { device, driver, session } = await attached(workers);
    await session.run({ data: KEY });
    const { available } = driver.ring(1).guestAddresses;
    const at = available - device.memory.regions[0]!.guestAddress;
    const view = device.memory.data[0]!;
    view.setUint16(at + 2, view.getUint16(at + 2, true) + 1000, true);
    device.kick(1);
    // How far it reaches is another matter: this queue is done for.
    const error = await assertRejects(async () => {
      for (let i = 0; i < 100; i++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        await driver.submitRaw(1, [{ address: 0, length: 0 }], []);
      }
    }, Error) as Error;
    assert(error.message.includes("available index"), error.message);
    await driver.close();
  }
});
