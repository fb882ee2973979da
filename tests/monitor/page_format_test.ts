import { assertEquals } from "@std/assert";
import {
  binaryBytes,
  bound,
  byteRate,
  bytes,
  count,
  duration,
  plural,
  rate,
  span,
} from "../../device/monitor/page/format.js";

Deno.test("sizes have three digits or so and a unit", () => {
  assertEquals(
    [0, 1, 999, 999.6, 1000, 1234, 99_960, 999_499, 999_500, 16777216].map(
      bytes,
    ),
    [
      "0 B",
      "1 B",
      "999 B",
      "1.0 kB",
      "1.0 kB",
      "1.2 kB",
      "100 kB",
      "999 kB",
      "1.0 MB",
      "16.8 MB",
    ],
  );
  assertEquals(binaryBytes(536870912), "512 MiB");
  assertEquals(byteRate(1e9), "1.0 GB/s");
});

Deno.test("rates are whole where they are small and whole", () => {
  assertEquals(
    [0, 0.25, 3, 7.125, 60, 46_200, 1.5e6].map(rate),
    ["0", "0.25", "3", "7.1", "60", "46.2 k", "1.5 M"],
  );
});

Deno.test("times have the unit that fits", () => {
  assertEquals(
    [12, 1234, 64_000, 1_024_000, 2_000_000_000].map(duration),
    ["12 ns", "1.2 µs", "64.0 µs", "1.0 ms", "2.0 s"],
  );
  assertEquals(bound(64_000), "64 µs");
  assertEquals(
    [0, 59_400, 61_000, 3_600_000, 90_000_000].map(span),
    ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"],
  );
});

Deno.test("counts have every digit", () => {
  assertEquals(count(1234567), "1,234,567");
  assertEquals([plural(1, "byte"), plural(2000, "byte")], [
    "1 byte",
    "2,000 bytes",
  ]);
});
