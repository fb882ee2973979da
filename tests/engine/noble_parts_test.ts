import { assert, assertEquals, assertNotStrictEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import { GcmContext } from "../../device/engine/noble/gcm.ts";
import { ghash, ghashTable } from "../../device/engine/noble/ghash.ts";
import { keyedHmac } from "../../device/engine/noble/hmac.ts";
import { HASHES } from "../../device/engine/noble/hashes.ts";
import { Staging } from "../../device/engine/noble/staging.ts";
import {
  equalBytes,
  loadBlock,
  swap,
} from "../../device/engine/noble/words.ts";
import { JobOutcome } from "../../device/engine/engine.ts";
import { Guest, never, resultOf } from "./guest.ts";
import { Random } from "./random.ts";

const MIB = 1 << 20;

/** What became of an array that was overwritten. */
interface Wiped {
  readonly length: number;
  /** What its memory held. */
  readonly before: ArrayBuffer;
  /** Whether it holds nothing but zeros. */
  readonly zero: boolean;
}

/** Collects the typed arrays that a call fills. */
function wiped(wipe: () => void): Wiped[] {
  const arrays: { array: Uint8Array<ArrayBuffer>; before: ArrayBuffer }[] = [];
  const prototype = Object.getPrototypeOf(Uint8Array.prototype);
  const { fill } = prototype;
  prototype.fill = function (
    this: Uint8Array<ArrayBuffer>,
    ...args: unknown[]
  ) {
    arrays.push({ array: this, before: this.buffer.slice(0) });
    return Reflect.apply(fill, this, args);
  };
  try {
    wipe();
  } finally {
    prototype.fill = fill;
  }
  return arrays.map(({ array, before }) => ({
    length: array.length,
    before,
    zero: array.every((value) => value === 0),
  }));
}

Deno.test("staging keeps a buffer of up to 1 MiB and gives back a larger one", () => {
  const staging = new Staging();
  staging.reserve(100);
  const first = staging.bytes;
  staging.reserve(65536);
  assert(staging.bytes === first, "one step fits the first buffer");
  staging.reserve(MIB);
  const kept = staging.bytes;
  assertNotStrictEquals(kept, first);
  staging.release();
  assert(staging.bytes === kept, "1 MiB is kept");
  staging.reserve(MIB + 1);
  assert(staging.bytes.length > MIB);
  staging.release();
  assertEquals(staging.bytes.length, 0);
  assertEquals(staging.words.length, 0);
});

Deno.test("staging has room for a whole last block and a tag", () => {
  const staging = new Staging();
  for (const size of [0, 1, 65536, 65537, MIB, MIB + 1, MIB + 15, 3 * MIB]) {
    staging.reserve(size);
    assert(staging.bytes.length >= Math.ceil(size / 16) * 16 + 16);
    assertEquals(staging.words.length * 4, staging.bytes.length);
  }
});

Deno.test("staging overwrites what it drops and what it clears", () => {
  const staging = new Staging();
  const fill = (size: number) => {
    staging.reserve(size);
    staging.bytes.fill(1, 0, size + 16);
    return staging.bytes;
  };
  const small = fill(65536);
  const large = fill(MIB + 1);
  assert(small.every((byte) => byte === 0), "a buffer that was too small");
  staging.release();
  assert(large.every((byte) => byte === 0), "a buffer that was too large");
  const kept = fill(70000);
  fill(10); // A shorter job does not shorten what has to be cleared.
  staging.scratch.result.fill(1);
  staging.scratch.chain.fill(1);
  staging.clear();
  assert(kept.every((byte) => byte === 0), "a buffer that was cleared");
  assertEquals(staging.scratch.result, new Uint8Array(64));
  assertEquals(staging.scratch.chain, new Uint32Array(4));
});

Deno.test("staging keeps the view of the last part that was asked for", () => {
  const staging = new Staging();
  staging.reserve(1000);
  const view = staging.view(16, 100);
  assert(staging.view(16, 100) === view);
  assert(staging.view(16, 101) !== view);
  assertEquals(staging.view(0, 1000).length, 1000);
  const before = staging.view(0, 64);
  staging.reserve(70000);
  assert(staging.view(0, 64).buffer === staging.bytes.buffer);
  assert(before.buffer !== staging.bytes.buffer);
});

Deno.test("noble overwrites private data when it is wiped", () => {
  const engine = new NobleEngine();
  const key = new Uint8Array(16);
  const context = engine.prepare(ALGORITHMS["aes-ctr"], "encrypt", key);
  const guest = new Guest(4096);
  const job = guest.job(context, {
    source: new Random(1).bytes(1000),
    iv: new Uint8Array(16),
  });
  engine.run([job], 1, guest, never);
  assertEquals(job.outcome, JobOutcome.DONE);
  const arrays = wiped(() => engine.wipe());
  const result = guest.result(job).toHex();
  const [staged] = arrays.filter(({ before }) =>
    new Uint8Array(before).toHex().includes(result)
  );
  assert(staged !== undefined, "the result was not there");
  assert(arrays.every((array) => array.zero), "something was left");
});

Deno.test("noble overwrites a plaintext that aes-ccm refuses", () => {
  const engine = new NobleEngine();
  const random = new Random(4);
  const [key, iv] = [random.bytes(16), random.bytes(12)];
  const source = random.bytes(200);
  const input = { source, iv, resultLength: 8 };
  const encrypt = engine.prepare(ALGORITHMS["aes-ccm"], "encrypt", key);
  const decrypt = engine.prepare(ALGORITHMS["aes-ccm"], "decrypt", key);
  const forged = resultOf(engine, encrypt, input);
  forged[205]! ^= 1;
  engine.wipe();
  const guest = new Guest(4096);
  const job = guest.job(decrypt, { ...input, source: forged });
  const arrays = wiped(() => engine.run([job], 1, guest, never));
  assertEquals(job.outcome, JobOutcome.BAD_TAG);
  const staged = arrays.filter(({ before }) =>
    new Uint8Array(before).toHex().includes(source.toHex())
  );
  assert(staged.length > 0, "the plaintext was not there");
  assert(staged.every(({ zero }) => zero), "the plaintext was left");
});

Deno.test("ghash agrees with test case 2 of the GCM specification", () => {
  const words = (hex: string) =>
    new Uint32Array(Uint8Array.fromHex(hex).buffer);
  const table = ghashTable(words("66e94bd4ef8a2c3b884cfa59ca342b2e"));
  const state = new Uint32Array(4);
  const blocks = words(
    "0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080",
  );
  ghash(table, blocks, 0, 4, state);
  assertEquals(state, words("5e2ec746917062882c85b0685353deb7"));
  ghash(table, blocks, 4, 8, state);
  assertEquals(state, words("f38cbb1ad69223dcc3457ae5b6b0f885"));
});

Deno.test("equalBytes compares the first bytes only", () => {
  const a = Uint8Array.of(1, 2, 3, 4);
  assert(equalBytes(a, Uint8Array.of(1, 2, 3, 5), 3));
  assert(!equalBytes(a, Uint8Array.of(1, 2, 3, 5), 4));
  assert(!equalBytes(a, Uint8Array.of(0x81, 2, 3, 4), 4));
  assert(equalBytes(a, Uint8Array.of(), 0));
});

Deno.test("loadBlock and swap read words in either order", () => {
  const words = new Uint32Array(4);
  loadBlock(Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i), words);
  assertEquals(words[3], 0xfffefdfc);
  assertEquals(swap(words[3]!) >>> 0, 0xfcfdfeff);
  assertEquals(swap(0x80), -0x80000000);
});

Deno.test("keyedHmac leaves the caller's key as it is", () => {
  for (const size of [1, 64, 65, 512]) {
    const key = new Random(size).bytes(size);
    const copy = key.slice();
    keyedHmac(HASHES.sha256, key).destroy();
    assertEquals(key, copy);
  }
});

Deno.test("wiping a GCM context overwrites its key schedule and its table", () => {
  const context = new GcmContext({
    engine: new NobleEngine(),
    algorithm: ALGORITHMS["aes-gcm"],
    direction: "encrypt",
    group: 0,
  }, new Random(2).bytes(32));
  const arrays = wiped(() => context.wipe());
  assertEquals(arrays.map((array) => array.length), [60, 2048]);
  assert(arrays.every((array) => array.zero));
});

Deno.test("wiping a context overwrites what its algorithm keeps of a key", () => {
  const engine = new NobleEngine();
  const sizes = {
    "aes-ecb": [60],
    "aes-cbc": [60],
    "aes-ctr": [60],
    "arc4": [258, 258],
    "des-ecb": [32],
    "des-cbc": [32],
    "3des-ecb": [96],
    "3des-cbc": [96],
    "3des-ctr": [96],
    "kasumi-f8": [128, 64, 64, 4],
    "snow3g-uea2": [128, 4, 144, 3, 32],
    "aes-f8": [44, 44, 8],
    "aes-xts": [44, 44, 4, 4],
    "zuc-eea3": [128, 16, 144, 2, 32],
    "cmac-3des": [96, 4],
    "cmac-aes": [60, 8],
    "kasumi-f9": [64, 64, 4],
    "snow3g-uia2": [128, 4, 144, 3, 32, 5, 512, 2, 2],
    "gmac-aes": [60, 2048],
    "gmac-twofish": [1064, 2048],
    "cbcmac-aes": [44],
    "xcbc-aes": [44, 8],
    "zuc-eia3": [128, 16, 144, 2, 32, 128, 2, 2, 1],
    "aes-ccm": [60],
    "chacha20-poly1305": [32],
  };
  for (const [name, expected] of Object.entries(sizes)) {
    const algorithm = ALGORITHMS[name as keyof typeof sizes];
    const key = new Random(3).bytes(Math.min(algorithm.key.max, 32));
    const context = engine.prepare(algorithm, "encrypt", key);
    const arrays = wiped(() => context.wipe());
    assertEquals(arrays.map((array) => array.length), expected, name);
    assert(arrays.every((array) => array.zero), name);
  }
});
