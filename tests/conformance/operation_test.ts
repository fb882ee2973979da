import { assert, assertEquals } from "@std/assert";
import {
  goodCreation,
  goodDestruction,
  sessionOf,
  SESSIONS,
} from "../decode/requests.ts";
import {
  BADMSG,
  Bench,
  ERR,
  INVSESS,
  MODES,
  NOTSUPP,
  OK,
  patched,
  withId,
} from "./bench.ts";

Deno.test("A request is a header and what its service needs: less of them is refused", async () => {
  await using bench = await Bench.open();
  for (const name of ["aes-cbc", "sha256", "hmac-sha1", "aes-gcm"]) {
    for (const mode of MODES) {
      const { bytes, writable } = await bench.request(name, mode);
      for (let length = 1; length < bytes.length; length++) {
        const { status } = await bench.data(bytes.slice(0, length), writable);
        assertEquals(status, ERR, `${name} ${length}`);
      }
    }
    const creation = goodCreation(sessionOf(name), false);
    for (let length = 1; length < creation.length; length++) {
      const { status } = await bench.control(creation.slice(0, length));
      assertEquals(status, ERR, `${name} ${length}`);
    }
  }
});

Deno.test("A driver without a service's session mode can use only the other for it", async () => {
  // MAC alone was negotiated.
  await using bench = await Bench.open({ features: 1n << 3n });
  for (
    const [name, mode, expected] of [
      ["hmac-sha1", "session mode", OK],
      ["hmac-sha1", "non-session mode", OK],
      ["aes-cbc", "session mode", ERR],
      ["aes-cbc", "non-session mode", OK],
      ["sha256", "session mode", ERR],
      ["aes-gcm", "session mode", ERR],
      ["aes-gcm", "non-session mode", OK],
    ] as const
  ) {
    const { bytes, writable } = await bench.request(name, mode);
    assertEquals((await bench.data(bytes, writable)).status, expected, name);
  }
});

Deno.test("Non-session mode is there for a driver that negotiated no session mode", async () => {
  await using bench = await Bench.open({ features: 0n });
  for (
    const name of ["aes-cbc", "aes-cbc+sha1", "sha256", "hmac-sha1", "aes-gcm"]
  ) {
    const { bytes, writable } = await bench.request(name, "non-session mode");
    assertEquals((await bench.data(bytes, writable)).status, OK, name);
  }
});

Deno.test("algo of a header says nothing, whatever it is", async () => {
  await using bench = await Bench.open();
  for (const algo of [0, 1, 5, 0xffff_ffff]) {
    for (const mode of MODES) {
      const { bytes, writable } = await bench.request("aes-cbc", mode);
      const { status } = await bench.data(
        patched(bytes, { 4: algo }),
        writable,
      );
      assertEquals(status, OK);
    }
    const creation = goodCreation(sessionOf("aes-cbc"), false);
    assertEquals(
      (await bench.control(patched(creation, { 4: algo }))).status,
      OK,
    );
  }
});

Deno.test("Padding and reserved fields say nothing, whatever they are", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const cipher = await bench.request("aes-cbc", mode);
    const changed = patched(cipher.bytes, {
      20: 0xffff_ffff,
      100: 0xffff_ffff,
    });
    assertEquals((await bench.data(changed, cipher.writable)).status, OK);
    const hash = await bench.request("sha256", mode);
    const other = patched(hash.bytes, { 36: 0xffff_ffff });
    assertEquals((await bench.data(other, hash.writable)).status, OK);
  }
  const creation = goodCreation(sessionOf("aes-cbc"), false);
  const padded = patched(creation, { 8: 7, 28: 7, 68: 7 });
  assertEquals((await bench.control(padded)).status, OK);
});

Deno.test("The statuses are told apart", async () => {
  await using bench = await Bench.open();
  const { bytes, writable } = await bench.request(
    "aes-gcm,decrypt",
    "session mode",
  );
  assertEquals((await bench.data(bytes, writable)).status, BADMSG);
  assertEquals((await bench.data(withId(bytes, 0n), writable)).status, INVSESS);
  assertEquals(
    (await bench.data(patched(bytes, { 0: 9 }), writable)).status,
    NOTSUPP,
  );
  assertEquals(
    (await bench.data(patched(bytes, { 0: 0x300 }), writable)).status,
    ERR,
  );
  const good = await bench.request("aes-gcm", "session mode");
  assertEquals((await bench.data(good.bytes, good.writable)).status, OK);
});

/** Numbers that look random and are the same every time. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x6d2b79f5 | 0;
    return (state >>> 8) % bound;
  };
}

Deno.test("Every status is one of the enumeration, whatever a request says", async () => {
  await using bench = await Bench.open();
  const random = randomOf(7);
  const noise = (bytes: Uint8Array<ArrayBuffer>) => {
    const at = 4 * random(Math.min(bytes.length, 104) >> 2);
    const value = random(2) ? random(70) : random(1 << 24) * 256;
    return patched(bytes, { [at]: value });
  };
  const seen = new Set<number | undefined>();
  for (const name of SESSIONS) {
    for (const mode of MODES) {
      const { bytes, writable } = await bench.request(name, mode);
      for (let i = 0; i < 20; i++) {
        seen.add((await bench.data(noise(bytes), writable)).status);
      }
    }
    const { service } = sessionOf(name);
    for (let i = 0; i < 20; i++) {
      const creation = goodCreation(sessionOf(name), false);
      seen.add((await bench.control(noise(creation))).status);
      const { status, usedLength } = await bench.control(
        noise(goodDestruction(service, false)),
        8,
      );
      // One that became a creation has no room for its answer.
      if (usedLength === 0) continue;
      seen.add(status);
    }
  }
  assertEquals([...seen].sort(), [OK, ERR, BADMSG, NOTSUPP, INVSESS]);
});

Deno.test("A request that was kicked is answered in the used ring, in order, and notified", async () => {
  await using bench = await Bench.open();
  const { bytes, writable } = await bench.request("aes-cbc", "session mode");
  const ring = bench.driver.ring(0);
  assert(ring.size > 8);
  const order: number[] = [];
  // Nothing polls: each promise is settled by the device's notification.
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const answer = await bench.data(bytes, writable);
      order.push(i);
      return answer;
    }),
  );
  assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const { status, usedLength } of answers) {
    assertEquals([status, usedLength], [OK, writable]);
  }
});
