import { assert, assertEquals } from "@std/assert";
import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
} from "../../device/engine/algorithm.ts";
import { type Job, JobOutcome } from "../../device/engine/engine.ts";
import { openLibcryptoEngine } from "../../device/engine/libcrypto.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import { assertSame, Guest, resultOf } from "./guest.ts";
import { Random } from "./random.ts";

/** Whether the library can be opened; engines.ts says so where it cannot. */
function isThere(): boolean {
  try {
    openLibcryptoEngine();
    return true;
  } catch (error) {
    if (error instanceof LibraryError) return false;
    throw error;
  }
}

const ignore = !isThere();

const STEP = 65536;

/** More than a DES cipher works on without a look at whether to stop. */
const LENGTH = (2 << 20) + 4 * STEP;

interface Case {
  readonly algorithm: AlgorithmName;
  readonly direction: Direction;
  /** The source lies in pieces that are shorter than a step. */
  readonly scattered?: boolean;
  /** The result goes where the source is. */
  readonly inPlace?: boolean;
}

const CASES: readonly Case[] = [
  { algorithm: "3des-cbc", direction: "encrypt" },
  { algorithm: "3des-cbc", direction: "decrypt", inPlace: true },
  { algorithm: "3des-ecb", direction: "encrypt", inPlace: true },
  { algorithm: "3des-ctr", direction: "encrypt" },
  { algorithm: "des-cbc", direction: "encrypt", inPlace: true },
  { algorithm: "aes-cbc", direction: "encrypt", scattered: true },
  { algorithm: "aes-ctr", direction: "decrypt", scattered: true },
  { algorithm: "aes-gcm", direction: "decrypt" },
  { algorithm: "aes-gcm", direction: "encrypt", scattered: true },
  { algorithm: "chacha20-poly1305", direction: "decrypt" },
  { algorithm: "gmac-aes", direction: "encrypt" },
  { algorithm: "cmac-3des", direction: "encrypt" },
  { algorithm: "hmac-sha256", direction: "encrypt", scattered: true },
  { algorithm: "sha512", direction: "encrypt" },
  { algorithm: "sha1", direction: "encrypt", scattered: true },
];

/** Lays a job's source out in pieces that do not adjoin. */
function scatter(guest: Guest, job: Job, source: Uint8Array, at: number): void {
  const size = STEP / 2 - 16;
  job.source.segment = guest.segments.count;
  job.source.skip = 0;
  for (let from = 0; from < source.length; from += size) {
    const piece = source.subarray(from, from + size);
    guest.bytes.set(piece, at);
    guest.segments.push(0, at, piece.length);
    at += piece.length + 5;
  }
}

for (const { algorithm: name, direction, scattered, inPlace } of CASES) {
  const how = `${scattered ? " in pieces" : ""}${inPlace ? " in place" : ""}`;
  Deno.test({
    name:
      `libcrypto writes nothing when it gives up to ${direction} ${name}${how}, and runs it again`,
    ignore,
    fn: () => {
      const engine = openLibcryptoEngine();
      const algorithm: Algorithm = ALGORITHMS[name];
      const random = new Random(11);
      const context = (direction: Direction) =>
        engine.prepare(
          algorithm,
          direction,
          new Random(12).bytes(algorithm.key.also?.at(-1) ?? algorithm.key.max),
        );
      const encrypts = context("encrypt");
      let input = {
        source: random.bytes(LENGTH),
        iv: random.bytes(algorithm.iv.min),
        resultLength: algorithm.result.max,
      };
      if (direction === "decrypt") {
        input = { ...input, source: resultOf(engine, encrypts, input) };
      }
      const runs = direction === "encrypt" ? encrypts : context("decrypt");
      const { length } = input.source;
      const guest = new Guest(3 * length + 4096);
      const job = guest.job(
        runs,
        input,
        inPlace ? { source: 3, destination: 3 } : {},
      );
      if (scattered) scatter(guest, job, input.source, 2 * length + 1024);
      const before = guest.bytes.slice();
      for (const limit of [0, 3, 20]) {
        let asked = 0;
        engine.run([job], 1, guest, () => asked++ === limit);
        assertEquals(asked, limit + 1);
        assertEquals(job.outcome, JobOutcome.ABANDONED);
        assertSame(guest.bytes, before, `given up at ${limit}`);
      }
      let asked = 0;
      engine.run([job], 1, guest, () => asked++ < 0);
      assert(asked >= LENGTH / (2 * STEP), `${asked} times`);
      assertEquals(job.outcome, JobOutcome.DONE);
      assertSame(
        guest.result(job),
        resultOf(engine, runs, input),
        "the result",
      );
      for (const made of new Set([encrypts, runs])) made.wipe();
    },
  });
}

Deno.test({
  name:
    "libcrypto writes straight to the guest what takes it less than 0.1 s, and looks at nothing meanwhile",
  ignore,
  fn: () => {
    const engine = openLibcryptoEngine();
    const context = engine.prepare(
      ALGORITHMS["aes-cbc"],
      "encrypt",
      new Uint8Array(16),
    );
    const guest = new Guest(2 * LENGTH + 256);
    const job = guest.job(context, {
      source: new Uint8Array(LENGTH),
      iv: new Uint8Array(16),
    });
    engine.run([job], 1, guest, () => true);
    assertEquals(job.outcome, JobOutcome.DONE);
    context.wipe();
  },
});
