import { assert, assertEquals } from "@std/assert";
import { declares, placeOf, tests } from "./places.ts";
import { STATEMENTS } from "./statements.ts";
import { TABLE_FILE, tableOf } from "./table.ts";

Deno.test("Every statement has an id of its own, a place in the code and a test", () => {
  const ids = new Set<string>();
  for (const { id, says, code, tests } of STATEMENTS) {
    assert(/^v15-[a-z-]+-\d+$/.test(id), id);
    assert(!ids.has(id), `${id} is there twice`);
    ids.add(id);
    assert(says !== "" && code.length > 0, id);
    assert(tests.length > 0, `${id} has no test`);
  }
});

Deno.test("Every symbol that a statement names is in the source", () => {
  const missing = STATEMENTS.flatMap(({ id, code }) =>
    code.filter((place) => !declares(placeOf(place)))
      .map((place) => `${id}: ${place}`)
  );
  assertEquals(missing, []);
});

Deno.test("Every test that a statement names exists", () => {
  const missing = STATEMENTS.flatMap(({ id, tests: places }) =>
    places.filter((place) => !tests(placeOf(place)))
      .map((place) => `${id}: ${place}`)
  );
  assertEquals(missing, []);
});

Deno.test("A symbol or a test that is not there is found to be missing", () => {
  const file = "device/service/round.ts";
  assert(declares({ file, name: "Round.#judgeSession" }));
  for (const name of ["Rounds", "Round.judge", "Round.#judgeSessions", "run"]) {
    assert(!declares({ file, name }), name);
  }
  assert(!declares({ file: "device/none.ts", name: "Round" }));
  const here = "tests/conformance/table_test.ts";
  assert(
    tests({ file: here, name: "Every test that a statement names exists" }),
  );
  assert(!tests({ file: here, name: "Every test that a statement names" }));
});

Deno.test("CONFORMANCE.md is what the statements say", async () => {
  const file = new URL(`../../${TABLE_FILE}`, import.meta.url);
  assertEquals(
    await Deno.readTextFile(file),
    tableOf(STATEMENTS),
    "Write it with tests/conformance/write_table.ts",
  );
});
