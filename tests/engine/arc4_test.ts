import { assert, assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { JobOutcome } from "../../device/engine/engine.ts";
import { arc4, expandArc4Key } from "../../device/engine/primitives/arc4.ts";
import { testEngines } from "./engines.ts";
import { assertSame, concat, Guest, never, resultOf } from "./guest.ts";
import { Random } from "./random.ts";
import * as reference from "./reference_64.ts";

Deno.test("arc4 goes on where it ended", () => {
  const random = new Random(1);
  const key = random.bytes(16);
  const data = random.bytes(1000);
  const expected = reference.arc4(key, data);
  for (const cut of [0, 1, 255, 256, 257, 999, 1000]) {
    const state = expandArc4Key(key);
    const bytes = data.slice();
    arc4(state, bytes, 0, cut);
    assertEquals(bytes.subarray(cut), data.subarray(cut));
    arc4(state, bytes, cut, bytes.length);
    assertEquals(bytes, expected);
  }
});

Deno.test("expandArc4Key repeats a short key", () => {
  const key = new Random(2).bytes(1);
  const many = concat(...Array.from({ length: 256 }, () => key));
  assertEquals(expandArc4Key(many), expandArc4Key(key));
  assertEquals(expandArc4Key(concat(key, key)), expandArc4Key(key));
});

testEngines("serves ARC4 with keys of 1 to 256 bytes", (engine) => {
  assert(engine.serves(ALGORITHMS.arc4, 1));
  assert(engine.serves(ALGORITHMS.arc4, 256));
  assert(!engine.serves(ALGORITHMS.arc4, 0));
  assert(!engine.serves(ALGORITHMS.arc4, 257));
});

testEngines("starts ARC4 anew with every job", (engine) => {
  const random = new Random(3);
  const keys = [random.bytes(5), random.bytes(256)];
  const contexts = keys.map((key) =>
    engine.prepare(ALGORITHMS.arc4, "encrypt", key)
  );
  for (const length of [10, 70000, 0, 1, 300]) {
    const source = random.bytes(length);
    contexts.forEach((context, i) => {
      const result = resultOf(engine, context, { source });
      assertSame(result, reference.arc4(keys[i]!, source), `${length} bytes`);
    });
  }
});

testEngines("starts ARC4 anew after a job that was given up", (engine) => {
  const random = new Random(4);
  const key = random.bytes(16);
  const context = engine.prepare(ALGORITHMS.arc4, "decrypt", key);
  const source = random.bytes(150000);
  const guest = new Guest(400000);
  const job = guest.job(context, { source });
  engine.run([job], 1, guest, () => true);
  assertEquals(job.outcome, JobOutcome.ABANDONED);
  engine.run([job], 1, guest, never);
  assertSame(guest.result(job), reference.arc4(key, source), "run again");
});
