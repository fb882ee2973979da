/**
 * Engines without a device around them, and the primitives themselves, for
 * every algorithm, alone and as a burst of 64. The baseline of a group is
 * libcrypto's EVP where it has the algorithm, else `@noble`'s function, else
 * what takes its place, named so.
 *
 * The algorithms of `FULL` are measured at three sizes and both depths, the
 * others at 1 KiB as a burst. `BENCH_ALGORITHMS` selects other ones for that:
 * "all", or names with commas between.
 *
 * @module
 */

import {
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
} from "../device/engine/algorithm.ts";
import { evpPrimitive } from "./primitives/evp.ts";
import { multiBufferPrimitive } from "./primitives/multi_buffer.ts";
import { noblePrimitive, yardstick } from "./primitives/noble.ts";
import { availableEngines, EngineJobs } from "./support/engine_jobs.ts";
import {
  checkResult,
  isDirected,
  type Operation,
  operationOf,
  sizeName,
} from "./support/operations.ts";

const SIZES = [64, 1024, 16384];
const DEPTHS = [1, 64];

/** What is measured at every size and depth when nothing is selected. */
const FULL: readonly AlgorithmName[] = ["aes-cbc", "aes-gcm", "hmac-sha256"];

/** Nanoseconds that one bench may take about, warm-up not counted. */
const BUDGET = 100e6;

const names = Object.keys(ALGORITHMS) as AlgorithmName[];
const selected = Deno.env.get("BENCH_ALGORITHMS");
const full: readonly string[] = selected === undefined
  ? FULL
  : selected === "all"
  ? names
  : selected.split(",");
for (const name of full) {
  if (!(name in ALGORITHMS)) {
    throw new Error(`Cannot measure "${name}": there is no such algorithm`);
  }
}

const engines = availableEngines();

/** Registers a bench that takes about as long as the others. */
function bench(
  name: string,
  group: string,
  baseline: boolean,
  run: () => void,
): void {
  run();
  const start = performance.now();
  run();
  const once = Math.max((performance.now() - start) * 1e6, 1000);
  const n = Math.min(Math.max(Math.round(BUDGET / once), 10), 20_000);
  const warmup = Math.ceil(n / 10);
  Deno.bench({ name, group, baseline, n, warmup, fn: run });
}

function register(operation: Operation, size: number, depth: number): void {
  const { algorithm, direction, key, name } = operation;
  const way = isDirected(name) ? ` ${direction}` : "";
  const burst = depth === 1 ? "alone" : `burst of ${depth}`;
  const group = `${name} ${8 * key.length}${way}, ${sizeName(size)}, ${burst}`;
  const primitives = [
    evpPrimitive(operation, depth),
    noblePrimitive(operation, depth),
    multiBufferPrimitive(operation, depth),
  ].filter((primitive) => primitive !== undefined);
  for (const primitive of primitives) {
    primitive.run();
    checkResult(
      `${primitive.name} ${group}`,
      primitive.result(depth - 1),
      operation,
    );
  }
  const all = primitives.length > 0
    ? primitives
    : [yardstick(operation, depth)];
  all.forEach((primitive, i) =>
    bench(
      `${primitive.name} itself, ${sizeName(size)}`,
      group,
      i === 0,
      () => primitive.run(),
    )
  );
  for (const { engine, name: engineName } of engines) {
    if (!engine.serves(algorithm, key.length)) continue;
    const jobs = new EngineJobs(engine, operation, depth);
    jobs.verify(`${engineName} ${group}`);
    bench(
      `engine ${engineName}, ${sizeName(size)}`,
      group,
      false,
      () => jobs.run(),
    );
  }
}

for (const name of names) {
  const isFull = full.includes(name);
  if (selected !== undefined && !isFull) continue;
  const directions: readonly Direction[] = isDirected(name)
    ? ["encrypt", "decrypt"]
    : ["encrypt"];
  for (const direction of isFull ? directions : directions.slice(0, 1)) {
    for (const size of isFull ? SIZES : [1024]) {
      const operation = operationOf(name, size, direction);
      for (const depth of isFull ? DEPTHS : [64]) {
        register(operation, size, depth);
      }
    }
  }
}
