import { assertEquals, assertNotEquals } from "@std/assert";
import { eventfdCount, TestServer, until } from "./test_server.ts";
import { CRYPTODEV_FEATURES, DEVICE_FEATURES, Guest } from "./guest.ts";
import type { GuestQueue } from "./guest_queue.ts";
import { CBC_INFO, type GuestSession } from "./guest_session.ts";

Deno.test("a device serves its data queues and its control queue", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const control = await guest.start(2);
  const session = await guest.session(undefined, control);
  for (const index of [0, 1]) {
    const queue = await guest.start(index);
    await queue.run(session, 100);
    assertEquals(queue.completed, 100);
  }
});

Deno.test("a cryptodev's last queue is a data queue, served from its first use", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  assertEquals(guest.frontend.features, CRYPTODEV_FEATURES);
  const session = await guest.session();
  const [statistics] = server.server.statistics;
  assertEquals(statistics?.length, 2, "no worker for a queue nobody uses");
  for (const index of [2, 0, 1]) {
    const queue = await guest.start(index);
    await queue.run(session, 50);
    assertEquals(queue.completed, 50);
  }
  assertEquals(server.server.statistics[0]?.length, 3);
});

Deno.test("a cryptodev's rings start without being enabled", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = guest.queue(0);
  const { frontend } = guest;
  await frontend.setVringNum(0, queue.ring.size);
  await frontend.setVringBase(0, 0);
  await frontend.setVringAddr({
    index: 0,
    flags: 0,
    ...queue.ring.userAddresses,
  });
  await frontend.setVringKick(0, queue.fds.kick);
  await frontend.setVringCall(0, queue.fds.call);
  await queue.run(session, 20);
});

Deno.test("a cryptodev keeps avail_event, which the guest may have negotiated", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 32, 8);
  await until("avail_event", () => queue.availEvent === queue.availableIndex);
  assertEquals(queue.availEvent, 32);
});

Deno.test("a cryptodev signals whatever used_event says, but not against the flag", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 4);
  await until("avail_event", () => queue.availEvent === 4);
  eventfdCount(queue.fds.call);
  // used_event lies just behind, as of a guest that wants to hear nothing.
  queue.ring.disableInterrupts();
  queue.add(session);
  queue.publish();
  await until("an answer", () => queue.ring.hasUsed());
  await until("a signal", () => eventfdCount(queue.fds.call) > 0);
  queue.collect();

  queue.availableFlags = 1;
  queue.add(session);
  queue.publish();
  // Sleeping again, it has done all that it does for that request.
  await until("avail_event", () => queue.availEvent === 6);
  assertEquals(eventfdCount(queue.fds.call), 0);
  queue.availableFlags = 0;
  await queue.run(session, 4);
});

/** Checks that no signal comes where used_event says that none is wanted. */
async function assertUnsignalled(
  queue: GuestQueue,
  session: GuestSession,
): Promise<void> {
  await queue.run(session, 4);
  await until("avail_event", () => queue.availEvent === 4);
  eventfdCount(queue.fds.call);
  queue.ring.disableInterrupts();
  queue.add(session);
  queue.publish();
  await until("avail_event", () => queue.availEvent === 5);
  assertEquals(eventfdCount(queue.fds.call), 0);
}

Deno.test("a device with EVENT_IDX signals when used_event is reached, and not before", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const control = await guest.start(1);
  const session = await guest.session(undefined, control);
  const queue = await guest.start(0);
  await assertUnsignalled(queue, session);
  assertEquals(queue.ring.enableInterrupts(), true);
  queue.collect();
  queue.ring.enableInterrupts();
  queue.add(session);
  queue.publish();
  await until("a signal", () => eventfdCount(queue.fds.call) > 0);
});

Deno.test("a cryptodev signals by used_event where its frontend set EVENT_IDX", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, {
    features: DEVICE_FEATURES,
  });
  const session = await guest.session();
  const queue = await guest.start(0);
  await assertUnsignalled(queue, session);
});

for (const size of [632, 1072] as const) {
  Deno.test(`a session message of ${size} bytes makes and ends a session`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path);
    const { frontend } = guest;
    const key = new Uint8Array(16).fill(7);
    const none = new Uint8Array();
    const id = await frontend.createCryptoSession(CBC_INFO, key, none, size);
    assertNotEquals(id, 0n);
    assertEquals(id > 0n, true, `an id that QEMU takes: ${id}`);
    const queue = await guest.start(0);
    await queue.run({ id, key }, 10);
    const refused = await frontend.createCryptoSession(
      { ...CBC_INFO, cipherAlgo: 999 },
      key,
      none,
      size,
    );
    assertEquals(refused < 0n, true);
    await frontend.closeCryptoSession(id);
    const answer = await queue.exchange(new Uint8Array(72 + 16 + 16), 17);
    assertEquals(answer.at(-1), 4, "VIRTIO_CRYPTO_INVSESS");
  });
}
