import { assertEquals } from "@std/assert";
import {
  History,
  POINTS,
  quantile,
} from "../../device/monitor/page/history.js";
import { dataQueue, snapshot, STARTED } from "../monitor_page/snapshots.ts";

const at = (
  seconds: number,
  requests: readonly number[],
  started: number = STARTED,
): unknown =>
  snapshot(
    seconds,
    requests.map((requests, i) =>
      dataQueue(i, { requests, bytes: requests * 1000 })
    ),
    started,
  );

/** The requests a second of each point. */
function rates(history: History, queue: number | null): number[] {
  const series = history.series(0, queue);
  return Array.from(
    { length: series.length },
    (_, i) => series.rate(i, "requests"),
  );
}

Deno.test("a point is made of two snapshots, over the time between them", () => {
  const history = new History();
  history.add(at(1, [100, 0]));
  assertEquals(rates(history, 0), []);
  history.add(at(2, [150, 10]));
  history.add(at(4, [250, 10]));
  assertEquals(rates(history, 0), [50, 50]);
  assertEquals(rates(history, 1), [10, 0]);
  assertEquals(rates(history, null), [60, 50]);
  assertEquals(history.series(0, null).rate(0, "bytes"), 60_000);
  assertEquals(history.series(0, 9).length, 0);
});

Deno.test("the same snapshot again makes no point", () => {
  const history = new History();
  history.add(at(1, [100]));
  history.add(at(2, [200]));
  history.add(at(2, [200]));
  assertEquals(rates(history, 0), [100]);
});

Deno.test("a server that restarted begins anew", () => {
  const history = new History();
  history.add(at(1, [100]));
  history.add(at(2, [200]));
  history.add(at(1, [500], STARTED + 60_000));
  assertEquals(rates(history, 0), []);
  history.add(at(2, [501], STARTED + 60_000));
  assertEquals(rates(history, 0), [1]);
});

Deno.test("a queue whose counts went back makes no negative point", () => {
  const history = new History();
  history.add(at(1, [100, 0]));
  history.add(at(2, [50, 10]));
  history.add(at(3, [80, 20]));
  assertEquals(rates(history, 0), [30]);
  assertEquals(rates(history, null), [10, 40]);
});

Deno.test("no more than the newest points are kept", () => {
  const history = new History();
  for (let i = 0; i <= POINTS + 10; i++) history.add(at(i, [i * i]));
  const series = history.series(0, 0);
  assertEquals(series.length, POINTS);
  assertEquals(series.time(POINTS - 1), STARTED + (POINTS + 10) * 1000);
  assertEquals(series.time(0), STARTED + 11_000);
  assertEquals(series.rate(0, "requests"), 11 * 11 - 10 * 10);
});

Deno.test("a quantile is the end of its bucket, and the last one has none", () => {
  const counts = new Array<number>(24).fill(0);
  assertEquals(quantile(counts, 0.5), null);
  counts[3] = 98;
  counts[6] = 1;
  counts[23] = 1;
  assertEquals(quantile(counts, 0.5), 8000);
  assertEquals(quantile(counts, 0.99), 64_000);
  assertEquals(quantile(counts, 1), Infinity);
});
