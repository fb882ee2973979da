import { assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { JobOutcome } from "../../device/engine/engine.ts";
import { testEngines } from "./engines.ts";
import { assertSame, resultOf, runJob } from "./guest.ts";
import { Random } from "./random.ts";
import { ccm } from "./reference_modes.ts";

const CCM = ALGORITHMS["aes-ccm"];

testEngines("agrees with example 4 of SP 800-38C", (engine) => {
  const bytes = (from: number, length: number) =>
    Uint8Array.from({ length }, (_, i) => from + i);
  const input = {
    source: bytes(0x20, 32),
    aad: bytes(0, 65536),
    iv: bytes(0x10, 13),
    resultLength: 14,
  };
  const key = bytes(0x40, 16);
  const encrypt = engine.prepare(CCM, "encrypt", key);
  const sealed = resultOf(engine, encrypt, input);
  assertEquals(
    sealed.toHex(),
    "69915dad1e84c6376a68c2967e4dab615ae0fd1faec44cc484828529463ccf72" +
      "b4ac6bec93e8598e7f0dadbcea5b",
  );
  const decrypt = engine.prepare(CCM, "decrypt", key);
  const opened = resultOf(engine, decrypt, { ...input, source: sealed });
  assertSame(opened, input.source, "decrypted");
});

testEngines("takes every CCM nonce with every tag and key", (engine) => {
  const random = new Random(1);
  for (const keySize of [16, 24, 32]) {
    const key = random.bytes(keySize);
    const encrypt = engine.prepare(CCM, "encrypt", key);
    const decrypt = engine.prepare(CCM, "decrypt", key);
    for (let nonce = 7; nonce <= 13; nonce++) {
      for (let tag = 4; tag <= 16; tag += 2) {
        for (const length of [0, 1, 16, 50]) {
          const iv = random.bytes(nonce);
          const aad = random.bytes(random.below(40));
          const source = random.bytes(length);
          const what = `nonce ${nonce}, tag ${tag}, ${length} bytes`;
          const input = { source, aad, iv, resultLength: tag };
          const sealed = resultOf(engine, encrypt, input);
          assertSame(sealed, ccm(key, iv, aad, source, tag), what);
          const opened = { ...input, source: sealed };
          assertSame(resultOf(engine, decrypt, opened), source, what);
        }
      }
    }
  }
});

testEngines("refuses a CCM message that its nonce cannot count", (engine) => {
  const key = new Random(2).bytes(16);
  const encrypt = engine.prepare(CCM, "encrypt", key);
  const decrypt = engine.prepare(CCM, "decrypt", key);
  for (const [nonce, limit] of [[13, 65536], [12, 1 << 24]] as const) {
    const iv = new Random(3).bytes(nonce);
    const longest = new Uint8Array(limit - 1);
    const sealed = resultOf(engine, encrypt, {
      source: longest,
      iv,
      resultLength: 4,
    });
    // The tag is not counted.
    const opened = { source: sealed, iv, resultLength: 4 };
    assertSame(resultOf(engine, decrypt, opened), longest, `nonce ${nonce}`);
    for (const [context, extra] of [[encrypt, 0], [decrypt, 4]] as const) {
      const { outcome } = runJob(engine, context, {
        source: new Uint8Array(limit + extra),
        iv,
        resultLength: 4,
      });
      assertEquals(outcome, JobOutcome.FAILED, `nonce ${nonce}`);
    }
  }
});

testEngines("computes the longest CCM message of a 13-byte nonce", (engine) => {
  const random = new Random(4);
  const [key, iv] = [random.bytes(32), random.bytes(13)];
  const [source, aad] = [random.bytes(65535), random.bytes(3)];
  const encrypt = engine.prepare(CCM, "encrypt", key);
  const input = { source, aad, iv, resultLength: 16 };
  const sealed = resultOf(engine, encrypt, input);
  assertSame(sealed, ccm(key, iv, aad, source, 16), "65535 bytes");
});
