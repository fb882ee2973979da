import { assertEquals } from "@std/assert";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import { reference } from "../engine/reference.ts";
import { Random } from "../engine/random.ts";
import {
  ERR,
  fieldsOf,
  type Input,
  INVSESS,
  NOTSUPP,
  patched,
  TestDevice,
  type TestLayout,
  type TestSession,
} from "../support/device.ts";

const random = new Random(11);
const KEY = random.bytes(32);
const IV = random.bytes(16);
const SOURCE = random.bytes(48);
const AAD = random.bytes(20);

/** A session and a good operation of each service. */
const SERVICES: readonly {
  readonly name: string;
  readonly options: SessionOptions;
  readonly input: Input;
  readonly expected: Uint8Array;
}[] = [
  {
    name: "CIPHER",
    options: {
      service: "cipher",
      algorithm: "aes-cbc",
      key: KEY,
      direction: "encrypt",
    },
    input: { source: SOURCE, iv: IV },
    expected: reference("aes-cbc", KEY, { source: SOURCE, iv: IV }),
  },
  {
    name: "HASH",
    options: { service: "hash", algorithm: "sha256" },
    input: { source: SOURCE },
    expected: reference("sha256", KEY, { source: SOURCE, resultLength: 32 }),
  },
  {
    name: "MAC",
    options: { service: "mac", algorithm: "hmac-sha1", key: KEY },
    input: { source: SOURCE },
    expected: reference("hmac-sha1", KEY, { source: SOURCE, resultLength: 20 }),
  },
  {
    name: "AEAD",
    options: {
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      direction: "encrypt",
    },
    input: { source: SOURCE, iv: IV.subarray(0, 12), aad: AAD },
    expected: reference("aes-gcm", KEY, {
      source: SOURCE,
      iv: IV.subarray(0, 12),
      aad: AAD,
      resultLength: 16,
    }),
  },
];

const LAYOUTS: readonly TestLayout[] = ["legacy", "v15"];

/** What is wrong with a request, in the order in which it is found out. */
interface Flaw {
  readonly name: string;
  readonly status: number;
  readonly changes: Readonly<Record<number, number>>;
}

function flawsOf(layout: TestLayout, session: TestSession): Flaw[] {
  const at = fieldsOf(layout, session.service);
  const flaws: Flaw[] = [
    {
      name: "unknown opcode",
      status: NOTSUPP,
      changes: { [at.opcode!]: 0x402 },
    },
    { name: "flag", status: ERR, changes: { [at.flag!]: 3 } },
    {
      name: "session not live",
      status: INVSESS,
      changes: { [at.sessionHigh!]: session.high + 1 },
    },
  ];
  if (session.service === 0) {
    flaws.push({
      name: "op_type",
      status: NOTSUPP,
      changes: { [at.opType!]: 0 },
    });
  }
  if (session.service === 0 || session.service === 3) {
    flaws.push({
      name: "direction",
      status: ERR,
      changes: { [at.opcode!]: session.service << 8 | 1 },
    });
  }
  flaws.push({
    name: "length",
    status: ERR,
    changes: { [at.src!]: 0xffff_ffff },
  });
  return flaws;
}

for (const layout of LAYOUTS) {
  for (const { name, options, input, expected } of SERVICES) {
    Deno.test(`A ${layout} ${name} request gives its result and OK`, () => {
      const device = new TestDevice({ layout });
      const session = device.create(options);
      assertEquals(
        device.succeed(device.request(session, input)),
        new Uint8Array(expected),
      );
    });

    Deno.test(`A ${layout} ${name} request gets the status of each flaw, and of the first of two`, () => {
      const device = new TestDevice({ layout });
      const session = device.create(options);
      const good = device.request(session, input);
      const flaws = flawsOf(layout, session);
      flaws.forEach((first, i) => {
        device.fail(patched(good, first.changes), first.status, first.name);
        for (const second of flaws.slice(i + 1)) {
          // Where both are one field, the first one stays.
          const both = patched(patched(good, second.changes), first.changes);
          device.fail(both, first.status, `${first.name}, ${second.name}`);
        }
      });
      device.succeed(good);
    });

    Deno.test(`A ${layout} ${name} request of another service's session is INVSESS`, () => {
      const device = new TestDevice({ layout });
      for (const other of SERVICES) {
        if (other.name === name) continue;
        const session = device.create(other.options);
        const own = device.create(options);
        const request = device.request({
          ...own,
          low: session.low,
          high: session.high,
        }, input);
        device.fail(request, INVSESS, other.name);
      }
    });

    Deno.test(`A ${layout} ${name} request shorter than header or fixed part is ERR`, () => {
      const device = new TestDevice({ layout });
      const session = device.create(options);
      const { readable, writable } = device.request(session, input);
      const [fixed] = readable;
      for (let length = 0; length < fixed!.length; length++) {
        device.fail(
          { readable: [fixed!.subarray(0, length)], writable },
          ERR,
          `${length} bytes`,
        );
      }
    });

    Deno.test(`A ${layout} ${name} request's algo field and padding say nothing`, () => {
      const device = new TestDevice({ layout });
      const session = device.create(options);
      const at = fieldsOf(layout, session.service);
      const request = patched(device.request(session, input), {
        [at.algo!]: 0xffff_ffff,
        20: 0xffff_ffff,
      });
      assertEquals(device.succeed(request), new Uint8Array(expected));
    });

    Deno.test(`A ${layout} ${name} session works no more after its end`, () => {
      const device = new TestDevice({ layout });
      const session = device.create(options);
      const request = device.request(session, input);
      device.succeed(request);
      device.core.sessions.destroy(session.low, session.high);
      device.fail(request, INVSESS);
      const next = device.create(options);
      assertEquals(next.low, session.low);
      device.fail(request, INVSESS);
      device.succeed(device.request(next, input));
    });
  }

  Deno.test(`A ${layout} session id is compared in all of its 64 bits`, () => {
    const device = new TestDevice({ layout });
    const { options, input } = SERVICES[1]!;
    const session = device.create(options);
    const request = device.request(session, input);
    for (let bit = 0; bit < 32; bit++) {
      device.fail(patched(request, { 8: session.low ^ (1 << bit) }), INVSESS);
      device.fail(patched(request, { 12: session.high ^ (1 << bit) }), INVSESS);
    }
    device.fail(patched(request, { 8: -1, 12: -1 }), INVSESS);
    device.fail(patched(request, { 8: 0, 12: 0 }), INVSESS);
  });
}

Deno.test("In v15 session mode, sess_para says nothing", () => {
  const device = new TestDevice({ layout: "v15" });
  const sizes = [12, 4, 8, 12];
  for (const { options, input, expected } of SERVICES) {
    const session = device.create(options);
    const changes: Record<number, number> = {};
    for (let at = 24; at < 24 + sizes[session.service]!; at += 4) {
      changes[at] = 0xffff_ffff;
    }
    const request = patched(device.request(session, input), changes);
    assertEquals(device.succeed(request), new Uint8Array(expected));
  }
});

Deno.test("A request with no place for a status is returned with used length 0", () => {
  for (const layout of LAYOUTS) {
    const device = new TestDevice({ layout });
    for (const { options, input } of SERVICES) {
      const { readable } = device.request(device.create(options), input);
      const [answer] = device.send({ readable, writable: [] });
      assertEquals([answer!.usedLength, answer!.status], [0, undefined]);
    }
  }
});
