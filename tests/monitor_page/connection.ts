import { assertEquals, assertMatch } from "@std/assert";
import { FakeServer } from "./fake_server.ts";
import { pageTest, twoSeconds } from "./page_test_case.ts";
import { dataQueue, request, snapshot, STARTED } from "./snapshots.ts";

const busy = (seconds: number, requests: number, started = STARTED) =>
  snapshot(
    seconds,
    [dataQueue(0, { requests, bytes: requests * 100 })],
    started,
  );

/** Refused connections, which the browser reports. */
const REFUSED = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/;

pageTest(
  "a server that goes away is told, and one that comes is followed",
  async (page, server) => {
    await twoSeconds(page, server, busy(2, 2000));
    server.requests([request(1), request(2)]);
    await page.until(
      "document.querySelectorAll('#request-rows tr').length === 2",
    );
    await server[Symbol.asyncDispose]();
    await page.until(
      "document.querySelector('#connection').dataset.state === 'lost'",
    );
    assertMatch(
      await page.text("#connection"),
      /^No connection since \d\d:\d\d:\d\d, trying again$/,
    );
    assertMatch(await page.get("document.title"), /^No connection – /);
    assertEquals(
      await page.get("document.querySelectorAll('#request-rows tr').length"),
      2,
    );

    await using again = new FakeServer(
      busy(1, 500, STARTED + 60_000),
      server.port,
    );
    await page.until(
      "document.querySelector('#connection').dataset.state === 'live'",
    );
    assertEquals(await page.get("document.title"), "virtio-crypto inspector");
    // Another server's counts are no continuation of the first one's.
    await page.until(
      "document.querySelector('#chart-requests .now').innerText === '–'",
    );
    again.state(busy(2, 700, STARTED + 60_000));
    await page.until(
      "document.querySelector('#chart-requests .now').innerText === '200/s'",
    );
    again.requests([request(1)]);
    await page.until(
      "document.querySelectorAll('#request-rows tr').length === 1",
    );
  },
  { state: busy(1, 1000), complaints: REFUSED },
);

pageTest(
  "a connection that lasted through a gap goes on",
  async (page, server) => {
    await twoSeconds(page, server, busy(2, 2000));
    server.state(busy(32, 5000));
    // 3000 requests in 30 seconds.
    await page.until(
      "document.querySelector('#chart-requests .now').innerText === '100/s'",
    );
  },
  { state: busy(1, 1000) },
);

pageTest(
  "the page follows the events over one connection",
  async (page, server) => {
    await twoSeconds(page, server, busy(2, 2000));
    assertEquals(server.clients, 1);
  },
  { state: busy(1, 1000) },
);
