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
): void {
  const vectors = loadVectors(family);
  assert(vectors.length >= 12, `${family} has few vectors`);
  for (const vector of vectors) verify(engine, vector);
}

for (const family of ["aes_ecb", "aes_cbc", "aes_ctr"]) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    check(engine, family, (engine, { alg, key, iv, msg, ct, source }) => {
      const algorithm = ALGORITHMS[alg];
      const encrypt = engine.prepare(algorithm, "encrypt", key);
      const decrypt = engine.prepare(algorithm, "decrypt", key);
      const encrypted = resultOf(engine, encrypt, { source: msg, iv });
      assertSame(encrypted, ct, `${source}, encrypted`);
      const decrypted = resultOf(engine, decrypt, { source: ct, iv });
      assertSame(decrypted, msg, `${source}, decrypted`);
    });
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

for (const family of ["hmac", "cmac_aes"]) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    let invalid = 0;
    check(engine, family, (engine, { alg, key, msg, tag, ...vector }) => {
      const context = engine.prepare(ALGORITHMS[alg], "encrypt", key);
      const resultLength = tag.length;
      const result = resultOf(engine, context, { source: msg, resultLength });
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

for (const family of ["aes_gcm", "chacha20_poly1305"]) {
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
