/**
 * A test of the inspector page: a fake server, and the page in the browser that
 * the tests share.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Browser, HAS_BROWSER } from "./browser.ts";
import { FakeServer } from "./fake_server.ts";
import type { Page } from "./page.ts";
import { dataQueue, snapshot } from "./snapshots.ts";

let browser: Browser | undefined;

if (HAS_BROWSER) {
  Deno.test.beforeAll(async () => {
    browser = await Browser.start();
  });
  Deno.test.afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
  });
} else {
  console.log(
    "Not covered: the inspector page in a browser (Chromium is not installed)",
  );
}

/** A device that has done nothing yet. */
export const IDLE = snapshot(0, [
  dataQueue(0, { requests: 0, bytes: 0 }),
  dataQueue(1, { requests: 0, bytes: 0 }),
]);

/** The page is connected and has drawn a snapshot. */
export const DRAWN =
  "document.querySelector('#connection').dataset.state === 'live' && document.querySelector('#facts').innerText.includes('Socket')";

/** How a test's page is opened. */
export interface PageOptions {
  /** The snapshot it gets first; IDLE when left out. */
  readonly state?: unknown;
  /** Its width in CSS pixels. */
  readonly width?: number;
  /** Complaints of the browser that belong to the test. */
  readonly complaints?: RegExp;
}

/**
 * Registers a test that has the browser.
 *
 * @param name the test's name
 * @param run the test
 */
export function browserTest(
  name: string,
  run: (browser: Browser) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !HAS_BROWSER,
    // The browser's socket and process outlive the test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => run(browser!),
  });
}

/**
 * Registers a test of a page. It fails too when the page's console has an error
 * or a warning, or when the page breaks its policy.
 *
 * @param name the test's name
 * @param run the test
 * @param options how the page is opened
 */
export function pageTest(
  name: string,
  run: (page: Page, server: FakeServer) => Promise<void>,
  options: PageOptions = {},
): void {
  browserTest(name, async (browser) => {
    const { state = IDLE, width, complaints } = options;
    await using server = new FakeServer(state);
    await using page = await browser.open(server.url, width);
    await page.until(DRAWN);
    await run(page, server);
    assertEquals(
      page.complaints.filter((text) => complaints?.test(text) !== true),
      [],
    );
    assertEquals(server.missing, []);
  });
}

/** Waits until the page shows a second snapshot's rates. */
export async function twoSeconds(
  page: Page,
  server: FakeServer,
  next: unknown,
): Promise<void> {
  server.state(next);
  await page.until(
    "document.querySelector('#chart-requests .now').innerText !== '–'",
  );
}
