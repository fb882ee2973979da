import { assertEquals } from "@std/assert";
import {
  filterOf,
  isBad,
  KEPT,
  RequestLog,
} from "../../device/monitor/page/request_log.js";
import {
  forgedRequest,
  request,
  shortRequest,
  STARTED,
} from "../monitor_page/snapshots.ts";

const ALL = filterOf({
  status: "",
  queue: "",
  service: "",
  text: "",
  problems: false,
});

const numbers = (log: RequestLog, most = 10_000): number[] =>
  log.list(ALL, most).map(({ sequence }) => sequence);

Deno.test("a request is bad by its status, its fault or its problems", () => {
  assertEquals(isBad(request(1)), false);
  assertEquals(isBad(request(1, { status: "NOTSUPP" })), true);
  assertEquals(isBad(request(1, { status: null })), true);
  assertEquals(isBad(request(1, { fault: "A loop" })), true);
  assertEquals(isBad(request(1, { problems: ["Too short"] })), true);
});

Deno.test("good and bad requests are kept apart, and listed together by number", () => {
  const log = new RequestLog();
  log.add({ requests: [request(1), shortRequest(2), request(3)] });
  assertEquals(numbers(log), [3, 2, 1]);
  const flood = Array.from({ length: KEPT + 5 }, (_, i) => request(10 + i));
  log.add({ requests: flood, dropped: 7 });
  assertEquals(numbers(log).length, KEPT + 1);
  assertEquals(numbers(log).at(-1), 2);
  assertEquals(numbers(log, 3), [KEPT + 14, KEPT + 13, KEPT + 12]);
  assertEquals([log.seen, log.dropped], [KEPT + 8, 7]);
});

Deno.test("the bad ones are bounded too", () => {
  const log = new RequestLog();
  for (let i = 0; i < KEPT + 3; i++) log.add({ requests: [forgedRequest(i)] });
  assertEquals(numbers(log).length, KEPT);
  assertEquals(numbers(log).at(-1), 3);
});

Deno.test("a pause holds what was there, and a filter still works on it", () => {
  const log = new RequestLog();
  log.add({ requests: [request(1), shortRequest(2)] });
  log.pause();
  log.add({ requests: [request(3)], dropped: 4 });
  assertEquals(numbers(log), [2, 1]);
  assertEquals(log.waiting, 5);
  assertEquals(log.list(isBad, 10).map(({ sequence }) => sequence), [2]);
  log.resume();
  assertEquals(numbers(log), [3, 2, 1]);
  assertEquals(log.waiting, 0);
});

Deno.test("another server's requests take the place of the first one's", () => {
  const log = new RequestLog();
  log.from(STARTED);
  log.add({ requests: [request(1)] });
  log.from(STARTED);
  assertEquals(numbers(log), [1]);
  log.from(STARTED + 1);
  assertEquals(numbers(log), []);
  log.add({ requests: [request(1)] });
  assertEquals(log.list(ALL, 1)[0]?.key, `${STARTED + 1}/0/1/1`);
});

Deno.test("a search finds every word of it, in any case", () => {
  const filter = (text: string) =>
    filterOf({ status: "", queue: "", service: "", text, problems: false });
  assertEquals(filter("GCM tag")(forgedRequest(1)), true);
  assertEquals(filter("gcm cbc")(forgedRequest(1)), false);
  assertEquals(filter(" 0x100000001 ")(forgedRequest(1)), true);
});
