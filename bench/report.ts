/**
 * Measures the device with each engine against the primitive itself, and
 * writes `report.md` and `report.svg` beside this file.
 *
 *     deno task bench:report
 *
 * Everything is measured by this run: the engines in turn, window by window,
 * and between them an EVP loop and, where it is there, `openssl speed`.
 *
 * @module
 */

import { evpPrimitive } from "./primitives/evp.ts";
import { noblePrimitive } from "./primitives/noble.ts";
import { chart } from "./support/chart.ts";
import { availableEngines } from "./support/engine_jobs.ts";
import { type Case, interleave } from "./support/interleave.ts";
import { median } from "./support/median.ts";
import { LocalDevice } from "./support/local_device.ts";
import { opensslSpeed } from "./support/openssl_speed.ts";
import { checkResult, operationOf } from "./support/operations.ts";
import {
  cpuModel,
  ipsecMbVersion,
  libcryptoVersion,
} from "./support/versions.ts";

const SIZES = [64, 256, 1024, 4096, 16384, 65376];
const DEPTH = 64;
/** How often `openssl speed` is asked. */
const ASKED = 3;

/** Speeds of one size, in MB/s. */
interface Row {
  readonly size: number;
  readonly openssl: number | undefined;
  readonly loop: number;
  /** By engine. */
  readonly deep: readonly number[];
  readonly single: readonly number[];
}

// The one that takes the others together comes first.
const engines = availableEngines().map(({ name }) => name).toReversed();
const order = ["auto", "libcrypto", "ipsec-mb", "noble"];
engines.sort((a, b) => order.indexOf(a) - order.indexOf(b));

async function measure(size: number): Promise<Row> {
  const operation = operationOf("aes-cbc", size);
  const primitive = evpPrimitive(operation, DEPTH) ??
    noblePrimitive(operation, DEPTH)!;
  primitive.run();
  checkResult(primitive.name, primitive.result(0), operation);
  const devices = engines.map((engine) => {
    const device = new LocalDevice(operation, { engine });
    device.verify(`${engine}, ${size} B`);
    return device;
  });
  const cases: Case[] = [
    { requests: DEPTH, run: () => primitive.run() },
    ...devices.map((device): Case => ({
      requests: DEPTH,
      run: () => device.serve(DEPTH),
    })),
    ...devices.map((device): Case => ({
      requests: 1,
      run: () => device.serve(1),
    })),
  ];
  const asked: number[] = [];
  const times: number[][] = cases.map(() => []);
  for (let turn = 0; turn < ASKED; turn++) {
    const speed = await opensslSpeed("aes-128-cbc", size);
    if (speed !== undefined) asked.push(speed / 1e6);
    interleave(cases, { windows: 5 }).forEach(({ median }, i) =>
      times[i]!.push(median)
    );
  }
  devices.forEach((device, i) => {
    device.verify(`${engines[i]}, ${size} B`);
    device.close();
  });
  const [loop, ...rest] = times.map((values) => size * 1e3 / median(values));
  return {
    size,
    openssl: asked.length > 0 ? median(asked) : undefined,
    loop: loop!,
    deep: rest.slice(0, engines.length),
    single: rest.slice(engines.length),
  };
}

// First, so that what is not permitted is known before all the work.
const date = new Date().toISOString().slice(0, 10);
const machine = [
  `- date: ${date}`,
  `- machine: ${Deno.hostname()}, Linux ${Deno.osRelease()}`,
  `- processor: ${cpuModel()}`,
  `- Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
  `- libcrypto: ${libcryptoVersion()}`,
  `- multi-buffer library: ${ipsecMbVersion()}`,
];

const rows: Row[] = [];
for (const size of SIZES) rows.push(await measure(size));

const hasProgram = rows.every(({ openssl }) => openssl !== undefined);
const yardstick = hasProgram ? "openssl speed" : "an EVP loop";
const base = (row: Row) => row.openssl ?? row.loop;
const cell = (speed: number, row: Row) =>
  `${speed.toFixed(0)} (${(speed / base(row)).toPrecision(2)})`;

const cells = [
  [
    "bytes",
    "openssl speed",
    "EVP loop",
    ...engines,
    ...engines.map((name) => `${name}, depth 1`),
  ],
  ...rows.map((row) => [
    String(row.size),
    row.openssl?.toFixed(0) ?? "",
    row.loop.toFixed(0),
    ...[...row.deep, ...row.single].map((speed) => cell(speed, row)),
  ]),
];
// As `deno fmt` wants it.
const widths = cells[0]!.map((_, column) =>
  Math.max(4, ...cells.map((row) => row[column]!.length))
);
const [head, ...body] = cells.map((row) =>
  `| ${row.map((text, i) => text.padStart(widths[i]!)).join(" | ")} |`
);
const rule = `| ${
  widths.map((width) => ":".padStart(width, "-")).join(" | ")
} |`;
const table = [head, rule, ...body];

const here = (name: string) => new URL(name, import.meta.url);
Deno.writeTextFileSync(
  here("report.md"),
  `# AES-128-CBC encryption through the device

MB/s, and in brackets the ratio to ${yardstick} on one core in the same run.

Requests are of one session on one data queue, served on one thread; unless said
otherwise ${DEPTH} are in the ring at a time. Medians of ${ASKED} times 5 windows, by the
thread's processor time.

${table.join("\n")}

![Ratio over size, a line an engine](report.svg)

${machine.join("\n")}

\`deno task bench:report\` writes this.
`,
);
Deno.writeTextFileSync(
  here("report.svg"),
  chart({
    title: "The device's speed as a ratio to the primitive itself",
    subtitle:
      `AES-128-CBC encryption, ${DEPTH} requests in the ring, one thread; 1 is ${yardstick} on one core`,
    x: "bytes of a request",
    y: `ratio to ${yardstick}`,
    sizes: SIZES,
    series: engines.map((name, i) => ({
      name,
      values: rows.map((row) => row.deep[i]! / base(row)),
    })),
  }),
);
console.log(table.join("\n"));
