import { assertEquals } from "@std/assert";
import { encodeU64 } from "../../device/vhost_user/payload.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { Guest } from "./guest.ts";
import {
  assertClosed,
  assertRefused,
  connect,
  negotiated,
  WITHOUT_ACK,
} from "./raw_frontend.ts";
import { TestServer } from "./test_server.ts";

function bits(...numbers: number[]): bigint {
  return numbers.reduce((sum, n) => sum | 1n << BigInt(n), 0n);
}

Deno.test("a backend offers what is documented and nothing else", async () => {
  await using server = new TestServer();
  await using frontend = await connect(server.path);
  const features = await frontend.getFeatures();
  for (const bit of [28, 29, 30, 32]) {
    assertEquals(features >> BigInt(bit) & 1n, 1n, `feature ${bit}`);
  }
  // LOG_ALL, ACCESS_PLATFORM, RING_RESET
  for (const bit of [26, 33, 40]) {
    assertEquals(features >> BigInt(bit) & 1n, 0n, `feature ${bit}`);
  }
  assertEquals(
    await frontend.getProtocolFeatures(),
    bits(
      p.VHOST_USER_PROTOCOL_F_MQ,
      p.VHOST_USER_PROTOCOL_F_REPLY_ACK,
      p.VHOST_USER_PROTOCOL_F_CRYPTO_SESSION,
      p.VHOST_USER_PROTOCOL_F_CONFIG,
      p.VHOST_USER_PROTOCOL_F_RESET_DEVICE,
      p.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS,
      p.VHOST_USER_PROTOCOL_F_STATUS,
    ),
  );
});

Deno.test("a feature that is not offered is refused, and nothing of it is taken", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path);
  const offered = await frontend.getFeatures();
  for (let bit = 0n; bit < 64n; bit++) {
    if (offered >> bit & 1n) continue;
    await assertRefused(frontend, () => frontend.setFeatures(1n << bit));
  }
  await frontend.setFeatures(offered);
});

Deno.test("a feature that is not offered ends a connection that waits for no answer", async () => {
  await using server = new TestServer();
  const frontend = await negotiated(server.path, WITHOUT_ACK);
  await frontend.setFeatures(1n << 26n);
  await assertClosed(frontend, server.path);
});

Deno.test("a protocol feature that is not offered is refused", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path);
  const offered = await frontend.getProtocolFeatures();
  for (let bit = 0n; bit < 64n; bit++) {
    if (offered >> bit & 1n) continue;
    await assertRefused(
      frontend,
      () => frontend.setProtocolFeatures(offered | 1n << bit),
    );
  }
});

Deno.test("features may be set by a frontend that never asked for them", async () => {
  await using server = new TestServer();
  await using frontend = await connect(server.path);
  await frontend.setProtocolFeatures(
    bits(
      p.VHOST_USER_PROTOCOL_F_REPLY_ACK,
      p.VHOST_USER_PROTOCOL_F_CONFIG,
    ),
  );
  await frontend.setFeatures(bits(30, 32));
  assertEquals((await frontend.getConfig(0, 4))?.length, 4);
});

Deno.test("a need_reply flag without REPLY_ACK brings no acknowledgement", async () => {
  await using server = new TestServer();
  await using frontend = await connect(server.path);
  await frontend.send(p.VHOST_USER_SET_OWNER, undefined, undefined, 9);
  await frontend.send(
    p.VHOST_USER_SET_FEATURES,
    encodeU64(1n << 32n),
    undefined,
    9,
  );
  // The next reply is that of the next request.
  assertEquals(await frontend.getFeatures() >> 32n & 1n, 1n);
});

Deno.test("a request with a reply of its own is not acknowledged as well", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path);
  await frontend.send(p.VHOST_USER_GET_QUEUE_NUM, undefined, undefined, 9);
  const { request, flags, payload } = await frontend.receive();
  assertEquals([request, flags, payload.length], [
    p.VHOST_USER_GET_QUEUE_NUM,
    5,
    8,
  ]);
  assertEquals(await frontend.getStatus(), 0);
});

Deno.test("the numbers of queues and of memory slots are as documented", async () => {
  await using server = new TestServer({ queues: 3 });
  await using frontend = await negotiated(server.path);
  assertEquals(await frontend.getQueueNum(), 4, "data queues and control");
  assertEquals(await frontend.getMaxMemSlots(), 64);
});

Deno.test("the status is what was set, and one above 8 bits is refused", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path);
  for (const status of [1, 3, 11, 15, 0xff]) {
    await frontend.setStatus(status);
    assertEquals(await frontend.getStatus(), status);
  }
  await assertRefused(frontend, () => frontend.setStatus(0x100));
  assertEquals(await frontend.getStatus(), 0xff);
  await frontend.setStatus(0);
  assertEquals(await frontend.getStatus(), 0);
});

Deno.test("the mode cannot be changed under a ring that is served", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const { frontend } = guest;
  const control = await guest.start(1);
  const session = await guest.session(undefined, control);
  await assertRefused(
    frontend,
    () =>
      frontend.setProtocolFeatures(
        frontend.protocolFeatures & ~bits(p.VHOST_USER_PROTOCOL_F_CONFIG),
      ),
  );
  assertEquals(await control.stop(), 1, "the control queue's own base");
  await control.start(1);
  const queue = await guest.start(0);
  await queue.run(session, 4);
  // What changes nothing of that is taken.
  await frontend.setProtocolFeatures(
    frontend.protocolFeatures & ~bits(p.VHOST_USER_PROTOCOL_F_STATUS),
  );
});
