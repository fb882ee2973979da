import { assert, assertEquals, assertMatch } from "@std/assert";
import { EventStreams } from "../../device/monitor/events.ts";
import { session as openSession, work } from "../packed/load.ts";
import { Observed } from "./observed.ts";
import { changed, DATA, IV, MAC, send, TOTAL } from "./work.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

/** What is in batches of requests, and how many were left out. */
interface Heard {
  readonly requests: Any[];
  dropped: number;
}

Deno.test("/api/events tells the state at once, and then each request field by field", async () => {
  await using observed = await Observed.start();
  const driver = await observed.driver();
  const names: string[] = [];
  const heard: Heard = { requests: [], dropped: 0 };
  for await (const { name, data } of observed.events()) {
    if (names.length === 0) {
      assertEquals(name, "state");
      assertEquals(data.devices[0].connected, true);
      await send(driver, 0);
    }
    names.push(name);
    if (name !== "requests") continue;
    heard.requests.push(...data.requests);
    heard.dropped += data.dropped;
    if (heard.requests.length + heard.dropped >= TOTAL) break;
  }
  const { requests } = heard;
  assertEquals(heard.dropped, 0);
  assertEquals(
    requests.map(({ sequence }) => sequence),
    Array.from({ length: TOTAL }, (_, i) => i + 1),
  );
  const [first] = requests;
  assertEquals([first.device, first.queue, first.layout, first.mode], [
    0,
    0,
    "legacy",
    "session",
  ]);
  assertEquals([first.service, first.operation, first.algorithm], [
    "CIPHER",
    "VIRTIO_CRYPTO_CIPHER_ENCRYPT",
    "aes-cbc",
  ]);
  assertEquals([first.status, first.fault, first.problems], ["OK", null, []]);
  assert(["libcrypto", "ipsec-mb", "noble"].includes(first.engine));
  assert(first.ns > 0 && first.round >= 1);
  assertEquals([first.readable, first.writable], [
    24 + 48 + IV.length + DATA.length,
    DATA.length + 1,
  ]);
  const field = (name: string) =>
    first.fields.find((f: Any) => f.name === name);
  // The slot in the low half, a generation that nobody can foretell above.
  assertMatch(field("header.session_id").value, /^0x[0-9a-f]+0{8}$/);
  assertEquals(field("src_data_len"), {
    name: "src_data_len",
    offset: 28,
    size: 4,
    value: "0x40",
    meaning: null,
  });
  assertEquals(field("op_type").meaning, "VIRTIO_CRYPTO_SYM_OP_CIPHER");

  const refused = requests.filter(({ status }) => status !== "OK");
  const told = refused.map(({ status, problems }) => [status, problems[0]]);
  assertEquals(told, [
    [
      "ERR",
      "The writable part has 33 bytes: dst_data_len 0, hash_result_len 77 and the status take 78",
    ],
    [
      "ERR",
      "flag is 9: 0, SESSION_MODE (1) or NONE_SESSION_MODE (2) is needed",
    ],
    ["ERR", "The fixed part is incomplete: 30 bytes of 40"],
    [
      "NOTSUPP",
      "opcode is 0x999: no request of a data queue has this number",
    ],
    [
      "INVSESS",
      "session_id is not that of a live session of the HASH service",
    ],
    [
      "INVSESS",
      "session_id is not that of a live session of the HASH service",
    ],
  ]);
  assertEquals(
    refused[0].problems[1],
    "hash_result_len is 77: hmac-sha256 gives 1 to 32 bytes",
  );
  await driver.close();
});

Deno.test("Under load /api/events gives some requests, and counts those between them", async () => {
  await using observed = await Observed.start();
  const driver = await observed.driver();
  const session = await openSession(driver);
  const heard: Heard = { requests: [], dropped: 0 };
  let loaded = false;
  const events = observed.events();
  await events.next();
  const load = (async () => {
    await work(session, 2000, 64);
    const load = work(session, 1000, 64);
    await driver.submitRaw(0, [changed(MAC.readable, 0, 0x999)], [1]);
    await load;
    loaded = true;
  })();
  for await (const { name, data } of events) {
    if (name === "requests") {
      assert(data.requests.length <= 200);
      heard.requests.push(...data.requests);
      heard.dropped += data.dropped;
    }
    if (loaded && name === "state") break;
  }
  await load;
  // However many there are, one that is refused is among those that are told.
  const wrong = heard.requests.filter(({ status }) => status !== "OK");
  assertEquals(wrong.map(({ status }) => status), ["NOTSUPP"]);
  const last = heard.requests.at(-1).sequence;
  assertEquals(heard.requests.length + heard.dropped, last);
  assert(last <= 3001);
  await driver.close();
});

Deno.test("Listeners that went away make room for others", async () => {
  await using observed = await Observed.start();
  for (let i = 0; i < 40; i++) {
    for await (const { name } of observed.events()) {
      assertEquals(name, "state");
      break;
    }
  }
});

Deno.test("A listener that does not read misses events, and nothing piles up for it", async () => {
  let listeners = 0;
  const streams = new EventStreams((count) => listeners = count);
  const stuck = streams.open("first");
  const reading = streams.open("first").getReader();
  assertEquals(listeners, 2);
  const event = "x".repeat(10_000);
  let got = 0;
  await reading.read();
  for (let i = 0; i < 1000; i++) {
    streams.send(event);
    got += (await reading.read()).value!.length;
  }
  assertEquals(got, 10_000_000);
  streams.close();
  assertEquals(listeners, 0);
  let held = 0;
  for await (const bytes of stuck) held += bytes.length;
  assert(held > 0 && held <= 1 << 20, `${held} bytes`);
});
