import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
} from "../../device/engine/algorithm.ts";
import { JobOutcome } from "../../device/engine/engine.ts";
import { testEngines } from "./engines.ts";
import { assertSame, resultOf, runJob } from "./guest.ts";
import { Random } from "./random.ts";
import { reference } from "./reference.ts";

const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];

/** Key sizes worth a look: all that are legal, of HMAC some. */
function keySizes(algorithm: Algorithm): number[] {
  const sizes = algorithm.name.startsWith("hmac-")
    ? [1, 2, 20, 63, 64, 65, 127, 128, 129, 511, 512]
    : Array.from({ length: 66 }, (_, size) => size);
  return sizes.filter((size) => hasSize(algorithm.key, size));
}

function directions(algorithm: Algorithm): Direction[] {
  return algorithm.kind === "cipher" || algorithm.kind === "aead"
    ? ["encrypt", "decrypt"]
    : ["encrypt"];
}

testEngines("serves each algorithm at its own key sizes only", (engine) => {
  for (const name of NAMES) {
    const algorithm = ALGORITHMS[name];
    assert(engine.serves(algorithm), name);
    for (let size = 0; size < 600; size++) {
      const served = engine.serves(algorithm, size);
      assertEquals(served, hasSize(algorithm.key, size), `${name} ${size}`);
    }
  }
});

testEngines("does not serve an algorithm it does not know", (engine) => {
  const unknown: Algorithm = { ...ALGORITHMS["aes-cbc"], name: "rot13" };
  assert(!engine.serves(unknown));
  assertThrows(
    () => engine.prepare(unknown, "encrypt", new Uint8Array(16)),
    RangeError,
    "Cannot prepare rot13",
  );
});

testEngines("refuses a key of a wrong size by name and size", (engine) => {
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    for (const size of [0, 1, 15, 17, 23, 25, 31, 33, 513]) {
      if (hasSize(algorithm.key, size)) continue;
      for (const direction of directions(algorithm)) {
        assertThrows(
          () => engine.prepare(algorithm, direction, new Uint8Array(size)),
          RangeError,
          `Cannot prepare ${name} with a key of ${size} bytes`,
        );
      }
    }
  }
});

testEngines("refuses to decrypt with a hash or MAC", (engine) => {
  for (const name of ["sha256", "hmac-sha256", "cmac-aes"] as const) {
    const key = new Uint8Array(name === "sha256" ? 0 : 16);
    assertThrows(
      () => engine.prepare(ALGORITHMS[name], "decrypt", key),
      RangeError,
      `Cannot prepare ${name} to decrypt`,
    );
  }
});

testEngines("numbers its groups without a gap or a clash", (engine) => {
  const seen = new Map<number, string>();
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    for (const direction of directions(algorithm)) {
      for (const size of keySizes(algorithm)) {
        const key = new Uint8Array(size);
        const context = engine.prepare(algorithm, direction, key);
        assertEquals(context.engine, engine);
        assertEquals(context.algorithm, algorithm);
        assertEquals(context.direction, direction);
        // HMAC keys of every size work alike and share a group.
        const bits = name.startsWith("hmac-") ? "" : size;
        const what = `${name} ${direction} ${bits}`;
        assertEquals(seen.get(context.group) ?? what, what);
        seen.set(context.group, what);
      }
    }
  }
  const groups = [...seen.keys()].sort((a, b) => a - b);
  assertEquals(groups, groups.map((_, i) => i));
  assertEquals(engine.groups, groups.length);
});

testEngines("takes every key size", (engine) => {
  const random = new Random(1);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const iv = random.bytes(algorithm.iv.min);
    const source = random.bytes(96);
    const resultLength = Math.min(algorithm.result.max, 200);
    for (const size of keySizes(algorithm)) {
      const key = random.bytes(size);
      const given = key.slice();
      const context = engine.prepare(algorithm, "encrypt", given);
      given.fill(0); // The context has a copy.
      const input = { source, iv, resultLength };
      const what = `${name} with a key of ${size} bytes`;
      assertSame(
        resultOf(engine, context, input),
        reference(name, key, input),
        what,
      );
    }
  }
});

testEngines("gives every size of digest and tag", (engine) => {
  const random = new Random(2);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    if (algorithm.kind === "cipher") continue;
    const key = random.bytes(algorithm.key.max === 0 ? 0 : 32);
    const context = engine.prepare(algorithm, "encrypt", key);
    const iv = random.bytes(algorithm.iv.min);
    const source = random.bytes(50);
    for (let size = 1; size <= 400; size++) {
      if (!hasSize(algorithm.result, size)) continue;
      const input = { source, iv, resultLength: size };
      const what = `${name}, ${size} bytes`;
      const result = resultOf(engine, context, input);
      assertSame(result, reference(name, key, input), what);
      if (algorithm.kind !== "aead") continue;
      const decrypt = engine.prepare(algorithm, "decrypt", key);
      const sealed = { ...input, source: result };
      assertSame(resultOf(engine, decrypt, sealed), source, what);
    }
  }
});

testEngines("gives as much of a SHAKE as is asked for", (engine) => {
  const source = new Random(3).bytes(33);
  for (const name of ["shake128", "shake256"] as const) {
    const key = new Uint8Array(0);
    const context = engine.prepare(ALGORITHMS[name], "encrypt", key);
    for (const resultLength of [65535, 65536, 65537, 131072, 200000]) {
      const input = { source, resultLength };
      assertSame(
        resultOf(engine, context, input),
        reference(name, key, input),
        `${name}, ${resultLength} bytes`,
      );
    }
  }
});

testEngines("takes GCM ivs of 12 and 16 bytes only", (engine) => {
  const key = new Random(4).bytes(16);
  const context = engine.prepare(ALGORITHMS["aes-gcm"], "encrypt", key);
  for (let size = 0; size <= 16; size++) {
    const { outcome } = runJob(engine, context, {
      source: new Uint8Array(20),
      iv: new Uint8Array(size),
      resultLength: 16,
    });
    const legal = size === 12 || size === 16;
    assertEquals(outcome, legal ? JobOutcome.DONE : JobOutcome.FAILED);
  }
});

testEngines("fails jobs of illegal lengths and writes nothing", (engine) => {
  const cases: [AlgorithmName, Direction, number, number, number][] = [
    // algorithm, direction, bytes of source, iv and result
    ["aes-ecb", "encrypt", 15, 0, 0],
    ["aes-cbc", "decrypt", 17, 16, 0],
    ["aes-cbc", "encrypt", 16, 12, 0],
    ["aes-ctr", "encrypt", 16, 0, 0],
    ["sha256", "encrypt", 16, 0, 33],
    ["sha256", "encrypt", 16, 0, 0],
    ["hmac-sha1", "encrypt", 16, 0, 21],
    ["cmac-aes", "encrypt", 16, 0, 17],
    ["aes-gcm", "encrypt", 16, 12, 0],
    ["aes-gcm", "decrypt", 16, 12, 0],
    ["aes-gcm", "decrypt", 16, 12, 5],
    ["chacha20-poly1305", "encrypt", 16, 12, 12],
    ["chacha20-poly1305", "decrypt", 16, 12, 0],
  ];
  for (const [name, direction, length, ivLength, resultLength] of cases) {
    const key = new Uint8Array(name === "sha256" ? 0 : 32);
    const context = engine.prepare(ALGORITHMS[name], direction, key);
    const { outcome } = runJob(engine, context, {
      source: new Uint8Array(length),
      iv: new Uint8Array(ivLength),
      resultLength,
    });
    assertEquals(outcome, JobOutcome.FAILED, `${name} ${direction}`);
  }
});
