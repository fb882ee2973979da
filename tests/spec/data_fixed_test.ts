import { assertEquals } from "@std/assert";
import { decodeDataRequest } from "../../device/spec/data_decoder.ts";
import { DataRequest } from "../../device/spec/data_request.ts";
import {
  type RequestLayout,
  requestLayout,
} from "../../device/spec/request_layout.ts";
import { concat } from "../engine/guest.ts";
import { le32, zeros } from "../support/bytes.ts";

const ALL = 0b1111;
const LEGACY = requestLayout("v15", ALL, 0n, false);
const V15 = requestLayout("v15", ALL, 0b11110n, false);

/** Where each fixed part stands and what it says, by layout and opcode. */
const FIXED = [
  {
    name: "legacy CIPHER",
    layout: LEGACY,
    opcode: 0x001,
    // iv_len, src_data_len, dst_data_len, padding; to 40; op_type, padding.
    fixed: concat(le32(11, 12, 13, 99), zeros(24), le32(1, 99)),
    size: 48,
    expected: { opType: 1, ivLength: 11, sourceLength: 12, exact: false },
    more: { destinationLength: 13 },
  },
  {
    name: "legacy HASH",
    layout: LEGACY,
    opcode: 0x100,
    fixed: le32(21, 22),
    size: 48,
    expected: { sourceLength: 21, resultLength: 22, exact: false },
    more: {},
  },
  {
    name: "legacy MAC",
    layout: LEGACY,
    opcode: 0x200,
    fixed: le32(31, 32),
    size: 48,
    expected: { sourceLength: 31, resultLength: 32, exact: false },
    more: {},
  },
  {
    name: "legacy AEAD",
    layout: LEGACY,
    opcode: 0x300,
    // iv_len, aad_len, src_data_len, dst_data_len; no tag_len.
    fixed: le32(41, 42, 43, 44, 99, 99),
    size: 48,
    expected: { ivLength: 41, aadLength: 42, sourceLength: 43, exact: true },
    more: { destinationLength: 44, tagLength: -1 },
  },
  {
    name: "v15 CIPHER",
    layout: V15,
    opcode: 0x000,
    // algo, keylen, op of sess_para, iv_len, src, dst; to 72; op_type, padding.
    fixed: concat(le32(90, 91, 92, 51, 52, 53), zeros(48), le32(1, 99)),
    size: 80,
    expected: { opType: 1, ivLength: 51, sourceLength: 52, exact: true },
    more: { destinationLength: 53 },
  },
  {
    name: "v15 HASH",
    layout: V15,
    opcode: 0x100,
    fixed: le32(90, 61, 62, 99),
    size: 16,
    expected: { sourceLength: 61, resultLength: 62, exact: true },
    more: {},
  },
  {
    name: "v15 MAC",
    layout: V15,
    opcode: 0x200,
    fixed: le32(90, 91, 71, 72),
    size: 16,
    expected: { sourceLength: 71, resultLength: 72, exact: true },
    more: {},
  },
  {
    name: "v15 AEAD",
    layout: V15,
    opcode: 0x301,
    // algo, key_len, op of sess_para, iv_len, tag_len, aad_len, src, dst.
    fixed: le32(90, 91, 92, 81, 82, 83, 84, 85),
    size: 32,
    expected: { ivLength: 81, tagLength: 82, aadLength: 83, exact: true },
    more: { sourceLength: 84, destinationLength: 85 },
  },
];

/** opcode, algo, session_id, flag, padding. */
function header(opcode: number, flag: number): Uint8Array {
  return le32(opcode, 0xabcd, 0x1111_2222, 0x3333_4444, flag, 0xffff_ffff);
}

function decode(
  bytes: Uint8Array<ArrayBuffer>,
  layout: RequestLayout,
  length = bytes.length,
): { status: number; request: DataRequest } {
  const request = new DataRequest();
  // What an earlier request left must not be seen.
  request.aadLength = request.resultLength = request.tagLength = 777;
  const status = decodeDataRequest(
    new Uint32Array(bytes.buffer.slice(0, bytes.length & ~3)),
    0,
    length,
    layout,
    request,
  );
  return { status, request };
}

/** A record that says nothing but what is given. */
function record(changes: Partial<DataRequest>): Record<string, unknown> {
  return { ...new DataRequest(), ...changes };
}

for (const { name, layout, opcode, fixed, size, ...rest } of FIXED) {
  const bytes = concat(
    header(opcode, layout === V15 ? 1 : 0),
    fixed,
    zeros(size - fixed.length),
    zeros(40),
  );

  Deno.test(`${name} requests are decoded byte by byte`, () => {
    const { status, request } = decode(bytes, layout);
    assertEquals(status, 0);
    assertEquals(
      { ...request } as Record<string, unknown>,
      record({
        opcode,
        service: opcode >> 8,
        sessionLow: 0x1111_2222,
        sessionHigh: 0x3333_4444,
        sessionMode: true,
        variableAt: 24 + size,
        ...rest.expected,
        ...rest.more,
      }),
    );
  });

  Deno.test(`${name} requests of no more than the fixed part are complete`, () => {
    assertEquals(decode(bytes, layout, 24 + size).status, 0);
  });

  Deno.test(`${name} requests are incomplete at every length below`, () => {
    for (let length = 0; length < 24 + size; length++) {
      assertEquals(decode(bytes, layout, length).status, 1, `${length} bytes`);
    }
  });

  Deno.test(`${name} requests get NOTSUPP where the service is not offered`, () => {
    const services = ALL & ~(1 << (opcode >> 8));
    for (const length of [24, bytes.length]) {
      const { status } = decode(bytes, { ...layout, services }, length);
      assertEquals(status, 3);
    }
  });
}

Deno.test("With session messages every request is legacy, whatever its flag", () => {
  for (const { name, layout, opcode, fixed, size, ...rest } of FIXED) {
    if (layout !== LEGACY) continue;
    for (const flag of [0, 1, 2, 3, 0xffff_ffff]) {
      const bytes = concat(
        header(opcode, flag),
        fixed,
        zeros(size - fixed.length),
      );
      for (const features of [0n, 0b11110n]) {
        const { status, request } = decode(
          bytes,
          requestLayout("v15", ALL, features, true),
        );
        assertEquals([status, request.variableAt], [0, 72], `${name} ${flag}`);
        assertEquals(request.sourceLength, rest.expected.sourceLength ?? 43);
      }
    }
  }
});

Deno.test("A symmetric request of another op_type is decoded without lengths", () => {
  for (const layout of [LEGACY, V15]) {
    const at = layout === V15 ? 72 : 40;
    for (const opType of [0, 3, 0xffff_ffff]) {
      const bytes = concat(header(0, 1), new Uint8Array(80).fill(0x55));
      new DataView(bytes.buffer).setUint32(24 + at, opType, true);
      const { status, request } = decode(bytes, layout);
      assertEquals([status, request.opType], [0, opType]);
    }
  }
});
