import { assertEquals } from "@std/assert";
import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import type { SpecName } from "../../device/spec/request_layout.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import {
  BADMSG,
  ERR,
  INVSESS,
  NOTSUPP,
  patched,
  TestDevice,
} from "../support/device.ts";
import { type Form, handmade, type Parts } from "../support/handmade.ts";

const random = new Random(41);
const KEY = random.bytes(32);
const IV = random.bytes(16);
const SOURCE = random.bytes(48);
const AAD = random.bytes(13);
const REVISION_1 = 1n;
const MODES = 0b11110n;

/** A good operation of each service. */
const SERVICES: readonly {
  readonly name: string;
  readonly reference: AlgorithmName;
  readonly session: SessionOptions;
  readonly parts: Omit<Parts, "flag">;
}[] = [
  {
    name: "CIPHER",
    reference: "aes-cbc",
    session: {
      service: "cipher",
      algorithm: "aes-cbc",
      key: KEY,
      direction: "encrypt",
    },
    parts: {
      opcode: 0x000,
      algorithm: 3,
      op: 1,
      key: KEY,
      iv: IV,
      source: SOURCE,
      destination: 48,
    },
  },
  {
    name: "HASH",
    reference: "sha256",
    session: { service: "hash", algorithm: "sha256" },
    parts: { opcode: 0x100, algorithm: 4, source: SOURCE, result: 20 },
  },
  {
    name: "MAC",
    reference: "hmac-sha256",
    session: { service: "mac", algorithm: "hmac-sha256", key: KEY },
    parts: {
      opcode: 0x200,
      algorithm: 4,
      key: KEY,
      source: SOURCE,
      result: 32,
    },
  },
  {
    name: "AEAD",
    reference: "aes-gcm",
    session: {
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      direction: "encrypt",
    },
    parts: {
      opcode: 0x300,
      algorithm: 1,
      op: 1,
      key: KEY,
      iv: IV.subarray(0, 12),
      source: SOURCE,
      aad: AAD,
      destination: 48 + 13,
      result: 13,
    },
  },
];

function deviceOf(spec: SpecName, features: bigint): TestDevice {
  return new TestDevice({ device: { spec }, features });
}

function expectedOf(name: AlgorithmName, parts: Omit<Parts, "flag">) {
  const { source = KEY, iv = IV, aad = AAD, result = 0 } = parts;
  return new Uint8Array(
    reference(name, KEY, { source, iv, aad, resultLength: result }),
  );
}

/** Ways to ask for an operation without a session. */
const STATELESS: readonly [string, SpecName, bigint, Form, number][] = [
  ["v15 without features", "v15", 0n, "v15", 2],
  ["v15 with session modes", "v15", MODES, "v15", 2],
  ["revision 1", "1.4", REVISION_1 | MODES, "revision1-stateless", 0],
  // Other bits of the flag say nothing.
  ["revision 1, flag 6", "1.4", REVISION_1 | MODES, "revision1-stateless", 6],
];

/** Ways to ask for an operation of a session. */
const SESSION: readonly [string, SpecName, bigint, Form, number][] = [
  ["revision 1", "1.4", REVISION_1, "revision1", 1],
  ["revision 1, flag 7", "1.4", REVISION_1, "revision1", 7],
  [
    "revision 1 with stateless bits",
    "1.4",
    REVISION_1 | MODES,
    "revision1-stateless",
    1,
  ],
  ["1.4 without REVISION_1", "1.4", MODES, "legacy", 2],
  ["1.4 of a legacy driver", "1.4", 0n, "legacy", 0],
];

for (const [way, spec, features, form, flag] of STATELESS) {
  for (const { name, reference, parts } of SERVICES) {
    Deno.test(`${way}: a ${name} request brings its key along`, () => {
      const device = deviceOf(spec, features);
      const request = handmade(form, { ...parts, flag });
      const expected = expectedOf(reference, parts);
      assertEquals(device.succeed(request), expected);
      // In 30 pieces as well.
      const whole = concat(...request.readable);
      assertEquals(
        device.succeed({
          readable: Array.from({ length: 30 }, (_, i) =>
            whole.subarray(
              Math.floor(i * whole.length / 30),
              Math.floor((i + 1) * whole.length / 30),
            )),
          writable: request.writable,
        }),
        expected,
      );
      assertEquals(device.queue.contexts, 0);
    });

    Deno.test(`${way}: a stateless ${name} request is exact, and judged in order`, () => {
      const device = deviceOf(spec, features);
      const good: Parts = { ...parts, flag };
      const request = handmade(form, good);
      const [fixed] = request.readable;
      for (let length = 0; length < fixed!.length; length++) {
        const readable = [fixed!.subarray(0, length)];
        device.fail({ ...request, readable }, ERR, `${length} bytes`);
      }
      const whole = concat(...request.readable);
      for (const by of [1, 2, 5, 100]) {
        device.fail(
          { ...request, readable: [whole, random.bytes(by)] },
          ERR,
          `${by} bytes more`,
        );
        device.fail(
          { ...request, readable: [whole.subarray(0, -by)] },
          ERR,
          `${by} bytes less`,
        );
      }
      const bad = (changes: Partial<Parts>) =>
        handmade(form, { ...good, ...changes });
      device.fail(bad({ algorithm: 0 }), NOTSUPP);
      device.fail(bad({ algorithm: 63, op: 9, result: 99 }), NOTSUPP);
      if (parts.op !== undefined) {
        for (const op of [0, 2, 3, 0xffff_ffff]) device.fail(bad({ op }), ERR);
        device.fail(bad({ opcode: parts.opcode + 1 }), ERR);
      }
      if (parts.key !== undefined) {
        for (const length of name === "MAC" ? [0, 513] : [0, 8, 33]) {
          device.fail(bad({ key: random.bytes(length) }), ERR, `key ${length}`);
        }
        const at = form === "v15" || form === "revision1-stateless" ? 28 : 0;
        for (const value of [0xffff_ffff, 0xffff_ffe0, 31]) {
          device.fail(patched(request, { [at]: value }), ERR, `key ${value}`);
        }
      }
      if (parts.result !== undefined) {
        for (const result of [0, 33, 0xffff_ffff]) {
          const wrong = { ...bad({ result }), writable: [300, 1] };
          device.fail(wrong, ERR, `result ${result}`);
        }
      }
      device.succeed(request);
    });
  }

  Deno.test(`${way}: a stateless decryption gives the plaintext, or BADMSG and nothing`, () => {
    const device = deviceOf(spec, features);
    const { parts } = SERVICES[3]!;
    const sealed = device.succeed(handmade(form, { ...parts, flag }));
    const open: Parts = {
      ...parts,
      opcode: 0x301,
      op: 2,
      flag,
      source: sealed,
      destination: 48,
    };
    assertEquals(device.succeed(handmade(form, open)), SOURCE);
    const source = sealed.slice();
    source[50]! ^= 4;
    device.fail(handmade(form, { ...open, source }), BADMSG);
    device.fail(handmade(form, { ...open, key: IV }), BADMSG);
  });

  Deno.test(`${way}: keys count for max_size`, () => {
    const device = new TestDevice({
      device: { spec, maxSize: 100 },
      features,
    });
    const parts = { ...SERVICES[2]!.parts, flag };
    const of = (length: number) =>
      handmade(form, { ...parts, source: random.bytes(length) });
    device.succeed(of(100 - 32 - 32));
    device.fail(of(101 - 32 - 32), ERR);
  });
}

for (const [way, spec, features, form, flag] of SESSION) {
  for (const { name, reference, session: options, parts } of SERVICES) {
    Deno.test(`${way}: a ${name} request of a session is served`, () => {
      const device = deviceOf(spec, features);
      const legacyTag = form === "legacy" && name === "AEAD";
      const session = device.create(
        legacyTag ? { ...options, tagLength: 13 } as SessionOptions : options,
      );
      const inside = form === "revision1-stateless"
        // What sess_para says is ignored, and no key follows.
        ? { algorithm: 0xffff, op: 77 }
        : {};
      const request = handmade(form, {
        ...parts,
        key: new Uint8Array(0),
        ...inside,
        session,
        flag,
      });
      assertEquals(device.succeed(request), expectedOf(reference, parts));
      device.core.sessions.clear();
      device.fail(request, INVSESS);
      const whole = concat(...request.readable);
      const next = device.create(
        legacyTag ? { ...options, tagLength: 13 } as SessionOptions : options,
      );
      const longer = patched({ ...request, readable: [concat(whole, IV)] }, {
        8: next.low,
        12: next.high,
      });
      // Exact everywhere but in the padded form.
      if (form === "legacy" && name !== "AEAD") device.succeed(longer);
      else device.fail(longer, ERR);
    });
  }
}

Deno.test("Under revision 1, a stateless request of a service without its bit is NOTSUPP", () => {
  for (let service = 0; service < 4; service++) {
    const features = REVISION_1 | MODES & ~(1n << BigInt(1 + service));
    const device = deviceOf("1.4", features);
    for (const { parts } of SERVICES) {
      const request = handmade("revision1-stateless", { ...parts, flag: 0 });
      if (parts.opcode >> 8 !== service) device.succeed(request);
      else device.fail(request, NOTSUPP);
    }
  }
});

Deno.test("A device of 1.4 offers REVISION_1 and stateless modes, one of v15 session modes", () => {
  const types = (spec: SpecName) =>
    new TestDevice({ device: { spec } }).core.features & 0xffffffn;
  assertEquals(types("1.4"), 0b11111n);
  assertEquals(types("v15"), 0b11110n);
});
