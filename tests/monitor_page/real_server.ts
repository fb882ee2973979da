import { assert, assertEquals, assertMatch } from "@std/assert";
import { Guest } from "../server/guest.ts";
import { GuestLoad, WRONG } from "./guest_load.ts";
import type { Page } from "./page.ts";
import { browserTest } from "./page_test_case.ts";
import { Served } from "./served.ts";

/** Waits for a request with a status to be listed, and opens it. */
async function open(page: Page, status: string): Promise<void> {
  await page.until(
    `document.querySelector('#request-rows tr:has(.${status}) button') !== null`,
  );
  await page.click(`#request-rows tr:has(.${status}) button`);
}

browserTest("a served device is seen at work", async (browser) => {
  await using served = await Served.start(2);
  const [first, second] = served.paths;
  await using page = await browser.open(served.url);
  await using load = await GuestLoad.attach(first!);
  await load.good(8, 1024, 0);
  for (const wrong of WRONG) await load.wrong(wrong, 1);
  await load.forged(1);

  // 8 of each of 4 algorithms.
  await page.until(
    "document.querySelector('#queue-rows')?.innerText.includes('\\t32\\t')",
  );
  const [zero, one, control] = await page.rows("#queue-rows");
  assertMatch(zero!, /^0 data Running split, 256 EVENT_IDX 32 32 0 32 /);
  assertMatch(one!, /^1 data Running split, 256 EVENT_IDX 5 5 0 5 /);
  assertMatch(control!, /^2 control Running split, 64 EVENT_IDX 5 5 0 5 /);
  assertEquals(
    await page.text("#chart-statuses .foot"),
    "OK 32 ERR 2 BADMSG 1 NOTSUPP 1 INVSESS 1",
  );
  assertMatch(
    await page.text("#facts"),
    /Frontend the whole device \(CONFIG\).*Sessions 5 of 4,096/,
  );
  assertEquals((await page.rows("#session-rows")).length, 5);
  const algorithms = await page.rows("#algorithm-rows");
  assert(algorithms.some((row) => row.startsWith("hmac-sha256 MAC 8 ")));

  await page.click("#filters [name=problems]");
  await page.until(
    "document.querySelectorAll('#request-rows tr').length === 5",
  );
  await open(page, "INVSESS");
  assertMatch(await page.text("#detail .problems"), /session/);
  assertMatch(
    await page.text(".fields"),
    /8 8 header\.session_id 0x[0-9a-f]{9}/,
  );
  await open(page, "NOTSUPP");
  assertMatch(await page.text(".fields .wrong"), /^0 4 header\.opcode 0x1234/);
  await page.get("document.querySelector('#filters [name=text]').focus()");
  await page.type("dst_data_len");
  await open(page, "ERR");
  assertMatch(await page.text(".fields .wrong"), /^44 4 dst_data_len 0xc .*12/);

  // The other device: a ring that its driver breaks.
  await using guest = await Guest.connect(second!);
  const queue = await guest.start(0);
  await queue.run(await guest.session(), 5);
  queue.breakRing();
  await page.choose("#device", "1");
  await page.until(
    "document.querySelector('#queue-note').innerText === 'Broken: queue 0'",
  );
  assertMatch(await page.text("#queue-rows .reason"), /./);
  assertEquals(page.complaints, []);
});
