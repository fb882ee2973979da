import { assert, assertEquals } from "@std/assert";
import { goodCreation, sessionOf, SESSIONS } from "../decode/requests.ts";
import {
  Bench,
  destruction,
  ERR,
  INVSESS,
  MODES,
  NOTSUPP,
  OK,
  patched,
  withId,
} from "./bench.ts";

/** A session of each service. */
const NAMES = ["aes-cbc", "sha256", "hmac-sha1", "aes-gcm"] as const;

Deno.test("A created session's id is new, not 0, and serves requests on every data queue", async () => {
  await using bench = await Bench.open({ queues: 3 });
  const ids = new Set<bigint>();
  for (const name of SESSIONS) {
    if (name.includes("decrypt")) continue;
    const { bytes, writable } = await bench.request(name, "session mode");
    const id = await bench.create(name);
    assert(id !== 0n && !ids.has(id));
    ids.add(id);
    for (let queue = 0; queue < 3; queue++) {
      const { status } = await bench.data(withId(bytes, id), writable, queue);
      assertEquals(status, OK, name);
    }
  }
});

Deno.test("A refused creation answers its status with no id", async () => {
  await using bench = await Bench.open();
  const bytes = goodCreation(sessionOf("aes-cbc"), false);
  for (
    const [changes, expected] of [
      [{ 0: 0x004 }, NOTSUPP],
      [{ 16: 15 }, NOTSUPP],
      [{ 20: 17 }, ERR],
      [{ 24: 3 }, ERR],
      [{ 64: 0 }, NOTSUPP],
    ] as const
  ) {
    const { status, id, usedLength } = await bench.control(
      patched(bytes, changes),
    );
    assertEquals([status, id, usedLength], [expected, 0n, 16]);
  }
});

Deno.test("A creation's union is read by its opcode, and has to be of its size", async () => {
  await using bench = await Bench.open();
  for (const [service, name] of NAMES.entries()) {
    const bytes = goodCreation(sessionOf(name), false);
    for (let other = 0; other < 4; other++) {
      const { status } = await bench.control(
        patched(bytes, { 0: other << 8 | 2 }),
      );
      assertEquals(status === OK, other === service, `${name} as ${other}`);
    }
  }
});

Deno.test("queue_id of a creation has to name a data queue", async () => {
  await using bench = await Bench.open({ queues: 2 });
  const bytes = goodCreation(sessionOf("aes-cbc"), false);
  for (
    const [queue, expected] of [
      [0, OK],
      [1, OK],
      [2, ERR],
      [0xffff_ffff, ERR],
    ] as const
  ) {
    const { status } = await bench.control(patched(bytes, { 12: queue }));
    assertEquals(status, expected, `${queue}`);
  }
});

Deno.test("A destruction's opcode has to be of the session's service", async () => {
  await using bench = await Bench.open();
  for (const [service, name] of NAMES.entries()) {
    const { bytes, writable } = await bench.request(name, "session mode");
    const id = new DataView(bytes.buffer).getBigUint64(8, true);
    for (let other = 0; other < 4; other++) {
      if (other === service) continue;
      const { status } = await bench.control(destruction(other, id), 8);
      assertEquals(status, ERR);
      assertEquals((await bench.data(bytes, writable)).status, OK);
    }
    assertEquals((await bench.control(destruction(service, id), 8)).status, OK);
  }
});

Deno.test("A destruction of an id that no session has is refused", async () => {
  await using bench = await Bench.open();
  const live = await bench.create("aes-cbc");
  for (const id of [0n, live + 1n, live ^ (1n << 32n), live | 1n << 63n]) {
    assertEquals((await bench.control(destruction(0, id), 8)).status, ERR);
  }
  assertEquals((await bench.control(destruction(0, live), 8)).status, OK);
});

Deno.test("A destroyed session is gone for data requests and for another destruction", async () => {
  await using bench = await Bench.open();
  for (const [service, name] of NAMES.entries()) {
    const { bytes, writable } = await bench.request(name, "session mode");
    const id = new DataView(bytes.buffer).getBigUint64(8, true);
    const end = destruction(service, id);
    assertEquals((await bench.control(end, 8)).status, OK);
    assertEquals((await bench.control(end, 8)).status, ERR);
    assertEquals((await bench.data(bytes, writable)).status, INVSESS);
  }
});

Deno.test("A session has the direction and the order it was created with", async () => {
  await using bench = await Bench.open();
  const cipher = await bench.request("aes-cbc", "session mode");
  const decrypts = patched(cipher.bytes, { 0: 0x001 });
  assertEquals((await bench.data(decrypts, cipher.writable)).status, ERR);
  const results: Uint8Array[] = [];
  for (const name of ["aes-cbc+sha1", "sha1+aes-cbc"]) {
    const { bytes, writable } = await bench.request(name, "session mode");
    const { status, result } = await bench.data(bytes, writable);
    assertEquals(status, OK);
    results.push(result);
  }
  const [cipherFirst, hashFirst] = results;
  assertEquals(cipherFirst!.slice(0, 48), hashFirst!.slice(0, 48));
  assert(cipherFirst!.slice(48).some((byte, i) => byte !== hashFirst![48 + i]));
});

Deno.test("A digest may be shorter than the algorithm's, and is then its first bytes", async () => {
  await using bench = await Bench.open();
  for (const name of ["sha256", "hmac-sha1"]) {
    for (const mode of MODES) {
      const { bytes, writable } = await bench.request(name, mode);
      const whole = await bench.data(bytes, writable);
      // hash_result_len is the last but one le32 of HASH, the last of MAC.
      const at = name === "sha256" ? 32 : 36;
      const short = await bench.data(patched(bytes, { [at]: 7 }), 8);
      assertEquals(short.status, OK);
      assertEquals(short.result, whole.result.slice(0, 7));
    }
  }
  const created = patched(goodCreation(sessionOf("sha256"), false), { 20: 7 });
  assertEquals((await bench.control(created)).status, OK);
});

Deno.test("A nested hash, whose prefixes no structure has, is not supported", async () => {
  await using bench = await Bench.open();
  const creation = goodCreation(sessionOf("aes-cbc+sha1"), false);
  const nested = patched(creation, { 20: 3 });
  assertEquals((await bench.control(nested)).status, NOTSUPP);
  const { bytes, writable } = await bench.request(
    "aes-cbc+sha1",
    "non-session mode",
  );
  const { status } = await bench.data(patched(bytes, { 52: 3 }), writable);
  assertEquals(status, NOTSUPP);
});

Deno.test("A MAC in AUTH mode has a key, and a hash in PLAIN mode has none", async () => {
  await using bench = await Bench.open();
  const mac = goodCreation(sessionOf("aes-cbc+hmac-sha256"), false);
  assertEquals((await bench.control(mac)).status, OK);
  assertEquals((await bench.control(patched(mac, { 48: 0 }))).status, ERR);
  assertEquals((await bench.control(mac.slice(0, -1))).status, ERR);
  const plain = goodCreation(sessionOf("aes-cbc+sha1"), false);
  // The union holds no MAC: what stands at auth_key_len says nothing.
  assertEquals((await bench.control(patched(plain, { 48: 99 }))).status, OK);
});

Deno.test("A destruction's answer is a le32 status, or a byte where there is room for no more", async () => {
  await using bench = await Bench.open();
  const first = destruction(0, await bench.create("aes-cbc"));
  assertEquals((await bench.control(first, 8)).usedLength, 8);
  const second = destruction(0, await bench.create("aes-cbc"));
  const { usedLength, bytes } = await bench.driver.submitRaw(
    "control",
    [second],
    [1],
  );
  assertEquals([usedLength, bytes[0]], [1, OK]);
});
