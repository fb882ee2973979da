// Bytes by hand, from the structures of the document: four bytes a group, one
// line a structure, 0 where nothing is said.

import { assertEquals, assertThrows } from "@std/assert";
import {
  createSessionRequest,
  destroySessionRequest,
  readCreated,
  readDestroyed,
} from "../../device/driver/control_requests.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import type { RequestBytes } from "../../device/driver/requests.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { bytesOf, grouped, hexOf } from "./hex.ts";

const KEY = bytesOf("000102030405060708090a0b0c0d0e0f");

const NO_PARAMETERS: SessionParameters = {
  service: 0,
  opType: 0,
  algorithm: 0,
  op: 0,
  keyLength: 0,
  chainOrder: 0,
  hashMode: 0,
  hashAlgorithm: 0,
  authKeyLength: 0,
  resultLength: 0,
  key: new Uint8Array(0),
};
const CIPHER: SessionParameters = {
  ...NO_PARAMETERS,
  opType: 1,
  algorithm: 3,
  op: 2,
  keyLength: 16,
  key: KEY,
};
const HASH: SessionParameters = {
  ...NO_PARAMETERS,
  service: 1,
  algorithm: 4,
  resultLength: 32,
};
const MAC: SessionParameters = {
  ...NO_PARAMETERS,
  service: 2,
  algorithm: 26,
  resultLength: 12,
  keyLength: 16,
  key: KEY,
};
const AEAD: SessionParameters = {
  ...NO_PARAMETERS,
  service: 3,
  algorithm: 1,
  op: 1,
  resultLength: 16,
  keyLength: 16,
  key: KEY,
};
const AUTH_CHAIN: SessionParameters = {
  ...NO_PARAMETERS,
  opType: 2,
  algorithm: 4,
  op: 1,
  keyLength: 16,
  chainOrder: 2,
  hashMode: 2,
  hashAlgorithm: 41,
  authKeyLength: 3,
  resultLength: 12,
  key: bytesOf("000102030405060708090a0b0c0d0e0f a0a1a2"),
};
const PLAIN_CHAIN: SessionParameters = {
  ...AUTH_CHAIN,
  op: 2,
  chainOrder: 1,
  hashMode: 1,
  hashAlgorithm: 4,
  authKeyLength: 0,
  resultLength: 32,
  key: KEY,
};

function check(
  { readable, writable }: RequestBytes,
  hex: readonly string[],
  lengths: readonly number[],
): void {
  assertEquals(readable.map(hexOf), hex.map(grouped));
  assertEquals(writable, lengths);
}

const LAYOUTS = ["legacy", "v15", "revision1"] as const;

/** 40 bytes of padding. */
const PAD_40 = "00".repeat(40);

Deno.test("creation of a cipher session is the same in every layout but for queue_id", () => {
  const fixed = (queueId: string) => `
    02000000 03000000 00000000 ${queueId}
    03000000 10000000 02000000 00000000
    00000000 00000000 00000000 00000000
    00000000 00000000 00000000 00000000
    01000000 00000000`;
  for (const layout of LAYOUTS) {
    const queueId = layout === "revision1" ? "00000000" : "07000000";
    check(
      createSessionRequest(layout, CIPHER, 7),
      [fixed(queueId), "000102030405060708090a0b0c0d0e0f"],
      [16],
    );
  }
});

Deno.test("creation of a chain with a MAC has both keys behind its fixed part", () => {
  // alg_chain_order, hash_mode; algo, keylen, op, padding; algo,
  // hash_result_len, auth_key_len, padding; aad_len, padding; op_type, padding.
  const fixed = `
    02000000 04000000 00000000 00000000
    02000000 02000000
    04000000 10000000 01000000 00000000
    29000000 0c000000 03000000 00000000
    14000000 00000000
    02000000 00000000`;
  for (const layout of LAYOUTS) {
    check(
      createSessionRequest(layout, AUTH_CHAIN, 0, 20),
      [fixed, "000102030405060708090a0b0c0d0e0f", "a0a1a2"],
      [16],
    );
  }
});

Deno.test("creation of a chain with a plain hash has one key", () => {
  const fixed = `
    02000000 04000000 00000000 00000000
    01000000 01000000
    04000000 10000000 02000000 00000000
    04000000 20000000 00000000 00000000
    00000000 00000000
    02000000 00000000`;
  for (const layout of LAYOUTS) {
    check(
      createSessionRequest(layout, PLAIN_CHAIN, 0),
      [fixed, "000102030405060708090a0b0c0d0e0f"],
      [16],
    );
  }
});

Deno.test("creation of a HASH session has no key", () => {
  const fixed = `
    02010000 04000000 00000000 01000000
    04000000 20000000`;
  check(createSessionRequest("v15", HASH, 1), [fixed], [16]);
  check(
    createSessionRequest("revision1", HASH, 1),
    [fixed.replace("00000000 01000000", "00000000 00000000")],
    [16],
  );
  check(
    createSessionRequest("legacy", HASH, 1),
    [fixed + PAD_40 + "0000000000000000"],
    [16],
  );
});

Deno.test("creation of a MAC session has the key behind its fixed part", () => {
  const fixed = `
    02020000 1a000000 00000000 00000000
    1a000000 0c000000 10000000 00000000`;
  const key = "000102030405060708090a0b0c0d0e0f";
  check(createSessionRequest("v15", MAC, 0), [fixed, key], [16]);
  check(createSessionRequest("revision1", MAC, 9), [fixed, key], [16]);
  check(createSessionRequest("legacy", MAC, 0), [fixed + PAD_40, key], [16]);
});

Deno.test("creation of an AEAD session has tag and aad lengths", () => {
  const fixed = `
    02030000 01000000 00000000 00000000
    01000000 10000000 10000000 14000000 01000000 00000000`;
  const key = "000102030405060708090a0b0c0d0e0f";
  check(createSessionRequest("v15", AEAD, 0, 20), [fixed, key], [16]);
  check(createSessionRequest("revision1", AEAD, 9, 20), [fixed, key], [16]);
  check(
    createSessionRequest("legacy", AEAD, 0, 20),
    [fixed + "00".repeat(32), key],
    [16],
  );
});

Deno.test("destruction names the session and its service", () => {
  for (let service = 0; service < 4; service++) {
    const header = `
      030${service}0000 00000000 00000000 00000000
      efcdab89 67452301`;
    const id = 0x0123_4567_89ab_cdefn;
    check(destroySessionRequest("v15", service, id), [header], [8]);
    check(destroySessionRequest("revision1", service, id), [header], [1]);
    check(
      destroySessionRequest("legacy", service, id),
      [header + "00".repeat(48)],
      [1],
    );
  }
});

Deno.test("a service that is none cannot be asked for", () => {
  assertThrows(
    () => createSessionRequest("v15", { ...HASH, service: 4 }, 0),
    RangeError,
    "service 4",
  );
  assertThrows(() => destroySessionRequest("v15", 5, 1n), RangeError, "5");
});

Deno.test("a creation's answer is an id or a status", () => {
  const made = bytesOf("efcdab89 67452301 00000000 00000000");
  assertEquals(readCreated(made), 0x0123_4567_89ab_cdefn);
  const refused = bytesOf("00000000 00000000 03000000 00000000");
  const error = assertThrows(() => readCreated(refused), CryptoStatusError);
  assertEquals(error.status, 3);
  assertEquals(error.statusName, "NOTSUPP");
  assertEquals(
    error.message,
    "Cannot create a session: the device answered NOTSUPP",
  );
  const full = assertThrows(
    () => readCreated(bytesOf("00000000 00000000 05000000 00000000")),
    CryptoStatusError,
  );
  assertEquals([full.status, full.statusName], [5, "NOSPC"]);
});

Deno.test("a destruction's answer is a status of 8 bytes or of one", () => {
  readDestroyed(bytesOf("00000000 00000000"));
  readDestroyed(bytesOf("00"));
  for (const answer of ["01000000 00000000", "01"]) {
    const error = assertThrows(
      () => readDestroyed(bytesOf(answer)),
      CryptoStatusError,
    );
    assertEquals(error.statusName, "ERR");
  }
  const odd = assertThrows(
    () => readDestroyed(bytesOf("00010000 00000000")),
    CryptoStatusError,
  );
  assertEquals(odd.status, 256);
});
