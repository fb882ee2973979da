import { assertEquals } from "@std/assert";
import { Observed } from "./observed.ts";
import { send } from "./work.ts";

Deno.test("Who looks makes the server open no engine", async () => {
  await using observed = await Observed.start({
    args: ["--engine-module=tests/monitor/telling_engine.ts"],
  });
  const opened = () =>
    observed.process.stderr.matchAll(/The engine is opened/g).toArray().length;
  const driver = await observed.driver();
  // Each queue's worker answers, so all are there.
  await send(driver, 0);
  await send(driver, 1);
  const before = opened();
  let told = 0;
  for await (const { name, data } of observed.events()) {
    if (name === "state") await send(driver, 0);
    else told += data.requests.length;
    if (told > 0) break;
  }
  await observed.text("/metrics");
  await driver.close();
  await observed.stop();
  // The main thread's, and one of each worker.
  assertEquals([before, opened()], [3, 3]);
});
