/**
 * Cases of descriptors and rings that are wrong, or that requests write over.
 *
 * @module
 */

import { le32 } from "../../support/bytes.ts";
import { USED } from "../../support/guest_packed_ring.ts";
import {
  INDIRECT,
  NEXT,
  type RawDescriptor,
  WRITE,
} from "../../support/guest_ring.ts";
import { type Case, guestCases, type GuestSays } from "../case.ts";
import { ERR, type Expected, type HostileGuest, OK } from "../hostile_guest.ts";
import { sourceFor } from "../requests.ts";
import type { Buffer } from "../ring.ts";
import { WedgedError } from "../verdict.ts";

const MOST = 0xffff_ffff;
const STATUS_ERR: Expected = { status: ERR };
const NO_STATUS: Expected = { used: 0 };

/** A header to read, and a byte to write. */
function headerAndStatus(
  guest: HostileGuest,
): { readonly header: Buffer; readonly status: Buffer } {
  const [fixed] = guest.good("cipher").readable;
  return { header: guest.readable(fixed!), status: guest.writable(1) };
}

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
      const { header, status } = headerAndStatus(guest);
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
      const { header } = headerAndStatus(guest);
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
        [status.address, 1, WRITE | NEXT, next],
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
    [status.address, 1, WRITE | NEXT, 0],
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
      [status.address, 1, WRITE | NEXT, next],
    ], STATUS_ERR)
  ),
  splitTable("a table in a table, behind the status", (header, status) => [
    [header.address, header.length, NEXT, 1],
    [status.address, 1, WRITE | NEXT, 2],
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
      return [[table, 16, INDIRECT | NEXT, 1], [status.address, 1, WRITE]];
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
    const { header } = headerAndStatus(guest);
    await guest.restart();
    guest.packed.addRaw([header.address, header.length, NEXT]);
    await guest.breaks();
  }),
  packedList("a list that goes on in what was used", "REJECT", async (
    guest,
  ) => {
    const { header } = headerAndStatus(guest);
    await guest.restart();
    guest.packed.addRaw([header.address, header.length, NEXT]);
    guest.packed.raw.write(1, [header.address, 1, USED], 0);
    await guest.breaks();
  }),
  packedList("a table behind a descriptor", "REJECT", async (guest) => {
    const { header, status } = headerAndStatus(guest);
    const table = guest.place(16, 16);
    guest.packed.raw.table(table, [status.address, 1, WRITE]);
    const id = guest.packed.addRaw(
      [header.address, header.length, NEXT],
      [table, 16, INDIRECT],
    );
    await sendChain(guest, id, [status], STATUS_ERR);
  }),
  packedList("a table that has a next", "REJECT", async (guest) => {
    const { header, status } = headerAndStatus(guest);
    const table = guest.place(16, 16);
    guest.packed.raw.table(table, [header.address, header.length]);
    const id = guest.packed.addRaw(
      [table, 16, INDIRECT | NEXT],
      [status.address, 1, WRITE],
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

/** A buffer that is given as it is. */
type Given = readonly [
  address: (guest: HostileGuest) => number,
  length: number,
  flags: 0 | typeof WRITE,
];

/** A good request's buffers with others put before its status. */
function given(
  sends: string,
  buffers: readonly Given[],
  expected: Expected,
  withStatus = true,
): GuestSays {
  return {
    sends,
    verdict: "REJECT",
    async run(guest) {
      for (const style of ["direct", "indirect"] as const) {
        const { header, status } = headerAndStatus(guest);
        const others = buffers.map(([address, length, flags]): Buffer => ({
          address: address(guest),
          length,
          writable: flags === WRITE,
        }));
        await guest.exchange([{
          buffers: [header, ...others, ...(withStatus ? [status] : [])],
          style,
          expected,
        }]);
      }
    },
  };
}

const area = (guest: HostileGuest): number => guest.area;
const end = (guest: HostileGuest): number => guest.end;

/** Buffers that leave memory. */
const LEAVING: readonly GuestSays[] = [
  given("a buffer that starts where memory ends", [[end, 1, 0]], STATUS_ERR),
  given("a buffer that ends a byte behind memory", [
    [(guest) => guest.end - 16, 17, 0],
  ], STATUS_ERR),
  given("a result that ends a byte behind memory", [
    [(guest) => guest.end - 16, 17, WRITE],
  ], STATUS_ERR),
  given("a status behind memory", [[end, 1, WRITE]], NO_STATUS, false),
  given(
    "a status that is the byte behind the last one",
    [
      [(guest) => guest.end - 16, 17, WRITE],
    ],
    NO_STATUS,
    false,
  ),
  given("a buffer before memory", [
    [(guest) => guest.memory.regions[0]!.guestAddress - 1, 1, 0],
  ], STATUS_ERR),
  ...[2 ** 53, 2 ** 63, 2 ** 64 - 2048].map((address) =>
    given(`a buffer at 0x${address.toString(16)}`, [
      [() => address, 4096, 0],
    ], STATUS_ERR)
  ),
  given("a buffer to read behind one to write", [
    [area, 1, WRITE],
    [area, 16, 0],
  ], { ...STATUS_ERR, used: 2 }),
];

const SIZES: readonly GuestSays[] = [
  {
    sends: "nothing but empty descriptors, as many as the ring has",
    verdict: "REJECT",
    async run(guest) {
      const buffers = Array.from({ length: guest.ring().size }, () => ({
        address: guest.area,
        length: 0,
        writable: false,
      }));
      await guest.exchange([{ buffers, expected: NO_STATUS }]);
    },
  },
  {
    sends: "a ring full of empty descriptors",
    verdict: "REJECT",
    async run(guest) {
      const buffers = [{ address: 0, length: 0, writable: true }];
      await guest.exchange(
        Array.from({ length: guest.ring().size }, () => ({
          buffers,
          expected: NO_STATUS,
        })),
      );
    },
  },
  {
    sends: "a table of 50000 empty entries",
    verdict: "REJECT",
    async run(guest) {
      const buffers = Array.from({ length: 50_000 }, () => ({
        address: guest.area,
        length: 0,
        writable: false,
      }));
      await guest.exchange([{
        buffers,
        style: "indirect",
        expected: NO_STATUS,
      }]);
    },
  },
  given("2^32 - 1 bytes to read", [[area, MOST, 0]], STATUS_ERR),
  given(
    "2^32 - 1 bytes to write, the status among them",
    [
      [area, MOST, WRITE],
    ],
    NO_STATUS,
    false,
  ),
  given("2^32 - 1 bytes to write, and a status", [[area, MOST, WRITE]], {
    ...STATUS_ERR,
    used: MOST,
  }),
  given("2^31 bytes to write", [[area, 2 ** 31, WRITE]], STATUS_ERR),
];

/** Chains of more than 2^32 - 1 bytes. */
const TOO_LONG: readonly GuestSays[] = [
  given("2^32 bytes to read, in two descriptors", [
    [area, 2 ** 31, 0],
    [area, 2 ** 31, 0],
  ], STATUS_ERR),
  given("2^32 bytes to write, in two descriptors", [
    [area, 2 ** 31, WRITE],
    [area, 2 ** 31, WRITE],
  ], { ...STATUS_ERR, used: MOST }),
  given("2^35 bytes to write, in 8 descriptors", [
    ...Array.from({ length: 8 }, () => [area, MOST, WRITE] as const),
  ], { ...STATUS_ERR, used: MOST }),
  given("2^32 bytes in memory, over and over", [
    ...Array.from({ length: 100 }, () =>
      [
        (guest: HostileGuest) => guest.memory.regions[0]!.guestAddress,
        1 << 20,
        0,
      ] as const),
  ], STATUS_ERR),
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
    const { header } = headerAndStatus(guest);
    await guest.restart();
    const { raw } = guest.packed;
    guest.packed.addRaw([header.address, header.length, NEXT]);
    for (let at = 1; at < raw.size; at++) raw.write(at, [0, 0, NEXT | USED], 0);
    await guest.breaks();
  }),
];

/** Bytes that a stream cipher's request shall write to a place. */
async function overwrite(
  guest: HostileGuest,
  address: number,
  wanted: Uint8Array,
): Promise<void> {
  const request = guest.good("stream", "session", {
    source: sourceFor(wanted),
    destination: wanted.length,
  });
  const destination = { address, length: wanted.length, writable: true };
  await guest.exchange([{
    buffers: [
      ...request.readable.map((bytes) => guest.readable(bytes)),
      destination,
      guest.writable(1),
    ],
    expected: { status: OK, writes: [[0, wanted]] },
  }]);
  await guest.restart();
}

/** Writing over a part of the ring that serves the request. */
function over(
  sends: string,
  place: (guest: HostileGuest) => number,
  wanted: Uint8Array,
): GuestSays {
  return {
    sends,
    verdict: "PASS",
    async run(guest) {
      await guest.restart();
      await overwrite(guest, place(guest), wanted);
    },
  };
}

const ONES = new Uint8Array(48).fill(0xff);

/** A request whose head is available twice. */
const TWICE: readonly GuestSays[] = [
  {
    sends: "the same head twice",
    verdict: "PASS",
    ring: "split",
    async run(guest) {
      await repeat(guest, 2);
    },
  },
  {
    sends: "the same buffer id twice",
    verdict: "PASS",
    ring: "packed",
    async run(guest) {
      await repeat(guest, 2);
    },
  },
];

/** Makes one good request available so many times, by one head or id. */
async function repeat(guest: HostileGuest, times: number): Promise<void> {
  await guest.restart();
  const sent = guest.sendable(guest.good("cipher"), "indirect");
  const table = guest.place(16 * sent.buffers.length, 16);
  if (guest.kind === "split") {
    const { split } = guest;
    const head = split.addIndirect(table, sent.buffers);
    guest.publish();
    await guest.answers([head], [sent]);
    split.raw.offer(...Array.from({ length: times }, () => head));
    guest.publish();
    const heads = Array.from({ length: times }, () => head);
    await guest.answers(heads, heads.map(() => sent));
  } else {
    const { raw } = guest.packed;
    const entries = sent.buffers.map(({ address, length, writable }) =>
      [address, length, writable ? WRITE : 0] as const
    );
    const buffer = raw.table(table, ...entries);
    for (let i = 0; i < times; i++) raw.offer(7, buffer);
    guest.publish();
    const deadline = performance.now() + 10_000;
    for (let at = 0; at < times; at++) {
      while ((raw.read(at).flags & USED) === 0) {
        if (performance.now() > deadline) {
          throw new WedgedError(`${at} of ${times} came back`);
        }
        await guest.carrier.wait(0, 1);
      }
      const { id, length } = raw.read(at);
      if (id !== 7 || length !== 49) {
        throw new Error(`Descriptor ${at} came back as ${id}, ${length}`);
      }
    }
    guest.expect(sent);
    guest.check();
  }
  await guest.restart();
  guest.done();
}

const REENTRY: readonly GuestSays[] = [
  over(
    "a result over the descriptors of its own chain",
    (guest) => guest.ring().addresses.descriptor,
    ONES,
  ),
  over(
    "a result over descriptors that are free",
    (guest) => guest.ring().addresses.descriptor + 16 * 40,
    ONES,
  ),
  over(
    "a result over what the device writes of the ring",
    (guest) => guest.ring().addresses.used,
    ONES.subarray(0, 4),
  ),
  {
    sends: "a status over the used index, or the used descriptor",
    verdict: "PASS",
    async run(guest) {
      await guest.restart();
      const request = guest.good("stream");
      const { used, descriptor } = guest.ring().addresses;
      const address = guest.kind === "split" ? used + 2 : descriptor + 14;
      const destination = guest.writable(48);
      await guest.exchange([{
        buffers: [
          ...request.readable.map((bytes) => guest.readable(bytes)),
          destination,
          { address, length: 1, writable: true },
        ],
        expected: { used: 49, writes: request.writes },
      }]);
      await guest.restart();
    },
  },
  {
    sends:
      "a result over the available ring that makes its request available again",
    verdict: "PASS",
    ring: "split",
    async run(guest) {
      await guest.restart();
      // flags 0 and index 2, then head 0 twice: what the ring held, and more.
      const wanted = new Uint8Array(48);
      wanted.set(le32(2 << 16));
      const request = guest.good("stream", "session", {
        source: sourceFor(wanted),
      });
      const buffers = [
        ...request.readable.map((bytes) => guest.readable(bytes)),
        {
          address: guest.split.addresses.available,
          length: 48,
          writable: true,
        },
        guest.writable(1),
      ];
      const expected = { status: OK, writes: [[0, wanted] as const] };
      const id = guest.split.addDirect(buffers);
      guest.publish();
      const answer = { buffers, expected };
      await guest.answers([id, id], [answer, answer]);
      await guest.restart();
      guest.done();
    },
  },
  ...TWICE,
  {
    sends: "kicks while requests are worked on",
    verdict: "PASS",
    async run(guest) {
      const chains = Array.from(
        { length: 60 },
        () => guest.sendable(guest.good("chain"), "indirect"),
      );
      const answers = guest.exchange(chains);
      for (let i = 0; i < 200; i++) guest.carrier.kick(0);
      await answers;
    },
  },
];

const REPEATED: readonly GuestSays[] = [
  {
    sends: "one head, as often as the ring has entries",
    verdict: "PASS",
    run: (guest) => repeat(guest, guest.ring().size),
  },
  {
    sends: "one head more often than the ring has entries",
    verdict: "REJECT",
    ring: "split",
    async run(guest) {
      guest.split.raw.offer(...Array.from({ length: 129 }, () => 0));
      await guest.breaks();
    },
  },
];

/** The cases. */
export const CHAIN_CASES: readonly Case[] = [
  ...guestCases("CVE-2024-3446", REENTRY),
  ...guestCases("DPDK, chains without end", [
    ...SPLIT_CHAINS,
    ...SPLIT_TABLES,
    ...TABLES,
    ...PACKED,
  ]),
  ...guestCases("CVE-2016-5403", REPEATED),
  ...guestCases("CVE-2016-6490/7422", SIZES),
  ...guestCases("CVE-2018-1059", LEAVING),
  ...guestCases("virtio-queue, indices and resets", [...INDICES, ...TOO_LONG]),
  ...guestCases("Cloud Hypervisor, live memory", TWICE),
];
