// Bytes by hand, from the structures of the document: four bytes a group, one
// line a structure, 0 where nothing is said.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type DataParameters,
  dataRequest,
} from "../../device/driver/data_requests.ts";
import {
  type DataLayout,
  dataLayoutOf,
  layoutOf,
  modeServicesOf,
  type RequestBytes,
} from "../../device/driver/requests.ts";
import { bytesOf, grouped, hexOf } from "./hex.ts";

const NONE = new Uint8Array(0);
const IV = bytesOf("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
const SOURCE = bytesOf("aa".repeat(32));
const AAD = bytesOf("bbbbbb");

function check(
  layout: DataLayout,
  parameters: DataParameters,
  hex: readonly string[],
  lengths: readonly number[],
): void {
  const { readable, writable }: RequestBytes = dataRequest(layout, parameters);
  assertEquals(readable.map(hexOf), hex.map(grouped));
  assertEquals(writable, lengths);
}

const CIPHER: DataParameters = {
  opcode: 1,
  algorithm: 3,
  sessionId: 0x0123_4567_89ab_cdefn,
  iv: IV,
  source: SOURCE,
  aad: NONE,
  destinationLength: 32,
  resultLength: 0,
};

Deno.test("a legacy cipher request is 72 bytes, iv, source", () => {
  const fixed = `
    01000000 03000000 efcdab89 67452301 00000000 00000000
    10000000 20000000 20000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000
    01000000 00000000`;
  check("legacy", CIPHER, [fixed, hexOf(IV), hexOf(SOURCE)], [32, 1]);
});

Deno.test("a v15 cipher request has sess_para inside and op_type at 72", () => {
  const fixed = `
    01000000 03000000 efcdab89 67452301 01000000 00000000
    00000000 00000000 00000000 10000000 20000000 20000000
    00000000 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000
    01000000 00000000`;
  check("v15", CIPHER, [fixed, hexOf(IV), hexOf(SOURCE)], [32, 1]);
});

Deno.test("revision 1 without the stateless bit is legacy with another flag", () => {
  const fixed = `
    01000000 03000000 efcdab89 67452301 01000000 00000000
    10000000 20000000 20000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000
    01000000 00000000`;
  check("revision1", CIPHER, [fixed, hexOf(IV), hexOf(SOURCE)], [32, 1]);
});

Deno.test("revision 1 with the stateless bit is v15 without padding behind op_type", () => {
  const fixed = `
    01000000 03000000 efcdab89 67452301 01000000 00000000
    00000000 00000000 00000000 10000000 20000000 20000000
    00000000 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000
    01000000`;
  check(
    "revision1-stateless",
    CIPHER,
    [fixed, hexOf(IV), hexOf(SOURCE)],
    [32, 1],
  );
});

Deno.test("fields of no bytes are left out", () => {
  const { readable, writable } = dataRequest("v15", {
    ...CIPHER,
    iv: NONE,
    source: NONE,
    destinationLength: 0,
  });
  assertEquals(readable.map((field) => field.length), [104]);
  assertEquals(writable, [1]);
});

Deno.test("a HASH request has source length and result length", () => {
  const hash: DataParameters = {
    ...CIPHER,
    opcode: 0x100,
    algorithm: 4,
    sessionId: 5n,
    iv: NONE,
    destinationLength: 0,
    resultLength: 28,
  };
  check("legacy", hash, [
    `
    00010000 04000000 05000000 00000000 00000000 00000000
    20000000 1c000000` + "00".repeat(40),
    hexOf(SOURCE),
  ], [28, 1]);
  for (const layout of ["v15", "revision1-stateless"] as const) {
    check(layout, hash, [
      `
      00010000 04000000 05000000 00000000 01000000 00000000
      00000000 20000000 1c000000 00000000`,
      hexOf(SOURCE),
    ], [28, 1]);
  }
  check("revision1", hash, [
    `
    00010000 04000000 05000000 00000000 01000000 00000000
    20000000 1c000000`,
    hexOf(SOURCE),
  ], [28, 1]);
});

Deno.test("a MAC request has source length and result length", () => {
  const mac: DataParameters = {
    ...CIPHER,
    opcode: 0x200,
    algorithm: 26,
    sessionId: 5n,
    iv: NONE,
    destinationLength: 0,
    resultLength: 16,
  };
  check("legacy", mac, [
    `
    00020000 1a000000 05000000 00000000 00000000 00000000
    20000000 10000000` + "00".repeat(40),
    hexOf(SOURCE),
  ], [16, 1]);
  for (const layout of ["v15", "revision1-stateless"] as const) {
    check(layout, mac, [
      `
      00020000 1a000000 05000000 00000000 01000000 00000000
      00000000 00000000 20000000 10000000`,
      hexOf(SOURCE),
    ], [16, 1]);
  }
  check("revision1", mac, [
    `
    00020000 1a000000 05000000 00000000 01000000 00000000
    20000000 10000000`,
    hexOf(SOURCE),
  ], [16, 1]);
});

Deno.test("the iv of a MAC is the start of its source", () => {
  const gmac: DataParameters = {
    ...CIPHER,
    opcode: 0x200,
    algorithm: 41,
    sessionId: 5n,
    iv: IV.subarray(0, 12),
    destinationLength: 0,
    resultLength: 16,
  };
  check("legacy", gmac, [
    `
    00020000 29000000 05000000 00000000 00000000 00000000
    2c000000 10000000` + "00".repeat(40),
    "f0f1f2f3f4f5f6f7f8f9fafb",
    hexOf(SOURCE),
  ], [16, 1]);
  check("v15", gmac, [
    `
    00020000 29000000 05000000 00000000 01000000 00000000
    00000000 00000000 2c000000 10000000`,
    "f0f1f2f3f4f5f6f7f8f9fafb",
    hexOf(SOURCE),
  ], [16, 1]);
});

const GCM: DataParameters = {
  opcode: 0x300,
  algorithm: 1,
  sessionId: 5n,
  iv: IV.subarray(0, 12),
  source: SOURCE,
  aad: AAD,
  destinationLength: 48,
  resultLength: 16,
};

Deno.test("a legacy AEAD request has no tag length of its own", () => {
  check("legacy", GCM, [
    `
    00030000 01000000 05000000 00000000 00000000 00000000
    0c000000 03000000 20000000 30000000` + "00".repeat(32),
    "f0f1f2f3f4f5f6f7f8f9fafb",
    hexOf(SOURCE),
    "bbbbbb",
  ], [48, 1]);
});

Deno.test("an AEAD request with sess_para goes iv, source, aad", () => {
  for (const layout of ["v15", "revision1-stateless"] as const) {
    check(layout, GCM, [
      `
      00030000 01000000 05000000 00000000 01000000 00000000
      00000000 00000000 00000000 0c000000
      10000000 03000000 20000000 30000000`,
      "f0f1f2f3f4f5f6f7f8f9fafb",
      hexOf(SOURCE),
      "bbbbbb",
    ], [48, 1]);
  }
});

Deno.test("an AEAD request of revision 1 has its tag length behind the others", () => {
  check("revision1", GCM, [
    `
    00030000 01000000 05000000 00000000 01000000 00000000
    0c000000 03000000 20000000 30000000 10000000 00000000`,
    "f0f1f2f3f4f5f6f7f8f9fafb",
    hexOf(SOURCE),
    "bbbbbb",
  ], [48, 1]);
});

Deno.test("a full iv field is 16 bytes, and a CCM nonce starts at iv[1]", () => {
  const gcm = dataRequest("v15", { ...GCM, fullIv: true });
  assertEquals(hexOf(gcm.readable[1]!), "f0f1f2f3 f4f5f6f7 f8f9fafb 00000000");
  const ccm = dataRequest("v15", {
    ...GCM,
    algorithm: 2,
    iv: IV.subarray(0, 7),
    fullIv: true,
  });
  assertEquals(hexOf(ccm.readable[1]!), "00f0f1f2 f3f4f5f6 00000000 00000000");
  // iv_len is that of the nonce.
  assertEquals(hexOf(ccm.readable[0]!.subarray(36, 40)), "07000000");
});

Deno.test("an opcode of no service cannot be built", () => {
  assertThrows(
    () => dataRequest("v15", { ...CIPHER, opcode: 0x400 }),
    RangeError,
    "opcode 1024",
  );
});

const RING = 1n << 32n | 1n << 28n | 1n << 29n;

Deno.test("the layout follows from the negotiated features", () => {
  assertEquals(layoutOf(0n), "legacy");
  assertEquals(layoutOf(RING), "legacy");
  assertEquals(layoutOf(RING | 1n), "revision1");
  for (const bit of [1n, 2n, 3n, 4n]) {
    assertEquals(layoutOf(RING | 1n << bit), "v15");
    assertEquals(layoutOf(RING | 1n << bit | 1n), "revision1");
    assertEquals(modeServicesOf(RING | 1n << bit), 1 << Number(bit - 1n));
  }
});

Deno.test("a stateless bit of revision 1 changes the layout of its service only", () => {
  for (let service = 0; service < 4; service++) {
    for (const opcode of [0x000, 0x001, 0x100, 0x200, 0x300, 0x301]) {
      const stateless = opcode >> 8 === service;
      assertEquals(
        dataLayoutOf("revision1", 1 << service, opcode),
        stateless ? "revision1-stateless" : "revision1",
      );
      assertEquals(dataLayoutOf("v15", 1 << service, opcode), "v15");
      assertEquals(dataLayoutOf("legacy", 1 << service, opcode), "legacy");
    }
  }
});
