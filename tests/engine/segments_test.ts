import { assertEquals } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
} from "../../device/engine/algorithm.ts";
import {
  type Context,
  type Engine,
  type Job,
  JobOutcome,
} from "../../device/engine/engine.ts";
import { testEngines } from "./engines.ts";
import {
  assertSame,
  Guest,
  type Input,
  never,
  type Placement,
  resultOf,
} from "./guest.ts";
import { Random } from "./random.ts";

const NAMES: AlgorithmName[] = [
  "aes-ecb",
  "aes-cbc",
  "aes-ctr",
  "arc4",
  "des-ecb",
  "3des-cbc",
  "3des-ctr",
  "kasumi-f8",
  "snow3g-uea2",
  "aes-f8",
  "aes-xts",
  "zuc-eea3",
  "sha256",
  "sha3-256",
  "shake128",
  "hmac-sha1",
  "cmac-3des",
  "cmac-aes",
  "kasumi-f9",
  "snow3g-uia2",
  "gmac-aes",
  "cbcmac-aes",
  "xcbc-aes",
  "zuc-eia3",
  "aes-gcm",
  "aes-ccm",
  "chacha20-poly1305",
];

/** A context and an input of about `length` bytes that it takes. */
interface Sample {
  readonly what: string;
  readonly context: Context;
  readonly input: Input;
  readonly expected: Uint8Array;
}

/** Samples of all algorithms in all directions. */
function samples(engine: Engine, length: number, seed: number): Sample[] {
  const random = new Random(seed);
  return NAMES.flatMap((name) => {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = random.bytes(Math.min(algorithm.key.max, 32));
    const size = length - length % algorithm.block;
    const input: Input = {
      source: random.bytes(size),
      aad: random.bytes(algorithm.kind === "aead" ? 37 : 0),
      iv: random.bytes(algorithm.iv.min),
      resultLength: Math.min(algorithm.result.max, 20),
    };
    const sample = (direction: Direction, input: Input): Sample => {
      const context = engine.prepare(algorithm, direction, key);
      const expected = resultOf(engine, context, input);
      const what = `${name} ${direction} of ${size} bytes`;
      return { what, context, input, expected };
    };
    const encrypt = sample("encrypt", input);
    if (algorithm.kind !== "cipher" && algorithm.kind !== "aead") {
      return [encrypt];
    }
    const sealed = { ...input, source: encrypt.expected };
    return [encrypt, sample("decrypt", sealed)];
  });
}

testEngines("gives one result however its data is cut in two", (engine) => {
  for (const { what, context, input, expected } of samples(engine, 67, 1)) {
    const longest = Math.max(input.source.length, expected.length);
    for (let cut = 0; cut <= longest; cut++) {
      const placement: Placement = {
        sourceCuts: [Math.min(cut, input.source.length)],
        aadCuts: [Math.min(cut, input.aad!.length)],
        destinationCuts: [Math.min(cut, expected.length)],
      };
      const result = resultOf(engine, context, input, placement);
      assertSame(result, expected, `${what}, cut at ${cut}`);
    }
  }
});

testEngines("gives one result when each byte is a segment", (engine) => {
  const every = (length: number) =>
    Array.from({ length }, (_, i) => i).flatMap((i) => [i, i]);
  for (const { what, context, input, expected } of samples(engine, 300, 2)) {
    const result = resultOf(engine, context, input, {
      sourceCuts: every(input.source.length),
      aadCuts: every(input.aad!.length),
      destinationCuts: every(expected.length),
    });
    assertSame(result, expected, what);
  }
});

testEngines("gives one result when segments end around a step", (engine) => {
  const random = new Random(3);
  for (const { what, context, input, expected } of samples(engine, 150000, 3)) {
    for (const cut of [65519, 65535, 65536, 65537, 131071, 131072, 131073]) {
      const cuts = [random.below(cut), cut];
      const result = resultOf(engine, context, input, {
        sourceCuts: cuts,
        destinationCuts: expected.length < cut ? [] : cuts,
      });
      assertSame(result, expected, `${what}, cut at ${cuts}`);
    }
  }
});

/** Runs a sample whose destination overlaps its source. */
function runOverlapping(
  engine: Engine,
  { context, input, expected, what }: Sample,
  shift: number,
): void {
  const source = 64;
  const size = 2 * input.source.length + 512;
  const guest = new Guest(size);
  const placement = { source, destination: source + shift };
  const job = guest.job(context, input, placement);
  const outside = guest.bytes.slice();
  engine.run([job], 1, guest, never);
  assertEquals(job.outcome, JobOutcome.DONE, what);
  assertSame(guest.result(job), expected, `${what}, shifted by ${shift}`);
  outside.set(expected, source + shift);
  assertSame(guest.bytes, outside, `${what}, memory around it`);
}

testEngines("gives one result when destination overlaps source", (engine) => {
  for (const sample of samples(engine, 100, 4)) {
    for (let shift = -40; shift <= 40; shift++) {
      runOverlapping(engine, sample, shift);
    }
  }
});

testEngines("gives one result when long data overlaps", (engine) => {
  for (const sample of samples(engine, 140000, 5)) {
    for (const shift of [-17, -1, 0, 1, 16, 65536, 70000]) {
      runOverlapping(engine, sample, shift);
    }
  }
});

testEngines("runs batches of jobs in order", (engine) => {
  const batch = samples(engine, 90, 6);
  for (const { context, input, expected, what } of batch) {
    const guest = new Guest(8192);
    const jobs: Job[] = [];
    for (let i = 0; i < 8; i++) {
      const source = 3 + i * 1000;
      jobs.push(
        guest.job(context, input, { source, destination: source + 500 }),
      );
    }
    // One more than is asked for.
    engine.run(jobs, 7, guest, () => {
      throw new Error("A batch of several jobs is not given up");
    });
    jobs.forEach((job, i) => {
      const outcome = i < 7 ? JobOutcome.DONE : JobOutcome.PENDING;
      assertEquals(job.outcome, outcome, what);
      if (i < 7) assertSame(guest.result(job), expected, what);
    });
  }
});

testEngines("moves from one guest's memory to another's", (engine) => {
  const [sample] = samples(engine, 90, 7);
  const { context, input, expected, what } = sample!;
  const guests = [new Guest(512), new Guest(512)];
  const jobs = guests.map((guest) => guest.job(context, input));
  for (const i of [0, 1, 0]) {
    jobs[i]!.outcome = JobOutcome.PENDING;
    engine.run([jobs[i]!], 1, guests[i]!, never);
    assertEquals(jobs[i]!.outcome, JobOutcome.DONE, what);
    assertSame(guests[i]!.result(jobs[i]!), expected, what);
  }
  // The same segments, over memory that was mapped anew.
  const moved = new Guest(512);
  const job = moved.job(context, input);
  const on = { memory: moved.memory, segments: guests[0]!.segments };
  job.source.segment = jobs[0]!.source.segment;
  job.destination.segment = jobs[0]!.destination.segment;
  engine.run([job], 1, on, never);
  assertEquals(job.outcome, JobOutcome.DONE, what);
  job.destination.segment = moved.segments.count - 1;
  assertSame(moved.result(job), expected, what);
});
