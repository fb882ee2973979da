import { assert, assertEquals } from "@std/assert";
import { key } from "../decode/requests.ts";
import {
  BADMSG,
  Bench,
  ERR,
  filled,
  INVSESS,
  MODES,
  NOTSUPP,
  OK,
  patched,
  withId,
} from "./bench.ts";

const SOURCE = filled(48, 2);
const AAD = filled(20, 3);
/** Where the fields of a v15 request stand, header included. */
const AT = { algo: 24, keyLen: 28, op: 32, iv: 36, tag: 40, src: 48, dst: 52 };
const VARIABLE = 56;

async function gcm(): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey(
    "raw",
    key(16),
    "AES-GCM",
    false,
    [
      "encrypt",
    ],
  );
  const bytes = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: filled(12, 1), additionalData: AAD },
    imported,
    SOURCE,
  );
  return new Uint8Array(bytes);
}

/** A request with another source. */
function withSource(
  bytes: Uint8Array<ArrayBuffer>,
  source: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const at = bytes.length - AAD.length - source.length;
  const copy = bytes.slice();
  copy.set(source, at);
  return copy;
}

for (const mode of MODES) {
  Deno.test(`An AEAD encryption in ${mode} gets ciphertext, then tag, in dst_data`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request("aes-gcm", mode);
    const answer = await bench.data(bytes, writable);
    assertEquals([answer.status, answer.intact], [OK, true]);
    assertEquals(answer.result, await gcm());
  });

  Deno.test(`An AEAD decryption in ${mode} gets the plaintext, or BADMSG and nothing`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request("aes-gcm,decrypt", mode);
    const sealed = await gcm();
    const good = await bench.data(withSource(bytes, sealed), writable);
    assertEquals([good.status, good.intact], [OK, true]);
    assertEquals(good.result, SOURCE);
    for (const at of [0, 47, 48, 63]) {
      const broken = sealed.slice();
      broken[at]! ^= 1;
      const answer = await bench.data(withSource(bytes, broken), writable);
      assertEquals(answer.status, BADMSG);
      assert(answer.result.every((byte) => byte === 0xa5));
    }
  });

  Deno.test(`dst_data_len of an AEAD encryption in ${mode} has room for source and tag`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request("aes-gcm", mode);
    const small = patched(bytes, { [AT.dst]: 63 });
    assertEquals((await bench.data(small, writable)).status, ERR);
    const large = await bench.data(
      patched(bytes, { [AT.dst]: 70 }),
      writable + 6,
    );
    assertEquals(large.status, OK);
    assert(large.result.slice(64).every((byte) => byte === 0xa5));
  });

  Deno.test(`A GCM iv in ${mode} has 12 bytes or 16, and no other number`, async () => {
    await using bench = await Bench.open();
    const { session, bytes, writable } = await bench.request("aes-gcm", mode);
    const at = VARIABLE + (mode === "session mode" ? 0 : session.keyLength);
    // J0 of an iv of 12 bytes is that iv and a counter of 1.
    const j0 = Uint8Array.of(...filled(12, 1), 0, 0, 0, 1);
    for (const length of [0, 1, 11, 12, 13, 15, 16, 17]) {
      const iv = length === 16 ? j0 : filled(length, 1);
      const { status, result } = await bench.data(
        Uint8Array.from([
          ...patched(bytes, { [AT.iv]: length }).slice(0, at),
          ...iv,
          ...SOURCE,
          ...AAD,
        ]),
        writable,
      );
      const good = length === 12 || length === 16;
      assertEquals(status, good ? OK : ERR, `${length}`);
      if (good) assertEquals(result, await gcm());
    }
  });

  Deno.test(`A CCM nonce in ${mode} has 7 to 13 bytes`, async () => {
    await using bench = await Bench.open();
    const { session, bytes, writable } = await bench.request("aes-ccm", mode);
    const at = VARIABLE + (mode === "session mode" ? 0 : session.keyLength);
    for (let length = 0; length <= 17; length++) {
      const { status } = await bench.data(
        Uint8Array.from([
          ...patched(bytes, { [AT.iv]: length }).slice(0, at),
          ...filled(length, 1),
          ...SOURCE,
          ...AAD,
        ]),
        writable,
      );
      const good = length >= 7 && length <= 13;
      assertEquals(status, good ? OK : ERR, `${length}`);
    }
  });

  Deno.test(`An iv field of 16 bytes in ${mode} holds a GCM iv from its start and a CCM nonce from iv[1]`, async () => {
    await using bench = await Bench.open();
    for (const [name, before] of [["aes-gcm", 0], ["aes-ccm", 1]] as const) {
      const { session, bytes, writable } = await bench.request(name, mode);
      const at = VARIABLE + (mode === "session mode" ? 0 : session.keyLength);
      const length = name === "aes-gcm" ? 12 : 7;
      const full = filled(16, 0xee);
      full.fill(1, before, before + length);
      const plain = await bench.data(bytes, writable);
      const wide = await bench.data(
        Uint8Array.from([
          ...bytes.slice(0, at),
          ...full,
          ...SOURCE,
          ...AAD,
        ]),
        writable,
      );
      assertEquals([plain.status, wide.status], [OK, OK]);
      assertEquals(wide.result, plain.result);
    }
  });
}

Deno.test("An AEAD request of an id that is no session's is INVSESS", async () => {
  await using bench = await Bench.open();
  const { bytes, writable } = await bench.request("aes-gcm", "session mode");
  for (const id of [0n, 5n << 32n, await bench.create("aes-cbc")]) {
    assertEquals(
      (await bench.data(withId(bytes, id), writable)).status,
      INVSESS,
    );
  }
});

Deno.test("An AEAD request whose flag is neither mode's is refused", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const { bytes, writable } = await bench.request("aes-gcm", mode);
    for (const flag of [0, 3, 5]) {
      const { status } = await bench.data(
        patched(bytes, { 16: flag }),
        writable,
      );
      assertEquals(status, ERR);
    }
  }
});

Deno.test("An AEAD request in non-session mode is judged by its sess_para", async () => {
  await using bench = await Bench.open();
  const { bytes, writable } = await bench.request(
    "aes-gcm",
    "non-session mode",
  );
  for (
    const [changes, expected] of [
      [{ [AT.algo]: 0 }, NOTSUPP],
      [{ [AT.algo]: 4 }, NOTSUPP],
      [{ [AT.keyLen]: 0 }, ERR],
      [{ [AT.keyLen]: 17 }, ERR],
      [{ [AT.op]: 0 }, ERR],
      [{ [AT.op]: 2 }, ERR],
      [{ [AT.tag]: 3 }, ERR],
    ] as const
  ) {
    const { status } = await bench.data(patched(bytes, changes), writable);
    assertEquals(status, expected, JSON.stringify(changes));
  }
});

Deno.test("An AEAD request's opcode says the direction, and has to be one of AEAD", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const { bytes, writable } = await bench.request("aes-gcm", mode);
    for (
      const [opcode, expected] of [
        [0x301, ERR],
        [0x302, NOTSUPP],
        [0x304, NOTSUPP],
        [0x500, NOTSUPP],
      ] as const
    ) {
      const { status } = await bench.data(
        patched(bytes, { 0: opcode }),
        writable,
      );
      assertEquals(status, expected, opcode.toString(16));
    }
  }
});
