import { assert, assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import {
  expandKasumiKey,
  kasumiBlock,
} from "../../device/engine/primitives/kasumi.ts";
import { KasumiF8 } from "../../device/engine/primitives/kasumi_f8.ts";
import { KasumiF9 } from "../../device/engine/primitives/kasumi_f9.ts";
import { loadVectors } from "../vectors/vectors.ts";
import { testEngines } from "./engines.ts";
import { assertSame, resultOf } from "./guest.ts";
import { Random } from "./random.ts";
import * as reference from "./reference_64.ts";

/** Makes every bit after the first ones 0. */
function firstBits(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, bits - 8 * i)));
}

testEngines("agrees with the vectors of kasumi_f8", (engine) => {
  let partial = 0;
  const algorithm = ALGORITHMS["kasumi-f8"];
  for (const { key, iv, msg, bits, ct, source } of loadVectors("kasumi_f8")) {
    if (bits % 8 !== 0) partial++;
    const encrypt = engine.prepare(algorithm, "encrypt", key);
    const encrypted = resultOf(engine, encrypt, { source: msg, iv });
    assertSame(firstBits(encrypted, bits), ct, `${source}, encrypted`);
    const decrypt = engine.prepare(algorithm, "decrypt", key);
    const decrypted = resultOf(engine, decrypt, { source: ct, iv });
    assertSame(firstBits(decrypted, bits), msg, `${source}, decrypted`);
  }
  assert(partial >= 3, "too few vectors are not whole bytes");
});

Deno.test("KasumiF8 agrees with the vectors of kasumi_f8 to the bit", () => {
  for (const { key, iv, msg, bits, ct, source } of loadVectors("kasumi_f8")) {
    const bytes = new Uint8Array(4 * Math.ceil(msg.length / 4));
    bytes.set(msg);
    const stream = new KasumiF8(key);
    stream.start(iv);
    stream.xorBits(new Uint32Array(bytes.buffer), bits);
    assertSame(bytes.subarray(0, msg.length), ct, source);
  }
});

Deno.test("KasumiF8 goes on where it ended, and starts anew", () => {
  const random = new Random(1);
  const key = random.bytes(16);
  const stream = new KasumiF8(key);
  for (const cut of [0, 2, 126, 128, 130, 300]) {
    const iv = random.bytes(8);
    const data = random.bytes(1204);
    const expected = reference.kasumiF8(key, iv, data);
    const words = new Uint32Array(data.buffer);
    stream.start(iv);
    stream.xor(words, 0, cut);
    stream.xor(words, cut, words.length);
    assertSame(data, expected, `cut at word ${cut}`);
  }
});

Deno.test("KasumiF9 takes its blocks in any steps, and starts anew", () => {
  const random = new Random(2);
  const key = random.bytes(16);
  const mac = new KasumiF9(key);
  const data = random.bytes(96);
  const words = new Uint32Array(data.buffer);
  const expected = reference.kasumiF9(key, data).toHex();
  for (let cut = 0; cut <= words.length; cut += 2) {
    mac.start();
    mac.absorb(words, 0, cut);
    mac.absorb(words, cut, words.length);
    const tag = (mac.finish() >>> 0).toString(16).padStart(8, "0");
    assertEquals(tag, expected, `cut at word ${cut}`);
  }
});

testEngines("serves cbcmac-kasumi-f9 as kasumi-f9", (engine) => {
  const random = new Random(3);
  for (const length of [16, 24, 1000, 65536, 65544]) {
    const key = random.bytes(16);
    const input = { source: random.bytes(length), resultLength: 4 };
    const results = (["kasumi-f9", "cbcmac-kasumi-f9"] as const).map((name) =>
      resultOf(
        engine,
        engine.prepare(ALGORITHMS[name], "encrypt", key),
        input,
      ).toHex()
    );
    assertEquals(results[0], results[1], `${length} bytes`);
  }
});

Deno.test("kasumiBlock works on a block among others", () => {
  const schedule = expandKasumiKey(new Random(4).bytes(16));
  const words = Uint32Array.of(1, 2, 3, 4, 5, 6);
  const alone = words.slice(2, 4);
  kasumiBlock(schedule, alone);
  kasumiBlock(schedule, words, 2);
  assertEquals([...words], [1, 2, ...alone, 5, 6]);
});

Deno.test("expandKasumiKey adds its modifier to every byte of the key", () => {
  const key = new Random(5).bytes(16);
  const modified = key.map((byte) => byte ^ 0xaa);
  assertEquals(expandKasumiKey(key, 0xaa), expandKasumiKey(modified));
});
