/**
 * Makes docs/inspector.png: the page over a served device that a guest uses for
 * a minute, sometimes wrongly.
 *
 *     deno run --allow-all tests/monitor_page/screenshot.ts
 *     pngquant --force --nofs --ext .png 64 docs/inspector.png
 *     zopflipng -y --filters=0 docs/inspector.png docs/inspector.png
 *
 * @module
 */

import { Browser } from "./browser.ts";
import { GuestLoad, WRONG } from "./guest_load.ts";
import { Served } from "./served.ts";

const FILE = new URL("../../docs/inspector.png", import.meta.url);
const SECONDS = 46;

/** Loads a queue until a time is over, more and less of it. */
async function work(
  load: GuestLoad,
  queue: number,
  end: number,
): Promise<void> {
  for (let turn = 0; performance.now() < end; turn++) {
    const left = (end - performance.now()) / 1000;
    const size = 1024 * (2 + Math.round(6 + 6 * Math.sin(left / 4 + queue)));
    await load.good(8, size, queue);
    // The browser has its turn too.
    const pause = queue === 1 && left % 20 < 6 ? 4 : 0;
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (turn % 50 === 0 && left % 11 < 3) {
      await load.forged(queue);
      await load.wrong(WRONG[turn / 50 % WRONG.length]!, queue);
    }
  }
}

await using served = await Served.start();
await using load = await GuestLoad.attach(served.paths[0]!);
await using browser = await Browser.start();
await using page = await browser.open(served.url, 1440, 1080);
const end = performance.now() + SECONDS * 1000;
await Promise.all([work(load, 0, end), work(load, 1, end)]);
// Under full load the page gets a sample. Now it gets every one.
await new Promise((resolve) => setTimeout(resolve, 500));
await load.good(3, 4096, 0);
for (const wrong of [...WRONG].reverse()) await load.wrong(wrong, 1);
await load.good(1, 512, 1);
await load.forged(0);
await page.until(
  "document.querySelector('#request-rows tr:has(.ERR)') !== null",
);
await page.click("#request-rows tr:has(.ERR):has(.reason) .name");
await page.until("document.querySelector('.fields .wrong') !== null");
await page.get("document.activeElement.blur(); scrollTo(0, 0)");
// The list is paused now, and the load goes on.
const again = performance.now() + 6000;
const more = Promise.all([work(load, 0, again), work(load, 1, again)]);
await new Promise((resolve) => setTimeout(resolve, 3000));
const picture = await page.screenshot(true);
await more;
await Deno.mkdir(new URL(".", FILE), { recursive: true });
await Deno.writeFile(FILE, picture);
