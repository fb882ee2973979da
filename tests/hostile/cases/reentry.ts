/**
 * Cases of requests that write over the rings that carry them, and of requests
 * that are available more than once.
 *
 * @module
 */

import { le32 } from "../../support/bytes.ts";
import { USED } from "../../support/guest_packed_ring.ts";
import { WRITE } from "../../support/guest_ring.ts";
import { type Case, guestCases, type GuestSays } from "../case.ts";
import { OK } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import { sourceFor } from "../requests.ts";
import { WedgedError } from "../verdict.ts";

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
export const REENTRY_CASES: readonly Case[] = [
  ...guestCases("CVE-2024-3446", REENTRY),
  ...guestCases("CVE-2016-5403", REPEATED),
  ...guestCases("Cloud Hypervisor, live memory", TWICE),
];
