import { assert, assertEquals, assertThrows } from "@std/assert";
import { ALGORITHMS } from "../../../device/engine/algorithm.ts";
import { defineEngine, type EngineInput } from "../../../engine.ts";
import { NobleEngine } from "../../../device/engine/noble.ts";
import { JobOutcome } from "../../../device/engine/engine.ts";
import { Guest, never, resultOf, runJob } from "../guest.ts";
import { Random } from "../random.ts";
import faulty, { errors, FAULTS } from "./faulty_engine.ts";

const random = new Random(31);
const KEY = random.bytes(16);
const IV = random.bytes(16);

/** An engine of one algorithm that keeps what it was given. */
function recording(inputs: EngineInput[], keys: Uint8Array[] = []) {
  return defineEngine({
    name: "recording",
    algorithms: {
      "aes-gcm": {
        prepare(key) {
          keys.push(key);
          return {
            run(input) {
              inputs.push({ ...input });
              const { source, tag, resultLength } = input;
              return tag.length > 0
                ? source
                : new Uint8Array(source.length + resultLength);
            },
          };
        },
      },
    },
  }).open();
}

for (const [name, first] of Object.entries(FAULTS)) {
  if (first === FAULTS.NONE) continue;
  Deno.test(`an engine whose result is wrong (${name}) fails the job, and is told`, () => {
    errors.length = 0;
    const engine = faulty.open();
    const context = engine.prepare(ALGORITHMS["aes-ctr"], "encrypt", KEY);
    const source = Uint8Array.of(first, 7, 7, 7);
    // Nothing is written: runJob looks.
    const { outcome } = runJob(engine, context, { source, iv: IV });
    assertEquals(outcome, JobOutcome.FAILED);
    assertEquals(errors.length, 1);
    const good = { source: Uint8Array.of(FAULTS.NONE, 7), iv: IV };
    assertEquals([...resultOf(engine, context, good)], [1, 1]);
  });
}

Deno.test("an engine that cannot prepare fails the job, and the next one is tried again", () => {
  errors.length = 0;
  const engine = faulty.open();
  const context = engine.prepare(ALGORITHMS["aes-cbc"], "encrypt", KEY);
  const input = { source: new Uint8Array(16), iv: IV };
  for (let i = 1; i <= 2; i++) {
    assertEquals(runJob(engine, context, input).outcome, JobOutcome.FAILED);
    assertEquals(errors.length, i);
  }
  context.wipe();
});

Deno.test("an engine that answers later fails the job, and what it throws then is told", async () => {
  const told: unknown[] = [];
  const late = new Error("later");
  // As of someone who does without the types.
  const { open } = defineEngine({
    name: "later",
    algorithms: {
      "aes-ctr": {
        prepare: () => ({ run: () => Promise.reject(late) as never }),
      },
      "aes-cbc": { prepare: () => Promise.reject(late) as never },
    },
    onError: (error) => told.push(error),
  });
  const engine = open();
  for (const name of ["aes-ctr", "aes-cbc"] as const) {
    const context = engine.prepare(ALGORITHMS[name], "encrypt", KEY);
    const input = { source: new Uint8Array(16), iv: IV };
    assertEquals(runJob(engine, context, input).outcome, JobOutcome.FAILED);
    assert(told.pop() instanceof TypeError);
    await Promise.resolve();
    assertEquals(told.pop(), late);
    context.wipe();
  }
  assertEquals(told, []);
});

Deno.test("no result is a wrong tag in AEAD decryption only", () => {
  errors.length = 0;
  const engine = faulty.open();
  const source = Uint8Array.of(FAULTS.NOTHING, ...new Uint8Array(20));
  const input = { source, iv: IV.slice(0, 12), resultLength: 16 };
  for (
    const [direction, expected] of [
      ["decrypt", JobOutcome.BAD_TAG],
      ["encrypt", JobOutcome.FAILED],
    ] as const
  ) {
    const context = engine.prepare(ALGORITHMS["aes-gcm"], direction, KEY);
    assertEquals(runJob(engine, context, input).outcome, expected);
  }
  assertEquals(errors.length, 1);
});

Deno.test("an engine is given private copies of what lies in guest memory", () => {
  const inputs: EngineInput[] = [];
  const engine = recording(inputs);
  const context = engine.prepare(ALGORITHMS["aes-gcm"], "decrypt", KEY);
  const source = random.bytes(40);
  const aad = random.bytes(9);
  const guest = new Guest(512);
  const job = guest.job(
    context,
    { source, aad, iv: IV.slice(0, 12), resultLength: 12 },
    { sourceCuts: [1, 30], aadCuts: [4] },
  );
  engine.run([job], 1, guest, never);
  assertEquals(job.outcome, JobOutcome.DONE);
  const [input] = inputs;
  assertEquals([...input!.source], [...source.subarray(0, 28)]);
  assertEquals([...input!.tag], [...source.subarray(28)]);
  assertEquals([...input!.aad], [...aad]);
  assertEquals([...input!.iv], [...IV.subarray(0, 12)]);
  assertEquals(input!.resultLength, 12);
  for (const bytes of [input!.source, input!.tag, input!.aad, input!.iv]) {
    assert(!(bytes.buffer as unknown instanceof SharedArrayBuffer));
  }
  // It is wiped when the engine is.
  engine.wipe();
  assert(input!.source.every((byte) => byte === 0));
});

Deno.test("an engine's copy of a key is overwritten when the session has ended", () => {
  const keys: Uint8Array[] = [];
  const engine = recording([], keys);
  const context = engine.prepare(ALGORITHMS["aes-gcm"], "encrypt", KEY);
  const input = { source: KEY, iv: IV.slice(0, 12), resultLength: 16 };
  resultOf(engine, context, input);
  resultOf(engine, context, input);
  assertEquals(keys.length, 1);
  assertEquals([...keys[0]!], [...KEY]);
  context.wipe();
  assert(keys[0]!.every((byte) => byte === 0));
  assertEquals(runJob(engine, context, input).outcome, JobOutcome.FAILED);
});

Deno.test("an iv that an engine of one's own may mistake is for the portable engine", () => {
  const inputs: EngineInput[] = [];
  const engine = recording(inputs);
  const noble = new NobleEngine();
  const input = { source: random.bytes(50), iv: IV, resultLength: 16 };
  const [mine, theirs] = [engine, noble].map((e) => {
    const context = e.prepare(ALGORITHMS["aes-gcm"], "encrypt", KEY);
    return [...resultOf(e, context, input)];
  });
  assertEquals(mine, theirs);
  assertEquals(inputs, []);
});

Deno.test("an engine serves the key sizes it says, and no others", () => {
  const engine = defineEngine({
    name: "mine",
    algorithms: {
      "aes-ctr": {
        keyLengths: [32],
        prepare: () => ({ run: (i) => i.source }),
      },
    },
  }).open();
  assertEquals(engine.serves(ALGORITHMS["aes-ctr"]), true);
  assertEquals(engine.serves(ALGORITHMS["aes-ctr"], 16), false);
  assertEquals(engine.serves(ALGORITHMS["aes-ctr"], 32), true);
  assertEquals(engine.serves(ALGORITHMS["aes-cbc"]), false);
  assertThrows(
    () => engine.prepare(ALGORITHMS["aes-ctr"], "encrypt", KEY),
    RangeError,
    "Cannot prepare aes-ctr with a key of 16 bytes",
  );
});

Deno.test("an engine cannot be defined by what is not there", () => {
  const prepare = () => ({ run: () => undefined });
  const long = "a".repeat(33);
  for (
    const name of ["", "Mine", "my engine", "-", "auto", "noble", "other", long]
  ) {
    assertThrows(
      () => defineEngine({ name, algorithms: {} }),
      TypeError,
      `Cannot name an engine "${name}"`,
    );
  }
  assertThrows(
    () =>
      defineEngine({
        name: "mine",
        algorithms: { "rot13": { prepare } } as Record<string, unknown>,
      }),
    TypeError,
    `there is no algorithm "rot13"`,
  );
  for (
    const sizes of [{ keyLengths: [17] }, { ivLengths: [12] }] as const
  ) {
    assertThrows(
      () =>
        defineEngine({
          name: "mine",
          algorithms: { "aes-cbc": { ...sizes, prepare } },
        }),
      RangeError,
      "Cannot define aes-cbc with",
    );
  }
});
