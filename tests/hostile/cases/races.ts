/**
 * Cases of a second processor that changes what the device is working on.
 *
 * @module
 */

import { CONTROL, type SocketCarrier } from "../carrier.ts";
import {
  type Case,
  frontendCases,
  type FrontendSays,
  guestCases,
  type GuestSays,
} from "../case.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import { Racer } from "../racer.ts";
import { fieldsOf, KINDS, MODES } from "../requests.ts";
import { INDIRECT } from "../../support/guest_ring.ts";
import type { Buffer, Range } from "../ring.ts";

/** How often a racer has written before its case ends. */
const WRITES = 5_000;
/** Rounds of requests it is raced for, at least. */
const ROUNDS = 4;

/** What is written over lengths, opcodes and ids. */
const VALUES = [0, 1, 2, 3, 0x101, 0x301, 17, 49, 4096, 2 ** 31, 0xffff_ffff];
/** What is written over flags and next of an entry: flags low, next high. */
const LINKS = [0, 1, 2, 3, 4, 5, 0xffff_0001, 0x0001_0001, 0x0003_0003];

/** A guest's first region, for a racer. */
function regionOf(
  guest: HostileGuest,
): { readonly memory: SharedArrayBuffer; readonly offset: number } {
  const { buffer, offset } = guest.memory.regions[0]!;
  return { memory: buffer, offset };
}

/** Requests in the ring while others write over them. */
interface Raced {
  /** Guest addresses of le32 fields to write over. */
  readonly fields: readonly number[];
  readonly values: readonly number[];
}

/** One request of each kind and mode. */
function requestsOf(
  guest: HostileGuest,
): { readonly buffers: Buffer[]; readonly fields: number[] }[] {
  return MODES.flatMap((mode) =>
    KINDS.map((kind) => {
      const buffers = guest.buffers(guest.good(kind, mode));
      const fields = Object.values(fieldsOf(kind, mode))
        .map((at) => buffers[0]!.address + at);
      return { buffers, fields };
    })
  );
}

/**
 * Sends requests again and again while a thread writes over them. They all have
 * to come back; with what, the thread decides.
 */
async function race(
  guest: HostileGuest,
  what: (
    requests: ReturnType<typeof requestsOf>,
    tables: readonly Range[],
  ) => Raced,
): Promise<void> {
  const requests = requestsOf(guest);
  const tables = requests.map(({ buffers }): Range => {
    const length = 16 * buffers.length;
    return [guest.place(length, 16), length];
  });
  const ring = guest.ring();
  const add = () =>
    requests.forEach(({ buffers }, i) =>
      ring.addIndirect(tables[i]![0], buffers)
    );
  // Once as it is, so that the racer knows the right values.
  add();
  guest.publish();
  await guest.used(requests.length);
  ring.release();
  const { fields, values } = what(requests, tables);
  const { guestAddress } = guest.memory.regions[0]!;
  {
    await using racer = new Racer({
      ...regionOf(guest),
      does: "flip",
      fields: fields.map((address) => address - guestAddress),
      values,
    });
    await racer.progress(1);
    for (let round = 0; round < ROUNDS || racer.writes < WRITES; round++) {
      for (const [at, length] of tables) {
        // The tables stay as they are: adding would mend them.
        ring.addRaw([at, length, INDIRECT]);
      }
      guest.publish();
      await guest.used(tables.length);
      ring.release();
    }
  }
  await guest.reclaim();
}

/** Offsets of a field of each entry of tables. */
function entries(tables: readonly Range[], field: number): number[] {
  return tables.flatMap(([at, length]) =>
    Array.from({ length: length / 16 }, (_, i) => at + 16 * i + field)
  );
}

const FLIPS: readonly GuestSays[] = [
  {
    sends: "opcodes, session ids, flags and lengths change meanwhile",
    verdict: "REJECT",
    run: (guest) =>
      race(guest, (requests) => ({
        fields: requests.flatMap(({ fields }) => fields),
        values: VALUES,
      })),
  },
  {
    sends: "lengths, flags and next of descriptors change meanwhile",
    verdict: "REJECT",
    run: (guest) =>
      race(guest, (_, tables) => ({
        fields: [...entries(tables, 8), ...entries(tables, 12)],
        values: [...VALUES, ...LINKS],
      })),
  },
  {
    sends: "keys, ivs and sources change meanwhile",
    verdict: "PASS",
    run: (guest) =>
      race(guest, (requests) => ({
        fields: requests.flatMap(({ buffers }) =>
          buffers.slice(1).filter(({ writable }) => !writable)
            .map(({ address }) => address)
        ),
        values: VALUES,
      })),
  },
];

/**
 * Has a thread make one request available faster than it is served.
 *
 * @param guest whose ring it is
 * @param index number of the queue
 * @param buffers the request's
 * @param meanwhile what has to go on
 */
async function flood(
  guest: HostileGuest,
  index: number,
  buffers: readonly Buffer[],
  meanwhile: () => Promise<void>,
): Promise<void> {
  await guest.restart(index);
  const ring = guest.ring(index);
  const table = guest.place(16 * buffers.length, 16);
  ring.addIndirect(table, buffers);
  const { guestAddress } = guest.memory.regions[0]!;
  const { descriptor, available, used } = ring.addresses;
  guest.holdRing(index);
  {
    await using racer = new Racer(
      guest.kind === "split"
        ? {
          ...regionOf(guest),
          does: "fill split",
          available: available - guestAddress,
          used: used - guestAddress,
          size: ring.size,
          head: 0,
        }
        : {
          ...regionOf(guest),
          does: "fill packed",
          ring: descriptor - guestAddress,
          size: ring.size,
          address: table,
          length: 16 * buffers.length,
          flags: INDIRECT,
        },
    );
    await racer.progress(1);
    const kicks = setInterval(() => guest.carrier.kick(index), 1);
    try {
      for (let i = 0; i < 10; i++) await meanwhile();
      await racer.progress(500);
    } finally {
      clearInterval(kicks);
    }
  }
  while (!isServed(guest, index)) {
    guest.carrier.kick(index);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await guest.reclaim(index);
}

/** Whether the device is done with a ring: one that it works on is not laid. */
function isServed(guest: HostileGuest, index: number): boolean {
  const { addresses, size } = guest.ring(index);
  const half = (address: number) => {
    const [low = 0, high = 0] = guest.bytes(address, 2);
    return low | high << 8;
  };
  if (guest.kind === "split") {
    return half(addresses.used + 2) === half(addresses.available + 2);
  }
  // AVAIL and USED are equal where a descriptor is used, or never was offered.
  return Array.from(
    { length: size },
    (_, i) => half(addresses.descriptor + 16 * i + 14),
  ).every((flags) => (flags >> 7 & 1) === (flags >> 15 & 1));
}

const FLOOD: GuestSays = {
  sends: "a thread that keeps one ring full, while others are served",
  verdict: "PASS",
  async run(guest) {
    const { buffers } = guest.sendable(guest.good("chain"));
    await flood(guest, 0, buffers, async () => {
      await guest.serves(1);
      const id = await guest.createSession("cipher");
      await guest.destroySession("cipher", id);
    });
  },
};

/** In one process the control queue is the guest's own thread's. */
const CONTROL_FLOOD: FrontendSays = {
  sends: "a thread that keeps the control ring full, while all else goes on",
  verdict: "PASS",
  async run(server, kind) {
    const guest = await server.guest(kind);
    const { frontend } = guest.carrier as SocketCarrier;
    try {
      const buffers = guest.buffers({
        readable: [new Uint8Array(24)],
        writable: [16],
      });
      await flood(guest, CONTROL, buffers, async () => {
        await guest.serves(0);
        await guest.serves(1);
        await frontend.getFeatures();
      });
    } finally {
      await guest.carrier.close();
    }
  },
};

/** Descriptors of the ring itself change: it may break, and nothing else. */
const RING_FLIPS: GuestSays = {
  sends:
    "lengths, flags and next of the ring's own descriptors change meanwhile",
  verdict: "REJECT",
  async run(guest) {
    await guest.restart();
    const sent = guest.sendable(guest.good("chain"));
    const { guestAddress } = guest.memory.regions[0]!;
    guest.holdRing();
    const ring: Range = [
      guest.ring().addresses.descriptor - guestAddress,
      16 * sent.buffers.length,
    ];
    guest.ring().addDirect(sent.buffers);
    guest.publish();
    {
      await using racer = new Racer({
        ...regionOf(guest),
        does: "flip",
        fields: [...entries([ring], 8), ...entries([ring], 12)],
        values: LINKS,
      });
      await racer.progress(1);
      for (let round = 0; round < ROUNDS || racer.writes < WRITES; round++) {
        guest.ring().addDirect(sent.buffers);
        guest.publish();
        await guest.carrier.wait(0, 5);
        await guest.serves(1);
        await guest.restart();
      }
    }
    await guest.reclaim();
  },
};

/** The cases. */
export const RACE_CASES: readonly Case[] = [
  ...guestCases("CVE-2020-14375", [...FLIPS, RING_FLIPS]),
  ...guestCases("Cloud Hypervisor, live memory", [FLOOD]),
  ...frontendCases("Cloud Hypervisor, live memory", [CONTROL_FLOOD]),
];
