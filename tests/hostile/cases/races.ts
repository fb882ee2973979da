/**
 * Cases of a second processor that changes what the device is working on.
 *
 * @module
 */

import { type Case, guestCases, type GuestSays } from "../case.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import { Racer } from "../racer.ts";
import { fieldsOf, KINDS, MODES } from "../requests.ts";
import { INDIRECT, WRITE } from "../../support/guest_ring.ts";
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

/** A thread that makes requests available faster than they are served. */
const FLOOD: GuestSays = {
  sends: "a thread that keeps one ring full, while others are served",
  verdict: "PASS",
  async run(guest) {
    await guest.restart();
    const { buffers } = guest.sendable(guest.good("chain"));
    const ring = guest.ring();
    const table = guest.place(16 * buffers.length, 16);
    const { guestAddress } = guest.memory.regions[0]!;
    const { descriptor, available, used } = ring.addresses;
    let task: ConstructorParameters<typeof Racer>[0];
    if (guest.kind === "split") {
      guest.split.raw.table(
        table,
        ...buffers.map(({ address, length, writable }, i) =>
          [
            address,
            length,
            (writable ? WRITE : 0) | (i + 1 < buffers.length ? 1 : 0),
            i + 1,
          ] as const
        ),
      );
      guest.split.raw.describe(0, [table, 16 * buffers.length, INDIRECT]);
      task = {
        ...regionOf(guest),
        does: "fill split",
        available: available - guestAddress,
        used: used - guestAddress,
        size: ring.size,
        head: 0,
      };
    } else {
      const [address, length, flags = 0] = guest.packed.raw.table(
        table,
        ...buffers.map(({ address, length, writable }) =>
          [address, length, writable ? WRITE : 0] as const
        ),
      );
      task = {
        ...regionOf(guest),
        does: "fill packed",
        ring: descriptor - guestAddress,
        size: ring.size,
        address,
        length,
        flags,
      };
    }
    guest.holdFirst();
    {
      await using racer = new Racer(task);
      await racer.progress(1);
      const kicks = setInterval(() => guest.carrier.kick(0), 1);
      for (let i = 0; i < 10; i++) {
        await guest.serves(1);
        const id = await guest.createSession("cipher");
        await guest.destroySession("cipher", id);
      }
      await racer.progress(500);
      clearInterval(kicks);
    }
    await guest.reclaim();
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
    guest.holdFirst();
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
];
