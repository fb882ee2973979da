import { assert, assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { Eia3 } from "../../device/engine/primitives/eia3.ts";
import type { KeyStream } from "../../device/engine/primitives/key_stream.ts";
import type { KeyStreamMac } from "../../device/engine/primitives/key_stream_mac.ts";
import { Snow3g } from "../../device/engine/primitives/snow3g.ts";
import { Uia2 } from "../../device/engine/primitives/uia2.ts";
import { Zuc } from "../../device/engine/primitives/zuc.ts";
import { loadVectors } from "../vectors/vectors.ts";
import { testEngines } from "./engines.ts";
import { assertSame, resultOf } from "./guest.ts";
import { Random } from "./random.ts";
import { eea3, eia3, uea2, uia2 } from "./reference_streams.ts";

const CIPHERS = {
  snow3g_uea2: { make: (key: Uint8Array) => new Snow3g(key), reference: uea2 },
  zuc_eea3: { make: (key: Uint8Array) => new Zuc(key), reference: eea3 },
};

const MACS = {
  snow3g_uia2: { make: (key: Uint8Array) => new Uia2(key), reference: uia2 },
  zuc_eia3: { make: (key: Uint8Array) => new Eia3(key), reference: eia3 },
};

/** A message as words, with whole blocks of 64 bits, all ones behind it. */
function wordsOf(message: Uint8Array, bits: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(2 * Math.ceil(bits / 64)).fill(0xffffffff);
  const bytes = new Uint8Array(words.buffer);
  bytes.set(message.subarray(0, Math.ceil(bits / 8)));
  if (bits % 8 !== 0) bytes[bits >> 3]! |= 0xff >> (bits % 8);
  return words;
}

function encipher(
  stream: KeyStream,
  iv: Uint8Array,
  message: Uint8Array,
  bits: number,
): Uint8Array {
  const words = wordsOf(message, bits);
  stream.start(iv);
  stream.xorBits(words, bits);
  return new Uint8Array(words.buffer, 0, Math.ceil(bits / 8));
}

function tagOf(
  mac: KeyStreamMac,
  iv: Uint8Array,
  message: Uint8Array,
  bits: number,
): string {
  mac.start(iv);
  mac.update(wordsOf(message, bits), bits);
  return (mac.finish() >>> 0).toString(16).padStart(8, "0");
}

for (const [family, { make, reference }] of Object.entries(CIPHERS)) {
  Deno.test(`${family} agrees with its vectors bit by bit`, () => {
    const vectors = loadVectors(family);
    let partial = 0;
    for (const { key, iv, msg, ct, bits, source } of vectors) {
      if (bits % 8 !== 0) partial++;
      const stream = make(key);
      assertSame(encipher(stream, iv, msg, bits), ct, source);
      assertSame(encipher(stream, iv, ct, bits), msg, `${source}, decrypted`);
    }
    assertEquals(partial, 4);
    assert(vectors.length >= 9);
  });

  Deno.test(`${family} enciphers every number of bits`, () => {
    const random = new Random(1);
    const key = random.bytes(16);
    const stream = make(key);
    for (let bits = 0; bits <= 200; bits++) {
      const iv = random.bytes(16);
      const message = random.bytes(Math.ceil(bits / 8));
      const expected = reference(key, iv, message, bits);
      const actual = encipher(stream, iv, message, bits);
      assertEquals(actual.toHex(), expected.toHex(), `${bits} bits`);
    }
  });

  Deno.test(`${family} goes on where the last part ended`, () => {
    const random = new Random(2);
    const [key, iv] = [random.bytes(16), random.bytes(16)];
    const expected = reference(key, iv, new Uint8Array(4 * 1000));
    const stream = make(key);
    for (const first of [1, 15, 16, 17, 127, 128, 129, 256, 300]) {
      const words = new Uint32Array(1000);
      stream.start(iv);
      for (let at = 0; at < 1000;) {
        const to = Math.min(1000, at + first + at % 3);
        stream.xor(words, at, to);
        at = to;
      }
      const bytes = new Uint8Array(words.buffer);
      assertSame(bytes, expected, `parts of ${first} words`);
    }
  });
}

for (const [family, { make, reference }] of Object.entries(MACS)) {
  Deno.test(`${family} agrees with its vectors bit by bit`, () => {
    const vectors = loadVectors(family);
    let partial = 0;
    for (const { key, iv, msg, tag, bits, source } of vectors) {
      if (bits % 8 !== 0) partial++;
      assertEquals(tagOf(make(key), iv, msg, bits), tag.toHex(), source);
    }
    assert(partial >= 3 && vectors.length >= 6);
  });

  Deno.test(`${family} authenticates every number of bits`, () => {
    const random = new Random(3);
    const key = random.bytes(16);
    const mac = make(key);
    for (let bits = 0; bits <= 200; bits++) {
      const iv = random.bytes(16);
      const message = random.bytes(Math.ceil(bits / 8));
      const expected = reference(key, iv, message, bits).toHex();
      assertEquals(tagOf(mac, iv, message, bits), expected, `${bits} bits`);
    }
  });

  Deno.test(`${family} goes on where the last part ended`, () => {
    const random = new Random(4);
    const [key, iv] = [random.bytes(16), random.bytes(16)];
    const mac = make(key);
    // Parts of whole blocks, and some bits of a last one.
    for (const blocks of [1, 2, 63, 64, 65]) {
      for (const rest of [0, 1, 31, 32, 33, 63]) {
        const bits = 64 * 200 + rest;
        const message = random.bytes(Math.ceil(bits / 8));
        mac.start(iv);
        for (let at = 0; at < bits; at += 64 * blocks) {
          const part = message.subarray(at / 8);
          const size = Math.min(64 * blocks, bits - at);
          mac.update(wordsOf(part, size), size);
        }
        const tag = (mac.finish() >>> 0).toString(16).padStart(8, "0");
        const expected = reference(key, iv, message, bits).toHex();
        assertEquals(tag, expected, `${bits} bits, parts of ${blocks} blocks`);
      }
    }
  });
}

for (const family of Object.keys(CIPHERS)) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    for (const { alg, key, iv, msg, ct, bits, source } of loadVectors(family)) {
      if (bits % 8 !== 0) continue;
      const algorithm = ALGORITHMS[alg];
      const encrypt = engine.prepare(algorithm, "encrypt", key);
      const decrypt = engine.prepare(algorithm, "decrypt", key);
      const encrypted = resultOf(engine, encrypt, { source: msg, iv });
      assertSame(encrypted, ct, `${source}, encrypted`);
      const decrypted = resultOf(engine, decrypt, { source: ct, iv });
      assertSame(decrypted, msg, `${source}, decrypted`);
    }
  });
}

for (const family of Object.keys(MACS)) {
  testEngines(`agrees with the vectors of ${family}`, (engine) => {
    for (
      const { alg, key, iv, msg, tag, bits, source } of loadVectors(family)
    ) {
      if (bits % 8 !== 0) continue;
      const context = engine.prepare(ALGORITHMS[alg], "encrypt", key);
      for (let size = 1; size <= 4; size++) {
        const input = { source: msg, iv, resultLength: size };
        const result = resultOf(engine, context, input);
        assertSame(result, tag.subarray(0, size), source);
      }
    }
  });
}
