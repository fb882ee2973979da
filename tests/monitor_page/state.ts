import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { pageTest, twoSeconds } from "./page_test_case.ts";
import { controlQueue, dataQueue, request, snapshot } from "./snapshots.ts";

const FIRST = snapshot(10, [
  dataQueue(0, { requests: 70_000, bytes: 560_000_000 }, 5),
  dataQueue(1, { requests: 1000, bytes: 8_000_000, refused: 30 }, 3),
  controlQueue(2),
]);

/** A second later. */
const SECOND = snapshot(11, [
  dataQueue(0, { requests: 110_000, bytes: 880_000_000 }, 17),
  dataQueue(1, { requests: 11_000, bytes: 88_000_000, refused: 90 }, 3),
  controlQueue(2),
]);

pageTest("the page shows a device's facts", async (page) => {
  assertEquals(await page.text("#connection"), "Live");
  assertEquals(await page.text("#program"), "0.1.0, up 10 s");
  const facts = await page.text("#facts");
  for (
    const fact of [
      "Socket /tmp/crypto.sock",
      "Frontend the whole device (CONFIG)",
      "Specification v15",
      "Engine auto: libcrypto, ipsec-mb, noble",
      "Sessions 3 of 4,096",
      "Guest memory 512 MiB in 1 region",
      "Features 5 negotiated",
    ]
  ) assertStringIncludes(facts, fact);
  await page.click("#facts summary");
  assertStringIncludes(
    await page.text("#facts"),
    "VIRTIO_CRYPTO_F_AEAD_SESSION_MODE",
  );
}, { state: FIRST });

pageTest("queues are shown with their rings' state", async (page) => {
  const [split, packed, control] = await page.rows("#queue-rows");
  assertMatch(
    split!,
    /^0 data Running split, 128 EVENT_IDX 4469 4464 5 70,000 /,
  );
  assertMatch(
    packed!,
    /^1 data Running packed, 128 IN_ORDER, EVENT_IDX 107 104 3 1,000 /,
  );
  assertMatch(control!, /^2 control Stopped not set up – – – 0 /);
}, { state: FIRST });

pageTest("rates are made from two snapshots", async (page, server) => {
  assertEquals(await page.text("#chart-bytes .now"), "–");
  await twoSeconds(page, server, SECOND);
  assertEquals(await page.text("#chart-bytes .now"), "400 MB/s");
  assertEquals(await page.text("#chart-requests .now"), "50.0 k/s");
  assertEquals(await page.text("#chart-statuses .now"), "60/s");
  assertEquals(await page.text("#chart-latency .now"), "p99 < 256 µs");
  assertEquals(
    await page.text("#chart-statuses .foot"),
    "OK 120,910 ERR 60 BADMSG 30",
  );
  const [first, second] = await page.rows("#queue-rows");
  assertMatch(first!, /128 EVENT_IDX \d+ \d+ 17 110,000 40\.0 k 320 MB\/s /);
  assertMatch(second!, / 11,000 10\.0 k 80\.0 MB\/s /);
  assertEquals(await page.rows("#algorithm-rows"), [
    "aes-cbc CIPHER 90,750 726 MB 37.5 k 300 MB/s < 64 µs < 256 µs",
    "aes-gcm AEAD 30,250 242 MB 12.5 k 100 MB/s < 128 µs < 512 µs",
  ]);
}, { state: FIRST });

pageTest("the charts can be of one queue alone", async (page, server) => {
  await twoSeconds(page, server, SECOND);
  await page.choose("#scope", "1");
  await page.until(
    "document.querySelector('#chart-requests .now').innerText.startsWith('10')",
  );
  assertEquals(await page.text("#chart-bytes .now"), "80.0 MB/s");
  assertEquals(
    await page.text("#chart-statuses .foot"),
    "OK 10,910 ERR 60 BADMSG 30",
  );
}, { state: FIRST });

pageTest("charts have units, a time axis, and points", async (page, server) => {
  await twoSeconds(page, server, SECOND);
  server.state(snapshot(12, SECOND.devices[0]!.queues));
  await page.until(
    "document.querySelector('#chart-bytes .line').getAttribute('d').includes('L')",
  );
  const axis = await page.get(
    "[...document.querySelectorAll('#chart-bytes text')].map((t) => t.textContent)",
  );
  assertEquals(axis, [
    "0 B/s",
    "250 MB/s",
    "500 MB/s",
    // As many as there is room for.
    "−60 s",
    "−30 s",
    "now",
  ]);
  await page.choose("#window", "300");
  await page.until(
    "document.querySelector('#chart-bytes').textContent.includes('−5 min')",
  );
  assertEquals(
    await page.get(
      "document.querySelectorAll('#chart-latency [class^=heat]').length > 1",
    ),
    true,
  );
}, { state: FIRST });

pageTest("sessions are listed without their keys", async (page) => {
  assertEquals(await page.rows("#session-rows"), [
    "0x100000000 CIPHER aes-cbc encrypt 16 – –",
    "0x100000001 AEAD aes-gcm decrypt 32 – 16",
    "0x300000002 CIPHER aes-cbc + hmac-sha1 encrypt 16 20 20",
  ]);
  assertEquals(
    await page.text("#session-note"),
    "3 of 4,096 live; sizes in bytes",
  );
});

pageTest(
  "a queue that breaks is told with its reason",
  async (page, server) => {
    assertEquals(await page.text("#queue-note"), "");
    const queues = [
      dataQueue(0, { requests: 10, bytes: 1000 }),
      {
        ...dataQueue(1, { requests: 1, bytes: 100 }),
        running: false,
        broken: "The head 4711 is out of range",
      },
    ];
    server.state(snapshot(1, queues));
    await page.until(
      "document.querySelector('#queue-note').innerText === 'Broken: queue 1'",
    );
    const [, broken] = await page.rows("#queue-rows");
    assertMatch(broken!, /^1 data Broken The head 4711 is out of range packed/);
    assertEquals(
      await page.get("document.querySelector('#queue-note').role"),
      "status",
    );
  },
);

pageTest(
  "of several devices one is shown, and another can be",
  async (page, server) => {
    assert(await page.get("document.querySelector('#device-field').hidden"));
    const two = snapshot(1, FIRST.devices[0]!.queues);
    two.devices.push({
      ...two.devices[0]!,
      socket: "/tmp/other.sock",
      connected: false,
      queues: [],
      memory: [],
    });
    server.state(two);
    await page.until("!document.querySelector('#device-field').hidden");
    await page.choose("#device", "1");
    await page.until(
      "document.querySelector('#facts').innerText.includes('/tmp/other.sock')",
    );
    const facts = await page.text("#facts");
    assertStringIncludes(facts, "Frontend none attached");
    assertStringIncludes(facts, "Guest memory none shared");
    assertEquals(await page.rows("#queue-rows"), []);
  },
);

pageTest(
  "what the server sends is text and never markup",
  async (page, server) => {
    const hostile = `<img src=x onerror="document.title='owned'">`;
    const state = snapshot(1, [{
      ...dataQueue(0, { requests: 4, bytes: 4 }),
      broken: hostile,
    }]);
    state.devices[0]!.socket = hostile;
    state.devices[0]!.features = [hostile];
    server.state(state);
    server.requests([request(1, {
      algorithm: hostile,
      problems: [hostile],
      fault: hostile,
      status: "ERR",
      fields: [{
        name: hostile,
        offset: 0,
        size: 4,
        value: hostile,
        meaning: hostile,
      }],
    })]);
    await page.until("document.querySelector('#request-rows button') !== null");
    await page.click("#request-rows button");
    await page.until("document.querySelector('.fields') !== null");
    assertEquals(await page.get("document.images.length"), 0);
    assertStringIncludes(await page.text(".fields"), hostile);
    assertStringIncludes(await page.text("#queue-rows"), hostile);
    assertEquals(await page.get("document.title"), "virtio-crypto inspector");
  },
);
