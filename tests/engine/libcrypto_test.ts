import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
  type Sizes,
} from "../../device/engine/algorithm.ts";
import { type Engine, JobOutcome } from "../../device/engine/engine.ts";
import {
  LibcryptoEngine,
  openLibcryptoEngine,
  workingAlgorithms,
} from "../../device/engine/libcrypto.ts";
import { MAKERS } from "../../device/engine/libcrypto/catalogue.ts";
import { KNOWN_ANSWERS } from "../../device/engine/libcrypto/known_answers.ts";
import { Provider } from "../../device/engine/libcrypto/provider.ts";
import { answerOf } from "../../device/engine/libcrypto/self_test.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import { type Libcrypto, libcrypto } from "../../device/host/libcrypto.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import {
  assertSame,
  Guest,
  type Input,
  never,
  type Placement,
  resultOf,
  runJob,
} from "./guest.ts";
import { Random } from "./random.ts";
import { reference } from "./reference.ts";

/** Whether the library can be opened; engines.ts says so where it cannot. */
function isThere(): boolean {
  try {
    libcrypto();
    return true;
  } catch {
    return false;
  }
}

const ignore = !isThere();

const NAMES = Object.keys(MAKERS) as AlgorithmName[];

/** What only OpenSSL's legacy provider has. */
const LEGACY: AlgorithmName[] = ["arc4", "des-ecb", "des-cbc"];

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: `libcrypto ${name}`, ignore, fn });
}

function directions(algorithm: Algorithm): Direction[] {
  return algorithm.kind === "cipher" || algorithm.kind === "aead"
    ? ["encrypt", "decrypt"]
    : ["encrypt"];
}

/** A legal size, of those up to a limit. */
function pick(sizes: Sizes, limit: number, random: Random): number {
  for (;;) {
    const most = Math.max(sizes.max, ...sizes.also ?? []);
    const size = random.below(Math.min(most, limit) + 1);
    if (hasSize(sizes, size)) return size;
  }
}

/** Up to three cuts of a length, in order. */
function cuts(length: number, random: Random): number[] {
  return Array.from({ length: random.below(4) }, () => random.below(length + 1))
    .sort((a, b) => a - b);
}

/** A random input of an algorithm. */
function inputOf(algorithm: Algorithm, random: Random, limit: number): Input {
  const { block, minimum } = algorithm;
  const length = Math.max(minimum, random.below(limit + 1));
  return {
    source: random.bytes(length - length % block),
    aad: random.bytes(algorithm.kind === "aead" ? random.below(100) : 0),
    iv: random.bytes(pick(algorithm.iv, 16, random)),
    resultLength: pick(algorithm.result, 300, random),
  };
}

/** A library that lacks providers. */
function libraryWithout(...missing: string[]): Libcrypto {
  const library = libcrypto();
  return {
    ...library,
    OSSL_PROVIDER_load(context: bigint, name: BufferSource | null) {
      const text = new TextDecoder().decode(name as Uint8Array).slice(0, -1);
      return missing.includes(text)
        ? 0n
        : library.OSSL_PROVIDER_load(context, name);
    },
  } as Libcrypto;
}

test("knows answers that the portable engine gives too", () => {
  const noble = new NobleEngine();
  assertEquals(Object.keys(KNOWN_ANSWERS).sort(), [...NAMES].sort());
  for (const name of NAMES) {
    assertEquals(answerOf(noble, ALGORITHMS[name]), KNOWN_ANSWERS[name], name);
  }
});

test("serves what its providers have", () => {
  const engine = openLibcryptoEngine();
  const { legacy } = new Provider(libcrypto());
  for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
    const expected = name in MAKERS &&
      (legacy || !LEGACY.includes(name as AlgorithmName));
    assertEquals(engine.serves(algorithm), expected, name);
  }
});

test("serves no DES and no ARC4 without the legacy provider", () => {
  const provider = new Provider(libraryWithout("legacy"));
  assert(!provider.legacy);
  const working = workingAlgorithms(provider);
  const engine = new LibcryptoEngine(provider, working);
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    assertEquals(engine.serves(algorithm), !LEGACY.includes(name), name);
    if (!LEGACY.includes(name)) continue;
    assertThrows(
      () => engine.prepare(algorithm, "encrypt", new Uint8Array(8)),
      RangeError,
      `Cannot prepare ${name}: the libcrypto engine does not serve it`,
    );
  }
  // The groups of the rest are numbered without a gap.
  const groups = new Set<number>();
  for (const name of working) {
    const algorithm: Algorithm = ALGORITHMS[name as AlgorithmName];
    for (const direction of directions(algorithm)) {
      for (const size of name.startsWith("hmac-") ? [9] : [0, 16, 24, 32, 64]) {
        if (!hasSize(algorithm.key, size)) continue;
        const key = new Uint8Array(size);
        const context = engine.prepare(algorithm, direction, key);
        groups.add(context.group);
        context.wipe();
      }
    }
  }
  assertEquals(
    [...groups].sort((a, b) => a - b),
    Array.from({ length: engine.groups }, (_, group) => group),
  );
});

test("cannot be used without the default provider", () => {
  assertThrows(
    () => new Provider(libraryWithout("default")),
    LibraryError,
    "Cannot load the default provider of libcrypto.so.3",
  );
});

test("does not serve an algorithm whose answer is wrong", () => {
  const library = {
    ...libcrypto(),
    // A library that does not encipher, and hashes as it should.
    EVP_CipherUpdate: () => 1,
  } as Libcrypto;
  const working = workingAlgorithms(new Provider(library));
  assert(working.has("sha256") && working.has("hmac-sha1"));
  assert(!working.has("aes-cbc") && !working.has("aes-gcm"));
});

/** Runs one input on both engines, and back where there is a way back. */
function compare(
  [engine, noble]: [Engine, Engine],
  algorithm: Algorithm,
  random: Random,
  limit: number,
): void {
  const key = random.bytes(pick(algorithm.key, 300, random));
  let input = inputOf(algorithm, random, limit);
  for (const direction of directions(algorithm)) {
    const contexts = [engine, noble].map((engine) =>
      engine.prepare(algorithm, direction, key)
    );
    const [context, other] = contexts;
    const expected = resultOf(noble, other!, input);
    const placement: Placement = {
      source: random.below(80),
      sourceCuts: cuts(input.source.length, random),
      aadCuts: cuts(input.aad!.length, random),
      destinationCuts: cuts(expected.length, random),
    };
    const what = `${algorithm.name} ${direction} of ${input.source.length}`;
    // Twice with one context, which the first job leaves as it is.
    for (let i = 0; i < 2; i++) {
      const result = resultOf(engine, context!, input, placement);
      assertSame(result, expected, what);
    }
    contexts.forEach((context) => context!.wipe());
    input = { ...input, source: expected };
  }
}

for (const name of NAMES) {
  test(`agrees with the portable engine on ${name}`, () => {
    const random = new Random(name.length + 11);
    const engines: [Engine, Engine] = [
      openLibcryptoEngine(),
      new NobleEngine(),
    ];
    const algorithm: Algorithm = ALGORITHMS[name];
    if (!engines[0].serves(algorithm)) return;
    for (let i = 0; i < 60; i++) compare(engines, algorithm, random, 400);
    for (let i = 0; i < 4; i++) compare(engines, algorithm, random, 100_000);
  });
}

/** Scattered pieces of a job's data. */
interface Scattered {
  readonly guest: Guest;
  /** Where each byte of the source lies. */
  readonly source: readonly number[];
}

/** Lays the pieces of a source out backwards, each a segment with a gap. */
function scatter(source: Uint8Array, piece: number): Scattered {
  const guest = new Guest(8 * source.length + 4096);
  const places: number[] = [];
  const pieces = Math.ceil(source.length / piece);
  for (let i = 0; i < source.length; i++) {
    const at = (pieces - Math.floor(i / piece)) * (piece + 5) + i % piece;
    guest.bytes[at] = source[i]!;
    places.push(at);
  }
  return { guest, source: places };
}

test("works on data in pieces that do not adjoin", () => {
  const random = new Random(21);
  const engine = openLibcryptoEngine();
  for (const name of NAMES) {
    const algorithm: Algorithm = ALGORITHMS[name];
    if (!engine.serves(algorithm)) continue;
    const key = random.bytes(Math.min(algorithm.key.max, 32));
    for (const piece of [1, 7, 16, 100]) {
      const input = {
        source: random.bytes(400),
        iv: random.bytes(algorithm.iv.min),
        resultLength: Math.min(algorithm.result.max, 20),
      };
      const context = engine.prepare(algorithm, "encrypt", key);
      const expected = resultOf(engine, context, input);
      const { guest, source } = scatter(input.source, piece);
      const { segments } = guest;
      // A segment before the first, which the span leaves out with its skip.
      segments.push(0, 0, 3);
      for (let i = 0; i < source.length; i += piece) {
        segments.push(0, source[i]!, Math.min(piece, source.length - i));
      }
      const job = guest.job(context, { ...input, source: new Uint8Array(0) });
      job.source.segment = 0;
      job.source.skip = 3;
      job.source.length = 400;
      // In place, in the same pieces, for what is as long as the source.
      if (algorithm.kind === "cipher") {
        Object.assign(job.destination, job.source);
      } else {
        guest.span(job.destination, 3000, expected.length, [1, 3, 3]);
      }
      engine.run([job], 1, guest, never);
      assertEquals(job.outcome, JobOutcome.DONE, name);
      const result = algorithm.kind === "cipher"
        ? Uint8Array.from(source, (at) => guest.bytes[at]!)
        : guest.result(job);
      assertSame(result, expected, `${name} in pieces of ${piece}`);
      context.wipe();
    }
  }
});

test("refuses a wrong tag of a GCM message whose iv is J0", () => {
  const random = new Random(22);
  const engine = openLibcryptoEngine();
  const key = random.bytes(16);
  const input = {
    source: random.bytes(50),
    iv: random.bytes(16),
    aad: random.bytes(9),
    resultLength: 16,
  };
  const algorithm = ALGORITHMS["aes-gcm"];
  const encrypt = engine.prepare(algorithm, "encrypt", key);
  const source = resultOf(engine, encrypt, input);
  assertSame(source, reference("aes-gcm", key, input), "sealed");
  const decrypt = engine.prepare(algorithm, "decrypt", key);
  assertSame(
    resultOf(engine, decrypt, { ...input, source }),
    input.source,
    "opened",
  );
  source[60]! ^= 1;
  const forged = runJob(engine, decrypt, { ...input, source });
  assertEquals(forged.outcome, JobOutcome.BAD_TAG);
  encrypt.wipe();
  decrypt.wipe();
});

test("computes XTS with two equal keys, and of more than 16 MiB", () => {
  const random = new Random(23);
  const engine = openLibcryptoEngine();
  const noble = new NobleEngine();
  const algorithm = ALGORITHMS["aes-xts"];
  for (const size of [32, 64]) {
    const half = random.bytes(size / 2);
    const key = new Uint8Array([...half, ...half]);
    for (const direction of directions(algorithm)) {
      const input = { source: random.bytes(77), iv: random.bytes(16) };
      assertSame(
        resultOf(engine, engine.prepare(algorithm, direction, key), input),
        resultOf(noble, noble.prepare(algorithm, direction, key), input),
        `${direction} with a key of ${size} bytes`,
      );
    }
  }
  const key = random.bytes(32);
  const size = (16 << 20) + 5;
  const guest = new Guest(size);
  const [encrypt, decrypt] = directions(algorithm).map((direction) =>
    engine.prepare(algorithm, direction, key)
  );
  const job = guest.job(encrypt!, {
    source: new Uint8Array(0),
    iv: random.bytes(16),
  });
  guest.span(job.source, 0, size);
  Object.assign(job.destination, job.source);
  for (const context of [encrypt!, decrypt!]) {
    job.context = context;
    engine.run([job], 1, guest, never);
    assertEquals(job.outcome, JobOutcome.DONE);
    assertEquals(job.context, context);
  }
  // All of it is what it was: the filling of guest memory.
  const [first] = guest.bytes;
  assert(guest.bytes.every((byte) => byte === first));
});

test("gives a job of the portable engine up for a stop", () => {
  const random = new Random(24);
  const engine = openLibcryptoEngine();
  const algorithm = ALGORITHMS["aes-gcm"];
  const context = engine.prepare(algorithm, "encrypt", random.bytes(16));
  const guest = new Guest(700_000);
  const job = guest.job(context, {
    source: random.bytes(300_000),
    iv: random.bytes(16),
    resultLength: 16,
  });
  const before = guest.bytes.slice();
  engine.run([job], 1, guest, () => true);
  assertEquals(job.outcome, JobOutcome.ABANDONED);
  assertSame(guest.bytes, before, "guest memory");
  engine.run([job], 1, guest, never);
  assertEquals(job.outcome, JobOutcome.DONE);
});

test("deciphers what it has verified while a guest changes it", async () => {
  const random = new Random(25);
  const engine = openLibcryptoEngine();
  // Another thread flips a bit of the ciphertext, again and again.
  const flip = `onmessage = ({ data: [buffer, at, stop] }) => {
    const bytes = new Uint8Array(buffer);
    const flag = new Int32Array(stop);
    postMessage(0);
    while (Atomics.load(flag, 0) === 0) Atomics.xor(bytes, at, 1);
    close();
  }`;
  for (const name of ["aes-gcm", "aes-ccm", "chacha20-poly1305"] as const) {
    const algorithm: Algorithm = ALGORITHMS[name];
    const key = random.bytes(algorithm.key.max);
    const input = {
      source: random.bytes(3000),
      iv: random.bytes(12),
      resultLength: 16,
    };
    const encrypt = engine.prepare(algorithm, "encrypt", key);
    const decrypt = engine.prepare(algorithm, "decrypt", key);
    const guest = new Guest(10_000);
    const source = resultOf(engine, encrypt, input);
    const job = guest.job(decrypt, { ...input, source });
    const at = guest.segments.offset[job.source.segment]! + 1500;
    const { buffer, offset } = guest.memory.regions[0]!;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(
      `data:text/javascript,${encodeURIComponent(flip)}`,
      { type: "module" },
    );
    await new Promise((resolve) => {
      worker.onmessage = resolve;
      worker.postMessage([buffer, offset + at, stop.buffer]);
    });
    let opened = 0;
    let refused = 0;
    // A worker that waits for a processor changes nothing for a while.
    const goesOn = () =>
      opened + refused < 3000 ||
      (Math.min(opened, refused) === 0 && opened + refused < 1_000_000);
    while (goesOn()) {
      engine.run([job], 1, guest, never);
      if (job.outcome !== JobOutcome.DONE) {
        assertEquals(job.outcome, JobOutcome.BAD_TAG);
        refused++;
        continue;
      }
      opened++;
      assertSame(guest.result(job), input.source, name);
    }
    Atomics.store(stop, 0, 1);
    worker.terminate();
    // Of both kinds there were some, or nothing was tried.
    assert(opened > 0 && refused > 0, `${name}: ${opened} and ${refused}`);
    encrypt.wipe();
    decrypt.wipe();
  }
});
