import { assertEquals } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import type { Engine } from "../../device/engine/engine.ts";
import { testEngines } from "./engines.ts";
import { assertSame, type Input, resultOf } from "./guest.ts";
import { Random } from "./random.ts";
import { hashedIv, reference } from "./reference.ts";

const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];

/** Lengths around those of blocks and of steps. */
const LENGTHS = [
  0,
  1,
  15,
  16,
  17,
  31,
  32,
  63,
  64,
  65,
  111,
  112,
  135,
  136,
  255,
  256,
  257,
  4096,
  65520,
  65535,
  65536,
  65537,
  131072,
  200000,
];

/** A key of a size the algorithm has. */
function keyOf(algorithm: Algorithm, random: Random): Uint8Array {
  const { max, min, step = 1 } = algorithm.key;
  const steps = Math.floor((Math.min(max, 200) - min) / step) + 1;
  return random.bytes(min + step * random.below(steps));
}

/** Runs an input in both directions and compares with the reference. */
function checkBoth(
  engine: Engine,
  name: AlgorithmName,
  key: Uint8Array,
  input: Input,
): void {
  const algorithm: Algorithm = ALGORITHMS[name];
  const expected = reference(name, key, input);
  const encrypt = engine.prepare(algorithm, "encrypt", key);
  const what = `${name}, ${input.source.length} bytes, key ${key.length}`;
  const result = resultOf(engine, encrypt, input);
  assertSame(result, expected, what);
  if (algorithm.kind !== "cipher" && algorithm.kind !== "aead") return;
  const decrypt = engine.prepare(algorithm, "decrypt", key);
  const back = resultOf(engine, decrypt, { ...input, source: expected });
  assertSame(back, input.source, `${what}, decrypted`);
}

for (const name of NAMES) {
  testEngines(`computes ${name} at every length`, (engine) => {
    const random = new Random(name.length);
    const algorithm: Algorithm = ALGORITHMS[name];
    for (const length of LENGTHS) {
      if (length % algorithm.block !== 0) continue;
      if (length < algorithm.minimum) continue;
      checkBoth(engine, name, keyOf(algorithm, random), {
        source: random.bytes(length),
        iv: random.bytes(algorithm.iv.min),
        aad: random.bytes(algorithm.kind === "aead" ? length % 1000 : 0),
        resultLength: Math.min(algorithm.result.max, 64),
      });
    }
  });

  testEngines(`computes ${name} on random inputs`, (engine) => {
    const random = new Random(100 + name.length);
    const algorithm: Algorithm = ALGORITHMS[name];
    for (let i = 0; i < 60; i++) {
      const { block, minimum } = algorithm;
      const length = Math.max(minimum, block * random.below(40));
      checkBoth(engine, name, keyOf(algorithm, random), {
        source: random.bytes(length),
        iv: random.bytes(algorithm.iv.min),
        aad: random.bytes(algorithm.kind === "aead" ? random.below(60) : 0),
        resultLength: Math.min(algorithm.result.max, 64),
      });
    }
  });
}

for (const name of ["aes-gcm", "aes-ccm", "chacha20-poly1305"] as const) {
  testEngines(`authenticates long AAD with ${name}`, (engine) => {
    const random = new Random(5);
    // CCM counts the AAD in 2 bytes up to 65279, and it has 2 or 6 in front.
    const ends = [65279, 65280, 65281, 65530, 65531, 65534];
    for (const length of [...ends, 65535, 65536, 65537, 150001]) {
      checkBoth(engine, name, random.bytes(32), {
        source: random.bytes(5),
        iv: random.bytes(12),
        aad: random.bytes(length),
        resultLength: 16,
      });
    }
  });
}

testEngines("computes aes-gcm from J0 with every key size", (engine) => {
  const random = new Random(6);
  for (const size of [16, 24, 32]) {
    for (const length of [0, 1, 16, 100, 1000]) {
      checkBoth(engine, "aes-gcm", random.bytes(size), {
        source: random.bytes(length),
        iv: random.bytes(16),
        aad: random.bytes(length % 37),
        resultLength: 16,
      });
    }
  }
});

testEngines("wraps the 32-bit counter of aes-gcm inside a step", (engine) => {
  const random = new Random(7);
  // The first counter is J0's plus one: 0xffffffff is the block before data.
  for (const before of [0, 1, 2, 7, 4095, 4096, 4097]) {
    const iv = random.bytes(16);
    new DataView(iv.buffer).setUint32(12, 0xffff_ffff - before);
    checkBoth(engine, "aes-gcm", random.bytes(32), {
      source: random.bytes(before < 100 ? 160 : 16 * 4100 + 5),
      iv,
      resultLength: 16,
    });
  }
});

testEngines("wraps the whole counter block of aes-ctr", (engine) => {
  const random = new Random(8);
  // How many leading bytes are not 0xff: how far the carry goes.
  for (const kept of [0, 1, 3, 4, 5, 7, 8, 11, 12]) {
    for (const before of [0, 1, 5, 4095, 4096]) {
      const iv = new Uint8Array(16).fill(0xff);
      iv.set(random.bytes(kept).map((byte) => byte & 0x7f));
      new DataView(iv.buffer).setUint32(12, 0xffff_ffff - before);
      checkBoth(engine, "aes-ctr", random.bytes(16), {
        source: random.bytes(before < 100 ? 160 : 16 * 4100 + 5),
        iv,
      });
    }
  }
});

testEngines("takes for J0 what OpenSSL hashes an iv to", (engine) => {
  // McGrew/Viega test case 6: an iv of 60 bytes.
  const key = Uint8Array.fromHex("feffe9928665731c6d6a8f9467308308");
  const iv = Uint8Array.fromHex(
    "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728" +
      "c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b",
  );
  const input = {
    source: Uint8Array.fromHex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    ),
    aad: Uint8Array.fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    iv: hashedIv(key, iv),
    resultLength: 16,
  };
  const context = engine.prepare(ALGORITHMS["aes-gcm"], "encrypt", key);
  assertEquals(
    resultOf(engine, context, input).toHex(),
    "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca7" +
      "01e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5" +
      "619cc5aefffe0bfa462af43c1699d050",
  );
});

testEngines("works on results that change size from job to job", (engine) => {
  const random = new Random(9);
  const key = random.bytes(16);
  const contexts = (["aes-ctr", "aes-gcm", "sha1", "cmac-aes"] as const).map(
    (name) =>
      engine.prepare(
        ALGORITHMS[name],
        "encrypt",
        name === "sha1" ? new Uint8Array(0) : key,
      ),
  );
  for (const length of [10, 300000, 17, 2_000_000, 0, 70000, 1]) {
    for (const context of contexts) {
      const { algorithm } = context;
      const name = algorithm.name as AlgorithmName;
      const input = {
        source: random.bytes(length),
        iv: random.bytes(algorithm.iv.min),
        resultLength: Math.min(16, algorithm.result.max),
      };
      const result = resultOf(engine, context, input);
      assertSame(result, reference(name, key, input), `${name} ${length}`);
    }
  }
});
