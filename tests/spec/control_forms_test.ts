import { assertEquals } from "@std/assert";
import {
  type ControlRequest,
  decodeControlRequest,
} from "../../device/spec/control_request.ts";
import {
  type RequestLayout,
  requestLayout,
} from "../../device/spec/request_layout.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { le32, zeros } from "../support/bytes.ts";

const ALL = 0b1111;

/** The layout of a device that offers some services. */
function offering(services: number): RequestLayout {
  return requestLayout("v15", services, 0n, false);
}

/** The four services' creation requests as the document has them. */
const CREATE: Record<string, {
  readonly opcode: number;
  readonly fixed: Uint8Array;
  readonly key: number;
  readonly expected: Record<string, number>;
}> = {
  CIPHER: {
    opcode: 0x002,
    // cipher: algo, keylen, op, padding; to 48; op_type, padding.
    fixed: concat(le32(3, 24, 2, 99), zeros(32), le32(1, 99)),
    key: 24,
    expected: {
      service: 0,
      opType: 1,
      algorithm: 3,
      op: 2,
      resultLength: 0,
      keyLength: 24,
    },
  },
  HASH: {
    opcode: 0x102,
    fixed: le32(4, 20),
    key: 0,
    expected: {
      service: 1,
      opType: 0,
      algorithm: 4,
      op: 0,
      resultLength: 20,
      keyLength: 0,
    },
  },
  MAC: {
    opcode: 0x202,
    fixed: le32(54, 4, 33, 99),
    key: 33,
    expected: {
      service: 2,
      opType: 0,
      algorithm: 54,
      op: 0,
      resultLength: 4,
      keyLength: 33,
    },
  },
  AEAD: {
    opcode: 0x302,
    // algo, key_len, tag_len, aad_len, op, padding.
    fixed: le32(1, 32, 13, 77, 1, 99),
    key: 32,
    expected: {
      service: 3,
      opType: 0,
      algorithm: 1,
      op: 1,
      resultLength: 13,
      keyLength: 32,
    },
  },
};

function decode(
  bytes: Uint8Array<ArrayBuffer>,
): Extract<ControlRequest, { kind: "create" }> {
  const request = decodeControlRequest(bytes, offering(ALL));
  if (request.kind === "create") return request;
  throw new Error(`It is decoded as ${request.kind}`);
}

for (const [name, { opcode, fixed, key, expected }] of Object.entries(CREATE)) {
  // opcode, algo, flag, queue_id: only the first and the last count.
  const header = le32(opcode, 0xdead, 0xbeef, 6);
  const bytes = new Random(key).bytes(key);
  const forms = {
    unpadded: concat(header, fixed, bytes),
    padded: concat(header, fixed, zeros(56 - fixed.length), bytes),
  };
  for (const [form, request] of Object.entries(forms)) {
    Deno.test(`${name} creation is decoded in its ${form} form`, () => {
      const { parameters, queueId, lengthFits } = decode(request);
      const { key: found, ...values } = parameters;
      assertEquals(values as Record<string, number>, {
        chainOrder: 0,
        hashMode: 0,
        hashAlgorithm: 0,
        authKeyLength: 0,
        ...expected,
      });
      assertEquals(found, bytes);
      assertEquals([queueId, lengthFits], [6, true]);
    });
  }

  Deno.test(`${name} creation of any other length does not fit`, () => {
    const whole = forms.padded.length;
    const fit: number[] = [];
    for (let length = 16 + fixed.length; length <= whole + 8; length++) {
      const request = zeros(length);
      request.set(concat(header, fixed));
      const { lengthFits, parameters } = decode(request);
      if (lengthFits) fit.push(length);
      else assertEquals(parameters.key.length, 0);
      // The values are judged before the length: they are there.
      assertEquals(parameters.keyLength, key);
    }
    assertEquals(fit, [...new Set([forms.unpadded.length, whole])]);
  });

  Deno.test(`${name} creation with less than its fixed part is refused with ERR`, () => {
    for (let length = 16; length < 16 + fixed.length; length++) {
      assertEquals(
        decodeControlRequest(forms.padded.slice(0, length), offering(ALL)),
        { kind: "refused", status: 1, answer: "create" },
        `${length} bytes`,
      );
    }
  });

  Deno.test(`${name} creation is refused with NOTSUPP where the service is not offered`, () => {
    const others = ALL & ~(1 << (opcode >> 8));
    const refused: ControlRequest = {
      kind: "refused",
      status: 3,
      answer: "create",
    };
    assertEquals(decodeControlRequest(forms.padded, offering(others)), refused);
    // The opcode is judged before the fixed part.
    assertEquals(
      decodeControlRequest(forms.padded.slice(0, 16), offering(others)),
      refused,
    );
  });
}

Deno.test("A key length near 2^32 does not wrap into one that fits", () => {
  for (const opcode of [0x002, 0x202, 0x302]) {
    for (const length of [2 ** 32 - 1, 2 ** 32 - 16, 2 ** 32 - 56, 2 ** 31]) {
      const fixed = opcode === 0x202
        ? le32(1, 16, length, 0)
        : le32(1, length, 16, 0, 1, 0);
      const bytes = concat(le32(opcode, 0, 0, 0), fixed, zeros(56));
      new DataView(bytes.buffer).setUint32(16 + 48, 1, true);
      const { lengthFits, parameters } = decode(bytes);
      assertEquals([lengthFits, parameters.keyLength], [false, length]);
      assertEquals(parameters.key.length, 0);
    }
  }
});

Deno.test("A symmetric creation of another op_type gives no cipher", () => {
  for (const opType of [0, 2, 3, 0xffff_ffff]) {
    const bytes = concat(
      le32(0x002, 0, 0, 0),
      le32(3, 16, 1, 0),
      zeros(32),
      le32(opType, 0),
      zeros(16),
    );
    assertEquals(decode(bytes).parameters.opType, opType);
  }
});

for (const service of [0, 1, 2, 3]) {
  const header = le32(service << 8 | 3, 1, 2, 3);
  const id = le32(0x8765_4321, 0x7fff_fffe);

  Deno.test(`Destruction in service ${service} is decoded padded and unpadded`, () => {
    for (const padding of [0, 48]) {
      assertEquals(
        decodeControlRequest(concat(header, id, zeros(padding)), offering(ALL)),
        {
          kind: "destroy",
          service,
          sessionLow: 0x8765_4321,
          sessionHigh: 0x7fff_fffe,
        },
      );
    }
  });

  Deno.test(`Destruction in service ${service} of any other length is refused with ERR`, () => {
    const request = concat(header, id, zeros(80));
    for (let length = 16; length <= request.length; length++) {
      if (length === 24 || length === 72) continue;
      assertEquals(
        decodeControlRequest(request.slice(0, length), offering(ALL)),
        { kind: "refused", status: 1, answer: "destroy" },
        `${length} bytes`,
      );
    }
  });

  Deno.test(`Destruction in service ${service} is refused with NOTSUPP where it is not offered`, () => {
    assertEquals(
      decodeControlRequest(concat(header, id), offering(ALL & ~(1 << service))),
      { kind: "refused", status: 3, answer: "destroy" },
    );
  });
}

Deno.test("A control header of fewer than 16 bytes is refused with ERR", () => {
  const request = concat(le32(0x003, 0, 0, 0), zeros(8));
  for (let length = 0; length < 16; length++) {
    assertEquals(
      decodeControlRequest(request.slice(0, length), offering(ALL)),
      {
        kind: "refused",
        status: 1,
        answer: "either",
      },
    );
  }
});

Deno.test("A control opcode that is unknown is refused with NOTSUPP", () => {
  for (
    const opcode of [
      0x000,
      0x001,
      0x004,
      0x0ff,
      0x100,
      0x200,
      0x300,
      0x301,
      0x402,
      0x403,
      0xff02,
      0x1_0002,
      0x1_0003,
      0x8000_0002,
      0xffff_ff03,
      0xffff_ffff,
    ]
  ) {
    assertEquals(
      decodeControlRequest(
        concat(le32(opcode, 0, 0, 0), zeros(56)),
        offering(ALL),
      ),
      { kind: "refused", status: 3, answer: "either" },
      `opcode 0x${opcode.toString(16)}`,
    );
  }
});
