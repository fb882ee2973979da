import { assert, assertEquals } from "@std/assert";
import {
  createSessionRequest,
  destroySessionRequest,
} from "../../device/driver/control_requests.ts";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import { RAW_FILL } from "../../device/driver/raw_request.ts";
import type { Layout, RequestBytes } from "../../device/driver/requests.ts";
import {
  type ChainSessionOptions,
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import type { SpecName } from "../../device/spec/request_layout.ts";
import { assertStatus, attach, MODES, REVISION_1, RING } from "./layouts.ts";
import {
  changed,
  ERR,
  NOSPC,
  NOTSUPP,
  OK,
  send,
  withRoom,
  withVariable,
} from "./raw.ts";

const KEY = new Uint8Array(16);
const AUTH_KEY = new Uint8Array(20);

const CHAIN: ChainSessionOptions = {
  service: "chain",
  cipher: { algorithm: "aes-ctr", key: KEY, direction: "encrypt" },
  hash: { algorithm: "hmac-sha256", key: AUTH_KEY },
  order: "cipher-then-hash",
};
const HASH: SessionOptions = { service: "hash", algorithm: "sha256" };

/** A session of each fixed part. */
const SESSIONS: readonly (SessionOptions | ChainSessionOptions)[] = [
  { ...CHAIN.cipher, service: "cipher" },
  CHAIN,
  HASH,
  { service: "mac", algorithm: "cmac-aes", key: KEY },
  { service: "aead", algorithm: "aes-gcm", key: KEY, direction: "decrypt" },
];

/** What is negotiated, and the layout of control requests that follows. */
const NEGOTIATIONS: readonly {
  readonly name: string;
  readonly spec: SpecName;
  readonly features: bigint;
  readonly layout: Layout;
}[] = [
  { name: "legacy", spec: "v15", features: RING, layout: "legacy" },
  { name: "v15", spec: "v15", features: RING | MODES, layout: "v15" },
  {
    name: "revision 1",
    spec: "1.4",
    features: RING | REVISION_1,
    layout: "revision1",
  },
  {
    name: "revision 1 with stateless bits",
    spec: "1.4",
    features: RING | REVISION_1 | MODES,
    layout: "revision1",
  },
];

/** Fields of a creation, header included; those of a chain from `order` on. */
const AT = {
  opcode: 0,
  algo: 4,
  flag: 8,
  queueId: 12,
  order: 16,
  hashMode: 20,
  cipherAlgo: 24,
  keyLen: 28,
  op: 32,
  hashAlgo: 40,
  resultLen: 44,
  authKeyLen: 48,
  aadLen: 56,
  opType: 64,
} as const;

function creation(
  layout: Layout,
  options: SessionOptions | ChainSessionOptions,
): RequestBytes {
  return createSessionRequest(layout, sessionParameters(options), 0);
}

/** Sends a creation and checks status, length, and that no id is given. */
async function expectCreated(
  driver: CryptoDriver,
  bytes: RequestBytes,
  status: number,
  what: string,
): Promise<void> {
  const { bytes: answer, usedLength } = await send(driver, "control", bytes);
  assertEquals(usedLength, 16, what);
  const view = new DataView(answer.buffer);
  assertEquals(view.getUint32(8, true), status, what);
  assertEquals(view.getUint32(12, true), 0, what);
  const id = view.getBigUint64(0, true);
  if (status !== OK) assertEquals(id, 0n, what);
  else assert(id > 0n && id < 1n << 63n, what);
}

for (const { name, layout, ...negotiation } of NEGOTIATIONS) {
  Deno.test(`Unpadded creations are taken, padded ones not under REVISION_1, ${name}`, async () => {
    await using driver = await attach(negotiation);
    assertEquals(driver.layout, layout);
    const padded = layout === "revision1" ? ERR : OK;
    for (const options of SESSIONS) {
      const unpadded = creation("v15", options);
      await expectCreated(driver, unpadded, OK, options.service);
      // A symmetric session is as long in both forms.
      const both = options.service === "cipher" || options.service === "chain";
      const status = both ? OK : padded;
      const bytes = creation("legacy", options);
      await expectCreated(driver, bytes, status, options.service);
    }
  });

  Deno.test(`A creation is as long as it says, to the byte, ${name}`, async () => {
    await using driver = await attach(negotiation);
    for (const options of SESSIONS) {
      const { readable, writable } = creation(layout, options);
      const whole = Uint8Array.from(readable.flatMap((part) => [...part]));
      const unpadded = creation("v15", options).readable
        .reduce((sum, part) => sum + part.length, 0);
      for (let length = 0; length < whole.length; length++) {
        // The legacy layout's drivers may leave the padding out as well.
        if (length === unpadded) continue;
        const bytes = { readable: [whole.subarray(0, length)], writable };
        const what = `${options.service}, ${length} bytes`;
        await expectCreated(driver, bytes, ERR, what);
      }
      for (const more of [1, 16, 1000]) {
        const bytes = {
          readable: [...readable, new Uint8Array(more)],
          writable,
        };
        const what = `${options.service}, ${more} more`;
        await expectCreated(driver, bytes, ERR, what);
      }
      await expectCreated(driver, { readable, writable }, OK, "whole");
    }
  });

  Deno.test(`A destruction is padded or not as a creation is, ${name}`, async () => {
    await using driver = await attach(negotiation);
    for (const options of SESSIONS) {
      for (const form of ["v15", "legacy"] as const) {
        const created = await send(
          driver,
          "control",
          creation(layout, options),
        );
        const id = new DataView(created.bytes.buffer).getBigUint64(0, true);
        const { service } = sessionParameters(options);
        const refused = form === "legacy" && layout === "revision1";
        const bytes = destroySessionRequest(form, service, id);
        const answer = await send(driver, "control", withRoom(bytes, 8));
        assertEquals(answer.usedLength, 8);
        const status = new DataView(answer.bytes.buffer).getBigUint64(0, true);
        assertEquals(status, refused ? 1n : 0n);
        // The second time it is gone, and the answer has one byte of room.
        const again = destroySessionRequest("v15", service, id);
        const last = await send(driver, "control", withRoom(again, 7));
        assertEquals(last.usedLength, 1);
        assertEquals(last.bytes[0], refused ? OK : ERR);
        assert(last.bytes.subarray(1).every((byte) => byte === RAW_FILL));
      }
    }
  });

  Deno.test(`queue_id names a data queue, or nothing under REVISION_1, ${name}`, async () => {
    await using driver = await attach(negotiation, { queues: 2 });
    const status = layout === "revision1" ? OK : ERR;
    for (const options of SESSIONS) {
      const good = creation(layout, options);
      for (const [queueId, expected] of [[0, OK], [1, OK]] as const) {
        const bytes = changed(good, { [AT.queueId]: queueId });
        await expectCreated(driver, bytes, expected, `queue_id ${queueId}`);
      }
      for (const queueId of [2, 3, 0xffff_ffff]) {
        const bytes = changed(good, { [AT.queueId]: queueId });
        await expectCreated(driver, bytes, status, `queue_id ${queueId}`);
      }
    }
    const session = await driver.createSession({ ...HASH, queue: 1 });
    assertEquals((await session.run({ data: KEY })).length, 32);
  });

  Deno.test(`A full table is NOSPC under REVISION_1, else ERR, ${name}`, async () => {
    await using driver = await attach(negotiation, { maxSessions: 2 });
    const first = await driver.createSession(HASH);
    await driver.createSession(HASH);
    const status = layout === "revision1" ? NOSPC : ERR;
    for (const options of SESSIONS) {
      const bytes = creation(layout, options);
      await expectCreated(driver, bytes, status, options.service);
      const long = { ...bytes, readable: [...bytes.readable, KEY] };
      await expectCreated(driver, long, ERR, "found before the table is full");
    }
    await assertStatus(
      () => driver.createSession(HASH),
      layout === "revision1" ? "NOSPC" : "ERR",
    );
    await first.destroy();
    await driver.createSession(HASH);
  });

  Deno.test(`A chain that is not offered gets NOTSUPP, ${name}`, async () => {
    await using driver = await attach(negotiation);
    const good = creation(layout, CHAIN);
    const wrong = { [AT.op]: 3, [AT.keyLen]: 15, [AT.resultLen]: 0 };
    for (
      const [field, values] of [
        ["opType", [0, 3, 0xffff_ffff]],
        ["order", [0, 3, 0xffff_ffff]],
        // 3 is NESTED.
        ["hashMode", [0, 3, 4, 0xffff_ffff]],
        ["cipherAlgo", [0, 15, 31, 63, 0xffff_ffff]],
        ["hashAlgo", [0, 7, 24, 63, 0xffff_ffff]],
      ] as const
    ) {
      for (const value of values) {
        const changes = { [AT[field]]: value };
        const what = `${field} ${value}`;
        const bytes = changed(good, changes);
        await expectCreated(driver, bytes, NOTSUPP, what);
        // It is found before values and lengths that are wrong as well.
        const both = changed(good, { ...wrong, ...changes });
        await expectCreated(driver, both, NOTSUPP, what);
      }
    }
    for (const opcode of [0x000, 0x004, 0x402, 0x1_0002]) {
      const bytes = changed(good, { [AT.opcode]: opcode });
      await expectCreated(driver, bytes, NOTSUPP, `opcode ${opcode}`);
    }
  });

  Deno.test(`A chain whose values are wrong gets ERR, ${name}`, async () => {
    await using driver = await attach(negotiation);
    const good = creation(layout, CHAIN);
    for (
      const [field, values] of [
        ["op", [0, 3, 0xffff_ffff]],
        ["resultLen", [0, 33, 0xffff_ffff]],
        ["keyLen", [0xffff_ffff]],
        ["authKeyLen", [0xffff_ffff]],
      ] as const
    ) {
      for (const value of values) {
        const bytes = changed(good, { [AT[field]]: value });
        await expectCreated(driver, bytes, ERR, `${field} ${value}`);
      }
    }
    for (const length of [0, 1, 15, 17, 33, 64]) {
      const bytes = withVariable(changed(good, { [AT.keyLen]: length }), [
        new Uint8Array(length),
        AUTH_KEY,
      ]);
      await expectCreated(driver, bytes, ERR, `key of ${length} bytes`);
    }
    for (const [length, status] of [[0, ERR], [512, OK], [513, ERR]] as const) {
      const bytes = withVariable(changed(good, { [AT.authKeyLen]: length }), [
        KEY,
        new Uint8Array(length),
      ]);
      await expectCreated(driver, bytes, status, `MAC key of ${length} bytes`);
    }
    // These are hints, or mean nothing.
    for (const field of ["algo", "flag", "aadLen"] as const) {
      const bytes = changed(good, { [AT[field]]: 0xffff_ffff });
      await expectCreated(driver, bytes, OK, field);
    }
  });

  Deno.test(`auth_key_len of a chain with a plain hash is padding, ${name}`, async () => {
    await using driver = await attach(negotiation);
    const options = { ...CHAIN, hash: { algorithm: "sha1" } } as const;
    const good = creation(layout, options);
    for (const length of [0, 20, 0xffff_ffff]) {
      const bytes = changed(good, { [AT.authKeyLen]: length });
      await expectCreated(driver, bytes, OK, `auth_key_len ${length}`);
    }
    const longer = withVariable(changed(good, { [AT.authKeyLen]: 20 }), [
      KEY,
      AUTH_KEY,
    ]);
    await expectCreated(driver, longer, ERR, "with a key behind");
  });

  Deno.test(`Without room for an id no session is made, ${name}`, async () => {
    await using driver = await attach(negotiation, { maxSessions: 1 });
    const good = creation(layout, CHAIN);
    for (const room of [1, 8, 15]) {
      const answer = await send(driver, "control", withRoom(good, room));
      assertEquals(answer.usedLength, 0);
      assert(answer.bytes.every((byte) => byte === RAW_FILL));
    }
    await expectCreated(driver, good, OK, "the table is still empty");
  });
}
