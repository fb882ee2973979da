import { assertEquals, assertNotEquals } from "@std/assert";
import { encodeConfig } from "../../device/vhost_user/payload.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { assertRefused, negotiated, WITHOUT_ACK } from "./raw_frontend.ts";
import { TestServer } from "./test_server.ts";

const SIZE = 56;

Deno.test("the configuration space reads the same whole and by single fields", async () => {
  await using server = new TestServer({ queues: 5, maxSize: 0x12345 });
  await using frontend = await negotiated(server.path);
  const whole = (await frontend.getConfig(0, SIZE))!;
  assertEquals(whole.length, SIZE);
  const parts: number[] = [];
  // Words, then the last field, which has 64 bits.
  for (let at = 0; at < 48; at += 4) {
    parts.push(...(await frontend.getConfig(at, 4))!);
  }
  parts.push(...(await frontend.getConfig(48, 8))!);
  assertEquals(parts, [...whole]);
  for (let at = 0; at < SIZE; at++) {
    assertEquals((await frontend.getConfig(at, 1))?.[0], whole[at]);
  }
  const view = new DataView(whole.buffer, whole.byteOffset);
  assertEquals(view.getUint32(0, true), 1, "VIRTIO_CRYPTO_S_HW_READY");
  assertEquals(view.getUint32(4, true), 5, "max_dataqueues");
  assertNotEquals(view.getUint32(8, true), 0, "crypto_services");
  assertEquals(view.getBigUint64(48, true), 0x12345n, "max_size");
});

Deno.test("a read outside the configuration space is answered without bytes", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path);
  for (
    const [offset, size] of [
      [0, SIZE + 1],
      [SIZE, 1],
      [SIZE - 3, 4],
      [0xffff_ffff, 1],
      [0xffff_fff0, 32],
      [0, 256],
    ] as const
  ) {
    assertEquals(await frontend.getConfig(offset, size), undefined);
  }
  assertEquals((await frontend.getConfig(0, SIZE))?.length, SIZE);
});

Deno.test("the configuration space cannot be written", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path);
  const before = await frontend.getConfig(0, SIZE);
  await assertRefused(
    frontend,
    () => frontend.setConfig(0, new Uint8Array(4).fill(0xff)),
  );
  assertEquals(await frontend.getConfig(0, SIZE), before);
});

Deno.test("a guest that writes to the configuration space does not end its connection", async () => {
  await using server = new TestServer();
  await using frontend = await negotiated(server.path, WITHOUT_ACK);
  await frontend.send(
    p.VHOST_USER_SET_CONFIG,
    encodeConfig({ offset: 0, flags: 0, data: new Uint8Array(4) }),
  );
  assertEquals((await frontend.getConfig(0, 4))?.[0], 1);
});
