import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import { type Job, JobOutcome } from "../../device/engine/engine.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { EXPECTED } from "../../device/engine/ipsec_mb/expected.ts";
import { RECIPES } from "../../device/engine/ipsec_mb/recipes.ts";
import { checksums } from "../../device/engine/ipsec_mb/self_check.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  checkBatch,
  directions,
  NAMES,
  randomBatch,
  servedSizes,
} from "./burst.ts";
import { ENGINES } from "./engines.ts";
import { assertSame, Guest, type Input, never, resultOf } from "./guest.ts";
import { Random } from "./random.ts";

/** Without the library there is nothing to test: engines.ts says so. */
const ignore = !("ipsec-mb" in ENGINES);

function test(name: string, fn: () => void): void {
  Deno.test({ name: `ipsec-mb ${name}`, ignore, fn });
}

Deno.test("ipsec-mb checks itself against what the portable engine computes", () => {
  const sums = checksums(new NobleEngine());
  assertEquals(Object.fromEntries(sums), EXPECTED);
});

test("serves all that it has a recipe for", () => {
  const engine = new IpsecMbEngine();
  for (const name of NAMES) {
    assertEquals(engine.serves(ALGORITHMS[name]), RECIPES.has(name), name);
  }
  // The library has no other sizes.
  assert(!engine.serves(ALGORITHMS["aes-ccm"], 24));
  assert(!engine.serves(ALGORITHMS["cmac-aes"], 24));
});

test("refuses what it does not serve", () => {
  const engine = new IpsecMbEngine();
  assertThrows(
    () => engine.prepare(ALGORITHMS.md5, "encrypt", new Uint8Array(0)),
    RangeError,
    "Cannot prepare md5: the ipsec-mb engine does not serve it",
  );
  assertThrows(
    () => engine.prepare(ALGORITHMS["aes-ccm"], "encrypt", new Uint8Array(24)),
    RangeError,
    "Cannot prepare aes-ccm with a key of 24 bytes",
  );
});

test("runs DES on the portable engine where the library has no lanes for it", () => {
  const random = new Random(5);
  const key = random.bytes(24);
  const input = { source: random.bytes(64), iv: random.bytes(8) };
  const algorithm = ALGORITHMS["3des-cbc"];
  const noble = new NobleEngine();
  const portable = noble.prepare(algorithm, "encrypt", key);
  const expected = resultOf(noble, portable, input);
  for (const registers of [256, 512]) {
    const engine = new IpsecMbEngine({ registers, hasSha: true });
    const context = engine.prepare(algorithm, "encrypt", key);
    const guest = new Guest(4096);
    const job = guest.job(context, input, { source: 0, destination: 1024 });
    engine.begin(guest, 1);
    assertEquals(engine.add(job, context), registers === 512);
    engine.finish();
    assertSame(resultOf(engine, context, input), expected, `${registers}`);
    assertEquals(
      context.roundBytes === portable.roundBytes,
      registers === 256,
    );
  }
});

Deno.test("ipsec-mb has one recipe for all keys of a size, so that jobs of different sessions share a burst", () => {
  for (const [name, recipe] of RECIPES) {
    const { key } = ALGORITHMS[name as AlgorithmName];
    assert(recipe(key.min) === recipe(key.min), name);
    if (!name.startsWith("hmac-")) continue;
    assert(recipe(key.min) === recipe(key.max), name);
  }
});

for (const name of RECIPES.keys()) {
  const algorithm: Algorithm = ALGORITHMS[name as AlgorithmName];
  test(`agrees with the portable engine on bursts of ${name}`, () => {
    const engine = new IpsecMbEngine();
    const noble = new NobleEngine();
    const random = new Random(name.length);
    for (const size of servedSizes(engine, algorithm)) {
      for (const direction of directions(algorithm)) {
        for (const count of [1, 2, 3, 8, 15, 16, 17, 33, 127, 128, 129]) {
          const shape = { count, longest: 700, keys: 3 };
          checkBatch(
            engine,
            randomBatch(
              engine,
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

  test(`agrees with the portable engine on long jobs of ${name}`, () => {
    const engine = new IpsecMbEngine();
    const noble = new NobleEngine();
    const random = new Random(name.length);
    for (const size of servedSizes(engine, algorithm).slice(0, 1)) {
      for (const direction of directions(algorithm)) {
        const shape = { count: 20, longest: 70000, keys: 2 };
        checkBatch(
          engine,
          randomBatch(engine, noble, algorithm, direction, size, shape, random),
          `${name} ${direction}`,
        );
      }
    }
  });
}

/** The longest job of each, and lengths about it. */
const LIMITS: [AlgorithmName, number[]][] = [
  ["aes-cbc", [65504, 65520, 65536, 65552, 131072, 1 << 20]],
  ["aes-ctr", [65519, 65520, 65521, 65534, 65535, 65536, 65537, 1 << 20]],
  ["aes-ecb", [65504, 65520, 65536, 131072]],
  ["aes-gcm", [65504, 65520, 65521, 65536]],
  ["aes-ccm", [65519, 65520, 65521, 65536]],
  ["hmac-sha256", [65519, 65520, 65521, 65535, 65536]],
  ["sha1", [65519, 65520, 65521, 65535, 65536]],
  ["cmac-aes", [65519, 65520, 65521, 65535, 65536]],
  ["snow3g-uea2", [8187, 8188, 8189, 8192, 65536]],
  ["snow3g-uia2", [8187, 8188, 8189, 8192, 65536]],
  ["zuc-eea3", [8187, 8188, 8189, 8192, 65536]],
  ["zuc-eia3", [8187, 8188, 8189, 8192, 65536]],
  ["kasumi-f8", [2499, 2500, 2501, 4096]],
  ["kasumi-f9", [2496, 2504, 4096]],
];

for (const [name, lengths] of LIMITS) {
  test(`goes past the library's longest job with ${name}`, () => {
    const engine = new IpsecMbEngine();
    const noble = new NobleEngine();
    const algorithm: Algorithm = ALGORITHMS[name];
    const random = new Random(5);
    const key = random.bytes(Math.min(algorithm.key.max, 16));
    for (const direction of directions(algorithm)) {
      const [mine, other] = [engine, noble].map((e) =>
        e.prepare(algorithm, direction, key)
      );
      const sealing = noble.prepare(algorithm, "encrypt", key);
      for (const length of lengths) {
        let input: Input = {
          source: random.bytes(length),
          iv: random.bytes(algorithm.iv.min),
          resultLength: algorithm.result.max,
        };
        if (algorithm.kind === "aead" && direction === "decrypt") {
          input = { ...input, source: resultOf(noble, sealing, input) };
        }
        assertSame(
          resultOf(engine, mine!, input),
          resultOf(noble, other!, input),
          `${name} ${direction} ${length}`,
        );
      }
    }
  });
}

test("carries the counter of aes-ctr through all of its 128 bits", () => {
  const engine = new IpsecMbEngine();
  const noble = new NobleEngine();
  const random = new Random(8);
  const key = random.bytes(16);
  const [mine, other] = [engine, noble].map((e) =>
    e.prepare(ALGORITHMS["aes-ctr"], "encrypt", key)
  );
  for (const ones of [4, 8, 12, 16]) {
    for (const left of [0, 1, 2, 15, 16, 17, 64]) {
      const iv = random.bytes(16);
      iv.fill(0xff, 16 - ones);
      iv[15] = 0xff - left;
      for (const length of [1, 16, 17, 240, 256, 257, 1040, 70000]) {
        const input = { source: random.bytes(length), iv };
        assertSame(
          resultOf(engine, mine!, input),
          resultOf(noble, other!, input),
          `${ones} bytes of ones less ${left}, ${length} bytes`,
        );
      }
    }
  }
});

test("is not disturbed by jobs of a burst that fail", () => {
  const engine = new IpsecMbEngine();
  const noble = new NobleEngine();
  const random = new Random(9);
  for (const name of ["aes-cbc", "aes-gcm", "hmac-sha1"] as const) {
    const algorithm: Algorithm = ALGORITHMS[name];
    for (const direction of directions(algorithm)) {
      const shape = { count: 64, longest: 600, keys: 4 };
      const { expected, guest, jobs } = randomBatch(
        engine,
        noble,
        algorithm,
        direction,
        16,
        shape,
        random,
      );
      const wiped = engine.prepare(algorithm, direction, random.bytes(16));
      wiped.wipe();
      const untouched = jobs.map((job) => guest.result(job));
      const outcomes = jobs.map((job, i) => {
        // A guest's source and destination may be one: leave those alone.
        if (overlap(guest, job)) return JobOutcome.DONE;
        switch (i % 7) {
          case 0:
            job.context = wiped;
            return JobOutcome.FAILED;
          case 2:
            job.source.segment = guest.segments.count;
            return job.source.length > 0 || name === "aes-gcm"
              ? JobOutcome.FAILED
              : JobOutcome.DONE;
          case 3:
            job.destination.length = 0;
            return job.source.length > 0 ? JobOutcome.FAILED : JobOutcome.DONE;
          case 4:
            job.ivLength = 5;
            return algorithm.iv.max > 0 ? JobOutcome.FAILED : JobOutcome.DONE;
          case 5:
            if (name !== "aes-gcm" || direction === "encrypt") break;
            job.iv[0]! ^= 1;
            return JobOutcome.BAD_TAG;
        }
        return JobOutcome.DONE;
      });
      engine.run(jobs, jobs.length, guest, never);
      jobs.forEach((job, i) => {
        const what = `${name} ${direction}, job ${i}`;
        if (outcomes[i] === JobOutcome.DONE) {
          if (job.destination.length === 0) return;
          assertEquals(job.outcome, JobOutcome.DONE, what);
          assertSame(guest.result(job), expected[i]!, what);
        } else {
          assertEquals(job.outcome, outcomes[i], what);
          if (job.destination.length === 0) return;
          assertSame(guest.result(job), untouched[i]!, what);
        }
      });
    }
  }
});

function overlap(guest: Guest, job: Job): boolean {
  const from = guest.segments.offset[job.source.segment]!;
  const to = guest.segments.offset[job.destination.segment]!;
  return to < from + job.source.length;
}

test("goes on when a destination leaves the segments", () => {
  const engine = new IpsecMbEngine();
  const random = new Random(12);
  const key = random.bytes(16);
  for (const name of ["aes-cbc", "hmac-sha256", "aes-ccm"] as const) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const context = engine.prepare(algorithm, "encrypt", key);
    const input: Input = {
      source: random.bytes(64),
      iv: random.bytes(algorithm.iv.max),
      resultLength: Math.min(algorithm.result.max, 16),
    };
    const expected = resultOf(engine, context, input);
    const guest = new Guest(3000);
    const jobs = [0, 1000, 2000].map((source) =>
      guest.job(context, input, { source })
    );
    jobs[1]!.destination.segment = guest.segments.count;
    engine.run(jobs, 3, guest, never);
    assertEquals(jobs[1]!.outcome, JobOutcome.FAILED, name);
    for (const job of [jobs[0]!, jobs[2]!]) {
      assertEquals(job.outcome, JobOutcome.DONE, name);
      assertSame(guest.result(job), expected, name);
    }
  }
});

test("works in memory of several regions, and in another one", () => {
  const engine = new IpsecMbEngine();
  const noble = new NobleEngine();
  const algorithm = ALGORITHMS["aes-cbc"];
  const [one, two] = [1, 2].map((seed) => {
    const shape = { count: 40, longest: 500, keys: 2 };
    return randomBatch(
      engine,
      noble,
      algorithm,
      "encrypt",
      16,
      shape,
      new Random(seed),
    );
  });
  // The second batch's bytes as the second region of another memory.
  const { guest, jobs } = two!;
  const [region] = guest.memory.regions;
  const other = new SharedArrayBuffer(4096);
  const memory = new GuestMemory([
    { guestAddress: 0, userAddress: 0, size: 64, buffer: other, offset: 9 },
    { ...region!, guestAddress: 0x9000, userAddress: 0x9000 },
  ]);
  guest.segments.region.fill(1);
  for (let i = 0; i < 3; i++) {
    engine.run(one!.jobs, 20, one!.guest, never);
    engine.run(jobs, 20, { memory, segments: guest.segments }, never);
    if (i === 1) engine.wipe();
    // Run once only what works in place.
    if (i === 0) {
      for (const batch of [one!, two!]) {
        batch.jobs.slice(0, 20).forEach((job, k) => {
          assertSame(batch.guest.result(job), batch.expected[k]!, `job ${k}`);
        });
      }
    }
  }
});

/** Every ArrayBuffer that is made meanwhile. */
function buffersOf(make: () => void): ArrayBuffer[] {
  const made: ArrayBuffer[] = [];
  const Original = globalThis.ArrayBuffer;
  globalThis.ArrayBuffer = class extends Original {
    constructor(length: number) {
      super(length);
      made.push(this);
    }
  } as ArrayBufferConstructor;
  try {
    make();
  } finally {
    globalThis.ArrayBuffer = Original;
  }
  return made;
}

test("leaves nothing of keys and data in memory", () => {
  const random = new Random(11);
  for (const name of RECIPES.keys()) {
    const algorithm: Algorithm = ALGORITHMS[name as AlgorithmName];
    if (algorithm.kind === "hash") continue;
    const size = Math.min(algorithm.key.max, 32);
    const key = random.bytes(size);
    const source = random.bytes(528);
    const iv = random.bytes(algorithm.iv.min);
    let secrets: Uint8Array[] = [];
    const buffers = buffersOf(() => {
      const engine = new IpsecMbEngine();
      const guest = new Guest(300000);
      const context = engine.prepare(algorithm, "encrypt", key);
      const material = (context as unknown as {
        memory: { bytes: Uint8Array };
      }).memory.bytes;
      secrets = [key, source, material.slice(0, 16), material.slice(64, 80)];
      const jobs = Array.from({ length: 37 }, (_, i) =>
        guest.job(context, {
          source,
          iv,
          resultLength: algorithm.kind === "aead" ? 16 : algorithm.result.max,
        }, {
          source: 2000 * i,
          destination: 100000 + 2000 * i,
          sourceCuts: [i],
          destinationCuts: [5],
        }));
      engine.run(jobs, jobs.length, guest, never);
      assertEquals(jobs[36]!.outcome, JobOutcome.DONE, name);
      context.wipe();
      engine.wipe();
    });
    assert(buffers.length > 0);
    for (const buffer of buffers) {
      const hex = new Uint8Array(buffer).toHex();
      for (const secret of secrets) {
        if (secret.every((byte) => byte === 0)) continue;
        assert(!hex.includes(secret.toHex()), `${name} left a secret`);
      }
    }
  }
});
