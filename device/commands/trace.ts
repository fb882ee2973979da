/**
 * The `trace` command: shows and sums up what `serve --trace` wrote.
 *
 * @module
 */

import { STATUS_NAMES } from "../explain/description.ts";
import type { TraceRequest } from "../trace/format.ts";
import { type NumberedLine, readTrace } from "../trace/reader.ts";
import { PERCENTILES, TraceSummary } from "../trace/summary.ts";
import { table } from "./table.ts";
import { openTrace } from "./trace_file.ts";
import { manualPage } from "./manual.ts";
import { TRACE_MANUAL } from "./manuals/trace.ts";
import {
  integerOption,
  readArguments,
  UsageError,
  wordOption,
} from "./usage.ts";

const STATUSES = [...STATUS_NAMES, "refused"];

const COLUMNS = [
  "line",
  "seconds",
  "queue",
  "sequence",
  "layout",
  "operation",
  "algorithm",
  "session",
  "readable",
  "writable",
  "status",
  "µs",
  "engine",
] as const;

/** Columns of numbers. */
const RIGHT = new Set<string>([
  "line",
  "seconds",
  "sequence",
  "readable",
  "writable",
  "µs",
  "requests",
  "MB",
  "refused",
  ...PERCENTILES.map((percent) => `p${percent} µs`),
]);

interface Settings {
  readonly help: boolean;
  readonly file: string | undefined;
  readonly last: number;
  readonly matches: (request: TraceRequest) => boolean;
}

function parse(args: readonly string[]): Settings {
  const given = readArguments(args, TRACE_MANUAL.options, true);
  const files = given.rest;
  const all = given.has("all");
  const last = given.one("last");
  if (files.length > 1) {
    throw new UsageError(`Cannot show ${files.length} traces at a time`);
  }
  if (all && last !== undefined) {
    throw new UsageError("Cannot use --all and --last together");
  }
  const status = wordOption("status", given.one("status"), STATUSES);
  const device = integerOption("device", given.one("device"), 0, 0xffff);
  const queue = integerOption("queue", given.one("queue"), 0, 0xff);
  const algorithm = given.one("algorithm");
  return {
    help: given.has("help"),
    file: files[0],
    last: all
      ? Infinity
      : integerOption("last", last, 0, Number.MAX_SAFE_INTEGER) ?? 20,
    matches: (request) =>
      (status === undefined ||
        (status === "refused"
          ? request.status !== "OK"
          : request.status === status)) &&
      (device === undefined || request.device === device) &&
      (queue === undefined || request.queue === queue) &&
      (algorithm === undefined || request.algorithm === algorithm),
  };
}

function rowOf(
  number: number,
  request: TraceRequest,
  started: number,
): string[] {
  const operation = request.operation?.replace("VIRTIO_CRYPTO_", "");
  return [
    String(number),
    ((request.time - started) / 1000).toFixed(6),
    `${request.device}.${request.queue}`,
    String(request.sequence),
    request.layout,
    operation ?? "-",
    request.algorithm ?? "-",
    request.session ?? "-",
    String(request.readable),
    String(request.writable),
    request.status ?? "-",
    microseconds(request.ns),
    request.engine ?? "-",
  ];
}

function microseconds(ns: number): string {
  return (ns / 1000).toFixed(1);
}

function* summaryLines(summary: TraceSummary): Generator<string> {
  const { requests, lost, milliseconds } = summary;
  yield `${requests} requests in ${(milliseconds / 1000).toFixed(3)} s${
    lost > 0 ? `; ${lost} more were lost, and are not counted` : ""
  }`;
  if (requests === 0) return;
  yield [...summary.statuses].sort(([, a], [, b]) => b - a)
    .map(([status, count]) => `${status} ${count}`).join(", ");
  yield "";
  yield* table(
    [
      "algorithm",
      "requests",
      "MB",
      "refused",
      ...PERCENTILES.map((percent) => `p${percent} µs`),
    ],
    summary.algorithms().map((of) => [
      of.name,
      String(of.requests),
      (of.bytes / 1e6).toFixed(1),
      String(of.refused),
      ...of.percentiles.map(microseconds),
    ]),
    RIGHT,
  );
}

/**
 * Shows a trace.
 *
 * @param args the arguments behind the command's name
 * @param print writes a line
 * @returns the process's exit status
 * @throws {UsageError} The arguments are wrong
 * @throws {Error} The file cannot be read, or is no trace
 */
export async function trace(
  args: readonly string[],
  print: (line: string) => void = console.log,
): Promise<number> {
  const { help, file, last, matches } = parse(args);
  if (help) {
    print(manualPage(TRACE_MANUAL));
    return 0;
  }
  if (file === undefined) {
    throw new UsageError("Cannot show a trace without its FILE");
  }
  const { head, lines } = await readTrace(openTrace(file), file);
  const summary = new TraceSummary();
  let shown: NumberedLine[] = [];
  for await (const numbered of lines) {
    const { line } = numbered;
    if (!("lost" in line) && !matches(line)) continue;
    summary.add(line);
    if ("lost" in line || last === 0) continue;
    shown.push(numbered);
    if (shown.length >= 2 * last) shown = shown.slice(-last);
  }
  if (last > 0) {
    const rows = shown.slice(-last).flatMap(({ number, line }) =>
      "lost" in line ? [] : [rowOf(number, line, head.started)]
    );
    for (const line of table(COLUMNS, rows, RIGHT)) print(line);
    print("");
  }
  for (const line of summaryLines(summary)) print(line);
  return 0;
}
