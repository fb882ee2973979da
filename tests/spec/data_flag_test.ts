import { assertEquals } from "@std/assert";
import { decodeDataRequest } from "../../device/spec/data_decoder.ts";
import { DataRequest } from "../../device/spec/data_request.ts";
import {
  offeredFeatures,
  requestLayout,
} from "../../device/spec/request_layout.ts";
import { concat } from "../engine/guest.ts";
import { le32, zeros } from "../support/bytes.ts";

const ALL = 0b1111;
const OPCODES = [0x000, 0x001, 0x100, 0x200, 0x300, 0x301];
const OK = 0;
const ERR = 1;
const NOTSUPP = 3;

/** The bit of a service's SESSION_MODE feature. */
function feature(service: number): bigint {
  return 1n << BigInt(1 + service);
}

/** Status and length of header and fixed part. */
function decode(
  opcode: number,
  flag: number,
  features: bigint,
  length = 120,
): [status: number, variableAt: number] {
  const request = new DataRequest();
  const bytes = concat(le32(opcode, 0, 1, 1, flag, 0), zeros(96));
  const status = decodeDataRequest(
    new Uint32Array(bytes.buffer.slice(0, bytes.length & ~3)),
    0,
    length,
    requestLayout("v15", ALL, features, false),
    request,
  );
  return [status, request.variableAt];
}

/** Bytes of header and fixed part in v15, by service. */
const V15_SIZE = [104, 40, 40, 56];

Deno.test("Without a session-mode feature, flags 0 and 1 are the legacy layout", () => {
  for (const opcode of OPCODES) {
    for (const flag of [0, 1]) {
      // VERSION_1, EVENT_IDX and bit 0 are no session modes.
      const features = 1n << 32n | 1n << 29n | 1n | 1n << 5n;
      assertEquals(decode(opcode, flag, 0n), [OK, 72]);
      assertEquals(decode(opcode, flag, features), [OK, 72]);
    }
  }
});

Deno.test("Without a session-mode feature, flags above 2 are errors", () => {
  for (const opcode of OPCODES) {
    for (const flag of [3, 4, 0x100, 0x1_0000, 0x1_0001, 0xffff_ffff]) {
      assertEquals(decode(opcode, flag, 0n), [ERR, 0]);
    }
  }
});

Deno.test("With a service's session-mode feature, flag 1 is the v15 layout", () => {
  for (const opcode of OPCODES) {
    const service = opcode >> 8;
    const size = V15_SIZE[service]!;
    assertEquals(decode(opcode, 1, feature(service)), [OK, size]);
    assertEquals(decode(opcode, 1, 0b11110n), [OK, size]);
  }
});

Deno.test("With only another service's session-mode feature, flag 1 is an error", () => {
  for (const opcode of OPCODES) {
    const service = opcode >> 8;
    const others = 0b11110n & ~feature(service);
    assertEquals(decode(opcode, 1, others), [ERR, 0]);
    assertEquals(decode(opcode, 1, feature((service + 1) % 4)), [ERR, 0]);
  }
});

Deno.test("With a session-mode feature, flags other than 1 and 2 are errors", () => {
  for (const opcode of OPCODES) {
    for (const flag of [0, 3, 5, 0x101, 0x8000_0001, 0xffff_ffff]) {
      assertEquals(decode(opcode, flag, 0b11110n), [ERR, 0]);
    }
  }
});

Deno.test("An unknown data opcode is NOTSUPP before anything else is wrong", () => {
  for (
    const opcode of [
      0x002,
      0x003,
      0x101,
      0x102,
      0x103,
      0x201,
      0x202,
      0x203,
      0x302,
      0x303,
      0x400,
      0x401,
      0x1_0000,
      0x1_0001,
      0x1_0100,
      0x8000_0000,
      0xffff_ffff,
    ]
  ) {
    assertEquals(decode(opcode, 0, 0n), [NOTSUPP, 0], opcode.toString(16));
    assertEquals(decode(opcode, 77, 0b11110n, 24), [NOTSUPP, 0]);
    assertEquals(decode(opcode, 0, 0n, 23), [ERR, 0]);
  }
});

Deno.test("A flag that is wrong is an error before the fixed part is looked at", () => {
  assertEquals(decode(0x100, 3, 0n, 24), [ERR, 0]);
  assertEquals(decode(0x100, 1, 0n, 24), [ERR, 0]);
});

Deno.test("The session-mode features offered are those of the services offered", () => {
  assertEquals(offeredFeatures("v15", 0b1111), 0b11110n);
  assertEquals(offeredFeatures("v15", 0b0101), 0b01010n);
  assertEquals(offeredFeatures("v15", 0), 0n);
});
