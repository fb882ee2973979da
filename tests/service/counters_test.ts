import { assert, assertEquals } from "@std/assert";
import { QueueCounters } from "../../device/service/counters.ts";

/** What a reader sees: requests of each algorithm, and of all. */
function read(reader: QueueCounters): [Record<string, number>, number] {
  const { algorithms, requests } = reader.read();
  return [
    Object.fromEntries(
      algorithms.map((
        { algorithm, requests },
      ) => [String(algorithm), requests]),
    ),
    requests,
  ];
}

Deno.test("A reader of counters finds algorithms that came since it read last", () => {
  const writer = new QueueCounters();
  const reader = new QueueCounters(writer.buffer);
  assertEquals(read(reader), [{}, 0]);
  writer.request(0, 1, 0);
  writer.round(Float64Array.of(0));
  assertEquals(read(reader), [{ null: 1 }, 1]);
  assertEquals(read(reader), [{ null: 1 }, 1]);
  writer.served(2, 5, 80);
  writer.round(Float64Array.of(0.5));
  writer.served(1, 3, 48);
  writer.request(0, 4, 16);
  writer.round(Float64Array.of(0.5));
  const all = { null: 2, "arc4": 3, "aes-ecb": 5 };
  assertEquals(read(reader), [all, 10]);
  assertEquals(read(reader), [all, 10]);
  assertEquals(reader.read().statuses, [8, 1, 0, 0, 1, 0]);
});

Deno.test("A reader waits for what drivers were shown, but not for ever", () => {
  const writer = new QueueCounters();
  const reader = new QueueCounters(writer.buffer);
  writer.served(2, 5, 80);
  writer.show();
  const before = performance.now();
  assertEquals(read(reader), [{}, 0]);
  const waited = performance.now() - before;
  assert(waited >= 5, `${waited} ms`);
  writer.round(Float64Array.of(0.5));
  assertEquals(read(reader), [{ "aes-ecb": 5 }, 5]);
  // What a thread that ended there left is put right by the next round.
  writer.show();
  const next = new QueueCounters(writer.buffer);
  next.round(Float64Array.of(0));
  assertEquals(new Int32Array(writer.buffer)[2 * 4], 0);
});
