import { assertEquals, assertRejects } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { DeviceNotReadyError } from "../../device/driver/errors.ts";
import { InProcessDevice } from "../../device/in_process.ts";

Deno.test("A second driver is refused, and the first works on", async () => {
  const device = new InProcessDevice({ workers: 0 });
  await using driver = await CryptoDriver.attach(device);
  await assertRejects(
    () => CryptoDriver.attach(device),
    DeviceNotReadyError,
    "another driver",
  );
  const session = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  assertEquals((await session.run({ data: new Uint8Array(3) })).length, 32);
});

for (const workers of [0, 2]) {
  Deno.test(`A device that was closed is refused, with ${workers} workers`, async () => {
    const device = new InProcessDevice({ workers });
    await device.close();
    await assertRejects(
      () => CryptoDriver.attach(device),
      DeviceNotReadyError,
      "closed",
    );
  });
}
