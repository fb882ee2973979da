/**
 * Cases of memory tables, and of what runs over the end of a region.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { closeFd } from "../../../device/vhost_user/socket.ts";
import type { MemRegion } from "../../../device/vhost_user/payload.ts";
import { concat } from "../../engine/guest.ts";
import { MEMORY_AT } from "../../server/guest.ts";
import { assertClosed, assertRefused } from "../../server/raw_frontend.ts";
import { INDIRECT, NEXT, WRITE } from "../../support/guest_ring.ts";
import { memfd } from "../../vhost_user/bytes.ts";
import { MEMORY_SIZE, type SocketCarrier } from "../carrier.ts";
import { type Case, frontendCases, type FrontendSays } from "../case.ts";
import { ERR, OK } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import type { HostileServer } from "../hostile_server.ts";
import { writableLength } from "../requests.ts";
import { type Buffer, type RingKind, startable } from "../ring.ts";

const PAGE = 0x1000;

/** Two regions side by side, and one behind a gap. */
const REGIONS = [
  { guestAddress: MEMORY_AT, size: MEMORY_SIZE },
  { guestAddress: MEMORY_AT + MEMORY_SIZE, size: 16 * PAGE },
  { guestAddress: MEMORY_AT + MEMORY_SIZE + 32 * PAGE, size: 16 * PAGE },
];
/** Where the first region ends and the second begins. */
const SEAM = MEMORY_AT + MEMORY_SIZE;
/** Where the second region ends, and nothing is. */
const EDGE = SEAM + 16 * PAGE;

/** Runs with a guest of its own. */
async function withGuest(
  server: HostileServer,
  kind: RingKind,
  run: (guest: HostileGuest, carrier: SocketCarrier) => Promise<void>,
  regions = REGIONS,
): Promise<void> {
  const guest = await server.guest(kind, { regions });
  try {
    await run(guest, guest.carrier as SocketCarrier);
    await guest.settle();
  } finally {
    await guest.carrier.close();
  }
}

/** A request in two buffers that lie at given addresses. */
function placed(guest: HostileGuest, read: number, write: number): Buffer[] {
  const request = guest.good("cipher");
  const bytes = concat(...request.readable);
  guest.put(read, bytes);
  const length = writableLength(request);
  guest.put(write, new Uint8Array(length).fill(0xa5));
  return [
    { address: read, length: bytes.length, writable: false },
    { address: write, length, writable: true },
  ];
}

/** What crosses the seam of two regions: offsets of both buffers from it. */
const ACROSS:
  readonly (readonly [sends: string, read: number, write: number])[] = [
    ["a header that runs over two regions", -20, 2000],
    ["a source that runs over two regions", -110, 2000],
    ["a result that runs over two regions", 1000, -20],
    ["a status that is the next region's first byte", 1000, -48],
  ];

const STRADDLING: readonly FrontendSays[] = [
  ...ACROSS.map(([sends, read, write]): FrontendSays => ({
    sends,
    verdict: "PASS",
    run: (server, kind) =>
      withGuest(server, kind, async (guest) => {
        const { writes } = guest.good("cipher");
        for (const style of ["direct", "indirect"] as const) {
          const buffers = placed(guest, SEAM + read, SEAM + write);
          await guest.exchange([{
            buffers,
            style,
            expected: { status: OK, writes },
          }]);
        }
      }),
  })),
  {
    sends: "buffers that run from a region into nothing, and to the one behind",
    verdict: "REJECT",
    run: (server, kind) =>
      withGuest(server, kind, async (guest) => {
        const lengths = [17, 17 * PAGE, 64 * PAGE];
        for (const length of lengths) {
          for (const writable of [false, true]) {
            const over = { address: EDGE - 16, length, writable };
            const { header, status } = guest.twoBuffers();
            await guest.exchange([{
              buffers: [header, over, status],
              expected: { status: ERR },
            }]);
          }
        }
      }),
  },
  {
    sends: "a table that runs over two regions, between two entries",
    verdict: "PASS",
    run: (server, kind) =>
      withGuest(server, kind, (guest) => tableAt(guest, 16)),
  },
  {
    sends: "a table that runs over two regions, in the middle of an entry",
    verdict: "REJECT",
    run: (server, kind) =>
      withGuest(server, kind, (guest) => tableAt(guest, 8)),
  },
];

/** Sends a table of two entries that starts so many bytes before the seam. */
async function tableAt(guest: HostileGuest, before: number): Promise<void> {
  const [read, write] = placed(guest, SEAM + 1000, SEAM + 2000);
  const entry = (buffer: Buffer, flags: number, next: number) => {
    const view = new DataView(new ArrayBuffer(16));
    view.setBigUint64(0, BigInt(buffer.address), true);
    view.setUint32(8, buffer.length, true);
    const packed = guest.kind === "packed";
    view.setUint16(packed ? 14 : 12, flags, true);
    view.setUint16(packed ? 12 : 14, next, true);
    return new Uint8Array(view.buffer);
  };
  guest.put(
    SEAM - before,
    concat(entry(read!, NEXT, 1), entry(write!, WRITE, 0)),
  );
  const id = guest.ring().addRaw([SEAM - before, 32, INDIRECT]);
  guest.publish();
  const { writes } = guest.good("cipher");
  await guest.answers([id], [
    before % 16 === 0
      ? { buffers: [write!], expected: { status: OK, writes } }
      : { buffers: [], expected: { used: 0 } },
  ]);
  guest.done();
}

/** Where a part of a ring cannot be, by a region in the frontend's addresses. */
const RING_PLACES: readonly (readonly [
  sends: string,
  place: (region: MemRegion) => number,
])[] = [
  [
    "that starts where a region ends",
    ({ userAddress, size }) => userAddress + size,
  ],
  [
    "whose last byte is behind a region",
    ({ userAddress, size }) => userAddress + size - 16,
  ],
  ["that starts before a region", ({ userAddress }) => userAddress - 16],
  ["at 0", () => 0],
  ["at 2^53 - 16", () => 2 ** 53 - 16],
  ["at a guest's address", ({ guestAddress }) => guestAddress],
  ["at an odd address", ({ userAddress }) => userAddress + 1],
];

const PARTS = ["descriptor", "available", "used"] as const;

const RINGS: readonly FrontendSays[] = RING_PLACES.map(([sends, place]) => ({
  sends: `each part of a ring in turn ${sends}`,
  verdict: "REJECT",
  run: (server, kind) =>
    withGuest(server, kind, async (guest, carrier) => {
      const [first] = carrier.frontend.shared.regions;
      for (const part of PARTS) {
        const length = guest.ring().lengths[part];
        // A part of a packed ring may be no longer than what is left.
        if (length <= 16 && sends.includes("last byte")) continue;
        const changes = { [part]: place(first!) };
        const ring = startable(guest.memory, guest.ring(), changes);
        assertEquals(await carrier.start(0, ring), false, part);
        await guest.restart();
      }
    }),
}));

/** Regions that cannot be mapped, whatever else there is. */
const WRONG: readonly (readonly [sends: string, Partial<MemRegion>])[] = [
  ["of 0 bytes", { size: 0 }],
  ["a byte longer than its file", { size: MEMORY_SIZE + 1 }],
  ["a page longer than its file", { size: MEMORY_SIZE + PAGE }],
  ["beyond the end of its file", { mmapOffset: PAGE }],
  ["of 2^50 bytes", { size: 2 ** 50 }],
  ["of 2^63 bytes", { size: 2 ** 63 }],
  ["whose guest addresses wrap", { guestAddress: 2 ** 64 - PAGE }],
  ["whose user addresses wrap", { userAddress: 2 ** 64 - PAGE }],
  ["whose offset wraps", { mmapOffset: 2 ** 64 - PAGE }],
  ["that overlaps the first", { guestAddress: MEMORY_AT }],
  ["that overlaps by a page", { guestAddress: SEAM - PAGE }],
];

/** A region that could be added. */
const GOOD: MemRegion = {
  guestAddress: 0x1_0000_0000,
  userAddress: 0x1000_0000_0000,
  size: MEMORY_SIZE,
  mmapOffset: 0,
};

const ONE = [REGIONS[0]!];

/** A case about a memory table, whose guest is served before and after. */
function table(
  sends: string,
  verdict: "PASS" | "REJECT",
  run: (guest: HostileGuest, carrier: SocketCarrier) => Promise<void>,
): FrontendSays {
  return {
    sends,
    verdict,
    run: (server, kind) => withGuest(server, kind, run, ONE),
  };
}

const TABLES: readonly FrontendSays[] = [
  ...WRONG.map(([sends, changes]) =>
    table(`a region ${sends}`, "REJECT", async (guest, { frontend }) => {
      const [first] = frontend.shared.regions;
      const { fd } = first!;
      const wrong = { ...GOOD, ...changes };
      await assertRefused(frontend, () => frontend.addMemReg(wrong, [fd]));
      await guest.settle();
      await assertRefused(
        frontend,
        () => frontend.setMemTable([first!, wrong], [fd, fd]),
      );
    })
  ),
  table("a table of 0 regions", "REJECT", async (_, { frontend }) => {
    await assertRefused(frontend, () => frontend.setMemTable([], []));
  }),
  table("more and fewer files than regions", "REJECT", async (
    _,
    { frontend },
  ) => {
    const { fd } = frontend.shared.regions[0]!;
    await assertRefused(frontend, () => frontend.setMemTable([GOOD], []));
    await assertRefused(
      frontend,
      () => frontend.setMemTable([GOOD], [fd, fd]),
    );
    await assertRefused(frontend, () => frontend.addMemReg(GOOD, []));
  }),
  table("a region more than there can be", "REJECT", async (
    _,
    { frontend },
  ) => {
    const fd = memfd(PAGE);
    const region = (i: number) => ({
      ...GOOD,
      size: PAGE,
      guestAddress: GOOD.guestAddress + i * PAGE,
      userAddress: GOOD.userAddress + i * PAGE,
    });
    for (let i = 1; i < 64; i++) await frontend.addMemReg(region(i), [fd]);
    await assertRefused(frontend, () => frontend.addMemReg(region(64), [fd]));
    closeFd(fd);
  }),
  table("removing a region that is not there", "REJECT", async (
    _,
    { frontend },
  ) => {
    const [first] = frontend.shared.regions;
    for (
      const changes of [{ size: PAGE }, { guestAddress: 0 }, { userAddress: 0 }]
    ) {
      await assertRefused(
        frontend,
        () => frontend.remMemReg({ ...first!, ...changes }),
      );
    }
  }),
  table("a table without the rings in it, then the right one", "REJECT", async (
    guest,
    { frontend },
  ) => {
    const { regions } = frontend.shared;
    const fd = memfd(MEMORY_SIZE);
    await frontend.setMemTable([GOOD], [fd]);
    closeFd(fd);
    await frontend.setMemTable(regions);
    for (const index of [0, 1, 2]) await guest.restart(index);
  }),
  table("the table again and again while workers run", "PASS", async (
    guest,
    { frontend },
  ) => {
    let going = true;
    const tables = (async () => {
      for (let i = 0; i < 20; i++) {
        await frontend.setMemTable(frontend.shared.regions);
      }
      going = false;
    })();
    while (going) {
      await guest.exchange(
        Array.from(
          { length: 20 },
          () => guest.sendable(guest.good("chain"), "indirect"),
        ),
      );
    }
    await tables;
  }),
  {
    sends: "9 regions in a table",
    verdict: "REJECT",
    ring: "split",
    async run(server) {
      const frontend = await server.negotiated();
      const fd = memfd(PAGE);
      const regions = Array.from({ length: 9 }, (_, i) => ({
        ...GOOD,
        guestAddress: i * PAGE,
        size: PAGE,
      }));
      const sent = frontend.setMemTable(regions, regions.map(() => fd));
      await sent.catch(() => {});
      closeFd(fd);
      await assertClosed(frontend, server.spare);
    },
  },
];

/** The cases. */
export const MEMORY_CASES: readonly Case[] = [
  ...frontendCases("CVE-2018-1059", [...STRADDLING, ...RINGS]),
  ...frontendCases("Memory table", TABLES),
];
