import { assert, assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { type Engine, JobOutcome } from "../../device/engine/engine.ts";
import { loadVectors, type Vector } from "../vectors/vectors.ts";
import { testEngines } from "./engines.ts";
import { assertSame, concat, resultOf, runJob } from "./guest.ts";

/** Checks one family, one context for a vector and direction. */
function check(
  engine: Engine,
  family: string,
  verify: (engine: Engine, vector: Vector) => void,
  least = 12,
): void {
  const vectors = loadVectors(family);
  assert(vectors.length >= least, `${family} has few vectors`);
  for (const vector of vectors) verify(engine, vector);
}

const CIPHERS = [
  "aes_ecb",
  "aes_cbc",
  "aes_ctr",
  "arc4",
  "des_ecb",
  "des_cbc",
  "3des_ecb",
  "3des_cbc",
  "3des_ctr",
  "aes_f8",
  "aes_xts",
];

for (const family of CIPHERS) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    check(engine, family, (engine, { alg, key, iv, msg, ct, source }) => {
      const algorithm = ALGORITHMS[alg];
      const encrypt = engine.prepare(algorithm, "encrypt", key);
      const decrypt = engine.prepare(algorithm, "decrypt", key);
      const encrypted = resultOf(engine, encrypt, { source: msg, iv });
      assertSame(encrypted, ct, `${source}, encrypted`);
      const decrypted = resultOf(engine, decrypt, { source: ct, iv });
      assertSame(decrypted, msg, `${source}, decrypted`);
    }, 11);
  });
}

for (const family of ["hash", "shake"]) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    check(engine, family, (engine, { alg, msg, digest, source }) => {
      const context = engine.prepare(
        ALGORITHMS[alg],
        "encrypt",
        new Uint8Array(0),
      );
      const resultLength = digest.length;
      const result = resultOf(engine, context, { source: msg, resultLength });
      assertSame(result, digest, source);
    });
  });
}

/** MACs whose vectors have no wrong tags. */
const MACS = [
  "cmac_3des",
  "kasumi_f9",
  "gmac_twofish",
  "cbcmac_aes",
  "xcbc_aes",
];

for (const family of MACS) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    check(engine, family, (engine, { alg, key, iv, msg, tag, source }) => {
      const context = engine.prepare(ALGORITHMS[alg], "encrypt", key);
      for (let size = 1; size <= tag.length; size++) {
        const input = { source: msg, iv, resultLength: size };
        const result = resultOf(engine, context, input);
        assertSame(result, tag.subarray(0, size), source);
      }
    }, 8);
  });
}

for (const family of ["hmac", "cmac_aes", "gmac_aes"]) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    let invalid = 0;
    check(engine, family, (engine, { alg, key, iv, msg, tag, ...vector }) => {
      const context = engine.prepare(ALGORITHMS[alg], "encrypt", key);
      const input = { source: msg, iv, resultLength: tag.length };
      const result = resultOf(engine, context, input);
      if (vector.invalid) {
        invalid++;
        assert(result.toHex() !== tag.toHex(), vector.source);
      } else {
        assertSame(result, tag, vector.source);
      }
    });
    assert(invalid > 0, `${family} has no wrong tags`);
  });
}

for (const family of ["aes_gcm", "aes_ccm", "chacha20_poly1305"]) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    let invalid = 0;
    let counters = 0;
    check(engine, family, (engine, { alg, key, iv, aad, ...vector }) => {
      const algorithm = ALGORITHMS[alg];
      const { msg, ct, tag, source } = vector;
      const resultLength = tag.length;
      const sealed = concat(ct, tag);
      const decrypt = engine.prepare(algorithm, "decrypt", key);
      const opened = runJob(engine, decrypt, {
        source: sealed,
        aad,
        iv,
        resultLength,
      });
      if (vector.invalid) {
        invalid++;
        assertEquals(opened.outcome, JobOutcome.BAD_TAG, source);
        return;
      }
      if (iv.length === 16) counters++;
      assertEquals(opened.outcome, JobOutcome.DONE, source);
      assertSame(opened.result, msg, `${source}, decrypted`);
      const encrypt = engine.prepare(algorithm, "encrypt", key);
      const input = { source: msg, aad, iv, resultLength };
      const encrypted = resultOf(engine, encrypt, input);
      assertSame(encrypted, sealed, `${source}, encrypted`);
    });
    assert(invalid > 0, `${family} has no wrong tags`);
    assert(family !== "aes_gcm" || counters > 20, "too few vectors give J0");
  });
}
