/**
 * Cases of descriptors, tables and indices that are wrong.
 *
 * @module
 */

import { USED } from "../../support/guest_packed_ring.ts";
import {
  INDIRECT,
  NEXT,
  type RawDescriptor,
  WRITE,
} from "../../support/guest_ring.ts";
import { type Case, guestCases, type GuestSays } from "../case.ts";
import { ERR, type Expected, OK } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import type { Buffer } from "../ring.ts";

const MOST = 0xffff_ffff;
const STATUS_ERR: Expected = { status: ERR };
const NO_STATUS: Expected = { used: 0 };

/** Sends a chain that was prepared, and checks its answer. */
async function sendChain(
  guest: HostileGuest,
  id: number,
  writable: readonly Buffer[],
  expected: Expected,
): Promise<void> {
  guest.publish();
  await guest.answers([id], [{ buffers: writable, expected }]);
  guest.done();
}

/** A chain of a split ring, descriptor by descriptor. */
function splitChain(
  sends: string,
  make: (
    guest: HostileGuest,
    header: Buffer,
    status: Buffer,
  ) => readonly RawDescriptor[],
  expected: Expected,
): GuestSays {
  return {
    sends,
    verdict: "REJECT",
    ring: "split",
    async run(guest) {
      const { header, status } = guest.twoBuffers();
      const id = guest.split.addRaw(...make(guest, header, status));
      const answered = expected === STATUS_ERR ? [status] : [];
      await sendChain(guest, id, answered, expected);
    },
  };
}

/** Descriptors that make a split ring unusable. */
function splitLoop(
  sends: string,
  make: (header: Buffer) => readonly RawDescriptor[],
): GuestSays {
  return {
    sends,
    verdict: "REJECT",
    ring: "split",
    async run(guest) {
      const { header } = guest.twoBuffers();
      // The ring is at its beginning: the chain's head is descriptor 0.
      await guest.restart();
      guest.split.addRaw(...make(header));
      await guest.breaks();
    },
  };
}

const SPLIT_CHAINS: readonly GuestSays[] = [
  ...[128, 129, 0x7fff, 0xffff].flatMap((next) => [
    splitChain(
      `next ${next} of 128 behind the status`,
      (_, header, status) => [
        [header.address, header.length, NEXT, 1],
        [status.address, status.length, WRITE | NEXT, next],
      ],
      STATUS_ERR,
    ),
    splitChain(
      `next ${next} of 128 behind the header`,
      (_, header) => [[header.address, header.length, NEXT, next]],
      NO_STATUS,
    ),
  ]),
  splitLoop("a descriptor that is its own next", (header) => [
    [header.address, header.length, NEXT, 0],
  ]),
  splitLoop("two descriptors that are each other's next", (header) => [
    [header.address, header.length, NEXT, 1],
    [header.address, 1, NEXT, 0],
  ]),
  splitLoop("empty descriptors that are each other's next", () => [
    [0, 0, NEXT, 1],
    [0, 0, NEXT, 0],
  ]),
  splitLoop(
    "a circle of all of the ring's descriptors",
    () =>
      Array.from(
        { length: 128 },
        (_, i) => [0, 0, WRITE | NEXT, (i + 1) % 128] as const,
      ),
  ),
];

/** A table of a split ring, entry by entry. */
function splitTable(
  sends: string,
  entries: (header: Buffer, status: Buffer) => readonly RawDescriptor[],
  expected: Expected,
): GuestSays {
  return splitChain(
    sends,
    (guest, header, status) => {
      const made = entries(header, status);
      const table = guest.place(16 * made.length, 16);
      guest.split.raw.table(table, ...made);
      return [[table, 16 * made.length, INDIRECT]];
    },
    expected,
  );
}

const SPLIT_TABLES: readonly GuestSays[] = [
  splitTable("an entry of a table that is its own next", (header) => [
    [header.address, header.length, NEXT, 0],
    [header.address, header.length, 0, 0],
  ], NO_STATUS),
  splitTable("a table whose last entry goes back to its first", (
    header,
    status,
  ) => [
    [header.address, header.length, NEXT, 1],
    [status.address, status.length, WRITE | NEXT, 0],
  ], STATUS_ERR),
  splitTable(
    "a table of empty entries that never ends",
    () =>
      Array.from(
        { length: 500 },
        (_, i) => [0, 0, NEXT, (i + 1) % 500] as const,
      ),
    NO_STATUS,
  ),
  ...[2, 3, 0xffff].map((next) =>
    splitTable(`next ${next} in a table of 2`, (header, status) => [
      [header.address, header.length, NEXT, 1],
      [status.address, status.length, WRITE | NEXT, next],
    ], STATUS_ERR)
  ),
  splitTable("a table in a table, behind the status", (header, status) => [
    [header.address, header.length, NEXT, 1],
    [status.address, status.length, WRITE | NEXT, 2],
    [header.address, 16, INDIRECT, 0],
  ], STATUS_ERR),
  splitTable("a table in a table, at once", (header) => [
    [header.address, 16, INDIRECT, 0],
  ], NO_STATUS),
  splitChain(
    "a table that has a next",
    (guest, header, status) => {
      const table = guest.place(16, 16);
      guest.split.raw.table(table, [header.address, header.length]);
      return [[table, 16, INDIRECT | NEXT, 1], [
        status.address,
        status.length,
        WRITE,
      ]];
    },
    NO_STATUS,
  ),
];

/** Where and how long tables are that cannot be. */
const BAD_TABLES: readonly (readonly [
  sends: string,
  address: (guest: HostileGuest) => number,
  length: number,
])[] = [
  ["of no bytes", (guest) => guest.place(64, 16), 0],
  ["of 8 bytes", (guest) => guest.place(64, 16), 8],
  ["of 24 bytes", (guest) => guest.place(64, 16), 24],
  ["of 2^32 - 1 bytes", (guest) => guest.place(64, 16), MOST],
  ["at 0", () => 0, 32],
  ["at 2^64 - 16", () => 2 ** 64 - 16, 32],
  ["that starts where memory ends", (guest) => guest.end, 32],
  ["that ends behind memory", (guest) => guest.end - 8, 16],
];

const TABLES: readonly GuestSays[] = BAD_TABLES.map(
  ([sends, address, length]) => ({
    sends: `a table ${sends}`,
    verdict: "REJECT",
    async run(guest) {
      const at = address(guest);
      const id = guest.ring().addRaw([at, length, INDIRECT]);
      await sendChain(guest, id, [], NO_STATUS);
    },
  }),
);

/** A list of a packed ring. */
function packedList(
  sends: string,
  verdict: "PASS" | "REJECT",
  run: (guest: HostileGuest) => Promise<void>,
): GuestSays {
  return { sends, verdict, ring: "packed", run };
}

const PACKED: readonly GuestSays[] = [
  packedList("a list as long as the ring without an end", "REJECT", async (
    guest,
  ) => {
    const all = Array.from(
      { length: guest.ring().size },
      () => [0, 0, NEXT] as const,
    );
    await guest.restart();
    guest.packed.addRaw(...all);
    await guest.breaks();
  }),
  packedList("a list that goes on in what is not available", "REJECT", async (
    guest,
  ) => {
    const { header } = guest.twoBuffers();
    await guest.restart();
    guest.packed.addRaw([header.address, header.length, NEXT]);
    await guest.breaks();
  }),
  packedList("a list that goes on in what was used", "REJECT", async (
    guest,
  ) => {
    const { header } = guest.twoBuffers();
    await guest.restart();
    guest.packed.addRaw([header.address, header.length, NEXT]);
    guest.packed.raw.write(1, [header.address, 1, USED], 0);
    await guest.breaks();
  }),
  packedList("a table behind a descriptor", "REJECT", async (guest) => {
    const { header, status } = guest.twoBuffers();
    const table = guest.place(16, 16);
    guest.packed.raw.table(table, [status.address, status.length, WRITE]);
    const id = guest.packed.addRaw(
      [header.address, header.length, NEXT],
      [table, 16, INDIRECT],
    );
    await sendChain(guest, id, [status], STATUS_ERR);
  }),
  packedList("a table that has a next", "REJECT", async (guest) => {
    const { header, status } = guest.twoBuffers();
    const table = guest.place(16, 16);
    guest.packed.raw.table(table, [header.address, header.length]);
    const id = guest.packed.addRaw(
      [table, 16, INDIRECT | NEXT],
      [status.address, status.length, WRITE],
    );
    await sendChain(guest, id, [status], STATUS_ERR);
  }),
  // virtio 1.1, 2.7.7: of an entry's flags only WRITE counts.
  packedList("a table whose entries say NEXT and INDIRECT", "PASS", async (
    guest,
  ) => {
    const request = guest.good("cipher");
    const buffers = guest.buffers(request);
    const table = guest.place(16 * buffers.length, 16);
    const entries = buffers.map(({ address, length, writable }) =>
      [address, length, NEXT | INDIRECT | (writable ? WRITE : 0)] as const
    );
    const id = guest.packed.addRaw(guest.packed.raw.table(table, ...entries));
    await sendChain(guest, id, buffers, {
      status: OK,
      writes: request.writes,
    });
  }),
];

/** An available index that is too far ahead. */
function ahead(by: number): GuestSays {
  return {
    sends: `an available index that is ${by} ahead in a ring of 128`,
    verdict: "REJECT",
    ring: "split",
    async run(guest) {
      const { raw } = guest.split;
      raw.availableIndex = (raw.availableIndex + by) & 0xffff;
      await guest.breaks();
    },
  };
}

/** A head that is no descriptor. */
function badHead(head: number): GuestSays {
  return {
    sends: `head ${head} in a ring of 128`,
    verdict: "REJECT",
    ring: "split",
    async run(guest) {
      guest.split.raw.offer(head);
      await guest.breaks();
    },
  };
}

const INDICES: readonly GuestSays[] = [
  ...[129, 0x8000, 0xffff].map(ahead),
  ...[128, 0x8000, 0xffff].map(badHead),
  packedList("available flags without a list behind", "REJECT", async (
    guest,
  ) => {
    const { header } = guest.twoBuffers();
    await guest.restart();
    const { raw } = guest.packed;
    guest.packed.addRaw([header.address, header.length, NEXT]);
    for (let at = 1; at < raw.size; at++) raw.write(at, [0, 0, NEXT | USED], 0);
    await guest.breaks();
  }),
];

/** The cases. */
export const CHAIN_CASES: readonly Case[] = [
  ...guestCases("DPDK, chains without end", [
    ...SPLIT_CHAINS,
    ...SPLIT_TABLES,
    ...TABLES,
    ...PACKED,
  ]),
  ...guestCases("virtio-queue, indices and resets", INDICES),
];
