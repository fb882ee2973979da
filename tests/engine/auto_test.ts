import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import { AutoEngine } from "../../device/engine/auto.ts";
import { burstsOn } from "../../device/engine/auto/bursts.ts";
import {
  type Engine,
  type EngineName,
  type Job,
  JobOutcome,
} from "../../device/engine/engine.ts";
import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import type { Processor } from "../../device/host/ipsec_mb.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import {
  checkBatch,
  directions,
  NAMES,
  randomBatch,
  servedSizes,
} from "./burst.ts";
import { ENGINES } from "./engines.ts";
import { assertSame, Guest, never, resultOf } from "./guest.ts";
import { Random } from "./random.ts";

const withoutIpsecMb = !("ipsec-mb" in ENGINES);
const withoutLibcrypto = !("libcrypto" in ENGINES);

const PROCESSORS: readonly Processor[] = [128, 256, 512].flatMap((registers) =>
  [false, true].map((hasSha) => ({ registers, hasSha }))
);

/** Notes how many jobs an engine gets in each call. */
function watch(engine: Engine): number[] {
  const counts: number[] = [];
  const run = engine.run.bind(engine);
  engine.run = (jobs, count, on, abandoned) => {
    counts.push(count);
    run(jobs, count, on, abandoned);
  };
  return counts;
}

/** Notes how many jobs each burst of an engine has. */
function watchBursts(engine: IpsecMbEngine): number[] {
  const counts: number[] = [];
  const add = engine.add.bind(engine);
  const finish = engine.finish.bind(engine);
  let count = 0;
  engine.add = (job, context) => {
    const added = add(job, context);
    if (added) count++;
    return added;
  };
  engine.finish = () => {
    if (count > 0) counts.push(count);
    count = 0;
    finish();
  };
  return counts;
}

/** Jobs that encrypt sources of given lengths. */
function jobsOf(
  name: AlgorithmName,
  engine: Engine,
  guest: Guest,
  lengths: readonly number[],
): Job[] {
  const algorithm: Algorithm = ALGORITHMS[name];
  const key = new Uint8Array(algorithm.key.min).fill(7);
  const context = engine.prepare(algorithm, "encrypt", key);
  let at = 0;
  return lengths.map((length) => {
    const input = {
      source: new Random(length).bytes(length),
      iv: new Uint8Array(algorithm.iv.min),
      ...algorithm.kind === "aead" ? { resultLength: 16 } : {},
    };
    const job = guest.job(context, input, { source: at, destination: at });
    at += length + 64;
    return job;
  });
}

Deno.test("auto knows the algorithms it has rules for", () => {
  for (const rule of PROCESSORS.flatMap((p) => Object.keys(burstsOn(p)))) {
    const [name, direction = "encrypt"] = rule.split(" ");
    const algorithm: Algorithm = ALGORITHMS[name as AlgorithmName];
    assert(directions(algorithm).some((one) => one === direction), rule);
  }
});

Deno.test({
  name: "auto gives jobs that are together to ipsec-mb, and the rest not",
  ignore: withoutIpsecMb,
  fn() {
    const [burst, single] = [new IpsecMbEngine(), new NobleEngine()];
    const [bursts, singles] = [watchBursts(burst), watch(single)];
    const engine = new AutoEngine([single, burst]);
    const guest = new Guest(1 << 20);
    const run = (lengths: number[]) => {
      bursts.length = singles.length = 0;
      const jobs = jobsOf("aes-cbc", engine, guest, lengths);
      engine.run(jobs, jobs.length, guest, never);
      for (const job of jobs) {
        assertEquals(job.outcome, JobOutcome.DONE);
        assertEquals(job.context?.engine, engine);
      }
      return [bursts.slice(), singles.slice()];
    };
    assertEquals(run([64]), [[], [1]]);
    assertEquals(run([64, 64]), [[2], []]);
    assertEquals(run([64, 65536, 0, 4096]), [[2], [2]]);
  },
});

/** How many of some jobs go to ipsec-mb where the processor is such a one. */
function inBursts(
  processor: Processor,
  name: AlgorithmName,
  lengths: readonly number[],
): number {
  const burst = new IpsecMbEngine(processor);
  const bursts = watchBursts(burst);
  const engine = new AutoEngine([new NobleEngine(), burst]);
  const guest = new Guest(1 << 20);
  const jobs = jobsOf(name, engine, guest, lengths);
  engine.run(jobs, jobs.length, guest, never);
  for (const { outcome } of jobs) assertEquals(outcome, JobOutcome.DONE);
  return bursts.reduce((sum, count) => sum + count, 0);
}

Deno.test({
  name: "auto gives DES to ipsec-mb only where registers have lanes for it",
  ignore: withoutIpsecMb,
  fn() {
    const lengths = new Array(16).fill(64);
    for (const processor of PROCESSORS) {
      for (const name of ["des-cbc", "3des-cbc"] as const) {
        const count = processor.registers === 512 ? 16 : 0;
        assertEquals(inBursts(processor, name, lengths), count, name);
      }
    }
  },
});

Deno.test({
  name:
    "auto gives ipsec-mb only the short jobs where others are faster at long ones",
  ignore: withoutIpsecMb,
  fn() {
    const lengths = [64, 512, 513, 8192];
    const counts = [256, 512].map((registers) =>
      inBursts({ registers, hasSha: true }, "chacha20-poly1305", lengths)
    );
    assertEquals(counts, [2, 4]);
  },
});

Deno.test({
  name:
    "auto gives short jobs of ARC4 to the portable engine, not to libcrypto",
  ignore: withoutLibcrypto,
  fn() {
    const lengths = [1, 64, 256, 257, 4096];
    for (const others of [["noble"], [], ["ipsec-mb", "noble"]] as const) {
      if (others[0] === "ipsec-mb" && withoutIpsecMb) continue;
      const engine = new AutoEngine(
        (["libcrypto", ...others] as const).flatMap((name) =>
          openEngines([name])
        ),
      );
      const guest = new Guest(1 << 16);
      const jobs = jobsOf("arc4", engine, guest, lengths);
      engine.run(jobs, jobs.length, guest, never);
      const portable = others.length > 0 ? "noble" : "libcrypto";
      assertEquals(
        jobs.map(({ outcome, ranBy }) => [outcome, ranBy]),
        lengths.map((length) => [
          JobOutcome.DONE,
          length > 256 ? "libcrypto" : portable,
        ]),
      );
    }
  },
});

Deno.test("auto gives SHA-256 to lanes of ipsec-mb unless the processor hashes one message as fast", () => {
  const rules = PROCESSORS.map((processor) => burstsOn(processor).sha256?.jobs);
  assertEquals(rules, [4, undefined, 4, undefined, 12, 12]);
});

Deno.test({
  name: "auto gives KASUMI to anything but ipsec-mb",
  ignore: withoutIpsecMb,
  fn() {
    const burst = new IpsecMbEngine();
    const bursts = watchBursts(burst);
    const engine = new AutoEngine([burst, new NobleEngine()]);
    const random = new Random(1);
    const algorithm = ALGORITHMS["kasumi-f8"];
    const context = engine.prepare(algorithm, "encrypt", random.bytes(16));
    const input = { source: random.bytes(64), iv: random.bytes(8) };
    resultOf(engine, context, input);
    assertEquals(bursts, []);
    // Unless there is nothing else.
    const alone = new AutoEngine([burst]);
    resultOf(
      alone,
      alone.prepare(algorithm, "encrypt", random.bytes(16)),
      input,
    );
    assertEquals(bursts, [1]);
  },
});

for (const name of NAMES) {
  const algorithm: Algorithm = ALGORITHMS[name];
  Deno.test(`auto agrees with the portable engine on batches of ${name}`, () => {
    const [engine] = openEngines(ENGINE_NAMES);
    const noble = new NobleEngine();
    const random = new Random(name.length);
    for (const size of servedSizes(engine!, algorithm)) {
      for (const direction of directions(algorithm)) {
        for (const count of [1, 2, 7, 40]) {
          const shape = { count, longest: 500, keys: 3 };
          checkBatch(
            engine!,
            randomBatch(
              engine!,
              noble,
              algorithm,
              direction,
              size,
              shape,
              random,
            ),
            `${name} ${size} ${direction} ${count}`,
          );
        }
      }
    }
  });
}

Deno.test("auto wipes its copy of the key, and every engine's", () => {
  const [engine] = openEngines(ENGINE_NAMES);
  const auto = engine instanceof AutoEngine
    ? engine
    : new AutoEngine([engine!]);
  const key = new Random(4).bytes(16);
  const context = auto.prepare(ALGORITHMS["aes-cbc"], "encrypt", key);
  const input = { source: key, iv: key };
  const expected = resultOf(auto, context, input);
  const copies: Uint8Array[] = [];
  const { fill } = Uint8Array.prototype;
  Uint8Array.prototype.fill = function (...parameters) {
    copies.push(this as Uint8Array);
    return fill.apply(this, parameters as [number]);
  };
  try {
    context.wipe();
  } finally {
    Uint8Array.prototype.fill = fill;
  }
  assert(copies.some((copy) => copy.length === 16));
  assert(copies.every((copy) => copy.every((byte) => byte === 0)));
  const again = auto.prepare(ALGORITHMS["aes-cbc"], "encrypt", key);
  assertSame(resultOf(auto, again, input), expected, "the key");
});

Deno.test("auto needs an engine", () => {
  assertThrows(() => new AutoEngine([]), RangeError);
});

Deno.test("openEngines takes one name as an order", () => {
  assertEquals(openEngines(["noble"]).map((engine) => engine.name), ["noble"]);
  assertThrows(() => openEngines(["abacus" as EngineName]), RangeError);
});

Deno.test({
  name: "openEngines makes one engine of several",
  ignore: withoutIpsecMb || withoutLibcrypto,
  fn() {
    const [engine, ...others] = openEngines(ENGINE_NAMES);
    assertEquals(others, []);
    assert(engine instanceof AutoEngine);
    const { engines } = engine as AutoEngine;
    assertEquals(engines.map(({ name }) => name), [...ENGINE_NAMES]);
    for (const name of NAMES) assert(engine!.serves(ALGORITHMS[name]), name);
  },
});

Deno.test({
  name: "openEngines does with the portable engine where FFI is not permitted",
  permissions: { ffi: false },
  fn() {
    const [engine, ...others] = openEngines(ENGINE_NAMES);
    assertEquals(others, []);
    assert(engine instanceof NobleEngine);
    for (const name of ["libcrypto", "ipsec-mb"] as const) {
      assertThrows(
        () => openEngines([name]),
        LibraryError,
        `Cannot use the engine ${name} without --allow-ffi`,
      );
    }
    assertThrows(
      () => openEngines(["libcrypto", "ipsec-mb"]),
      LibraryError,
      "--allow-ffi",
    );
  },
});
