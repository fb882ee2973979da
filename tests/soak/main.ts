/**
 * A soak: hours of mixed algorithms, sizes, session churn, ring formats,
 * reconnects and resets against a server in a process of its own. What must
 * hold: every result is right, nothing fails, and the server's memory and
 * descriptors do not grow.
 *
 *     deno task soak [--minutes=N] [--engine=NAME] [--seed=N]
 *
 * Its status is 1 when something did not hold.
 */

import { parseArgs } from "@std/cli/parse-args";
import { Random } from "../engine/random.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";
import { makeCases } from "./cases.ts";
import { type Tally, visit } from "./visit.ts";

/** Lines of the table. */
const WINDOWS = 12;
/** A stay takes this long at most, in milliseconds. */
const LONGEST_VISIT = 4000;
/** What memory may grow by from the second quarter to the last. */
const GROWTH = 1.1;
const GROWTH_MIB = 16;

/** One line of the table. */
interface Window {
  readonly minutes: number;
  readonly visits: number;
  readonly sessions: number;
  readonly requests: number;
  readonly megabytes: number;
  readonly rss: number;
  readonly fds: number;
  readonly p50: number;
  readonly p99: number;
}

/** The server's resident memory in MiB. */
async function rssOf(server: CliProcess): Promise<number> {
  const status = await outputOf("cat", `/proc/${server.pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
}

/** Descriptors that are open when nobody is connected. */
async function quietFds(server: CliProcess): Promise<number> {
  for (let i = 0; i < 500; i++) {
    const maps = await server.mappings();
    if (!maps.some((line) => line.includes("memfd:guest"))) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return await server.openFds();
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? NaN;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}

function newTally(violations: string[]): Tally {
  return { requests: 0, bytes: 0, sessions: 0, latencies: [], violations };
}

const COLUMNS = [
  "minutes",
  "visits",
  "sessions",
  "requests",
  "MB",
  "RSS MiB",
  "fds",
  "p50 µs",
  "p99 µs",
];

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell) => String(cell).padStart(9)).join(" ");
}

function line(w: Window): string {
  return row([
    w.minutes.toFixed(1),
    w.visits,
    w.sessions,
    w.requests,
    w.megabytes.toFixed(0),
    w.rss.toFixed(1),
    w.fds,
    w.p50.toFixed(0),
    w.p99.toFixed(0),
  ]);
}

/** What of the whole run does not hold. */
function judge(windows: readonly Window[]): string[] {
  const found: string[] = [];
  const quarter = (n: number) =>
    windows.slice(
      Math.floor(windows.length * n / 4),
      Math.floor(windows.length * (n + 1) / 4),
    );
  const before = mean(quarter(1).map(({ rss }) => rss));
  const after = mean(quarter(3).map(({ rss }) => rss));
  if (!(after <= GROWTH * before + GROWTH_MIB)) {
    found.push(
      `Memory grew from ${before.toFixed(1)} to ${after.toFixed(1)} MiB`,
    );
  }
  const fds = windows.map(({ fds }) => fds);
  if (fds.some((n) => n > fds[0]!)) {
    found.push(`Descriptors grew from ${fds[0]} to ${Math.max(...fds)}`);
  }
  return found;
}

async function soak(
  minutes: number,
  engine: string,
  seed: number,
): Promise<string[]> {
  const random = new Random(seed);
  const cases = makeCases(random);
  const path = freshPath();
  await using server = await CliProcess.serve([
    `--socket-path=${path}`,
    `--engine=${engine}`,
    "--log=error",
  ]);
  const violations: string[] = [];
  const windows: Window[] = [];
  // The server starts the last queue's worker when one has used it.
  for (const cryptodev of [true, false]) {
    await visit(path, cases, random, 1000, newTally(violations), cryptodev);
  }
  const start = performance.now();
  const windowMs = minutes * 60_000 / WINDOWS;
  console.log(row(COLUMNS));
  while (windows.length < WINDOWS && violations.length === 0) {
    const tally = newTally(violations);
    let visits = 0;
    const end = start + (windows.length + 1) * windowMs;
    do {
      const left = Math.max(200, end - performance.now());
      const most = Math.min(LONGEST_VISIT, left);
      await visit(path, cases, random, 200 + random.below(most), tally);
      visits++;
    } while (performance.now() < end && violations.length === 0);
    const fds = await quietFds(server);
    const latencies = tally.latencies.sort((a, b) => a - b);
    const window: Window = {
      minutes: (performance.now() - start) / 60_000,
      visits,
      sessions: tally.sessions,
      requests: tally.requests,
      megabytes: tally.bytes / 1e6,
      rss: await rssOf(server),
      fds,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
    };
    windows.push(window);
    console.log(line(window));
  }
  if (violations.length === 0) violations.push(...judge(windows));
  server.kill("SIGTERM");
  const { code, signal, stderr } = await server.ended();
  if (code !== 0 || signal !== null || stderr !== "") {
    violations.push(`The server ended with ${signal ?? code}: ${stderr}`);
  }
  return violations;
}

const args = parseArgs(Deno.args, { string: ["minutes", "engine", "seed"] });
const minutes = Number(args.minutes ?? 30);
const engine = args.engine ?? "auto";
const seed = Number(args.seed ?? Date.now() % 1_000_000);
console.log(`engine ${engine}, ${minutes} minutes, seed ${seed}`);
const violations = await soak(minutes, engine, seed);
for (const violation of violations) console.error(violation);
console.log(
  violations.length === 0 ? "Everything held" : "Not everything held",
);
Deno.exit(violations.length === 0 ? 0 : 1);
