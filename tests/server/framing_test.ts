import { assertEquals, assertRejects } from "@std/assert";
import { BackendTimeoutError } from "../../device/driver/vhost_user_channel.ts";
import { createEventfd } from "../../device/host/eventfd.ts";
import { encodeMessage } from "../../device/vhost_user/encode.ts";
import { encodeU64 } from "../../device/vhost_user/payload.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { requestRule } from "../../device/vhost_user/requests.ts";
import { closeFds, SocketIo } from "../../device/vhost_user/socket.ts";
import { assertClosed, connect, negotiated } from "./raw_frontend.ts";
import { noMoreFdsThan, sleep, TestServer, until } from "./test_server.ts";

const NOTHING = new Uint8Array();
const U64 = new Uint8Array(8);

/** A message whose fields are not what they should be. */
function altered(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

/** Bytes that are no message. */
const WRONG: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "of version 0": encodeMessage(1, 0, NOTHING),
  "of version 2": encodeMessage(1, 2, NOTHING),
  "of version 3": encodeMessage(1, 3, NOTHING),
  "that says it is a reply": encodeMessage(1, 5, NOTHING),
  "with a reserved flag": encodeMessage(1, 0x11, NOTHING),
  "of request 0": encodeMessage(0, 1, NOTHING),
  "of request 46": encodeMessage(46, 1, NOTHING),
  "of request 2^32-1": encodeMessage(0xffff_ffff, 1, NOTHING),
  "with a payload it cannot have": encodeMessage(1, 1, U64),
  "without the payload it must have": encodeMessage(2, 1, NOTHING),
  "with 4 bytes instead of 8": encodeMessage(2, 1, new Uint8Array(4)),
  "that says 4 GiB follow": altered(encodeMessage(2, 1, U64), 8, 0xffff_ffff),
  "with more memory regions than bytes": altered(
    encodeMessage(p.VHOST_USER_SET_MEM_TABLE, 1, new Uint8Array(8 + 32)),
    12,
    2,
  ),
  "with 9 memory regions": altered(
    encodeMessage(p.VHOST_USER_SET_MEM_TABLE, 1, new Uint8Array(8 + 9 * 32)),
    12,
    9,
  ),
  "with more configuration than bytes": altered(
    encodeMessage(p.VHOST_USER_GET_CONFIG, 1, new Uint8Array(12 + 4)),
    16,
    5,
  ),
  "of the size of neither session message": encodeMessage(
    p.VHOST_USER_CREATE_CRYPTO_SESSION,
    1,
    new Uint8Array(700),
  ),
};

Deno.test("a message that is none closes the connection, and the next one is served", async (t) => {
  await using server = new TestServer();
  const before = await server.openFds();
  for (const [what, bytes] of Object.entries(WRONG)) {
    await t.step(what, async () => {
      const frontend = await negotiated(server.path);
      await frontend.channel.sendBytes(bytes);
      await assertClosed(frontend, server.path);
    });
  }
  await noMoreFdsThan(before);
});

Deno.test("a message may come in any number of pieces", async () => {
  await using server = new TestServer();
  await using frontend = await connect(server.path);
  const message = encodeMessage(p.VHOST_USER_SET_FEATURES, 1, encodeU64(0n));
  for (const size of [1, 5, 11, 12, 13, 19]) {
    for (let at = 0; at < message.length; at += size) {
      await frontend.channel.sendBytes(message.slice(at, at + size));
      await sleep(1);
    }
    await frontend.getFeatures();
  }
});

Deno.test("several messages may come at once", async () => {
  await using server = new TestServer();
  await using frontend = await connect(server.path);
  const one = encodeMessage(p.VHOST_USER_GET_FEATURES, 1, NOTHING);
  const many = new Uint8Array(new ArrayBuffer(200 * one.length));
  for (let i = 0; i < 200; i++) many.set(one, i * one.length);
  await frontend.channel.sendBytes(many);
  for (let i = 0; i < 200; i++) {
    assertEquals((await frontend.receive()).request, 1);
  }
});

Deno.test("a frontend may close anywhere in a message", async () => {
  await using server = new TestServer();
  const message = encodeMessage(p.VHOST_USER_SET_FEATURES, 1, encodeU64(0n));
  const before = await server.openFds();
  for (let size = 1; size < message.length; size += 3) {
    const frontend = await negotiated(server.path);
    const fd = frontend.eventfd();
    await frontend.channel.sendBytes(message.slice(0, size), [fd]);
    await frontend.close();
  }
  const next = await connect(server.path);
  await next.getFeatures();
  await next.close();
  await noMoreFdsThan(before);
});

Deno.test("a frontend that does not read its replies is given up", async () => {
  await using server = new TestServer();
  const frontend = await negotiated(server.path);
  const io = new SocketIo();
  const { fd } = frontend.channel;
  const message = encodeMessage(p.VHOST_USER_GET_FEATURES, 1, NOTHING);
  await until("the connection to be closed", () => {
    for (let i = 0; i < 200; i++) {
      if (io.send(fd, message) === "broken") return true;
    }
    return false;
  });
  await frontend.close();
  await using next = await connect(server.path);
  await next.getFeatures();
  assertEquals(
    server.log.some((line) => line.includes("does not read its replies")),
    true,
  );
});

Deno.test("an incomplete message keeps nobody from being served later", async () => {
  await using server = new TestServer();
  const frontend = await connect(server.path);
  await frontend.channel.sendBytes(new Uint8Array(new ArrayBuffer(5)).fill(1));
  await assertRejects(() => frontend.receive(20), BackendTimeoutError);
  await frontend.close();
  await using next = await connect(server.path);
  await next.getFeatures();
});

/** A payload of a size that a request can have. */
function payloadOf(request: number): Uint8Array<ArrayBuffer> {
  const sizes = requestRule(request)?.sizes ?? [0];
  const size = "least" in sizes ? sizes.least : sizes[0]!;
  return new Uint8Array(new ArrayBuffer(size));
}

for (const count of [1, 8, 32]) {
  Deno.test(`no request leaks what comes with ${count} descriptors`, async () => {
    await using server = new TestServer();
    const before = await server.openFds();
    const fds = Array.from({ length: count }, () => createEventfd());
    for (let request = 0; request < 47; request++) {
      const frontend = await negotiated(server.path);
      const message = encodeMessage(request, 9, payloadOf(request));
      await frontend.channel.sendBytes(message, fds);
      // Answered, refused or closed: whatever comes, the next one is served.
      await frontend.receive(50).catch(() => {});
      await frontend.close();
    }
    closeFds(fds);
    await noMoreFdsThan(before);
  });
}

for (
  const request of [
    p.VHOST_USER_GET_INFLIGHT_FD,
    p.VHOST_USER_SET_INFLIGHT_FD,
    p.VHOST_USER_SET_LOG_BASE,
    p.VHOST_USER_SET_LOG_FD,
    p.VHOST_USER_SET_BACKEND_REQ_FD,
    p.VHOST_USER_SET_DEVICE_STATE_FD,
  ]
) {
  Deno.test(`${requestRule(request)!.name} is refused two thousand times without a leak`, async () => {
    await using server = new TestServer();
    const before = await server.openFds();
    const frontend = await negotiated(server.path);
    const fd = frontend.eventfd();
    const payload = payloadOf(request).fill(0xff);
    for (let i = 0; i < 2000; i += 50) {
      for (let n = 0; n < 50; n++) {
        await frontend.send(request, payload, [fd], 9);
      }
      for (let n = 0; n < 50; n++) {
        const reply = await frontend.receive();
        assertEquals([reply.request, reply.payload[0]], [request, 1]);
        closeFds(reply.fds);
      }
    }
    await frontend.close();
    await noMoreFdsThan(before);
  });
}
