import { assert, assertEquals } from "@std/assert";
import { CARRIERS } from "./case.ts";
import { CASES } from "./cases.ts";
import { RECORD } from "./record.ts";
import { RING_KINDS } from "./ring.ts";
import { ENGINES, isFor } from "./survive.ts";
import { TABLE_FILE, tableOf } from "./table.ts";

Deno.test("Every row of the record has an id of its own, a mechanism and a clause", () => {
  const ids = new Set<string>();
  for (const { id, mechanism, sends, clause } of RECORD) {
    assert(!ids.has(id), `${id} is there twice`);
    ids.add(id);
    assert(mechanism !== "" && sends !== "", id);
    assert(/^(v15|virtio 1\.1|vhost-user), /.test(clause), `${id}: ${clause}`);
  }
});

Deno.test("Every row of the record has cases, on a carrier and a kind of ring", () => {
  const without = RECORD.filter(({ id }) =>
    !CASES.some((each) =>
      each.row === id &&
      CARRIERS.some((carrier) =>
        RING_KINDS.some((kind) => isFor(each, carrier, kind))
      )
    )
  );
  assertEquals(without, []);
});

Deno.test("Every case is of a row of the record, and has a name of its own there", () => {
  const ids = new Set(RECORD.map(({ id }) => id));
  const names = new Set<string>();
  for (const { row, sends, ring = "both" } of CASES) {
    assert(ids.has(row), `There is no row ${row}`);
    const name = `${row}: ${sends}, ${ring}`;
    assert(!names.has(name), `${name} is there twice`);
    names.add(name);
  }
});

Deno.test("What a guest can send runs in process and through the socket", () => {
  for (const each of CASES.filter(({ on }) => on !== "frontend")) {
    for (const carrier of CARRIERS) {
      const kinds = RING_KINDS.filter((kind) => isFor(each, carrier, kind));
      assert(kinds.length > 0, each.sends);
    }
  }
});

Deno.test("The record runs against every engine", async () => {
  for (const engine of ENGINES) {
    const file = `./${engine.replaceAll("-", "_")}_test.ts`;
    const text = await Deno.readTextFile(new URL(file, import.meta.url));
    assert(text.includes(`survive("${engine}");`), file);
  }
});

Deno.test("RECORD.md is what the record says", async () => {
  assertEquals(
    await Deno.readTextFile(TABLE_FILE),
    tableOf(RECORD, CASES),
    "Write it with tests/hostile/write_table.ts",
  );
});
