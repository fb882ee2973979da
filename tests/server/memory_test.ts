import { assertEquals } from "@std/assert";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import { MAX_MEMORY_REGIONS } from "../../device/memory/guest_memory.ts";
import { Guest, MEMORY_AT } from "./guest.ts";
import { encryption } from "./guest_session.ts";
import { assertRefused } from "./raw_frontend.ts";
import { eventfdCount, sleep, TestServer, until } from "./test_server.ts";

const SIZE = 2 << 20;

Deno.test("rings and requests lie in several regions, at offsets of their files", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, {
    memory: [
      { guestAddress: 0x2_0000_0000, size: SIZE, mmapOffset: 0x3000 },
      { guestAddress: 0, size: SIZE },
      // Not a multiple of a page.
      { guestAddress: 0x10_0000_0000, size: SIZE, mmapOffset: 0x1_0040 },
    ],
  });
  const { memory } = guest.allocator;
  for (const region of memory.regions) {
    // A queue whose memory all lies in this region.
    guest.allocator = new GuestAllocator(memory);
    for (const { guestAddress, size } of memory.regions) {
      if (guestAddress < region.guestAddress) guest.allocator.alloc(size - 64);
    }
    const queue = await guest.start(0);
    queue.sizes = [256 << 10];
    await queue.run(await guest.session(), 8, 2);
    const { used } = queue.ring.guestAddresses;
    assertEquals(memory.regions[memory.find(used)], region);
    await queue.stop();
  }
});

Deno.test("a buffer may begin in one region and end in the next", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path, {
    memory: [
      { guestAddress: MEMORY_AT, size: SIZE },
      { guestAddress: MEMORY_AT + SIZE, size: SIZE, mmapOffset: 0x1000 },
    ],
  });
  const session = await guest.session();
  const queue = await guest.start(0);
  const { memory } = guest.allocator;
  const source = new Uint8Array(32).fill(5);
  const bytes = encryption(session.id, source);
  const at = MEMORY_AT + SIZE - 60;
  bytes.forEach((byte, i) => {
    const region = memory.find(at + i);
    memory.bytes[region]![memory.offsetIn(region, at + i)] = byte;
  });
  const answer = MEMORY_AT + 0x10_0000;
  queue.ring.add(
    [{ address: at, length: bytes.length }],
    [{ address: answer, length: 33 }],
    false,
  );
  queue.publish();
  await until("an answer", () => queue.ring.hasUsed());
  const region = memory.find(answer);
  assertEquals(
    memory.bytes[region]![memory.offsetIn(region, answer) + 32],
    0,
    "VIRTIO_CRYPTO_OK",
  );
});

Deno.test("regions come and go under load", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const loads = [
    (await guest.start(0)).load(session),
    (await guest.start(1)).load(session),
  ];
  const { frontend } = guest;
  for (let i = 0; i < 10; i++) {
    const region = await frontend.addMemory({
      guestAddress: 0x1_0000_0000,
      size: SIZE,
    });
    for (const load of loads) await load.progress(5);
    await frontend.removeMemory(region);
    for (const load of loads) await load.progress(5);
  }
  for (const load of loads) await load.end();
});

Deno.test("the memory table is replaced under load", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path, { mode: "device" });
  const control = await guest.start(2);
  const session = await guest.session(undefined, control);
  const loads = [
    (await guest.start(0)).load(session),
    (await guest.start(1)).load(session),
  ];
  for (let i = 0; i < 10; i++) {
    await guest.frontend.setMemTable(guest.frontend.shared.regions);
    for (const load of loads) await load.progress(5);
    await guest.session(undefined, control);
  }
  for (const load of loads) await load.end();
});

Deno.test("a ring whose memory goes away is broken, keeps its base, and serves again in new memory", async () => {
  await using server = new TestServer({ queues: 2 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const { frontend } = guest;
  const victim = await guest.start(0);
  await victim.run(session, 7);
  const shared = frontend.shared.regions[0]!;

  // Another ring in another region stays.
  await frontend.addMemory({ guestAddress: 0x1_0000_0000, size: SIZE });
  const inNew = new GuestAllocator(frontend.shared.memory);
  inNew.alloc(SIZE, 64);
  guest.allocator = inNew;
  const stays = guest.queue(1);
  await stays.start();
  await stays.run(session, 5);

  await frontend.remMemReg(shared);
  await until("ERR", () => eventfdCount(victim.fds.err) > 0);
  assertEquals(eventfdCount(stays.fds.err), 0);
  await stays.run(session, 5);
  assertEquals(await victim.stop(), 7);
  await frontend.addMemReg(shared, [shared.fd]);
  await victim.start(7);
  await victim.run(session, 5);
  await stays.run(session, 5);
});

Deno.test("a ring that is broken stays so when the memory changes", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 3);
  queue.breakRing();
  await until("ERR", () => eventfdCount(queue.fds.err) > 0);
  await guest.frontend.setMemTable(guest.frontend.shared.regions);
  // Were it served again, it would be found broken again.
  await sleep(20);
  assertEquals(eventfdCount(queue.fds.err), 0, "it is told once");
  assertEquals(await queue.stop(), 3);
});

Deno.test("as many regions as are said can be added, and no more", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const most = await frontend.getMaxMemSlots();
  assertEquals(most, MAX_MEMORY_REGIONS);
  const { fd } = frontend.shared.regions[0]!;
  const region = (i: number) => ({
    guestAddress: 0x1_0000_0000 + i * 0x1_0000,
    userAddress: 0x1000_0000_0000 + i * 0x1_0000,
    size: 0x1000,
    mmapOffset: 0,
  });
  for (let i = 1; i < most; i++) await frontend.addMemReg(region(i), [fd]);
  await assertRefused(frontend, () => frontend.addMemReg(region(most), [fd]));
  await frontend.remMemReg(region(5));
  await assertRefused(frontend, () => frontend.remMemReg(region(5)));
  await frontend.addMemReg(region(most), [fd]);
});

Deno.test("a region is removed by guest address, user address and size together", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const [region] = frontend.shared.regions;
  const { guestAddress, userAddress, size, mmapOffset, fd } = region!;
  const there = { guestAddress, userAddress, size, mmapOffset };
  for (
    const wrong of [
      { guestAddress: guestAddress + 0x1000 },
      { userAddress: userAddress + 0x1000 },
      { size: size - 0x1000 },
    ]
  ) {
    await assertRefused(
      frontend,
      () => frontend.remMemReg({ ...there, ...wrong }),
    );
  }
  // Some frontends send a descriptor along.
  await frontend.remMemReg({ ...there, mmapOffset: 0x5000 }, [fd]);
});
