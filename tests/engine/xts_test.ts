import { assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { type Engine, JobOutcome } from "../../device/engine/engine.ts";
import { testEngines } from "./engines.ts";
import { assertSame, Guest, never, resultOf } from "./guest.ts";
import { Random } from "./random.ts";
import { xts } from "./reference_modes.ts";

const XTS = ALGORITHMS["aes-xts"];

/** Runs a data unit in both directions and compares with the reference. */
function check(engine: Engine, random: Random, key: Uint8Array, size: number) {
  const iv = random.bytes(16);
  const plain = random.bytes(size);
  const expected = xts(key, iv, plain);
  const what = `${size} bytes, key of ${key.length}`;
  const encrypt = engine.prepare(XTS, "encrypt", key);
  const decrypt = engine.prepare(XTS, "decrypt", key);
  const result = resultOf(engine, encrypt, { source: plain, iv });
  assertSame(result, expected, what);
  const back = resultOf(engine, decrypt, { source: expected, iv });
  assertSame(back, plain, `${what}, decrypted`);
}

testEngines("steals ciphertext at every length of the tail", (engine) => {
  const random = new Random(1);
  for (const keySize of [32, 64]) {
    const key = random.bytes(keySize);
    for (let size = 16; size <= 100; size++) check(engine, random, key, size);
  }
});

testEngines("steals ciphertext when the tail is in another step", (engine) => {
  const random = new Random(2);
  const key = random.bytes(32);
  for (const step of [65536, 131072]) {
    for (let size = step - 18; size <= step + 34; size++) {
      check(engine, random, key, size);
    }
  }
});

testEngines("carries an XTS tweak through all of its words", (engine) => {
  const random = new Random(3);
  const key = random.bytes(64);
  // 128 blocks and more: each bit of the tweak is carried out once at least.
  for (const size of [2048, 2064, 4095, 10000]) {
    for (let i = 0; i < 4; i++) check(engine, random, key, size);
  }
});

testEngines("steals ciphertext in place", (engine) => {
  const random = new Random(4);
  const key = random.bytes(32);
  for (const direction of ["encrypt", "decrypt"] as const) {
    const context = engine.prepare(XTS, direction, key);
    for (let size = 16; size < 64; size++) {
      const input = { source: random.bytes(size), iv: random.bytes(16) };
      const expected = resultOf(engine, context, input);
      const guest = new Guest(512);
      const cuts = [random.below(size)];
      const job = guest.job(context, input, {
        source: 100,
        destination: 100,
        sourceCuts: cuts,
        destinationCuts: cuts,
      });
      engine.run([job], 1, guest, never);
      assertEquals(job.outcome, JobOutcome.DONE);
      assertSame(guest.result(job), expected, `${direction} of ${size} bytes`);
    }
  }
});
