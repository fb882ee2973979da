/**
 * Writes RECORD.md:
 * `deno run --allow-ffi --allow-read --allow-write tests/hostile/write_table.ts`.
 *
 * @module
 */

import { CASES } from "./cases.ts";
import { RECORD } from "./record.ts";
import { TABLE_FILE, tableOf } from "./table.ts";

await Deno.writeTextFile(TABLE_FILE, tableOf(RECORD, CASES));
