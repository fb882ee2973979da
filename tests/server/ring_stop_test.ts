import { assert, assertEquals } from "@std/assert";
import { Guest } from "./guest.ts";
import type { GuestQueue } from "./guest_queue.ts";
import { encryption, type GuestSession } from "./guest_session.ts";
import { TestServer } from "./test_server.ts";

/** VIRTIO_CRYPTO_INVSESS */
const INVSESS = 4;

/** The status of one request. */
async function statusOf(
  queue: GuestQueue,
  session: GuestSession,
): Promise<number | undefined> {
  const bytes = encryption(session.id, new Uint8Array(16));
  return (await queue.exchange(bytes, 17)).at(-1);
}

for (const mode of ["device", "cryptodev"] as const) {
  Deno.test(`a ring of a ${mode} that is stopped under load loses and repeats nothing`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, { mode });
    const control = mode === "device" ? await guest.start(1) : undefined;
    const session = await guest.session(undefined, control);
    const queue = await guest.start(0);
    for (let i = 0; i < 10; i++) {
      const load = queue.load(session, 32);
      await load.progress(40);
      const base = await queue.stop();
      assertEquals(base, queue.usedIndex, "what is not answered is not taken");
      await load.halt();
      assertEquals(queue.usedIndex, base, "a stopped ring stands still");
      queue.collect();
      const outstanding = (queue.availableIndex - base) & 0xffff;
      assertEquals(queue.outstanding, outstanding);
      await queue.start(base);
      await queue.drain();
    }
  });
}

Deno.test("a request that is larger than a round is given up for a stop, and repeated", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, {
    memory: [{ guestAddress: 0, size: 64 << 20 }],
  });
  const session = await guest.session();
  const queue = await guest.start(0);
  queue.sizes = [4 << 20];
  queue.add(session);
  queue.add(session);
  queue.publish();
  const base = await queue.stop();
  assert(base <= 2);
  assertEquals(queue.usedIndex, base);
  await queue.start(base);
  await queue.drain();
  assertEquals(queue.completed, 2);
});

Deno.test("a ring goes on where its base and its used index say", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  for (const start of [1, 63, 0x7fff, 0xfff0, 0xffff]) {
    const queue = guest.queue(0, 64, start);
    await queue.start();
    // What a base that moved does to sessions is another test's.
    const session = await guest.session();
    await queue.run(session, 40);
    assertEquals(await queue.stop(), (start + 40) & 0xffff);
    assertEquals(queue.usedIndex, (start + 40) & 0xffff);
  }
});

Deno.test("a base is answered by a ring that was never started", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  assertEquals(await frontend.getVringBase(0), 0);
  await frontend.setVringBase(0, 77);
  assertEquals(await frontend.getVringBase(0), 77);
  assertEquals(await frontend.getVringBase(0), 77, "and again");
});

Deno.test("a ring that is stopped is served again only after a kick descriptor came", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 3);
  const base = await queue.stop();
  const { ring } = queue;
  const { frontend } = guest;
  await frontend.setVringNum(0, ring.size);
  await frontend.setVringBase(0, base);
  await frontend.setVringAddr({ index: 0, flags: 0, ...ring.userAddresses });
  await frontend.setVringEnable(0, true);
  queue.add(session);
  queue.publish();
  queue.kick();
  assertEquals(await frontend.getVringBase(0), base);
  assertEquals(queue.usedIndex, base);
});

Deno.test("sessions survive a stop and a start of all rings", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queues = [await guest.start(0), await guest.start(1)];
  for (let i = 0; i < 3; i++) {
    for (const queue of queues) await queue.run(session, 10);
    const bases: number[] = [];
    for (const queue of queues) bases.push(await queue.stop());
    for (const [n, queue] of queues.entries()) await queue.start(bases[n]!);
  }
  for (const queue of queues) await queue.run(session, 10);
});

Deno.test("sessions end when a guest starts over where its rings never were", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queues = [await guest.start(0), await guest.start(1)];
  for (const queue of queues) await queue.run(session, 10);
  for (const queue of queues) await queue.stop();
  for (const index of [0, 1]) {
    const queue = guest.queue(index);
    await queue.start(0);
    assertEquals(await statusOf(queue, session), INVSESS);
    await queue.run(await guest.session(), 5);
  }
});

Deno.test("a base that moves while another ring runs ends no session", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const running = await guest.start(0);
  const queue = await guest.start(1);
  await queue.run(session, 10);
  await queue.stop();
  const fresh = guest.queue(1);
  await fresh.start(0);
  await fresh.run(session, 5);
  await running.run(session, 5);
});

Deno.test("SET_VRING_NUM and SET_VRING_BASE do not change a ring that is served", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  const { frontend } = guest;
  const refusals = [
    () => frontend.setVringNum(0, 8),
    () => frontend.setVringBase(0, 8),
  ];
  for (const refusal of refusals) {
    let refused = false;
    await refusal().catch(() => refused = true);
    assert(refused);
  }
  await queue.run(session, 5);
});

Deno.test("SET_VRING_ADDR moves a ring while it is served", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  const load = queue.load(session);
  for (let i = 0; i < 20; i++) {
    await guest.frontend.setVringAddr({
      index: 0,
      flags: i & 1,
      ...queue.ring.userAddresses,
    });
    await load.progress(10);
  }
  await load.end();
});

for (
  const [what, mode] of [["RESET_DEVICE", "device"], [
    "RESET_DEVICE",
    "cryptodev",
  ], ["status 0", "device"]] as const
) {
  Deno.test(`${what} stops a ${mode} and ends its sessions`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path, { mode });
    const control = mode === "device" ? await guest.start(1) : undefined;
    const session = await guest.session(undefined, control);
    const queue = await guest.start(0);
    const load = queue.load(session);
    await load.progress(20);
    const { frontend } = guest;
    if (mode === "device") await frontend.setStatus(15);
    if (what === "status 0") await frontend.setStatus(0);
    else await frontend.resetDevice();
    const used = queue.usedIndex;
    await load.halt();
    assertEquals(queue.usedIndex, used, "all rings have stopped");
    if (mode === "device") assertEquals(await frontend.getStatus(), 0);
    assertEquals(await frontend.getVringBase(0), 0, "as at the beginning");

    const again = mode === "device" ? guest.queue(1) : undefined;
    await again?.start();
    const fresh = guest.queue(0);
    await fresh.start();
    assertEquals(await statusOf(fresh, session), INVSESS);
    await fresh.run(await guest.session(undefined, again), 10);
  });
}

Deno.test("a session made between a reset and the first start of a ring lives", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const old = await guest.start(0);
  await old.run(await guest.session(), 10);
  assertEquals(await old.stop(), 10);
  await guest.frontend.resetDevice();
  const session = await guest.session();
  const queue = guest.queue(0);
  await queue.start(0);
  await queue.run(session, 10);
});

Deno.test("RESET_OWNER stops all rings, which can be started again", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 10);
  await guest.frontend.resetOwner();
  queue.add(session);
  queue.publish();
  queue.kick();
  assertEquals(await guest.frontend.getVringBase(0), 10);
  await queue.start(10);
  await queue.drain();
});
