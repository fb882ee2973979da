/**
 * Cases of buffers that are empty, huge, or not in memory.
 *
 * @module
 */

import { WRITE } from "../../support/guest_ring.ts";
import { type Case, guestCases, type GuestSays } from "../case.ts";
import { ERR, type Expected } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import type { Buffer } from "../ring.ts";

const MOST = 0xffff_ffff;
const STATUS_ERR: Expected = { status: ERR };
const NO_STATUS: Expected = { used: 0 };

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
        const { header, status } = guest.twoBuffers();
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
  ], { ...STATUS_ERR, used: 50 }),
  given("a buffer to read in the middle of the result", [
    [area, 40, WRITE],
    [area, 1, 0],
    [area, 1, WRITE],
  ], { ...STATUS_ERR, used: 90 }),
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
  {
    sends: "2^32 bytes in memory, over and over, in a table",
    verdict: "REJECT",
    async run(guest) {
      const { header, status } = guest.twoBuffers();
      const { guestAddress: address, size: length } = guest.memory.regions[0]!;
      const all = { address, length, writable: false };
      const over = Array.from({ length: 2 ** 32 / length }, () => all);
      await guest.exchange([{
        buffers: [header, ...over, status],
        style: "indirect",
        expected: STATUS_ERR,
      }]);
    },
  },
];

/** The cases. */
export const BUFFER_CASES: readonly Case[] = [
  ...guestCases("CVE-2016-6490/7422", SIZES),
  ...guestCases("CVE-2018-1059", LEAVING),
  ...guestCases("virtio-queue, indices and resets", TOO_LONG),
];
