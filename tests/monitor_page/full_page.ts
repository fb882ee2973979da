/**
 * A page with everything in it, for tests of how it looks and reads.
 *
 * @module
 */

import type { FakeServer } from "./fake_server.ts";
import type { Page } from "./page.ts";
import { twoSeconds } from "./page_test_case.ts";
import {
  controlQueue,
  dataQueue,
  forgedRequest,
  request,
  shortRequest,
  snapshot,
} from "./snapshots.ts";

/**
 * Fills the page: rates, every status, a broken queue, requests, and one of
 * them opened.
 *
 * @param page the page
 * @param server the server it follows
 */
export async function fillPage(page: Page, server: FakeServer): Promise<void> {
  const busy = dataQueue(0, { requests: 40_000, bytes: 320_000_000 }, 9);
  await twoSeconds(
    page,
    server,
    snapshot(2, [
      {
        ...busy,
        statuses: {
          OK: 39_000,
          ERR: 300,
          BADMSG: 300,
          NOTSUPP: 200,
          INVSESS: 100,
          NOSPC: 100,
        },
      },
      {
        ...dataQueue(1, { requests: 90, bytes: 9000 }),
        running: false,
        broken: "The available index 4711 is 300 ahead of 4411",
      },
      controlQueue(2),
    ]),
  );
  server.requests([
    forgedRequest(1),
    ...["NOTSUPP", "INVSESS", "NOSPC"].map((status, i) =>
      request(2 + i, { status, problems: [`${status} is the answer`] })
    ),
    request(5, { status: null, fault: "The chain has no writable byte" }),
    request(6),
    shortRequest(7),
  ]);
  await page.until(
    "document.querySelectorAll('#request-rows tr').length === 7",
  );
  await page.click("#request-rows button");
  await page.click("#facts summary");
  await page.until("document.querySelector('.fields .wrong') !== null");
}
