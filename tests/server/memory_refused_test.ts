import { cString, libc } from "../../device/host/libc.ts";
import type { MemRegion } from "../../device/vhost_user/payload.ts";
import { closeFd } from "../../device/vhost_user/socket.ts";
import { Guest, MEMORY_AT } from "./guest.ts";
import { assertClosed, assertRefused, WITHOUT_ACK } from "./raw_frontend.ts";
import { TestServer } from "./test_server.ts";

const SIZE = 2 << 20;
const GOOD: MemRegion = {
  guestAddress: 0x1_0000_0000,
  userAddress: 0x1000_0000_0000,
  size: SIZE,
  mmapOffset: 0,
};

/** Regions that cannot be mapped, whatever else there is. */
const WRONG: Readonly<Record<string, Partial<MemRegion>>> = {
  "of 0 bytes": { size: 0 },
  "longer than its file": { size: SIZE + 0x1000 },
  "one byte longer than its file": { size: SIZE + 1 },
  "beyond the end of its file": { mmapOffset: 0x1000 },
  "far beyond the end of its file": { mmapOffset: 2 ** 40 },
  "of 2^50 bytes": { size: 2 ** 50 },
  "of 2^60 bytes": { size: 2 ** 60 },
  "whose guest addresses wrap": { guestAddress: 2 ** 64 - 0x1000 },
  "whose user addresses wrap": { userAddress: 2 ** 64 - 0x1000 },
  "whose offset wraps": { mmapOffset: 2 ** 64 - 0x1000 },
};

/** Encoded by hand: these numbers are too large for the encoder to be exact. */
async function add(guest: Guest, region: MemRegion): Promise<void> {
  const { frontend } = guest;
  await frontend.addMemReg(region, [frontend.shared.regions[0]!.fd]);
}

for (const [what, wrong] of Object.entries(WRONG)) {
  Deno.test(`a region ${what} is refused, and all goes on in the old memory`, async () => {
    await using server = new TestServer();
    await using guest = await Guest.connect(server.path);
    const { frontend } = guest;
    const session = await guest.session();
    const queue = await guest.start(0);
    const region = { ...GOOD, ...wrong };
    const { fd } = frontend.shared.regions[0]!;
    await assertRefused(frontend, () => add(guest, region));
    await queue.run(session, 3);
    await assertRefused(frontend, () => frontend.setMemTable([region], [fd]));
    await assertRefused(
      frontend,
      () => frontend.setMemTable([GOOD, region], [fd, fd]),
    );
    await queue.run(session, 3);
  });
}

Deno.test("a region that cannot be mapped ends a connection that waits for no answer", async () => {
  await using server = new TestServer();
  const guest = await Guest.connect(server.path, {
    protocolFeatures: WITHOUT_ACK & ~(1n << 9n),
  });
  await add(guest, { ...GOOD, size: SIZE + 0x1000 });
  await assertClosed(guest.frontend, server.path);
});

Deno.test("regions that overlap are refused", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const { fd } = frontend.shared.regions[0]!;
  const session = await guest.session();
  const queue = await guest.start(0);
  for (
    const guestAddress of [
      MEMORY_AT,
      MEMORY_AT + SIZE - 0x1000,
      MEMORY_AT - SIZE + 0x1000,
    ]
  ) {
    await assertRefused(frontend, () => add(guest, { ...GOOD, guestAddress }));
  }
  await assertRefused(
    frontend,
    () =>
      frontend.setMemTable([
        GOOD,
        { ...GOOD, guestAddress: GOOD.guestAddress + 0x1000 },
      ], [fd, fd]),
  );
  await queue.run(session, 3);
});

Deno.test("a memory table without regions, or with another number of files, is refused", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const { fd } = frontend.shared.regions[0]!;
  await assertRefused(frontend, () => frontend.setMemTable([], []));
  await assertRefused(frontend, () => frontend.setMemTable([GOOD], []));
  await assertRefused(frontend, () => frontend.setMemTable([GOOD], [fd, fd]));
  await assertRefused(frontend, () => frontend.addMemReg(GOOD, []));
});

Deno.test("a file that is no memory is refused", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  for (const fd of [frontend.eventfd(), frontend.channel.fd]) {
    await assertRefused(frontend, () => frontend.addMemReg(GOOD, [fd]));
  }
});

Deno.test("a sparse file of 64 TiB ends neither the server nor the connection", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const { frontend } = guest;
  const fd = libc().memfd_create(cString("sparse"), 1);
  const size = 2 ** 46;
  libc().ftruncate(fd, BigInt(size));
  await assertRefused(
    frontend,
    () => frontend.addMemReg({ ...GOOD, size }, [fd]),
  );
  closeFd(fd);
  const queue = await guest.start(0);
  await queue.run(await guest.session(), 3);
});
