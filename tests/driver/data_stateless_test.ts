// Requests with their keys inside. Bytes by hand, from the structures of the
// documents: four bytes a group, one line a structure, 0 where nothing is said.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type DataParameters,
  dataRequest,
} from "../../device/driver/data_requests.ts";
import type { DataLayout } from "../../device/driver/requests.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { bytesOf, grouped, hexOf } from "./hex.ts";

const NONE = new Uint8Array(0);
const KEY = "000102030405060708090a0b0c0d0e0f";
const AUTH_KEY = "a0a1a2";
const IV = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const SOURCE = "aa".repeat(32);
const AAD = "bbbbbb";

const OPERATION: SessionParameters = {
  service: 0,
  opType: 1,
  algorithm: 3,
  op: 1,
  keyLength: 16,
  chainOrder: 0,
  hashMode: 0,
  hashAlgorithm: 0,
  authKeyLength: 0,
  resultLength: 0,
  key: bytesOf(KEY),
};

const REQUEST: DataParameters = {
  opcode: 0,
  algorithm: 3,
  sessionId: 0n,
  iv: bytesOf(IV),
  source: bytesOf(SOURCE),
  aad: NONE,
  destinationLength: 32,
  resultLength: 0,
  stateless: OPERATION,
};

function check(
  layout: DataLayout,
  parameters: DataParameters,
  hex: readonly string[],
  lengths: readonly number[],
): void {
  const { readable, writable } = dataRequest(layout, parameters);
  assertEquals(readable.map(hexOf), hex.map(grouped), layout);
  assertEquals(writable, lengths);
}

/** Both layouts that have such requests, with their `flag`. */
const LAYOUTS = [["v15", "02000000"], ["revision1-stateless", "00000000"]] as [
  DataLayout,
  string,
][];

for (const [layout, flag] of LAYOUTS) {
  const padding = layout === "v15" ? "00000000" : "";

  Deno.test(`a ${layout} cipher request brings its key before the iv`, () => {
    check(layout, REQUEST, [
      `
      00000000 03000000 00000000 00000000 ${flag} 00000000
      03000000 10000000 01000000
      10000000 20000000 20000000
      00000000 00000000 00000000 00000000 00000000 00000000
      00000000 00000000 00000000 00000000 00000000 00000000
      01000000 ${padding}`,
      KEY,
      IV,
      SOURCE,
    ], [32, 1]);
  });

  Deno.test(`a ${layout} HASH request brings its algorithm`, () => {
    const stateless = { ...OPERATION, service: 1, algorithm: 4 };
    check(layout, {
      ...REQUEST,
      opcode: 0x100,
      algorithm: 4,
      iv: NONE,
      destinationLength: 0,
      resultLength: 28,
      stateless: { ...stateless, keyLength: 0, key: NONE },
    }, [
      `
      00010000 04000000 00000000 00000000 ${flag} 00000000
      04000000
      20000000 1c000000 00000000`,
      SOURCE,
    ], [28, 1]);
  });

  Deno.test(`a ${layout} MAC request brings its key before the source`, () => {
    check(layout, {
      ...REQUEST,
      opcode: 0x200,
      algorithm: 41,
      iv: bytesOf(IV).subarray(0, 12),
      destinationLength: 0,
      resultLength: 16,
      stateless: { ...OPERATION, service: 2, algorithm: 41 },
    }, [
      `
      00020000 29000000 00000000 00000000 ${flag} 00000000
      29000000 10000000
      2c000000 10000000`,
      KEY,
      "f0f1f2f3f4f5f6f7f8f9fafb",
      SOURCE,
    ], [16, 1]);
  });

  Deno.test(`a ${layout} AEAD request goes key, iv, source, aad`, () => {
    check(layout, {
      ...REQUEST,
      opcode: 0x301,
      algorithm: 2,
      iv: bytesOf(IV).subarray(0, 13),
      aad: bytesOf(AAD),
      destinationLength: 20,
      resultLength: 12,
      stateless: { ...OPERATION, service: 3, algorithm: 2, op: 2 },
    }, [
      `
      01030000 02000000 00000000 00000000 ${flag} 00000000
      02000000 10000000 02000000
      0d000000 0c000000 03000000 20000000 14000000`,
      KEY,
      "f0f1f2f3f4f5f6f7f8f9fafbfc",
      SOURCE,
      AAD,
    ], [20, 1]);
  });

  Deno.test(`a ${layout} chain brings order, cipher, hash and both keys`, () => {
    const { readable, writable } = dataRequest(layout, {
      ...REQUEST,
      opcode: 1,
      aad: bytesOf(AAD),
      resultLength: 12,
      chain: {
        cipherStart: 16,
        cipherLength: 8,
        hashStart: 3,
        hashLength: 29,
      },
      stateless: {
        ...OPERATION,
        opType: 2,
        op: 2,
        chainOrder: 1,
        hashMode: 2,
        hashAlgorithm: 26,
        authKeyLength: 3,
        key: bytesOf(KEY + AUTH_KEY),
      },
    });
    const fields = layout === "v15" ? [IV, SOURCE, AAD] : [IV, AAD, SOURCE];
    assertEquals(
      readable.map(hexOf),
      [
        `
        01000000 03000000 00000000 00000000 ${flag} 00000000
        01000000 03000000
        03000000 10000000 02000000
        1a000000 03000000 02000000
        10000000 20000000 20000000
        10000000 08000000 03000000 1d000000 03000000 0c000000 00000000
        02000000 ${padding}`,
        KEY,
        AUTH_KEY,
        ...fields,
      ].map(grouped),
    );
    assertEquals(writable, [32, 12, 1]);
  });
}

/** Chains that name a session: legacy and revision 1 have no sess_para. */
const CHAIN: DataParameters = {
  opcode: 0,
  algorithm: 3,
  sessionId: 5n,
  iv: bytesOf(IV),
  source: bytesOf(SOURCE),
  aad: bytesOf(AAD),
  destinationLength: 32,
  resultLength: 20,
  chain: { cipherStart: 16, cipherLength: 8, hashStart: 3, hashLength: 29 },
};

for (const [layout, flag] of [["legacy", 0], ["revision1", 1]] as const) {
  Deno.test(`a ${layout} chain with a session goes iv, source, aad`, () => {
    check(layout, CHAIN, [
      `
      00000000 03000000 05000000 00000000 0${flag}000000 00000000
      10000000 20000000 20000000
      10000000 08000000 03000000 1d000000 03000000 14000000 00000000
      02000000 00000000`,
      IV,
      SOURCE,
      AAD,
    ], [32, 20, 1]);
  });
}

Deno.test("a chain with a session has sess_para of zeros where it has one", () => {
  const fixed = `
    00000000 03000000 05000000 00000000 01000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    10000000 20000000 20000000
    10000000 08000000 03000000 1d000000 03000000 14000000 00000000
    02000000`;
  check("v15", CHAIN, [fixed + "00000000", IV, SOURCE, AAD], [32, 20, 1]);
  check(
    "revision1-stateless",
    CHAIN,
    [fixed, IV, AAD, SOURCE],
    [32, 20, 1],
  );
});

Deno.test("layouts without keys in requests cannot build such a request", () => {
  for (const layout of ["legacy", "revision1"] as const) {
    assertThrows(
      () => dataRequest(layout, REQUEST),
      RangeError,
      `Cannot build a request without a session in layout ${layout}`,
    );
  }
});
