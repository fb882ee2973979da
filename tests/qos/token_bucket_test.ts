import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  BUCKET_WORDS,
  TICKS_PER_MS,
  TokenBucket,
} from "../../device/service/token_bucket.ts";
import { Random } from "../engine/random.ts";

/** Memory of a bucket. */
function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * BUCKET_WORDS));
}

/** A full bucket at a time in milliseconds. */
function full(rate: number, at = 0): TokenBucket {
  const bucket = new TokenBucket(words(), rate);
  bucket.start(ticks(at));
  return bucket;
}

/** Milliseconds as the bucket's clock has them. */
function ticks(ms: number): number {
  return Math.round(ms * TICKS_PER_MS) | 0;
}

for (const rate of [1, 3, 10, 99, 100, 1234, 65_536, 1e6, 12_345_678, 1e9]) {
  const burst = 1 + Math.floor(rate / 10);
  // Where a unit is many tokens, they are counted as roughly.
  const rough = burst > 1e6 ? burst / 1e5 : 0;
  Deno.test(`a bucket of ${rate} a second gives ${burst} at once, and no more`, () => {
    const bucket = full(rate);
    assertAlmostEquals(bucket.take(Infinity, 0), burst, rough);
    assertEquals(bucket.take(Infinity, 0), 0);
    assert(bucket.wait() > 0);
  });

  Deno.test(`a bucket of ${rate} a second gives the same one by one and in any portions`, () => {
    const random = new Random(rate);
    const bucket = full(rate);
    let taken = 0;
    for (let i = 0; i < 300 && taken < burst; i++) {
      const most = 1 + random.below(Math.max(1, Math.ceil(burst / 100)));
      taken += bucket.take(most, 0);
    }
    taken += bucket.take(Infinity, 0);
    assertAlmostEquals(taken, burst, rough);
  });

  Deno.test(`a bucket of ${rate} a second gives ${rate} a second`, () => {
    const random = new Random(rate + 1);
    const bucket = full(rate);
    let taken = bucket.take(Infinity, 0) - burst;
    let now = 0;
    // An hour where the tokens are few, so that the last one counts little.
    const end = rate < 1000 ? 3_600_000 : 10_000;
    while (now < end) {
      now += Math.max(bucket.wait(), random.below(2000) / 100);
      taken += bucket.take(Infinity, ticks(now));
    }
    assertAlmostEquals(taken, rate * now / 1000, 1 + rate * now / 1000 / 500);
  });
}

Deno.test("a bucket is filled to its burst only, however long it was left", () => {
  for (const idle of [102, 1e3, 1e6, 2 ** 25, 3 * 2 ** 24, 1e9 + 17]) {
    const bucket = full(990);
    assertEquals(bucket.take(Infinity, 0), 100);
    assertEquals(bucket.take(Infinity, ticks(idle)), 100, `after ${idle} ms`);
  }
});

Deno.test("wait() tells when the next token is there", () => {
  const bucket = full(50);
  assertEquals(bucket.wait(), 0);
  assertEquals(bucket.take(Infinity, 0), 6);
  assertAlmostEquals(bucket.wait(), 20, 0.1);
  assertEquals(bucket.take(Infinity, ticks(19)), 0);
  assertEquals(bucket.take(Infinity, ticks(20)), 1);
});

Deno.test("what is given back can be taken again", () => {
  const bucket = full(990);
  assertEquals(bucket.take(60, 0), 60);
  bucket.giveBack(20);
  assertEquals(bucket.take(Infinity, 0), 60);
  bucket.giveBack(60);
  bucket.giveBack(1000);
  assertEquals(bucket.take(Infinity, 0), 100, "never more than the burst");
});

Deno.test("what is taken on credit is paid before anything else", () => {
  const bucket = full(1_000_000);
  assertEquals(bucket.take(10, 0), 10);
  // 16 MiB at 1 MB/s, of which 99,990 bytes were there.
  bucket.giveBack(-(16 << 20));
  assertAlmostEquals(bucket.wait(), 16_677.2, 1);
  assertEquals(bucket.take(Infinity, ticks(16_677)), 0);
  assert(bucket.take(Infinity, ticks(16_680)) > 0);
});

Deno.test("a debt has a bottom, and no sign changes there", () => {
  const bucket = full(1);
  for (let i = 0; i < 10; i++) bucket.giveBack(-(2 ** 40));
  assertEquals(bucket.take(Infinity, 0), 0);
  assert(bucket.wait() > 100_000);
  assertEquals(bucket.take(Infinity, ticks(60_000)), 0);
});

Deno.test("the clock may wrap", () => {
  const nearly = (2 ** 31 - 64) / TICKS_PER_MS;
  const bucket = full(1000, nearly);
  assertEquals(bucket.take(Infinity, ticks(nearly)), 101);
  assertEquals(bucket.take(Infinity, ticks(nearly + 20)), 20);
});

Deno.test("threads whose clocks differ get no more between them", () => {
  const shared = words();
  const one = new TokenBucket(shared, 1000);
  const other = new TokenBucket(shared, 1000);
  one.start(0);
  let taken = -101;
  for (let ms = 0; ms < 10_000; ms += 7) {
    taken += one.take(Infinity, ticks(ms));
    taken += other.take(Infinity, ticks(ms - 3));
  }
  assertAlmostEquals(taken, 10_000, 20);
});

Deno.test("threads that take at once get no more between them", async () => {
  const shared = words();
  new TokenBucket(shared, 1e6).start(0);
  const started = new Int32Array(new SharedArrayBuffer(4));
  const module = new URL(
    "../../device/service/token_bucket.ts",
    import.meta.url,
  );
  const program = `
    import { TokenBucket } from "${module}";
    self.onmessage = ({ data: { shared, started } }) => {
      const bucket = new TokenBucket(shared, 1e6);
      Atomics.add(started, 0, 1);
      while (Atomics.load(started, 0) < 2);
      let taken = 0;
      for (let i = 0; i < 300_000; i++) {
        taken += bucket.take(1 + i % 3, 0);
        if (i % 5 === 0 && taken > 0) { bucket.giveBack(1); taken--; }
      }
      self.postMessage(taken);
    };`;
  const counts = await Promise.all([1, 2].map(async () => {
    const worker = new Worker(
      `data:text/javascript,${encodeURIComponent(program)}`,
      { type: "module" },
    );
    const answer = new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    worker.postMessage({ shared, started });
    const taken = await answer;
    worker.terminate();
    return taken;
  }));
  assertEquals(counts[0]! + counts[1]!, 100_001);
});
