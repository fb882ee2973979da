import { assertEquals } from "@std/assert";
import { KeyRows } from "../../device/engine/ipsec_mb/key_rows.ts";

/** Words of an expanded AES-128 key. */
const WORDS = 44;

function words(first: number): Uint32Array {
  return Uint32Array.from({ length: WORDS + 4 }, (_, i) => first + i);
}

/** What is at the address of a row. */
function at(rows: KeyRows, row: number): Uint32Array {
  const halves = new Uint32Array(2);
  rows.writeAddress(row, halves, 0);
  const address = BigInt(halves[1]!) << 32n | BigInt(halves[0]!);
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
  return new Uint32Array(view.getArrayBuffer(4 * WORDS)).slice();
}

Deno.test("KeyRows are whole lines of the cache, each at its address", () => {
  for (const [used, size] of [[44, 192], [52, 256], [60, 256]] as const) {
    assertEquals(new KeyRows(used, 4096).size, size);
  }
  const rows = new KeyRows(WORDS, 4 * 192);
  const taken = [rows.take(), rows.take(), rows.take()];
  taken.forEach((row, i) => rows.write(row, words(100 * i), 4));
  taken.forEach((row, i) =>
    assertEquals(at(rows, row), words(100 * i).subarray(4))
  );
  // First words of the lines: 4 and 20; the third is also the last.
  assertEquals(rows.touch(Int32Array.from(taken), 1), 4 ^ 20);
});

Deno.test("KeyRows overwrite a row that is given back, and take it again", () => {
  const rows = new KeyRows(WORDS, 2 * 192);
  const [first, second] = [rows.take(), rows.take()];
  rows.write(first, words(1), 0);
  rows.write(second, words(500), 0);
  rows.giveBack(first);
  assertEquals(at(rows, first), new Uint32Array(WORDS));
  assertEquals(at(rows, second), words(500).subarray(0, WORDS));
  assertEquals(rows.take(), first);
});

Deno.test("KeyRows have no more rows than there are bytes for", () => {
  const rows = new KeyRows(WORDS, 3 * 192);
  assertEquals([0, 1, 2, 3].map(() => rows.take()), [0, 1, 2, -1]);
  rows.giveBack(1);
  assertEquals([rows.take(), rows.take()], [1, -1]);
});
