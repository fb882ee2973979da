import { assert, assertEquals } from "@std/assert";
import { encodeU64 } from "../../device/vhost_user/payload.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { Guest } from "./guest.ts";
import { CBC_INFO, encryption } from "./guest_session.ts";
import { assertRefused } from "./raw_frontend.ts";
import { TestServer } from "./test_server.ts";

const KEY = new Uint8Array(16).fill(3);

Deno.test("an unknown session is refused to who waits for an answer", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const session = await guest.session();
  for (
    const id of [
      0n,
      1n << 63n,
      (1n << 64n) - 1n,
      session.id + 1n,
      session.id + (1n << 32n),
      session.id & 0xffff_ffffn,
    ]
  ) {
    await assertRefused(frontend, () => frontend.closeCryptoSession(id));
  }
  const queue = await guest.start(0);
  await queue.run(session, 3);
  await frontend.closeCryptoSession(session.id);
  await assertRefused(frontend, () => frontend.closeCryptoSession(session.id));
});

for (
  const [flags, what] of [
    [1, "who does not wait"],
    [9, "who waits without REPLY_ACK"],
  ] as const
) {
  Deno.test(`closing an unknown session ends no connection, of ${what}`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, {
      protocolFeatures: 1n << BigInt(p.VHOST_USER_PROTOCOL_F_CRYPTO_SESSION),
    });
    const { frontend } = guest;
    const close = (id: bigint) =>
      frontend.send(
        p.VHOST_USER_CLOSE_CRYPTO_SESSION,
        encodeU64(id),
        [],
        flags,
      );
    for (const id of [0n, 0xdead_beefn, (1n << 64n) - 1n]) await close(id);
    // Nothing else was answered.
    await frontend.getFeatures();
    const session = await guest.session();
    await close(session.id);
    const queue = await guest.start(0);
    const bytes = encryption(session.id, new Uint8Array(16));
    assertEquals((await queue.exchange(bytes, 17)).at(-1), 4, "INVSESS");
  });
}

Deno.test("a session message that asks for what there is not is refused by its answer", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const none = new Uint8Array();
  for (const size of [632, 1072] as const) {
    for (
      const wrong of [
        { keyLength: 65 },
        { keyLength: 0xffff_ffff },
        { keyLength: 0 },
        { keyLength: 17 },
        { authKeyLength: 513 },
        { authKeyLength: 0xffff_ffff },
        { opType: 0 },
        { opType: 7 },
        { direction: 0 },
        { direction: 3 },
        { cipherAlgo: 0 },
        { cipherAlgo: 64 },
      ]
    ) {
      const info = { ...CBC_INFO, ...wrong };
      const id = await frontend.createCryptoSession(info, KEY, none, size);
      assert(id < 0n, JSON.stringify(wrong));
    }
  }
  await frontend.getFeatures();
});

Deno.test("an answer to a session message is the message with the id filled in", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const payload = new Uint8Array(1072).fill(0x77);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, 2n, true);
  view.setUint32(8, CBC_INFO.cipherAlgo, true);
  view.setUint32(12, CBC_INFO.keyLength, true);
  view.setUint32(24, 0, true);
  payload.set([1, 1, 0, 0], 32);
  await guest.frontend.send(
    p.VHOST_USER_CREATE_CRYPTO_SESSION,
    payload,
    [],
    9,
  );
  const reply = await guest.frontend.receive();
  assertEquals([reply.request, reply.flags], [26, 5]);
  const id = new DataView(reply.payload.buffer).getBigInt64(1064, true);
  assert(id > 0n);
  assertEquals(reply.payload.subarray(0, 1064), payload.subarray(0, 1064));
  // Answered once, by its payload: the next reply is the next request's.
  assertEquals(await guest.frontend.getQueueNum(), 2);
});

Deno.test("as many sessions as are allowed can be made, and again after they ended", async () => {
  await using server = new TestServer({ maxSessions: 20 });
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  for (let round = 0; round < 3; round++) {
    const ids: bigint[] = [];
    for (let i = 0; i < 20; i++) ids.push((await guest.session()).id);
    assertEquals(new Set(ids).size, 20);
    assert(await frontend.createCryptoSession(CBC_INFO, KEY) < 0n);
    for (const id of ids) await frontend.closeCryptoSession(id);
  }
});

Deno.test("sessions come and go under load", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const load = (await guest.start(0)).load(await guest.session());
  for (let i = 0; i < 100; i++) {
    const session = await guest.session(KEY);
    await guest.frontend.closeCryptoSession(session.id);
  }
  await load.end();
});
