/**
 * Writes the table of algorithms into the README: standards, sizes, and what
 * the portable engine does with requests of 16 KiB on this machine, beside
 * @noble's own AES-128-CBC in the same run.
 *
 *     deno run --allow-read --allow-write=README.md bench/algorithm_table.ts
 */

import { cbc } from "@noble/ciphers/aes.js";
import type { Algorithm, Sizes } from "../device/engine/algorithm.ts";
import { Job, JobOutcome } from "../device/engine/engine.ts";
import { NobleEngine } from "../device/engine/noble.ts";
import { GuestMemory } from "../device/memory/guest_memory.ts";
import { SegmentTable } from "../device/memory/segments.ts";
import { SERVICE_ALGORITHMS } from "../device/service/algorithms.ts";

const SIZE = 16 * 1024;
const MILLISECONDS = 30;
const WINDOWS = 12;
const SERVICES = ["CIPHER", "HASH", "MAC", "AEAD"];
const START = "<!-- algorithms -->";
const END = "<!-- end of algorithms -->";

/** Above this a result has no size of its own. */
const LONGEST_RESULT = 64;

/** Megabytes a second of something that works on SIZE bytes: the best window. */
function speed(once: () => void): number {
  for (let i = 0; i < 20; i++) once();
  let best = 0;
  for (let window = 0; window < WINDOWS; window++) {
    let runs = 0;
    const start = performance.now();
    while (performance.now() - start < MILLISECONDS) {
      once();
      runs++;
    }
    const mbs = runs * SIZE / 1000 / (performance.now() - start);
    best = Math.max(best, mbs);
  }
  return best;
}

function sizes({ min, max, step = 1, also = [] }: Sizes): string {
  if (max > 0xffff) return "any";
  const singles = new Set(also);
  if ((max - min) / step > 3) {
    const steps = step === 1 ? "" : ` in steps of ${step}`;
    return [...also, `${min} to ${max}${steps}`].join(", ");
  }
  for (let size = min; size <= max; size += step) singles.add(size);
  return [...singles].sort((a, b) => a - b).join(", ");
}

const engine = new NobleEngine();
const buffer = new SharedArrayBuffer(4 * SIZE);
const memory = new GuestMemory([{
  guestAddress: 0,
  userAddress: 0,
  size: buffer.byteLength,
  buffer,
  offset: 0,
}]);
const segments = new SegmentTable(3);
segments.push(0, 0, SIZE);
segments.push(0, SIZE, 16);
segments.push(0, 2 * SIZE, 2 * SIZE);

function measure(algorithm: Algorithm): number {
  const key = new Uint8Array(algorithm.key.min).map((_, i) => i * 11 + 1);
  const context = engine.prepare(algorithm, "encrypt", key);
  const job = new Job();
  job.context = context;
  job.source.length = SIZE;
  job.destination.segment = 2;
  job.ivLength = algorithm.iv.min;
  job.resultLength = algorithm.kind === "cipher"
    ? 0
    : Math.min(algorithm.result.max, LONGEST_RESULT);
  job.destination.length = algorithm.kind === "cipher"
    ? SIZE
    : algorithm.kind === "aead"
    ? SIZE + job.resultLength
    : job.resultLength;
  const jobs = [job];
  const result = speed(() => {
    job.outcome = JobOutcome.PENDING;
    engine.run(jobs, 1, { memory, segments }, () => false);
    if (job.outcome !== JobOutcome.DONE) {
      throw new Error(`Cannot measure ${algorithm.name}: ${job.outcome}`);
    }
  });
  context.wipe();
  return result;
}

const data = new Uint8Array(SIZE);
const noble = speed(() => {
  cbc(data.subarray(0, 16), data.subarray(16, 32), { disablePadding: true })
    .encrypt(data);
});

const lines = [
  "| service | algorithm | standard | key | iv | result | MB/s | ratio |",
  "| --- | --- | --- | --- | --- | --- | ---: | ---: |",
];
SERVICE_ALGORITHMS.forEach((list, service) => {
  for (const [, algorithm] of list) {
    const mbs = measure(algorithm);
    lines.push(
      `| ${
        [
          SERVICES[service],
          algorithm.name,
          algorithm.standard,
          sizes(algorithm.key),
          sizes(algorithm.iv),
          algorithm.kind === "cipher" ? "" : sizes(algorithm.result),
          mbs.toFixed(0),
          (mbs / noble).toFixed(2),
        ].join(" | ")
      } |`,
    );
  }
});

const path = new URL("../README.md", import.meta.url);
const readme = Deno.readTextFileSync(path);
const before = readme.slice(0, readme.indexOf(START) + START.length);
const after = readme.slice(readme.indexOf(END));
Deno.writeTextFileSync(
  path,
  `${before}\n\n${
    lines.join("\n")
  }\n\nSizes are in bytes. The speed is that of the portable engine with requests of 16 KiB on one core of the machine this was written on; the ratio is to @noble/ciphers' own AES-128-CBC (${
    noble.toFixed(0)
  } MB/s) in the same run. \`bench/algorithm_table.ts\` writes this table.\n\n${after}`,
);
