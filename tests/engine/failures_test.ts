import { assert, assertEquals } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import { JobOutcome } from "../../device/engine/engine.ts";
import { testEngines } from "./engines.ts";
import {
  assertSame,
  Guest,
  type Input,
  never,
  resultOf,
  runJob,
} from "./guest.ts";
import { Random } from "./random.ts";

const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];
const AEADS = ["aes-gcm", "aes-ccm", "chacha20-poly1305"] as const;
/** Tag sizes of each. */
const TAGS = {
  "aes-gcm": [4, 8, 12, 13, 14, 15, 16],
  "aes-ccm": [4, 6, 8, 10, 12, 14, 16],
  "chacha20-poly1305": [16],
};

/** A key of the largest size up to 32 bytes. */
function keyOf(algorithm: Algorithm, random: Random): Uint8Array {
  return random.bytes(Math.min(algorithm.key.max, 32));
}

function inputOf(
  algorithm: Algorithm,
  random: Random,
  length: number,
): Input {
  return {
    source: random.bytes(length - length % algorithm.block),
    aad: random.bytes(algorithm.kind === "aead" ? 21 : 0),
    iv: random.bytes(algorithm.iv.min),
    resultLength: Math.min(algorithm.result.max, 70000),
  };
}

for (const name of AEADS) {
  testEngines(`writes nothing when a tag of ${name} is wrong`, (engine) => {
    const random = new Random(1);
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = keyOf(algorithm, random);
    const encrypt = engine.prepare(algorithm, "encrypt", key);
    const decrypt = engine.prepare(algorithm, "decrypt", key);
    for (const length of [0, 1, 16, 33, 140000]) {
      for (const resultLength of TAGS[name]) {
        const input = { ...inputOf(algorithm, random, length), resultLength };
        const sealed = resultOf(engine, encrypt, input);
        // Each bit of the tag, and some of what it covers.
        const bits = length > 1000 ? [0, 8 * resultLength - 1] : Array.from(
          { length: 8 * resultLength },
          (_, bit) => bit,
        );
        for (const bit of bits) {
          const source = sealed.slice();
          source[length + (bit >> 3)]! ^= 1 << (bit & 7);
          const forged = runJob(engine, decrypt, { ...input, source });
          assertEquals(forged.outcome, JobOutcome.BAD_TAG);
        }
        for (const part of ["source", "aad", "iv"] as const) {
          const opened: Input = { ...input, source: sealed };
          const changed = opened[part]!.slice();
          changed[random.below(changed.length)]! ^= 0x10;
          const forged = runJob(engine, decrypt, {
            ...opened,
            [part]: changed,
          });
          assertEquals(forged.outcome, JobOutcome.BAD_TAG, part);
        }
        const right = { ...input, source: sealed };
        assertSame(resultOf(engine, decrypt, right), input.source, name);
      }
    }
  });

  testEngines(`fails when a source of ${name} is no tag long`, (engine) => {
    const context = engine.prepare(
      ALGORITHMS[name],
      "decrypt",
      new Uint8Array(32),
    );
    for (const length of [0, 1, 15]) {
      const guest = new Guest(100);
      const job = guest.job(context, {
        source: new Uint8Array(16),
        iv: new Uint8Array(12),
        resultLength: 16,
      });
      job.source.length = length;
      engine.run([job], 1, guest, never);
      assertEquals(job.outcome, JobOutcome.FAILED);
    }
  });

  testEngines(`decrypts with ${name} what it has verified`, (engine) => {
    const random = new Random(2);
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = keyOf(algorithm, random);
    const input = {
      source: random.bytes(200000),
      iv: random.bytes(12),
      resultLength: 16,
    };
    const encrypt = engine.prepare(algorithm, "encrypt", key);
    const decrypt = engine.prepare(algorithm, "decrypt", key);
    const source = resultOf(engine, encrypt, input);
    const guest = new Guest(500000);
    const job = guest.job(decrypt, { ...input, source });
    const at = guest.segments.offset[job.source.segment]!;
    let steps = 0;
    engine.run([job], 1, guest, () => {
      // The guest destroys what the engine has read, and a tag once verified.
      const read = ++steps < 4 ? 65536 * steps : source.length;
      guest.bytes.fill(0x3c, at, at + read);
      return false;
    });
    // CCM authenticates plaintext: it decrypts in the step it reads in.
    assert(steps >= (name === "aes-ccm" ? 3 : 6), `${steps} steps`);
    assertEquals(job.outcome, JobOutcome.DONE);
    assertSame(guest.result(job), input.source, "plaintext");
  });
}

testEngines("reads each byte of a source once", (engine) => {
  const random = new Random(3);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = keyOf(algorithm, random);
    const context = engine.prepare(algorithm, "encrypt", key);
    const input = inputOf(algorithm, random, 200000);
    const expected = resultOf(engine, context, input);
    const guest = new Guest(800000);
    const job = guest.job(context, input);
    const sourceAt = guest.segments.offset[job.source.segment]!;
    const aadAt = guest.segments.offset[job.aad.segment]!;
    // With AAD, the first step reads nothing of the source.
    let steps = job.aad.length > 0 ? -1 : 0;
    engine.run([job], 1, guest, () => {
      steps++;
      guest.bytes.fill(0x3c, aadAt, aadAt + job.aad.length);
      const read = Math.min(65536 * steps, job.source.length);
      guest.bytes.fill(0x3c, sourceAt, sourceAt + read);
      return false;
    });
    assertEquals(job.outcome, JobOutcome.DONE, name);
    assertSame(guest.result(job), expected, name);
  }
});

testEngines(
  "writes nothing when a job is given up, and runs it again",
  (engine) => {
    const random = new Random(4);
    for (const name of NAMES) {
      const algorithm: Algorithm = ALGORITHMS[name];
      const key = keyOf(algorithm, random);
      const input = inputOf(algorithm, random, 200000);
      const encrypt = engine.prepare(algorithm, "encrypt", key);
      const jobs: [typeof encrypt, Input][] = [[encrypt, input]];
      if (algorithm.kind === "cipher" || algorithm.kind === "aead") {
        const source = resultOf(engine, encrypt, input);
        const decrypt = engine.prepare(algorithm, "decrypt", key);
        jobs.push([decrypt, { ...input, source }]);
      }
      for (const [context, input] of jobs) {
        const expected = resultOf(engine, context, input);
        const guest = new Guest(800000);
        const job = guest.job(context, input);
        const before = guest.bytes.slice();
        for (let limit = 0;; limit++) {
          let asked = 0;
          engine.run([job], 1, guest, () => asked++ === limit);
          if (asked <= limit) {
            assertEquals(job.outcome, JobOutcome.DONE, name);
            assertSame(guest.result(job), expected, name);
            assert(limit >= 3, `${name} asked ${limit} times`);
            break;
          }
          assertEquals(job.outcome, JobOutcome.ABANDONED, name);
          assertSame(guest.bytes, before, `${name}, given up at ${limit}`);
        }
      }
    }
  },
);

testEngines("does not ask whether to give up a job of one step", (engine) => {
  const random = new Random(5);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    if (algorithm.kind === "aead") continue;
    const key = keyOf(algorithm, random);
    const context = engine.prepare(algorithm, "encrypt", key);
    const guest = new Guest(200000);
    const resultLength = Math.min(algorithm.result.max, 16);
    const input = inputOf(
      algorithm,
      random,
      name.startsWith("shake") ? 0 : 65536,
    );
    const job = guest.job(context, { ...input, resultLength });
    engine.run([job], 1, guest, () => true);
    assertEquals(job.outcome, JobOutcome.DONE, name);
  }
});

testEngines("fails jobs whose context was wiped", (engine) => {
  const random = new Random(6);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = keyOf(algorithm, random);
    const input = inputOf(algorithm, random, 64);
    const context = engine.prepare(algorithm, "encrypt", key);
    const other = engine.prepare(algorithm, "encrypt", key);
    const expected = resultOf(engine, other, input);
    context.wipe();
    const { outcome } = runJob(engine, context, input);
    assertEquals(outcome, JobOutcome.FAILED, name);
    context.wipe();
    // Contexts of one key know nothing of each other.
    assertSame(resultOf(engine, other, input), expected, name);
  }
});

testEngines("fails jobs of another engine or of none", (engine) => {
  const stranger = {
    engine,
    algorithm: ALGORITHMS.sha1,
    direction: "encrypt",
    group: 0,
    wipe() {},
  } as const;
  const input = { source: new Uint8Array(3), resultLength: 20 };
  assertEquals(runJob(engine, stranger, input).outcome, JobOutcome.FAILED);
  const guest = new Guest(100);
  const job = guest.job(stranger, input);
  job.context = undefined;
  engine.run([job], 1, guest, never);
  assertEquals(job.outcome, JobOutcome.FAILED);
});

testEngines(
  "fails a job whose source leaves its segments, and goes on",
  (engine) => {
    const random = new Random(7);
    for (const name of NAMES) {
      const algorithm: Algorithm = ALGORITHMS[name];
      const key = keyOf(algorithm, random);
      const context = engine.prepare(algorithm, "encrypt", key);
      const input = inputOf(algorithm, random, 64);
      const expected = resultOf(engine, context, input);
      const guest = new Guest(200000);
      const good = guest.job(context, input, { source: 300 });
      const bad = guest.job(context, input, { source: 3, destination: 150 });
      bad.source.segment = guest.segments.count;
      engine.run([bad, good], 2, guest, never);
      assertEquals(bad.outcome, JobOutcome.FAILED, name);
      assertEquals(good.outcome, JobOutcome.DONE, name);
      assertSame(guest.result(good), expected, name);
    }
  },
);

testEngines("fails a job whose destination is too short", (engine) => {
  const random = new Random(8);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = keyOf(algorithm, random);
    const context = engine.prepare(algorithm, "encrypt", key);
    const guest = new Guest(200000);
    const job = guest.job(context, inputOf(algorithm, random, 64));
    job.destination.length--;
    const before = guest.bytes.slice();
    engine.run([job], 1, guest, never);
    assertEquals(job.outcome, JobOutcome.FAILED, name);
    assertSame(guest.bytes, before, name);
  }
});

testEngines("works after it was wiped", (engine) => {
  const random = new Random(9);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = keyOf(algorithm, random);
    const context = engine.prepare(algorithm, "encrypt", key);
    const input = inputOf(algorithm, random, 1000);
    const expected = resultOf(engine, context, input);
    engine.wipe();
    assertSame(resultOf(engine, context, input), expected, name);
  }
});
