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
    : Array.from({ length: 257 }, (_, size) => size);
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
        // HMAC and ARC4 keys of every size work alike and share a group.
        const alike = name.startsWith("hmac-") || name === "arc4";
        const bits = alike ? "" : size;
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
    const key = random.bytes(Math.min(algorithm.key.max, 32));
    const context = engine.prepare(algorithm, "encrypt", key);
    const iv = random.bytes(algorithm.iv.min);
    const source = random.bytes(50 - 50 % algorithm.block);
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

/** Every size of key that each algorithm takes. */
const KEY_SIZES: [AlgorithmName, number[]][] = [
  ["snow3g-uea2", [16]],
  ["aes-f8", [32, 48, 64]],
  ["aes-xts", [32, 64]],
  ["zuc-eea3", [16]],
  ["snow3g-uia2", [16]],
  ["gmac-aes", [16, 24, 32]],
  ["gmac-twofish", [16, 24, 32]],
  ["cbcmac-aes", [16]],
  ["xcbc-aes", [16]],
  ["zuc-eia3", [16]],
  ["aes-ccm", [16, 24, 32]],
];

testEngines("has the key sizes of the standards", (engine) => {
  for (const [name, legal] of KEY_SIZES) {
    for (let size = 0; size <= 80; size++) {
      const served = engine.serves(ALGORITHMS[name], size);
      assertEquals(served, legal.includes(size), `${name} ${size}`);
    }
  }
});

/** Every size of iv that each algorithm takes. */
const IV_SIZES: [AlgorithmName, number[]][] = [
  ["aes-gcm", [12, 16]],
  ["aes-ccm", [7, 8, 9, 10, 11, 12, 13]],
  ["gmac-aes", [12, 16]],
  ["gmac-twofish", [12, 16]],
  ["snow3g-uia2", [16]],
  ["zuc-eia3", [16]],
];

for (const [name, legal] of IV_SIZES) {
  testEngines(`takes ivs of legal sizes only with ${name}`, (engine) => {
    const random = new Random(4);
    const algorithm = ALGORITHMS[name];
    const key = random.bytes(16);
    const context = engine.prepare(algorithm, "encrypt", key);
    for (let size = 0; size <= 16; size++) {
      const input = {
        source: random.bytes(20),
        iv: random.bytes(size),
        resultLength: algorithm.result.max,
      };
      const { outcome, result } = runJob(engine, context, input);
      const done = legal.includes(size);
      assertEquals(outcome, done ? JobOutcome.DONE : JobOutcome.FAILED);
      if (done) assertSame(result, reference(name, key, input), `iv ${size}`);
    }
  });
}

testEngines("fails jobs of illegal lengths and writes nothing", (engine) => {
  const cases: [AlgorithmName, Direction, number, number, number][] = [
    // algorithm, direction, bytes of source, iv and result
    ["aes-ecb", "encrypt", 15, 0, 0],
    ["aes-cbc", "decrypt", 17, 16, 0],
    ["aes-cbc", "encrypt", 16, 12, 0],
    ["aes-ctr", "encrypt", 16, 0, 0],
    ["des-ecb", "encrypt", 12, 0, 0],
    ["des-cbc", "decrypt", 20, 8, 0],
    ["des-cbc", "encrypt", 16, 16, 0],
    ["3des-ecb", "decrypt", 17, 0, 0],
    ["3des-cbc", "encrypt", 7, 8, 0],
    ["3des-ctr", "encrypt", 16, 16, 0],
    ["kasumi-f8", "encrypt", 16, 16, 0],
    ["snow3g-uea2", "encrypt", 16, 8, 0],
    ["aes-f8", "decrypt", 16, 12, 0],
    ["aes-xts", "encrypt", 0, 16, 0],
    ["aes-xts", "encrypt", 15, 16, 0],
    ["aes-xts", "decrypt", 15, 16, 0],
    ["aes-xts", "encrypt", 16, 8, 0],
    ["zuc-eea3", "encrypt", 16, 8, 0],
    ["sha256", "encrypt", 16, 0, 33],
    ["sha256", "encrypt", 16, 0, 0],
    ["hmac-sha1", "encrypt", 16, 0, 21],
    ["cmac-3des", "encrypt", 16, 0, 9],
    ["cmac-aes", "encrypt", 16, 0, 17],
    ["kasumi-f9", "encrypt", 16, 0, 5],
    ["kasumi-f9", "encrypt", 20, 0, 4],
    ["kasumi-f9", "encrypt", 0, 0, 4],
    ["cbcmac-kasumi-f9", "encrypt", 20, 0, 4],
    ["snow3g-uia2", "encrypt", 16, 16, 5],
    ["snow3g-uia2", "encrypt", 16, 16, 0],
    ["gmac-aes", "encrypt", 16, 12, 17],
    ["gmac-aes", "encrypt", 16, 12, 0],
    ["gmac-twofish", "encrypt", 16, 12, 17],
    ["cbcmac-aes", "encrypt", 0, 0, 16],
    ["cbcmac-aes", "encrypt", 15, 0, 16],
    ["cbcmac-aes", "encrypt", 17, 0, 16],
    ["cbcmac-aes", "encrypt", 16, 0, 17],
    ["xcbc-aes", "encrypt", 16, 0, 17],
    ["xcbc-aes", "encrypt", 16, 0, 0],
    ["zuc-eia3", "encrypt", 16, 16, 5],
    ["zuc-eia3", "encrypt", 16, 16, 0],
    ["aes-gcm", "encrypt", 16, 12, 0],
    ["aes-gcm", "decrypt", 16, 12, 0],
    ["aes-gcm", "decrypt", 16, 12, 5],
    ["aes-ccm", "encrypt", 16, 12, 2],
    ["aes-ccm", "encrypt", 16, 12, 5],
    ["aes-ccm", "decrypt", 16, 12, 15],
    ["aes-ccm", "decrypt", 16, 12, 0],
    ["aes-ccm", "encrypt", 16, 12, 18],
    ["chacha20-poly1305", "encrypt", 16, 12, 12],
    ["chacha20-poly1305", "decrypt", 16, 12, 0],
  ];
  for (const [name, direction, length, ivLength, resultLength] of cases) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = new Uint8Array(Math.min(algorithm.key.max, 32));
    const context = engine.prepare(algorithm, direction, key);
    const { outcome } = runJob(engine, context, {
      source: new Uint8Array(length),
      iv: new Uint8Array(ivLength),
      resultLength,
    });
    assertEquals(outcome, JobOutcome.FAILED, `${name} ${direction}`);
  }
});
