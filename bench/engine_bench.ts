/**
 * Engines against the plain primitive of `@noble`: what a job costs over the
 * computation. A job reads its source from shared memory and writes its result
 * there; the primitive has private arrays and expands the key in each call.
 *
 * What `@noble` does not have is measured against its AES-128-CBC encryption
 * of as many bytes, GMAC against its GHASH.
 */

import { ghash } from "@noble/ciphers/_polyval.js";
import { cbc, cmac, ctr, ecb, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256, shake128 } from "@noble/hashes/sha3.js";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
} from "../device/engine/algorithm.ts";
import { type Engine, Job, JobOutcome } from "../device/engine/engine.ts";
import { ENGINE_NAMES, openEngines } from "../device/engine/engines.ts";
import { LibraryError } from "../device/host/library_error.ts";
import { GuestMemory } from "../device/memory/guest_memory.ts";
import { SegmentTable, type Span } from "../device/memory/segments.ts";

/** The engines measured: those whose libraries are there. */
const ENGINES: readonly Engine[] = ENGINE_NAMES.flatMap((name) => {
  try {
    return openEngines([name]);
  } catch (error) {
    if (!(error instanceof LibraryError)) throw error;
    console.error(`Not measured: the engine ${name}. ${error.message}`);
    return [];
  }
});

const SIZES: readonly (readonly [name: string, bytes: number])[] = [
  ["64 B", 64],
  ["1 KiB", 1024],
  ["16 KiB", 16384],
  ["256 KiB", 262144],
];

/** An algorithm, and the primitive that does the same, if there is one. */
interface Subject {
  readonly name: AlgorithmName;
  readonly direction?: Direction;
  readonly keyLength: number;
  readonly resultLength?: number;
  /** Takes the source, of which an AEAD's ends with the tag to decrypt. */
  readonly plain?: (
    key: Uint8Array,
    iv: Uint8Array,
    data: Uint8Array,
  ) => Uint8Array;
  /** What takes the place of a primitive that there is not. */
  readonly instead?: Yardstick;
}

/** A primitive that does something else. */
interface Yardstick {
  readonly name: string;
  readonly run: (data: Uint8Array) => Uint8Array;
}

const raw = { disablePadding: true };

/** What own code is measured against, with a key and an iv of its own. */
const AES_CBC: Yardstick = {
  name: "aes-cbc 128 encrypt",
  run: (data) => cbc(new Uint8Array(16), new Uint8Array(16), raw).encrypt(data),
};

/** All of GMAC but one block of its cipher. */
const GHASH: Yardstick = {
  name: "ghash",
  run: (data) => ghash(data, pattern(16)),
};

const SUBJECTS: readonly Subject[] = [
  {
    name: "aes-ecb",
    keyLength: 16,
    plain: (key, _, data) => ecb(key, raw).encrypt(data),
  },
  {
    name: "aes-cbc",
    keyLength: 16,
    plain: (key, iv, data) => cbc(key, iv, raw).encrypt(data),
  },
  {
    name: "aes-cbc",
    direction: "decrypt",
    keyLength: 16,
    plain: (key, iv, data) => cbc(key, iv, raw).decrypt(data),
  },
  {
    name: "aes-cbc",
    keyLength: 32,
    plain: (key, iv, data) => cbc(key, iv, raw).encrypt(data),
  },
  {
    name: "aes-ctr",
    keyLength: 16,
    plain: (key, iv, data) => ctr(key, iv).encrypt(data),
  },
  {
    name: "aes-gcm",
    keyLength: 16,
    resultLength: 16,
    plain: (key, iv, data) => gcm(key, iv).encrypt(data),
  },
  {
    name: "aes-gcm",
    direction: "decrypt",
    keyLength: 16,
    resultLength: 16,
    plain: (key, iv, data) => gcm(key, iv).decrypt(data),
  },
  {
    name: "chacha20-poly1305",
    keyLength: 32,
    resultLength: 16,
    plain: (key, iv, data) => chacha20poly1305(key, iv).encrypt(data),
  },
  {
    name: "chacha20-poly1305",
    direction: "decrypt",
    keyLength: 32,
    resultLength: 16,
    plain: (key, iv, data) => chacha20poly1305(key, iv).decrypt(data),
  },
  {
    name: "md5",
    keyLength: 0,
    resultLength: 16,
    plain: (_key, _iv, data) => md5(data),
  },
  {
    name: "sha1",
    keyLength: 0,
    resultLength: 20,
    plain: (_key, _iv, data) => sha1(data),
  },
  {
    name: "sha256",
    keyLength: 0,
    resultLength: 32,
    plain: (_key, _iv, data) => sha256(data),
  },
  {
    name: "sha512",
    keyLength: 0,
    resultLength: 64,
    plain: (_key, _iv, data) => sha512(data),
  },
  {
    name: "sha3-256",
    keyLength: 0,
    resultLength: 32,
    plain: (_key, _iv, data) => sha3_256(data),
  },
  {
    name: "shake128",
    keyLength: 0,
    resultLength: 32,
    plain: (_key, _iv, data) => shake128(data, { dkLen: 32 }),
  },
  {
    name: "hmac-sha256",
    keyLength: 32,
    resultLength: 32,
    plain: (key, _iv, data) => hmac(sha256, key, data),
  },
  {
    name: "cmac-aes",
    keyLength: 16,
    resultLength: 16,
    plain: (key, _iv, data) => cmac(data, key),
  },
  { name: "arc4", keyLength: 16 },
  { name: "des-ecb", keyLength: 8 },
  { name: "des-cbc", keyLength: 8 },
  { name: "des-cbc", direction: "decrypt", keyLength: 8 },
  { name: "3des-cbc", keyLength: 24 },
  { name: "3des-cbc", direction: "decrypt", keyLength: 24 },
  { name: "3des-ctr", keyLength: 24 },
  { name: "kasumi-f8", keyLength: 16 },
  { name: "snow3g-uea2", keyLength: 16 },
  { name: "aes-f8", keyLength: 32 },
  { name: "aes-xts", keyLength: 32 },
  { name: "aes-xts", direction: "decrypt", keyLength: 32 },
  { name: "zuc-eea3", keyLength: 16 },
  { name: "cmac-3des", keyLength: 24, resultLength: 8 },
  { name: "kasumi-f9", keyLength: 16, resultLength: 4 },
  { name: "snow3g-uia2", keyLength: 16, resultLength: 4 },
  { name: "gmac-aes", keyLength: 16, resultLength: 16, instead: GHASH },
  { name: "gmac-twofish", keyLength: 16, resultLength: 16, instead: GHASH },
  { name: "cbcmac-aes", keyLength: 16, resultLength: 16 },
  { name: "xcbc-aes", keyLength: 16, resultLength: 16 },
  { name: "zuc-eia3", keyLength: 16, resultLength: 4 },
  { name: "aes-ccm", keyLength: 16, resultLength: 16 },
];

/** Bytes that are all different from their neighbours. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 89 + (i >> 8));
}

/** Puts a range of guest memory into a span of one segment. */
function point(
  table: SegmentTable,
  span: Span,
  at: number,
  length: number,
): void {
  span.segment = table.count;
  span.length = length;
  table.push(0, at, length);
}

/** A job over shared memory that holds the source. */
function prepareJob(
  engine: Engine,
  subject: Subject,
  key: Uint8Array,
  iv: Uint8Array,
  source: Uint8Array,
  resultSize: number,
): () => Uint8Array {
  const algorithm: Algorithm = ALGORITHMS[subject.name];
  const size = source.length + resultSize + 64;
  const buffer = new SharedArrayBuffer(size);
  const memory = new GuestMemory([
    { guestAddress: 0, userAddress: 0, size, buffer, offset: 0 },
  ]);
  const segments = new SegmentTable(4);
  memory.bytes[0]!.set(source);
  const job = new Job();
  job.context = engine.prepare(algorithm, subject.direction ?? "encrypt", key);
  job.iv.set(iv);
  job.ivLength = iv.length;
  job.resultLength = subject.resultLength ?? 0;
  point(segments, job.source, 0, source.length);
  point(segments, job.destination, source.length + 64, resultSize);
  const jobs = [job];
  const on = { memory, segments };
  const never = () => false;
  const result = memory.bytes[0]!.subarray(source.length + 64);
  return () => {
    engine.run(jobs, 1, on, never);
    if (job.outcome !== JobOutcome.DONE) {
      throw new Error(`Cannot run ${subject.name}: outcome ${job.outcome}`);
    }
    return result;
  };
}

/** Throws unless an engine computes what the primitive does. */
function check(what: string, actual: Uint8Array, expected: Uint8Array): void {
  if (!expected.every((byte, i) => byte === actual[i])) {
    throw new Error(`Cannot measure ${what}: its result is wrong`);
  }
}

for (const subject of SUBJECTS) {
  const { direction = "encrypt", keyLength, name, plain } = subject;
  const { instead = AES_CBC, resultLength = 0 } = subject;
  const algorithm: Algorithm = ALGORITHMS[name];
  const key = pattern(keyLength);
  const iv = pattern(algorithm.iv.min);
  const way = algorithm.kind === "cipher" || algorithm.kind === "aead"
    ? ` ${8 * keyLength} ${direction}`
    : "";
  for (const [sizeName, bytes] of SIZES) {
    const group = `${name}${way}, ${sizeName}`;
    let source: Uint8Array = pattern(bytes);
    if (algorithm.kind === "aead" && direction === "decrypt") {
      const encrypt = SUBJECTS.find((s) => s.name === name && !s.direction)!;
      source = encrypt.plain!(key, iv, source);
    }
    const expected = plain?.(key, iv, source);
    Deno.bench({
      name: `@noble ${plain ? group : `${instead.name}, ${sizeName}`}`,
      group,
      baseline: true,
      fn() {
        if (plain) plain(key, iv, source);
        else instead.run(source);
      },
    });
    const text = algorithm.kind === "mac" ? 0 : bytes;
    const size = expected?.length ?? text + resultLength;
    for (const engine of ENGINES) {
      if (!engine.serves(algorithm, keyLength)) continue;
      const run = prepareJob(engine, subject, key, iv, source, size);
      if (expected) check(group, run(), expected);
      Deno.bench({
        name: `${engine.name} ${group}`,
        group,
        fn() {
          run();
        },
      });
    }
  }
}
