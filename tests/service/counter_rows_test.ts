import { assertEquals } from "@std/assert";
import { SERVICE_ALGORITHMS } from "../../device/service/algorithms.ts";
import {
  COUNTER_ROWS,
  counterRow,
  rowLabels,
  UNKNOWN_ROW,
} from "../../device/service/counter_rows.ts";

const PLAIN = { opType: 0, hashMode: 0, hashAlgorithm: 0 };
const UNKNOWN = { service: null, algorithm: null };

Deno.test("Each algorithm and each chain is counted in a row of its own", () => {
  const rows = new Set<number>([UNKNOWN_ROW]);
  SERVICE_ALGORITHMS.forEach((list, service) => {
    for (const [number, { name }] of list) {
      const row = counterRow({ ...PLAIN, service, algorithm: number });
      assertEquals(rowLabels(row).algorithm, name);
      rows.add(row);
    }
  });
  const [ciphers, hashes, macs] = SERVICE_ALGORITHMS;
  for (const [algorithm, cipher] of ciphers!) {
    for (const [hashMode, digests] of [[1, hashes!], [2, macs!]] as const) {
      for (const [hashAlgorithm, { name }] of digests) {
        const row = counterRow({
          service: 0,
          opType: 2,
          algorithm,
          hashMode,
          hashAlgorithm,
        });
        assertEquals(rowLabels(row), {
          service: "CIPHER",
          algorithm: `${cipher.name}+${name}`,
        });
        rows.add(row);
      }
    }
  }
  assertEquals(rows.size, COUNTER_ROWS);
  assertEquals(Math.max(...rows), COUNTER_ROWS - 1);
});

Deno.test("Numbers that stand for no algorithm are counted as unknown", () => {
  const operations = [
    { ...PLAIN, service: 0, algorithm: 0 },
    { ...PLAIN, service: 3, algorithm: 63 },
    { ...PLAIN, service: 1, algorithm: 64 },
    { ...PLAIN, service: 0, algorithm: 0xffff_ffff },
    { service: 0, opType: 2, algorithm: 3, hashMode: 1, hashAlgorithm: 99 },
  ];
  for (const operation of operations) {
    assertEquals(rowLabels(counterRow(operation)), UNKNOWN);
  }
});
