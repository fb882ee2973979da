import { assert, assertEquals } from "@std/assert";
import { key } from "../decode/requests.ts";
import {
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
const IV = filled(16, 1);
/** Where the fields of a v15 request stand, header included. */
const CIPHER = { keylen: 28, iv: 36, src: 40, dst: 44 };
const CHAIN = { authKeyLen: 48, mode: 52, aad: 84, result: 88 };
const OP_TYPE = 96;
const VARIABLE = 104;

async function cbc(secret: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey(
    "raw",
    secret,
    "AES-CBC",
    false,
    [
      "encrypt",
    ],
  );
  const bytes = await crypto.subtle.encrypt(
    { name: "AES-CBC", iv: IV },
    imported,
    SOURCE,
  );
  // Without the block of padding, which the document does not have.
  return new Uint8Array(bytes, 0, 48);
}

async function hmac(
  secret: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey(
    "raw",
    secret,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

for (const mode of MODES) {
  Deno.test(`A CIPHER request in ${mode} gets its result in dst_data`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request("aes-cbc", mode);
    const answer = await bench.data(bytes, writable);
    assertEquals([answer.status, answer.intact], [OK, true]);
    assertEquals(answer.result, await cbc(key(16)));
  });

  Deno.test(`A chain in ${mode} gets its result in dst_data and its MAC in hash_result`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(
      "aes-cbc+hmac-sha256",
      mode,
    );
    const answer = await bench.data(bytes, writable);
    assertEquals([answer.status, answer.intact], [OK, true]);
    // The keys are behind each other: 16 bytes, then 1.
    const encrypted = await cbc(key(16));
    assertEquals(answer.result.slice(0, 48), encrypted);
    // The hashed range starts at 16.
    const mac = await hmac(key(17).slice(16), encrypted.slice(16));
    assertEquals(answer.result.slice(48), mac);
  });

  Deno.test(`A chain's aad in ${mode} is hashed where aad_len is more than 0, and is nothing where it is 0`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(
      "aes-cbc+hmac-sha256",
      mode,
    );
    const encrypted = await cbc(key(16));
    const auth = key(17).slice(16);
    const aad = filled(5, 9);
    const longer = new Uint8Array(bytes.length + aad.length);
    longer.set(bytes);
    longer.set(aad, bytes.length);
    const with5 = await bench.data(
      patched(longer, { [CHAIN.aad]: 5 }),
      writable,
    );
    assertEquals(with5.status, OK);
    assertEquals(
      with5.result.slice(48),
      await hmac(auth, Uint8Array.of(...aad, ...encrypted.slice(16))),
    );
    // Bytes that no length names are an error, and not taken for aad.
    assertEquals((await bench.data(longer, writable)).status, ERR);
    const without = await bench.data(bytes, writable);
    assertEquals(
      without.result.slice(48),
      await hmac(auth, encrypted.slice(16)),
    );
  });

  Deno.test(`A plain CIPHER request's union behind its own fields is not looked at in ${mode}`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request("aes-cbc", mode);
    const filledUp = bytes.slice();
    filledUp.fill(0xff, CIPHER.dst + 4, OP_TYPE);
    filledUp.fill(0xff, OP_TYPE + 4, VARIABLE);
    const answer = await bench.data(filledUp, writable);
    assertEquals(answer.status, OK);
    assertEquals(answer.result, await cbc(key(16)));
  });
}

Deno.test("A chain in AUTH mode is refused without its MAC's key and digest length", async () => {
  await using bench = await Bench.open();
  const name = "aes-cbc+hmac-sha256";
  const own = await bench.request(name, "non-session mode");
  const keyless = patched(own.bytes, { [CHAIN.authKeyLen]: 0 });
  assertEquals((await bench.data(keyless, own.writable)).status, ERR);
  const shorter = Uint8Array.from([
    ...keyless.slice(0, VARIABLE + 16),
    ...keyless.slice(VARIABLE + 17),
  ]);
  assertEquals((await bench.data(shorter, own.writable)).status, ERR);
  for (const mode of MODES) {
    const { bytes, writable } = await bench.request(name, mode);
    for (const length of [0, 33]) {
      const changed = patched(bytes, { [CHAIN.result]: length });
      assertEquals((await bench.data(changed, writable + 1)).status, ERR);
    }
  }
});

Deno.test("A chain in PLAIN mode gets the hash of no key", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const { bytes, writable } = await bench.request("aes-cbc+sha1", mode);
    const { status, result } = await bench.data(bytes, writable);
    assertEquals(status, OK);
    const range = (await cbc(key(16))).slice(16);
    const digest = await crypto.subtle.digest("SHA-1", Uint8Array.from(range));
    assertEquals(result.slice(48), new Uint8Array(digest));
  }
});

Deno.test("iv_len has to be the cipher's block length, and 0 where it has no iv", async () => {
  const lengths = {
    "aes-cbc": 16,
    "aes-ctr": 16,
    "aes-f8": 16,
    "aes-xts": 16,
    "des-cbc": 8,
    "3des-cbc": 8,
    "3des-ctr": 8,
    "kasumi-f8": 8,
    "snow3g-uea2": 16,
    "zuc-eea3": 16,
    "aes-ecb": 0,
    "des-ecb": 0,
    "3des-ecb": 0,
    "arc4": 0,
  };
  await using bench = await Bench.open();
  for (const [name, expected] of Object.entries(lengths)) {
    for (const mode of MODES) {
      const { session, bytes, writable } = await bench.request(name, mode);
      assertEquals((await bench.data(bytes, writable)).status, OK, name);
      const at = VARIABLE + (mode === "session mode" ? 0 : session.keyLength);
      for (const length of [0, 7, 8, 9, 12, 15, 16, 17]) {
        const changed = Uint8Array.from([
          ...patched(bytes, { [CIPHER.iv]: length }).slice(0, at),
          ...filled(length, 1),
          ...SOURCE,
        ]);
        const { status } = await bench.data(changed, writable);
        assertEquals(
          status,
          length === expected ? OK : ERR,
          `${name} ${length}`,
        );
      }
    }
  }
});

Deno.test("AES_XTS takes the tweak of IEEE 1619 as its iv", async () => {
  await using bench = await Bench.open();
  const { bytes, writable } = await bench.request(
    "aes-xts",
    "non-session mode",
  );
  // IEEE 1619, annex B, vector 2: i = 0x3333333333.
  const request = Uint8Array.from([
    ...patched(bytes, { [CIPHER.src]: 32, [CIPHER.dst]: 32 })
      .slice(0, VARIABLE),
    ...filled(16, 0x11),
    ...filled(16, 0x22),
    ...filled(5, 0x33),
    ...filled(11, 0),
    ...filled(32, 0x44),
  ]);
  const { status, result } = await bench.data(request, writable);
  assertEquals(status, OK);
  assertEquals(
    result.slice(0, 32).toHex(),
    "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
  );
});

Deno.test("A request's iv is not written back, and the next request starts from its own", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    for (const name of ["aes-cbc", "aes-ctr"]) {
      const { bytes, writable } = await bench.request(name, mode);
      const first = await bench.data(bytes, writable);
      const second = await bench.data(bytes, writable);
      assertEquals([first.status, first.intact], [OK, true]);
      assertEquals(second.result, first.result);
    }
  }
});

Deno.test("flag alone says whether a request's keys are read", async () => {
  await using bench = await Bench.open();
  const own = await bench.request("aes-cbc", "non-session mode");
  const id = await bench.create("aes-cbc");
  // With a live session's id it is still its own keys that are used, and a
  // request that has them is none of session mode.
  const named = withId(own.bytes, id);
  assertEquals((await bench.data(named, own.writable)).status, OK);
  const asSession = patched(named, { 16: 1 });
  assertEquals((await bench.data(asSession, own.writable)).status, ERR);
  for (const flag of [0, 3, 0xffff_fffe]) {
    const { status } = await bench.data(
      patched(named, { 16: flag }),
      own.writable,
    );
    assertEquals(status, ERR);
  }
});

Deno.test("A CIPHER request of an id that is no session's, or of another service's, is INVSESS", async () => {
  await using bench = await Bench.open();
  const { bytes, writable } = await bench.request("aes-cbc", "session mode");
  const others = [0n, 1n << 32n | 77n, await bench.create("sha256")];
  for (const id of others) {
    assertEquals(
      (await bench.data(withId(bytes, id), writable)).status,
      INVSESS,
    );
  }
});

Deno.test("A CIPHER request's opcode says the direction, and is of the session's", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const encrypts = await bench.request("aes-cbc", mode);
    const decrypts = await bench.request("aes-cbc,decrypt", mode);
    const cut = (bytes: Uint8Array) => bytes.slice(0, -48);
    const encrypted = await bench.data(encrypts.bytes, 49);
    const back = await bench.data(
      Uint8Array.from([...cut(decrypts.bytes), ...encrypted.result]),
      49,
    );
    assertEquals(back.result, SOURCE);
    for (const [{ bytes }, opcode] of [[encrypts, 1], [decrypts, 0]] as const) {
      assertEquals(
        (await bench.data(patched(bytes, { 0: opcode }), 49)).status,
        ERR,
      );
    }
    for (const opcode of [2, 3, 4, 0xff]) {
      const { status } = await bench.data(
        patched(encrypts.bytes, { 0: opcode }),
        49,
      );
      assertEquals(status, NOTSUPP);
    }
  }
});

Deno.test("op_type has to be an operation, and that of the session", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const { bytes, writable } = await bench.request("aes-cbc", mode);
    for (const opType of [0, 3, 0xffff_ffff]) {
      const changed = patched(bytes, { [OP_TYPE]: opType });
      assertEquals((await bench.data(changed, writable)).status, NOTSUPP);
    }
  }
  const { bytes, writable } = await bench.request("aes-cbc", "session mode");
  const chained = patched(bytes, { [OP_TYPE]: 2 });
  assertEquals((await bench.data(chained, writable)).status, ERR);
});

Deno.test("dst_data_len below the result is refused, and more room stays as it was", async () => {
  await using bench = await Bench.open();
  for (const mode of MODES) {
    const { bytes, writable } = await bench.request("aes-cbc", mode);
    const small = patched(bytes, { [CIPHER.dst]: 47 });
    assertEquals((await bench.data(small, writable)).status, ERR);
    const large = await bench.data(
      patched(bytes, { [CIPHER.dst]: 60 }),
      writable + 12,
    );
    assertEquals(large.status, OK);
    assert(large.result.slice(48).every((byte) => byte === 0xa5));
  }
});
