/**
 * What a request costs as work grows: tables with bounds, and status 1 where
 * one does not hold.
 *
 *     deno task bench:scaling [sessions] [random] [memory] [regions] [workers] [latency]
 *
 * Subjects of one thread are timed by its processor time, cases in turn, and
 * bear a machine that others use. `workers` and `latency` need it quiet.
 *
 * @module
 */

import { latency } from "./scaling/latency.ts";
import { memoryRegions, memorySize } from "./scaling/memory.ts";
import { activeSessions, randomSessions } from "./scaling/sessions.ts";
import { workers } from "./scaling/workers.ts";

const SUBJECTS: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  sessions: activeSessions,
  random: randomSessions,
  memory: memorySize,
  regions: memoryRegions,
  workers,
  latency,
};

const names = Deno.args.length > 0 ? Deno.args : Object.keys(SUBJECTS);
let failed = false;
for (const name of names) {
  const subject = SUBJECTS[name];
  if (subject === undefined) {
    console.error(
      `Cannot measure "${name}": there are ${Object.keys(SUBJECTS).join(", ")}`,
    );
    Deno.exit(2);
  }
  failed = !await subject() || failed;
}
Deno.exit(failed ? 1 : 0);
