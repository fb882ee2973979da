/**
 * Cases of how a request lies in its descriptors: what is legal must work.
 *
 * @module
 */

import { concat } from "../../engine/guest.ts";
import { type Case, guestCases, type GuestSays, served } from "../case.ts";
import type { Sent } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import {
  type Good,
  type Kind,
  KINDS,
  type Mode,
  MODES,
  writableLength,
} from "../requests.ts";

/** Bytes of the data header. */
const HEADER = 24;
/** Addresses where no memory is. */
const UNMAPPED = [0, 0xdead_0000, 2 ** 52, 2 ** 63];

/** Cases for each kind and mode. */
function each(
  make: (kind: Kind, mode: Mode) => readonly GuestSays[],
): GuestSays[] {
  return KINDS.flatMap((kind) => MODES.flatMap((mode) => make(kind, mode)));
}

/** Cuts bytes at offsets. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  return [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i]));
}

/** A request whose writable part is one buffer, the status its last byte. */
function joined(request: Good, more = 0): Good {
  return { ...request, writable: [writableLength(request) + more] };
}

/** A request with its header in single bytes. */
function bytewise(request: Good): Good {
  const [fixed, ...rest] = request.readable;
  const bytes = pieces(fixed!, Array.from({ length: HEADER }, (_, i) => i + 1));
  return { ...request, readable: [...bytes, ...rest] };
}

/** Zero-length buffers before, between and behind a request's. */
function withEmpty(
  guest: HostileGuest,
  request: Good,
  address: number | undefined,
  style: Sent["style"],
): Sent {
  const sent = guest.sendable(request, style);
  const empty = (writable: boolean) => ({
    address: address ?? guest.area,
    length: 0,
    writable,
  });
  const buffers = sent.buffers.flatMap((buffer) => [
    empty(buffer.writable),
    buffer,
  ]);
  return { ...sent, buffers: [empty(false), ...buffers, empty(true)] };
}

function emptied(
  sends: string,
  kind: Kind,
  mode: Mode,
  address: number | undefined,
): GuestSays {
  return {
    sends,
    verdict: "PASS",
    async run(guest) {
      await guest.exchange(
        (["direct", "indirect"] as const).map((style) =>
          withEmpty(guest, guest.good(kind, mode), address, style)
        ),
      );
    },
  };
}

const ASSUMED = each((kind, mode) => [
  served(
    `${kind}, ${mode}: a descriptor for each field`,
    (guest) => guest.good(kind, mode),
  ),
  served(`${kind}, ${mode}: one descriptor to read, one to write`, (guest) => {
    const request = joined(guest.good(kind, mode));
    return { ...request, readable: [concat(...request.readable)] };
  }),
  served(
    `${kind}, ${mode}: the status is the last byte of a longer buffer`,
    (guest) => joined(guest.good(kind, mode), 200),
  ),
  served(`${kind}, ${mode}: the result a byte a descriptor`, (guest) => {
    const request = guest.good(kind, mode);
    const single = Array.from({ length: 20 }, () => 1);
    const rest = writableLength(request) - single.length;
    return { ...request, writable: [...single, rest] };
  }),
]);

const CUT = each((kind, mode) => [
  served(
    `${kind}, ${mode}: the header byte by byte`,
    (guest) => bytewise(guest.good(kind, mode)),
  ),
  {
    sends: `${kind}, ${mode}: all of it byte by byte, in a table`,
    verdict: "PASS",
    async run(guest) {
      const request = guest.good(kind, mode);
      const bytes = concat(...request.readable);
      const readable = Array.from(bytes, (byte) => Uint8Array.of(byte));
      const writable = Array.from(
        { length: writableLength(request) },
        () => 1,
      );
      await guest.exchange([
        guest.sendable({ ...request, readable, writable }, "indirect"),
      ]);
    },
  },
  {
    sends: `${kind}, ${mode}: header and fixed part cut in two anywhere`,
    verdict: "PASS",
    async run(guest) {
      const request = guest.good(kind, mode);
      const bytes = concat(...request.readable);
      const last = request.readable[0]!.length + 2;
      for (let from = 1; from <= last; from += 16) {
        await guest.exchange(
          Array.from(
            { length: Math.min(16, last + 1 - from) },
            (_, i) =>
              guest.sendable(
                { ...request, readable: pieces(bytes, [from + i]) },
                "indirect",
              ),
          ),
        );
      }
    },
  },
  emptied(
    `${kind}, ${mode}: empty descriptors between all others`,
    kind,
    mode,
    undefined,
  ),
]);

/** A table of more entries than the ring has. */
const LONG_TABLE: GuestSays = {
  sends: "a table of 2000 entries, most of them empty",
  verdict: "PASS",
  async run(guest) {
    const sent = guest.sendable(guest.good("cipher"), "indirect");
    const [first, ...rest] = sent.buffers;
    const empty = { address: guest.area, length: 0, writable: false };
    const fill = Array.from(
      { length: 2000 - sent.buffers.length },
      () => empty,
    );
    await guest.exchange([{ ...sent, buffers: [first!, ...fill, ...rest] }]);
  },
};

const UNMAPPED_EMPTY = UNMAPPED.flatMap((address) =>
  (["cipher", "chain", "open"] as const).flatMap((kind) =>
    MODES.map((mode) =>
      emptied(
        `${kind}, ${mode}: descriptors of no bytes at 0x${
          address.toString(16)
        } between all others`,
        kind,
        mode,
        address,
      )
    )
  )
);

/** A header that is cut to less than a header, over several descriptors. */
const SHORT_HEADER: GuestSays = {
  sends: "headers of 1 to 23 bytes, byte by byte",
  verdict: "REJECT",
  async run(guest) {
    const bytes = concat(...guest.good("cipher").readable);
    for (let length = 1; length < HEADER; length++) {
      const readable = Array.from(
        bytes.subarray(0, length),
        (byte) => Uint8Array.of(byte),
      );
      await guest.send({ readable, writable: [48, 1] }, { status: 1 });
    }
  },
};

/** Requests in one descriptor each, as many as the ring has. */
const FULL_RING: GuestSays = {
  sends: "as many requests at once as the ring has descriptors",
  verdict: "PASS",
  async run(guest) {
    const kinds = Array.from(
      { length: guest.ring().size },
      (_, i) => KINDS[i % KINDS.length]!,
    );
    await guest.exchange(
      kinds.map((kind, i) =>
        guest.sendable(guest.good(kind, MODES[i >> 3 & 1]), "indirect")
      ),
    );
  },
};

/** The cases. */
export const FRAMING_CASES: readonly Case[] = [
  ...guestCases("Framing assumed", [...ASSUMED, LONG_TABLE, FULL_RING]),
  ...guestCases("CVE-2022-2132", [...CUT, SHORT_HEADER]),
  ...guestCases("CVE-2020-10725", UNMAPPED_EMPTY),
];
