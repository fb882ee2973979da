/**
 * Cases of requests that fail at each step of the checks, in the order of the
 * checks, on the data queues and on the control queue.
 *
 * @module
 */

import { createSessionRequest } from "../../../device/driver/control_requests.ts";
import { le32 } from "../../support/bytes.ts";
import { type Case, guestCases, type GuestSays, refused } from "../case.ts";
import { CONTROL, MAX_SESSIONS } from "../carrier.ts";
import { BADMSG, ERR, type Expected, INVSESS, NOTSUPP } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import {
  altered,
  cut,
  fieldsOf,
  good,
  type Kind,
  KINDS,
  type Mode,
  MODES,
  parametersOf,
  readableLength,
  type Request,
} from "../requests.ts";

/** A field of a data request, and what a value in it gets. */
type Step = readonly [
  kind: Kind,
  mode: Mode,
  field: string,
  value: number,
  status: number,
];

const DECRYPT = 0x001;
const OPEN = 0x301;

/** By the order of the checks (v15, Device Operation). */
const DATA_STEPS: readonly Step[] = [
  ...KINDS.flatMap((kind) =>
    MODES.flatMap((mode): Step[] => [
      [kind, mode, "opcode", 0xffff_ffff, NOTSUPP],
      [kind, mode, "flag", 3, ERR],
      [kind, mode, "flag", 0xffff_ffff, ERR],
    ])
  ),
  ...KINDS.flatMap((kind): Step[] => [
    [kind, "session", "session_id_low", 0xffff_ffff, INVSESS],
    [kind, "session", "session_id_high", 0, INVSESS],
    [kind, "session", "session_id_high", 0xffff_ffff, INVSESS],
  ]),
  ...(["cipher", "stream", "chain"] as const).flatMap((kind) =>
    MODES.flatMap((mode): Step[] => [
      [kind, mode, "op_type", 0, NOTSUPP],
      [kind, mode, "op_type", 3, NOTSUPP],
      [kind, mode, "op_type", 0xffff_ffff, NOTSUPP],
    ])
  ),
  ["cipher", "session", "op_type", 2, ERR],
  ["chain", "session", "op_type", 1, ERR],
  ...MODES.flatMap((mode): Step[] => [
    ["cipher", mode, "opcode", DECRYPT, ERR],
    ["stream", mode, "opcode", DECRYPT, ERR],
    ["chain", mode, "opcode", DECRYPT, ERR],
    ["seal", mode, "opcode", OPEN, ERR],
    ["open", mode, "opcode", 0x300, ERR],
  ]),
  ...KINDS.flatMap((kind): Step[] => [
    [kind, "stateless", "algo", 0, NOTSUPP],
    [kind, "stateless", "algo", 63, NOTSUPP],
    [kind, "stateless", "algo", 0xffff_ffff, NOTSUPP],
  ]),
  ["chain", "stateless", "alg_chain_order", 0, NOTSUPP],
  ["chain", "stateless", "alg_chain_order", 3, NOTSUPP],
  ["chain", "stateless", "hash_mode", 0, NOTSUPP],
  ["chain", "stateless", "hash_mode", 3, NOTSUPP],
  ["chain", "stateless", "hash_algo", 0xffff_ffff, NOTSUPP],
  ...(["cipher", "seal", "open"] as const).flatMap((kind): Step[] => [
    [kind, "stateless", "op", 0, ERR],
    [kind, "stateless", "op", 3, ERR],
    [kind, "stateless", "keylen", 0, ERR],
    [kind, "stateless", "keylen", 15, ERR],
    [kind, "stateless", "keylen", 24, ERR],
  ]),
  ["mac", "stateless", "auth_key_len", 0, ERR],
  ["mac", "stateless", "auth_key_len", 513, ERR],
];

/** A request of a session of another kind. */
function mistaken(kind: Kind, other: Kind): GuestSays {
  return refused(
    `${kind} by a session of ${other}`,
    (guest) => good(kind, "session", guest.sessions.get(other)),
    INVSESS,
  );
}

/** An encrypted message that was changed: its tag is wrong. */
function forged(mode: Mode): GuestSays {
  return refused(
    `open, ${mode}: a wrong tag`,
    (guest) => {
      const request = guest.good("open", mode);
      const { readable } = request;
      return {
        ...request,
        readable: readable.map((bytes, i) =>
          i === readable.length - 2
            ? Uint8Array.from(bytes, (byte, at) => at === 50 ? byte ^ 1 : byte)
            : bytes
        ),
      };
    },
    BADMSG,
  );
}

const DATA: readonly GuestSays[] = [
  ...DATA_STEPS.map(([kind, mode, field, value, status]) =>
    refused(
      `${kind}, ${mode}: ${field} ${value}`,
      (guest) =>
        altered(guest.good(kind, mode), {
          [fieldsOf(kind, mode)[field]!]: value,
        }),
      status,
    )
  ),
  mistaken("hash", "cipher"),
  mistaken("mac", "hash"),
  mistaken("seal", "mac"),
  mistaken("cipher", "seal"),
  ...MODES.map(forged),
];

/** Bytes of a creation's fixed part: padded, and without padding by service. */
const CONTROL_PADDED_SIZE = 56;
const FIXED_SIZE = [56, 8, 16, 24];

/** What a creation answers on failure: no id, the status, padding. */
function notCreated(status: number): Expected {
  return { used: 16, writes: [[0, le32(0, 0, status, 0)]] };
}

function creation(kind: Kind): Request {
  return createSessionRequest("legacy", parametersOf(kind), 0);
}

/** A request of the control queue, and its answer. */
function control(
  sends: string,
  request: (guest: HostileGuest) => Request,
  expected: Expected,
): GuestSays {
  return {
    sends,
    verdict: "REJECT",
    async run(guest) {
      await guest.send(request(guest), expected, "direct", CONTROL);
      await guest.send(request(guest), expected, "indirect", CONTROL);
    },
  };
}

/** A field of a creation by its offset, and what a value in it gets. */
type ControlStep = readonly [
  kind: Kind,
  field: string,
  at: number,
  value: number,
  status: number,
];

const CONTROL_STEPS: readonly ControlStep[] = [
  ...KINDS.flatMap((kind): ControlStep[] => [
    [kind, "opcode", 0, 0x0004, NOTSUPP],
    [kind, "opcode", 0, 0xffff_ffff, NOTSUPP],
    [kind, "queue_id", 12, 2, ERR],
    [kind, "queue_id", 12, 0xffff_ffff, ERR],
  ]),
  ["cipher", "op_type", 64, 0, NOTSUPP],
  ["cipher", "op_type", 64, 3, NOTSUPP],
  ["cipher", "algo", 16, 0, NOTSUPP],
  ["cipher", "algo", 16, 0xffff_ffff, NOTSUPP],
  ["cipher", "op", 24, 0, ERR],
  ["cipher", "op", 24, 3, ERR],
  ["cipher", "keylen", 20, 15, ERR],
  ["cipher", "keylen", 20, 24, ERR],
  ["chain", "alg_chain_order", 16, 0, NOTSUPP],
  ["chain", "alg_chain_order", 16, 3, NOTSUPP],
  ["chain", "hash_mode", 20, 0, NOTSUPP],
  ["chain", "hash_mode", 20, 3, NOTSUPP],
  ["chain", "cipher algo", 24, 63, NOTSUPP],
  ["chain", "hash algo", 40, 0, NOTSUPP],
  ["chain", "hash_result_len", 44, 33, ERR],
  ["chain", "auth_key_len", 48, 0, ERR],
  ["hash", "algo", 16, 0, NOTSUPP],
  ["hash", "hash_result_len", 20, 33, ERR],
  ["mac", "algo", 16, 0, NOTSUPP],
  ["mac", "auth_key_len", 24, 0, ERR],
  ["mac", "hash_result_len", 20, 33, ERR],
  ["seal", "algo", 16, 0, NOTSUPP],
  ["seal", "key_len", 20, 17, ERR],
  ["seal", "tag_len", 24, 17, ERR],
  ["seal", "op", 32, 0, ERR],
];

/** Creations that fail at their last steps. */
const LATE: readonly (readonly [what: string, () => Request])[] = [
  ["their queue_id", () => altered(creation("cipher"), { 12: 0xffff })],
  ["a byte too many", () => {
    const request = creation("cipher");
    return { ...request, readable: [...request.readable, new Uint8Array(1)] };
  }],
  ["a byte too few", () => {
    const request = creation("chain");
    return cut(request, readableLength(request) - 1);
  }],
];

const CREATIONS: readonly GuestSays[] = [
  ...CONTROL_STEPS.map(([kind, field, at, value, status]) =>
    control(
      `creating ${kind}: ${field} ${value}`,
      () => altered(creation(kind), { [at]: value }),
      notCreated(status),
    )
  ),
  ...KINDS.map((kind): GuestSays => ({
    sends: `creating ${kind}: a chain that ends at each of its bytes in turn`,
    verdict: "REJECT",
    async run(guest) {
      const request = creation(kind);
      const all = readableLength(request);
      const { service } = parametersOf(kind);
      // There the request is whole in the unpadded form.
      const unpadded = all - CONTROL_PADDED_SIZE + FIXED_SIZE[service]!;
      for (let length = 0; length < all; length++) {
        if (length === unpadded) continue;
        await guest.send(
          cut(request, length),
          notCreated(ERR),
          "direct",
          CONTROL,
        );
      }
    },
  })),
  control(
    "creating cipher: a byte more than it names",
    () => {
      const request = creation("cipher");
      return { ...request, readable: [...request.readable, new Uint8Array(1)] };
    },
    notCreated(ERR),
  ),
  ...[0, 1, 15].map((room) =>
    control(
      `creating cipher: ${room} bytes for the answer`,
      () => ({ ...creation("cipher"), writable: room > 0 ? [room] : [] }),
      { used: 0 },
    )
  ),
  ...LATE.map(([what, request]): GuestSays => ({
    sends: `creations that fail by ${what}, more of them than sessions`,
    verdict: "REJECT",
    async run(guest) {
      // Each would leave a session behind if it were made before it is judged.
      for (let sent = 0; sent <= MAX_SESSIONS; sent += 60) {
        await guest.exchange(
          Array.from({ length: 60 }, () => ({
            buffers: guest.buffers(request()),
            style: "indirect" as const,
            expected: notCreated(ERR),
          })),
          CONTROL,
        );
      }
      await guest.destroySession("cipher", await guest.createSession("cipher"));
    },
  })),
];

/** Opcodes of services 0 to 7, and of none. */
const OPCODES: readonly number[] = [
  ...Array.from(
    { length: 8 },
    (_, service) =>
      [0, 1, 2, 3, 4, 5, 0x7f, 0xff].map((low) => service << 8 | low),
  ),
  [0x1_0000, 0x0100_0000, 0x8000_0000, 0xffff_ffff],
].flat();

const DATA_OPCODES = new Set([0x000, 0x001, 0x100, 0x200, 0x300, 0x301]);
const CONTROL_OPCODES = new Set(
  [0, 1, 2, 3].flatMap((service) => [service << 8 | 2, service << 8 | 3]),
);

const OPCODE_CASES: readonly GuestSays[] = [
  ...MODES.map((mode) =>
    ({
      sends: `${mode}: every opcode that no data request has`,
      verdict: "REJECT",
      async run(guest) {
        for (const opcode of OPCODES) {
          if (DATA_OPCODES.has(opcode)) continue;
          const request = altered(guest.good("cipher", mode), { 0: opcode });
          await guest.send(request, { status: NOTSUPP });
        }
      },
    }) satisfies GuestSays
  ),
  {
    sends: "every opcode that no control request has",
    verdict: "REJECT",
    async run(guest) {
      for (const opcode of OPCODES) {
        if (CONTROL_OPCODES.has(opcode)) continue;
        await guest.send(
          altered(creation("cipher"), { 0: opcode }),
          notCreated(NOTSUPP),
          "direct",
          CONTROL,
        );
      }
    },
  },
];

/** Key lengths that no algorithm and no field has room for. */
const KEY_LENGTHS = [65, 513, 0x7fff_ffff, 0xffff_ffff];

const KEYS: readonly GuestSays[] = KEY_LENGTHS.flatMap((length) => {
  const bytes = Math.min(length, 600);
  const longer = (kind: Kind, at: number) => () => {
    const request = creation(kind);
    const [fixed] = request.readable;
    return altered(
      { ...request, readable: [fixed!, new Uint8Array(bytes).fill(7)] },
      { [at]: length },
    );
  };
  return [
    ["cipher", 20],
    ["chain", 28],
    ["chain", 48],
    ["seal", 20],
    // HMAC keys have up to 512 bytes.
    ...(length > 512 ? [["mac", 24] as const] : []),
  ].map(([kind, at]) =>
    control(
      `creating ${kind}: a key length at ${at} of ${length}`,
      longer(kind as Kind, at as number),
      notCreated(ERR),
    )
  );
});

/** The cases. */
export const PARSING_CASES: readonly Case[] = [
  ...guestCases("QEMU, half-built state", [...DATA, ...CREATIONS]),
  ...guestCases("QEMU, service not offered", OPCODE_CASES),
  ...guestCases("CVE-2020-10724", KEYS),
];
