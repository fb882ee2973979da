import { assertEquals } from "@std/assert";
import { CryptoDriver, InProcessDevice } from "../../mod.ts";

Deno.test("Waking a worker for destroyed sessions is not counted as a kick", async () => {
  const device = new InProcessDevice({ workers: 2, memorySize: 4 << 20 });
  const driver = await CryptoDriver.attach(device);
  for (let i = 0; i < 5; i++) {
    const session = await driver.createSession({
      service: "hash",
      algorithm: "md5",
    });
    await session.destroy();
  }
  assertEquals(device.statistics.map(({ kicks }) => kicks), [0, 0]);
  await driver.close();
});
