import { assertEquals, assertNotEquals } from "@std/assert";
import {
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import { desBlock, expandDesKey } from "../../device/engine/primitives/des.ts";
import { testEngines } from "./engines.ts";
import { assertSame, concat, resultOf } from "./guest.ts";
import { Random } from "./random.ts";
import { reference } from "./reference.ts";

/** Encrypts or decrypts two words. */
function run(
  key: Uint8Array,
  inverse: boolean,
  block: readonly number[],
): number[] {
  const words = Uint32Array.from(block);
  desBlock(expandDesKey(key, inverse), words);
  return [...words];
}

const complement = (word: number) => ~word >>> 0;

Deno.test("desBlock decrypts what it has encrypted", () => {
  const random = new Random(1);
  for (let i = 0; i < 200; i++) {
    for (const size of [8, 24]) {
      const key = random.bytes(size);
      const block = [random.word(), random.word()];
      assertEquals(run(key, true, run(key, false, block)), block);
    }
  }
});

Deno.test("desBlock complements with its key and its block", () => {
  const random = new Random(2);
  for (const size of [8, 24]) {
    const key = random.bytes(size);
    const block = [random.word(), random.word()];
    assertEquals(
      run(key.map((byte) => ~byte), false, block.map(complement)),
      run(key, false, block).map(complement),
    );
  }
});

Deno.test("desBlock is its own inverse with each weak key", () => {
  for (const half of ["0101010101010101", "e0e0e0e0f1f1f1f1"]) {
    const key = Uint8Array.fromHex(half);
    for (const weak of [key, key.map((byte) => byte ^ 0xff)]) {
      const once = run(weak, false, [0x1234_5678, 0x9abc_def0]);
      assertEquals(run(weak, false, once), [0x1234_5678, 0x9abc_def0]);
    }
  }
});

Deno.test("desBlock of three equal keys is DES", () => {
  const random = new Random(3);
  const key = random.bytes(8);
  const block = [random.word(), random.word()];
  for (const inverse of [false, true]) {
    assertEquals(
      run(concat(key, key, key), inverse, block),
      run(key, inverse, block),
    );
  }
});

Deno.test("desBlock works on a block among others", () => {
  const schedule = expandDesKey(new Random(4).bytes(24), false);
  const words = Uint32Array.of(1, 2, 3, 4, 5, 6);
  const alone = words.slice(2, 4);
  desBlock(schedule, alone);
  desBlock(schedule, words, 2);
  assertEquals([...words], [1, 2, ...alone, 5, 6]);
});

Deno.test("expandDesKey ignores parity bits and no others", () => {
  const key = new Random(5).bytes(24);
  const schedule = expandDesKey(key, false);
  for (let bit = 0; bit < 192; bit++) {
    const other = key.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    const changed = expandDesKey(other, false);
    if (bit % 8 === 0) assertEquals(changed, schedule);
    else assertNotEquals(changed, schedule, `bit ${bit}`);
  }
});

testEngines("serves DES with one key and TDEA with three", (engine) => {
  const served = (name: AlgorithmName) =>
    [7, 8, 9, 16, 23, 24, 25].filter((size) =>
      engine.serves(ALGORITHMS[name], size)
    );
  for (const name of ["des-ecb", "des-cbc"] as const) {
    assertEquals(served(name), [8]);
  }
  const names = ["3des-ecb", "3des-cbc", "3des-ctr", "cmac-3des"] as const;
  for (const name of names) assertEquals(served(name), [24]);
});

testEngines("takes DES and TDEA keys of any parity", (engine) => {
  const random = new Random(6);
  for (const name of ["des-ecb", "3des-ecb"] as const) {
    const key = random.bytes(ALGORITHMS[name].key.max);
    const source = random.bytes(80);
    const even = key.map((byte) => byte & 0xfe);
    const odd = key.map((byte) => byte | 1);
    const results = [key, even, odd].map((key) =>
      resultOf(
        engine,
        engine.prepare(ALGORITHMS[name], "encrypt", key),
        { source },
      ).toHex()
    );
    assertEquals(new Set(results).size, 1, name);
  }
});

testEngines("wraps the whole counter block of 3des-ctr", (engine) => {
  const random = new Random(7);
  const key = random.bytes(24);
  for (const direction of ["encrypt", "decrypt"] as const) {
    const context = engine.prepare(ALGORITHMS["3des-ctr"], direction, key);
    // How many leading bytes are not 0xff: how far the carry goes.
    for (const kept of [0, 1, 3, 4]) {
      for (const before of [0, 1, 5, 8191, 8192]) {
        const iv = new Uint8Array(8).fill(0xff);
        iv.set(random.bytes(kept).map((byte) => byte & 0x7f));
        new DataView(iv.buffer).setUint32(4, 0xffff_ffff - before);
        const source = random.bytes(before < 100 ? 83 : 8 * 8200 + 5);
        const input = { source, iv };
        assertSame(
          resultOf(engine, context, input),
          reference("3des-ctr", key, input),
          `carry into byte ${kept} after ${before} blocks`,
        );
      }
    }
  }
});
