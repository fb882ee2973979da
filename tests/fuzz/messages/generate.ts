/**
 * Makes cases of vhost-user messages: what a good frontend sends, then some of
 * it bent, left out, repeated or in another order.
 *
 * @module
 */

import type { Choice } from "../guest/generate.ts";
import {
  type ConnectionOperation,
  type FdKind,
  MEMORY_SIZE,
  type MessageCase,
  type MessageOperation,
} from "./operations.ts";
import type { Random } from "../random.ts";

const GUEST = 0x4000_0000;
const USER_HIGH = 0x7f00;
const RING_STEP = 0x4000;
const QUEUES = 3;

type Words = (readonly [at: number, value: number])[];

function message(
  request: number,
  size = 0,
  words: Words = [],
  fds: readonly FdKind[] = [],
): MessageOperation {
  return { op: "message", request, flags: 1, size, words, fds };
}

/** A le64 as two words. */
function u64(at: number, low: number, high = 0): Words {
  return [[at, low >>> 0], [at + 4, high >>> 0]];
}

function region(
  random: Random,
  at: number,
  guest = GUEST,
): Words {
  const size = random.oneIn(6)
    ? random.pick([0x1000, 0x8000, MEMORY_SIZE - 0x1000, 1, 4095])
    : MEMORY_SIZE;
  const offset = random.oneIn(8) ? random.pick([0x1000, 0x10, 1]) : 0;
  return [
    ...u64(at, guest),
    ...u64(at + 8, size - offset),
    ...u64(at + 16, guest & 0xff_ffff, USER_HIGH + (guest >>> 24)),
    ...u64(at + 24, offset),
  ];
}

/** Where a region lies: side by side with others, or now and then over one. */
function place(random: Random, index: number): number {
  const shift = random.oneIn(8) ? random.pick([0x1000, 1, -1, -0x1000]) : 0;
  return GUEST + index * MEMORY_SIZE + shift;
}

/** Features a driver takes: 30 among them or not, 34 is RING_PACKED. */
function features(random: Random): Words {
  const [low, high] = random.pick(
    [
      [0x7000_0000, 1],
      [0x7000_0000, 1],
      [0x7000_001e, 1],
      [0x7000_0000, 5],
      [0x4000_0000, 0],
      [0x3000_0000, 1],
    ] as const,
  );
  return u64(0, low!, high);
}

const PROTOCOL = [0x1a289, 0x1a289, 0x1a089, 0x0008, 0x1a281, 0];

function addresses(random: Random, index: number): Words {
  const odd = () =>
    random.oneIn(12) ? random.pick([1, 2, 8, -64, 0x10_0000]) : 0;
  const base = (GUEST & 0xff_ffff) + RING_STEP * index;
  const high = USER_HIGH + (GUEST >>> 24);
  return [
    [0, index],
    ...u64(8, base + odd(), high),
    ...u64(16, base + 0x2000 + odd(), high),
    ...u64(24, base + 0x1000 + odd(), high),
  ];
}

/** What starts a ring. */
function startRing(random: Random, index: number): MessageOperation[] {
  const size = random.oneIn(6)
    ? random.pick([0, 1, 3, 0x8000, 0x8001, 0xffff_ffff])
    : 16;
  return [
    message(8, 8, [[0, index], [4, size]]),
    message(10, 8, [
      [0, index],
      [4, random.pick([0, 0, 0, 0x8000_8000, 0xfffe, 0xffff_ffff])],
    ]),
    message(9, 40, addresses(random, index)),
    message(14, 8, [[0, index]], ["err"]),
    message(12, 8, [[0, index]], ["kick"]),
    message(13, 8, [[0, index]], ["call"]),
    message(18, 8, [[0, index], [4, 1]]),
  ];
}

function prologue(random: Random): MessageOperation[] {
  return [
    message(1),
    message(15),
    message(16, 8, u64(0, random.pick(PROTOCOL))),
    message(17),
    message(3),
    message(2, 8, features(random)),
    message(5, 40, [[0, 1], ...region(random, 8)], ["memory"]),
  ];
}

function sessionMessage(random: Random): MessageOperation {
  const size = random.pick([632, 1072]);
  const odd = (value: number) =>
    random.oneIn(8) ? random.pick([0, 64, 65, 512, 513, 0xffff_ffff]) : value;
  return message(26, size, [
    [0, size === 1072 ? 2 : 0],
    [8, odd(3)],
    [12, odd(16)],
    [16, odd(2)],
    [20, odd(20)],
    [24, odd(20)],
    // op_type, direction, hash_mode, alg_chain_order
    [32, odd(random.pick([0x0101, 0x0201, 0x01020102, 0x02010202]))],
    [56, random.word()],
  ]);
}

const SIZES = [0, 1, 8, 12, 20, 24, 32, 40, 68, 264, 268, 632, 1072, 4096];
const FDS: readonly FdKind[] = [
  "memory",
  "short",
  "kick",
  "call",
  "err",
  "reader",
  "writer",
  "socket",
];

/** One message of those there are, with values that are right or odd. */
function anyMessage(random: Random): MessageOperation {
  const index = random.oneIn(8)
    ? random.pick([QUEUES, 255, 256, 999, 0x1_0000, 0xffff_ffff])
    : random.below(QUEUES);
  switch (random.below(20)) {
    case 0:
      return random.pick(prologue(random));
    case 1:
    case 2:
      return random.pick(startRing(random, index));
    case 3:
      return message(11, 8, [[0, index]]);
    case 4:
      return message(random.pick([12, 13, 14]), 8, [
        [0, random.oneIn(3) ? index | 0x100 : index],
      ], random.oneIn(3) ? [] : [random.pick(FDS)]);
    case 5: {
      const count = random.below(9);
      const words = Array.from(
        { length: count },
        (_, i) => region(random, 8 + 32 * i, place(random, i)),
      ).flat();
      const fds = Array.from(
        { length: random.oneIn(5) ? random.below(9) : count },
        () => random.oneIn(10) ? random.pick(FDS) : "memory",
      );
      return message(5, 8 + 32 * count, [[0, count], ...words], fds);
    }
    case 6:
    case 7:
      return message(
        37,
        40,
        region(
          random,
          8,
          place(random, random.below(random.oneIn(2) ? 4 : 70)),
        ),
        [random.oneIn(6) ? random.pick(FDS) : "memory"],
      );
    case 8:
      return message(
        38,
        40,
        region(random, 8, GUEST + MEMORY_SIZE * random.below(4)),
        random.oneIn(4) ? ["memory"] : [],
      );
    case 9: {
      const offset = random.pick([0, 4, 8, 52, 55, 56, 57, 0xffff_fffc]);
      const size = random.pick([0, 1, 4, 8, 56, 256]);
      return message(random.pick([24, 24, 25]), 12 + size, [
        [0, offset],
        [4, size],
      ]);
    }
    case 10:
    case 11:
      return sessionMessage(random);
    case 12:
      return message(
        27,
        8,
        u64(
          0,
          random.below(9),
          random.oneIn(3) ? 0x8000_0000 : random.below(4),
        ),
      );
    case 13:
      return message(random.pick([34, 36, 40, 4, 3]));
    case 14:
      return message(39, 8, u64(0, random.pick([0, 1, 8, 15, 255, 256])));
    case 15: {
      // One whose feature is not offered, with descriptors or without.
      const request = random.pick([6, 7, 21, 31, 32, 33, 42, 19, 20, 23, 35]);
      const size = request === 31 || request === 32 ? 24 : 8;
      const most = [19, 20, 23, 35].includes(request) ? 0 : 1;
      return message(
        request,
        size,
        u64(0, 0xffff_ffff, 0xffff_ffff),
        FDS.slice(0, random.below(most + 1)),
      );
    }
    case 16:
      return message(
        random.below(50),
        random.pick(SIZES),
        [],
        FDS.slice(0, random.below(9)),
      );
    default:
      return message(18, 8, [[0, index], [4, random.pick([0, 1, 1, 2])]]);
  }
}

/** Bends a message in its bytes. */
function bend(random: Random, operation: MessageOperation): MessageOperation {
  switch (random.below(7)) {
    case 0:
      return {
        ...operation,
        flags: random.pick([0, 2, 3, 5, 9, 0x11, 0x1009]),
      };
    case 1:
      return { ...operation, size: random.pick(SIZES) };
    case 2:
      return {
        ...operation,
        claims: random.pick([...SIZES, 0xffff_ffff, 0x8000_0000]),
      };
    case 3:
    case 4: {
      const at = 4 * random.below(Math.max(1, operation.size >> 2));
      const value = random.pick([0, 1, 2, 0xff, 0x8000_0000, 0xffff_ffff]);
      return { ...operation, words: [...operation.words, [at, value]] };
    }
    case 5:
      return {
        ...operation,
        fds: Array.from({ length: random.below(10) }, () => random.pick(FDS)),
      };
    default:
      return { ...operation, first: random.between(1, 11 + operation.size) };
  }
}

/** Some of what a frontend does. */
export function someMessages(random: Random): ConnectionOperation[] {
  const other = random.below(40);
  switch (other) {
    case 0:
      return [{
        op: "break-off",
        bytes: random.below(52),
        fd: random.oneIn(2),
      }];
    case 1:
      return [{ op: "reconnect" }, ...asked(random, prologue(random))];
    case 2:
      return [{ op: "second" }];
    case 3:
    case 4:
      return [{ op: "kick" }];
    case 5:
    case 6:
      return Array.from({ length: 4 }, () => ({
        op: "scribble",
        at: random.oneIn(2)
          ? (RING_STEP * random.below(QUEUES) + 0x1000) / 2 + random.below(10)
          : random.below(0x6000),
        value: random.pick([1, 2, 16, 17, 0xffff, random.below(0x1_0000)]),
      }));
    case 7:
    case 8:
      return asked(random, startRing(random, random.below(QUEUES)));
    default: {
      const one = anyMessage(random);
      return asked(random, [random.oneIn(5) ? bend(random, one) : one]);
    }
  }
}

/** Most messages ask to be acknowledged. */
function asked(
  random: Random,
  messages: readonly MessageOperation[],
): MessageOperation[] {
  return messages.map((m) =>
    m.flags === 1 && !random.oneIn(10) ? { ...m, flags: 9 } : m
  );
}

/**
 * The server that messages are sent to: one a run, for its engine computes
 * hardly anything.
 *
 * @param choice engines to choose from
 * @returns how the server is made
 */
export function messageSetup({ engines }: Choice): MessageCase["setup"] {
  return { engine: engines[0] ?? "auto" };
}

/**
 * Makes a case.
 *
 * @param random where everything comes from
 * @param choice engines to choose from
 * @returns the case
 */
export function makeMessageCase(random: Random, choice: Choice): MessageCase {
  const operations: ConnectionOperation[] = random.oneIn(6)
    ? []
    : asked(random, prologue(random));
  const length = random.between(8, 40);
  while (operations.length < length) operations.push(...someMessages(random));
  return {
    target: "messages",
    setup: messageSetup(choice),
    operations,
  };
}
