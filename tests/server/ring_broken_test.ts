import { assertEquals } from "@std/assert";
import { guestBytes } from "../../device/driver/guest_view.ts";
import type { RingAddresses } from "../../device/driver/ring.ts";
import { Guest, MEMORY_AT } from "./guest.ts";
import type { GuestQueue } from "./guest_queue.ts";
import { eventfdCount, sleep, TestServer, until } from "./test_server.ts";

async function broken(queue: GuestQueue): Promise<void> {
  await until("the ERR signal", () => eventfdCount(queue.fds.err) > 0);
}

Deno.test("a broken ring signals its ERR descriptor, and other queues go on", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const [bad, good] = [await guest.start(0), await guest.start(1)];
  const load = good.load(session);
  await bad.run(session, 5);
  bad.breakRing();
  await broken(bad);
  await load.progress(50);
  await load.end();
  bad.kick();
  await sleep(10);
  assertEquals(eventfdCount(bad.fds.err), 0, "once");
  assertEquals(bad.usedIndex, 5);
});

Deno.test("a broken ring is stopped with its base, and served after a new set-up", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 5);
  queue.breakRing();
  await broken(queue);
  assertEquals(await queue.stop(), 5);
  queue.mendRing();
  await queue.start(5);
  await queue.run(session, 20);
});

Deno.test("a broken ring is served again after another kick descriptor", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 5);
  queue.breakRing();
  await broken(queue);
  queue.mendRing();
  await guest.frontend.setVringKick(0, queue.fds.kick);
  await queue.run(session, 20);
});

Deno.test("a head out of range breaks a ring", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const queue = await guest.start(0);
  const { available } = queue.ring.guestAddresses;
  queue.addRaw(new Uint8Array(100), 17);
  guestBytes(guest.allocator.memory, available + 4, 2).set([64, 0]);
  queue.publish();
  await broken(queue);
  assertEquals(queue.usedIndex, 0);
});

Deno.test("a broken control queue leaves data queues and sessions alone", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const control = await guest.start(1);
  const session = await guest.session(undefined, control);
  const queue = await guest.start(0);
  const load = queue.load(session);
  control.breakRing();
  await broken(control);
  await load.progress(50);
  assertEquals(await control.stop(), 1);
  control.mendRing();
  await control.start(1);
  await guest.session(undefined, control);
  await load.end();
});

Deno.test("a control queue that breaks behind good requests says so at once", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const control = await guest.start(1);
  control.addRaw(new Uint8Array(100), 17);
  control.addRaw(new Uint8Array(100), 17);
  const { available } = control.ring.guestAddresses;
  guestBytes(guest.allocator.memory, available + 4 + 2, 2).set([200, 0]);
  control.publish();
  await broken(control);
  assertEquals(control.usedIndex, 1);
});

const SIZES = [1, 2, 3, 5, 63, 32768, 32769, 65536, 0xffff_ffff];

for (const [mode, index] of [["cryptodev", 0], ["device", 1]] as const) {
  Deno.test(`sizes and addresses of a ${mode}'s ring ${index} are judged when it starts`, async () => {
    await using server = new TestServer({ queues: 1 });
    await using guest = await Guest.connect(server.path, {
      mode,
      memory: [
        { guestAddress: MEMORY_AT, size: 2 << 20 },
        { guestAddress: MEMORY_AT + (2 << 20), size: 2 << 20 },
      ],
    });
    const { frontend } = guest;
    const queue = guest.queue(index);
    const good = queue.ring.userAddresses;
    const [first, second] = frontend.shared.regions;
    const end = first!.userAddress + first!.size;
    const wrong: Partial<RingAddresses>[] = [
      { descriptor: good.descriptor + 8 },
      { available: good.available + 1 },
      { used: good.used + 2 },
      { descriptor: 0 },
      { available: 0xdead_0000 },
      // Guest addresses are not the frontend's.
      { ...queue.ring.guestAddresses },
      { descriptor: end - 16 },
      { available: end - 4 },
      { used: end - 8 },
      { used: second!.userAddress - 4 },
      { used: Number.MAX_SAFE_INTEGER - 3 },
    ];
    const attempt = async (size: number, addresses: RingAddresses) => {
      await frontend.setVringNum(index, size);
      await frontend.setVringBase(index, 0);
      await frontend.setVringAddr({ index, flags: 0, ...addresses });
      await frontend.setVringErr(index, queue.fds.err);
      await frontend.setVringKick(index, queue.fds.kick);
      await frontend.setVringEnable(index, true);
      const failed = eventfdCount(queue.fds.err) > 0;
      await frontend.getVringBase(index);
      await frontend.setVringEnable(index, false);
      return failed;
    };
    for (const addresses of wrong) {
      assertEquals(
        await attempt(64, { ...good, ...addresses }),
        true,
        JSON.stringify(addresses),
      );
    }
    for (const size of SIZES) {
      const legal = Number.isInteger(Math.log2(size)) && size <= 32768;
      assertEquals(await attempt(size, good), !legal, `size ${size}`);
    }
    // Of no entries: not a ring yet, and never served.
    await attempt(0, good);
    await queue.start();
    if (mode === "device") await guest.session(undefined, queue);
    else await queue.run(await guest.session(), 5);
  });
}
