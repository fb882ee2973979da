/**
 * Writes CONFORMANCE.md:
 * `deno run --allow-read --allow-write tests/conformance/write_table.ts`.
 *
 * @module
 */

import { STATEMENTS } from "./statements.ts";
import { TABLE_FILE, tableOf } from "./table.ts";

await Deno.writeTextFile(
  new URL(`../../${TABLE_FILE}`, import.meta.url),
  tableOf(STATEMENTS),
);
