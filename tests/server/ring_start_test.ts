import { assertEquals } from "@std/assert";
import {
  encodeU64,
  encodeVringAddr,
  encodeVringState,
} from "../../device/vhost_user/payload.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { closeFds } from "../../device/vhost_user/socket.ts";
import { Guest } from "./guest.ts";
import type { GuestQueue } from "./guest_queue.ts";
import { assertRefused, negotiated } from "./raw_frontend.ts";
import { eventfdCount, pipe, sleep, TestServer, until } from "./test_server.ts";

/** Long enough for a ring to be served by mistake, in milliseconds. */
const A_WHILE = 30;

async function describe(queue: GuestQueue): Promise<void> {
  const { frontend } = queue.guest;
  const { index, ring } = queue;
  await frontend.setVringNum(index, ring.size);
  await frontend.setVringBase(index, ring.base);
  await frontend.setVringAddr({ index, flags: 0, ...ring.userAddresses });
}

Deno.test("a ring that is kicked before it has size and addresses starts when it has them", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = guest.queue(0);
  await guest.frontend.setVringKick(0, queue.fds.kick);
  await guest.frontend.setVringCall(0, queue.fds.call);
  queue.kick();
  queue.add(session);
  queue.publish();
  await sleep(A_WHILE);
  assertEquals(queue.usedIndex, 0);
  await describe(queue);
  await queue.drain();
  await queue.run(session, 20);
});

for (const index of [0, 1]) {
  Deno.test(`a device's ring ${index} is not served before it is enabled`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, { mode: "device" });
    const queue = guest.queue(index);
    await describe(queue);
    await guest.frontend.setVringCall(index, queue.fds.call);
    queue.addRaw(new Uint8Array(100), 17);
    queue.publish();
    await guest.frontend.setVringKick(index, queue.fds.kick);
    queue.kick();
    await sleep(A_WHILE);
    assertEquals(queue.usedIndex, 0);
    await guest.frontend.setVringEnable(index, true);
    await queue.drain();
  });
}

Deno.test("rings of a device without protocol features need not be enabled", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, {
    mode: "device",
    features: 1n << 32n,
  });
  const control = await guest.start(1);
  const session = await guest.session(undefined, control);
  const queue = await guest.start(0);
  await queue.run(session, 10);
});

for (const mode of ["device", "cryptodev"] as const) {
  Deno.test(`a ring of a ${mode} that is disabled and enabled again loses nothing`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, { mode });
    const control = mode === "device" ? await guest.start(1) : undefined;
    const session = await guest.session(undefined, control);
    const queue = await guest.start(0);
    for (let i = 0; i < 5; i++) {
      const load = queue.load(session);
      await load.progress(50);
      await guest.frontend.setVringEnable(0, false);
      await load.halt();
      queue.collect();
      const used = queue.usedIndex;
      while (queue.outstanding < 32 && queue.add(session));
      queue.ring.publish();
      queue.kick();
      await sleep(5);
      assertEquals(queue.usedIndex, used, "a disabled ring stands still");
      await guest.frontend.setVringEnable(0, true);
      await queue.drain();
    }
    assertEquals(queue.usedIndex, queue.availableIndex);
  });
}

Deno.test("the control queue can be disabled and enabled again", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const control = await guest.start(1);
  await guest.session(undefined, control);
  await guest.frontend.setVringEnable(1, false);
  const pending = guest.session(undefined, control);
  await sleep(A_WHILE);
  assertEquals(control.usedIndex, 1);
  await guest.frontend.setVringEnable(1, true);
  await pending;
});

Deno.test("an enable other than 0 and 1 is refused", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  await assertRefused(
    frontend,
    () =>
      frontend.channel.set(
        p.VHOST_USER_SET_VRING_ENABLE,
        encodeVringState({ index: 0, num: 2 }),
      ),
  );
});

Deno.test("a kick that is replaced while the ring is served is the one that counts", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  const load = queue.load(session);
  for (let i = 0; i < 20; i++) {
    const kick = guest.frontend.eventfd();
    await guest.frontend.setVringKick(0, kick);
    queue.fds = { ...queue.fds, kick };
    // What was kicked on the old one in between has to be found anyway.
    queue.kick();
    await load.progress(20);
  }
  await load.end();
});

for (const [mode, index] of [["cryptodev", 0], ["device", 1]] as const) {
  Deno.test(`a call that comes after the kick of a ${mode}'s ring is signalled once`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, { mode });
    const queue = await guest.start(index);
    const call = guest.frontend.eventfd();
    eventfdCount(queue.fds.call);
    await guest.frontend.setVringCall(index, call);
    await until("a signal", () => eventfdCount(call) === 1);
    await sleep(5);
    assertEquals(eventfdCount(call), 0);
    assertEquals(eventfdCount(queue.fds.call), 0, "the old one is silent");
  });
}

Deno.test("a call that is replaced under load loses no signal", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  for (let i = 0; i < 50; i++) {
    for (let n = 0; n < 16; n++) queue.add(session);
    queue.publish();
    const call = guest.frontend.eventfd();
    const replaced = guest.frontend.setVringCall(0, call);
    queue.fds = { ...queue.fds, call };
    await replaced;
    // Woken by signals of the new one only.
    await queue.drain(2000);
  }
});

Deno.test("a ring without a call is served, and signals nobody", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await guest.frontend.setVringCall(0, undefined);
  eventfdCount(queue.fds.call);
  for (let i = 0; i < 8; i++) queue.add(session);
  queue.publish();
  await until("answers", () => queue.usedIndex === 8);
  assertEquals(eventfdCount(queue.fds.call), 0);
  queue.collect();
});

Deno.test("a ring is not served without a kick", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  await assertRefused(
    guest.frontend,
    () => guest.frontend.setVringKick(0, undefined),
  );
});

for (const [mode, index] of [["cryptodev", 0], ["device", 1]] as const) {
  Deno.test(`a kick of a ${mode}'s ring ${index} may be a pipe, which may be closed`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, { mode });
    const queue = guest.queue(index);
    const [read, write] = pipe();
    queue.fds = { ...queue.fds, kick: write };
    await describe(queue);
    await guest.frontend.setVringCall(index, queue.fds.call);
    await guest.frontend.setVringKick(index, read);
    await guest.frontend.setVringEnable(index, true);
    for (let i = 0; i < 3; i++) {
      await queue.exchange(new Uint8Array(100), 17);
    }
    closeFds([read, write]);
    await sleep(5);
    await guest.frontend.getFeatures();
  });
}

Deno.test("a ring that does not exist is refused by every message", async () => {
  await using server = new TestServer({ queues: 2 });
  await using frontend = await negotiated(server.path);
  const fd = frontend.eventfd();
  for (const index of [3, 255, 256, 0x1_0000, 0xffff_ffff]) {
    const state = encodeVringState({ index, num: 1 });
    for (
      const request of [
        p.VHOST_USER_SET_VRING_NUM,
        p.VHOST_USER_SET_VRING_BASE,
        p.VHOST_USER_SET_VRING_ENABLE,
      ]
    ) {
      await assertRefused(frontend, () => frontend.channel.set(request, state));
    }
    const address = { index, flags: 0, descriptor: 0, used: 0, available: 0 };
    await assertRefused(
      frontend,
      () =>
        frontend.channel.set(
          p.VHOST_USER_SET_VRING_ADDR,
          encodeVringAddr(address),
        ),
    );
    for (
      const request of [
        p.VHOST_USER_SET_VRING_KICK,
        p.VHOST_USER_SET_VRING_CALL,
        p.VHOST_USER_SET_VRING_ERR,
      ]
    ) {
      // In 8 bits 256 would be ring 0 without a descriptor.
      await assertRefused(
        frontend,
        () => frontend.channel.set(request, encodeU64(BigInt(index)), [fd]),
      );
    }
  }
});

Deno.test("a file that is no notification is refused", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const file = frontend.shared.regions[0]!.fd;
  await assertRefused(frontend, () => frontend.setVringKick(0, file));
  await assertRefused(frontend, () => frontend.setVringCall(0, file));
  await assertRefused(frontend, () => frontend.setVringErr(0, file));
});
