/**
 * Cases of sessions that are not there, not any more, or not of that kind.
 *
 * @module
 */

import { type Case, guestCases, type GuestSays } from "../case.ts";
import { ERR, INVSESS, OK } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import { good, type Kind, KINDS } from "../requests.ts";

/** Ids that were never issued. */
const NEVER: readonly bigint[] = [
  0n,
  1n,
  4095n,
  4096n,
  0xffff_ffffn,
  (1n << 32n) + 4095n,
  0x7fff_ffffn << 32n,
  1n << 63n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

/** Ids that look like one that is live. */
function neighbours(id: bigint): bigint[] {
  return [
    id + (1n << 32n),
    id - (1n << 32n),
    id | 1n << 63n,
    id | 1n << 31n,
    id & 0xffff_ffffn,
    id ^ 0x8000_0000_0000_0000n,
  ].map((each) => BigInt.asUintN(64, each)).filter((each) => each !== id);
}

/** Sends a request by an id that is none's, on both queues. */
async function invalid(
  guest: HostileGuest,
  kind: Kind,
  id: bigint,
): Promise<void> {
  for (const index of [0, 1]) {
    const request = good(kind, "session", id);
    await guest.send(request, { status: INVSESS }, "direct", index);
  }
}

/** Sends a good request by an id, on both queues. */
async function valid(
  guest: HostileGuest,
  kind: Kind,
  id: bigint,
): Promise<void> {
  for (const index of [0, 1]) {
    const request = good(kind, "session", id);
    await guest.exchange([guest.sendable(request)], index);
  }
}

const UNKNOWN: readonly GuestSays[] = [
  {
    sends: "destroying ids that were never issued",
    verdict: "REJECT",
    async run(guest) {
      for (const id of NEVER) {
        for (const kind of ["cipher", "hash", "mac", "seal"] as const) {
          await guest.destroySession(kind, id, ERR);
        }
      }
    },
  },
  {
    sends: "requests by ids that were never issued",
    verdict: "REJECT",
    async run(guest) {
      for (const kind of KINDS) {
        for (const id of NEVER) await invalid(guest, kind, id);
      }
    },
  },
  {
    sends: "destroying and using ids that are nearly a live one's",
    verdict: "REJECT",
    async run(guest) {
      for (const kind of KINDS) {
        const session = guest.sessions.get(kind)!;
        for (const id of neighbours(session)) {
          await invalid(guest, kind, id);
          await guest.destroySession(kind, id, ERR);
        }
        await valid(guest, kind, session);
      }
    },
  },
  {
    sends: "destroying a session twice",
    verdict: "REJECT",
    async run(guest) {
      for (const kind of KINDS) {
        const id = await guest.createSession(kind);
        await guest.destroySession(kind, id);
        await guest.destroySession(kind, id, ERR);
        await invalid(guest, kind, id);
      }
    },
  },
  {
    sends: "destroying a session by another service's opcode, which keeps it",
    verdict: "REJECT",
    async run(guest) {
      const id = await guest.createSession("mac");
      for (const other of ["cipher", "hash", "seal"] as const) {
        await guest.destroySession(other, id, ERR);
      }
      await valid(guest, "mac", id);
      await guest.destroySession("mac", id);
    },
  },
  {
    sends: "use after destroying, with requests of all kinds",
    verdict: "REJECT",
    async run(guest) {
      const id = await guest.createSession("cipher");
      await guest.destroySession("cipher", id);
      for (const kind of KINDS) await invalid(guest, kind, id);
    },
  },
];

const STALE: readonly GuestSays[] = [
  ...KINDS.map((kind): GuestSays => ({
    sends: `${kind}: a request, its session closed, the same request again`,
    verdict: "REJECT",
    async run(guest) {
      const id = await guest.createSession(kind);
      await valid(guest, kind, id);
      await guest.destroySession(kind, id);
      await invalid(guest, kind, id);
    },
  })),
  {
    sends: "an old id after its slot was given to another session, 100 times",
    verdict: "REJECT",
    async run(guest) {
      const ids = new Set<bigint>();
      for (let i = 0; i < 100; i++) {
        const id = await guest.createSession("cipher");
        if (ids.has(id)) throw new Error(`Session ${id} was there before`);
        ids.add(id);
        await guest.exchange([
          ...[...ids].slice(0, -1).slice(-10).map((old) => ({
            buffers: guest.buffers(good("cipher", "session", old)),
            style: "indirect" as const,
            expected: { status: INVSESS },
          })),
          guest.sendable(good("cipher", "session", id), "indirect"),
        ]);
        await guest.destroySession("cipher", id, OK);
      }
    },
  },
];

/** The cases. */
export const SESSION_CASES: readonly Case[] = [
  ...guestCases("QEMU, unknown session", UNKNOWN),
  ...guestCases("Stale session", STALE),
];
