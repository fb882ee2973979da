/**
 * Makes cases of a machine: sequences of requests, hostile rings, sessions
 * that come and go.
 *
 * @module
 */

import type { EngineName } from "../../../device/engine/engine.ts";
import type { MachineSetup } from "./device.ts";
import { makeCreate, makeDestroy } from "./generate_control.ts";
import { makeRequest } from "./generate_request.ts";
import { type PlannedSession, planSession } from "./plan.ts";
import type { GuestCase, GuestOperation, GuestTarget } from "./operations.ts";
import type { Random } from "../random.ts";

/** What is kept of a choice: all of it where nothing was asked for. */
export interface Choice {
  readonly engines: readonly (EngineName | "auto")[];
  readonly rings: readonly ("split" | "packed")[];
}

/** Features 0 to 4 as drivers negotiate them, by document. */
const NEGOTIATED: readonly (readonly [MachineSetup["spec"], number])[] = [
  ["v15", 0],
  ["v15", 0b11110],
  ["v15", 0b10010],
  // Linux' driver; weighs more, as it has the short way.
  ["1.4", 0],
  ["1.4", 0],
  ["1.4", 0b00001],
  ["1.4", 0b11111],
  ["1.4", 0b00011],
];

/**
 * Machines are few, so that they can be used again.
 *
 * @param random where everything comes from
 * @param target what is fuzzed
 * @param choice engines and rings to choose from
 * @returns how a machine is made
 */
function makeSetup(
  random: Random,
  target: GuestTarget,
  choice: Choice,
): MachineSetup {
  const [spec, features] = random.pick(NEGOTIATED);
  const rings = target === "rings";
  const ring = random.pick(choice.rings);
  return {
    engine: random.pick(choice.engines),
    ring,
    spec,
    features,
    ringSize: rings ? (random.oneIn(2) ? 4 : 16) : 32,
    eventIndex: rings ? random.oneIn(2) : true,
    indirect: !rings || !random.oneIn(5),
    start: rings && random.oneIn(2) ? (ring === "packed" ? 3 : 0xfffe) : 0,
    stride: rings ? 3 : 1,
    maxSize: target === "requests" && random.oneIn(2) ? 256 : 1 << 24,
    maxSessions: target === "sessions" ? 3 : 64,
  };
}

/**
 * Makes a case.
 *
 * @param random where everything comes from
 * @param target what is fuzzed
 * @param choice engines and rings to choose from
 * @returns the case
 */
export function makeGuestCase(
  random: Random,
  target: GuestTarget,
  choice: Choice,
): GuestCase {
  const setup = makeSetup(random, target, choice);
  const sessions: PlannedSession[] = [];
  const operations: GuestOperation[] = [];
  const length = random.between(4, target === "rings" ? 24 : 32);
  while (operations.length < length) {
    operations.push(...some(random, target, setup, sessions));
  }
  return { target, setup, operations };
}

/**
 * Makes an operation, or a few that belong together.
 *
 * @param random where everything comes from
 * @param target what is fuzzed
 * @param setup the machine
 * @param sessions those planned so far; new ones are added
 * @returns the operations
 */
export function some(
  random: Random,
  target: GuestTarget,
  setup: MachineSetup,
  sessions: PlannedSession[],
): GuestOperation[] {
  switch (target) {
    case "requests":
      return someRequests(random, setup, sessions);
    case "rings":
      return someRings(random, setup, sessions);
    case "sessions":
      return someSessions(random, setup, sessions);
  }
}

function create(
  random: Random,
  setup: MachineSetup,
  sessions: PlannedSession[],
  hostility: number,
): GuestOperation {
  const plan = planSession(random);
  sessions.push(plan);
  return makeCreate(random, setup, plan, hostility);
}

function someRequests(
  random: Random,
  setup: MachineSetup,
  sessions: PlannedSession[],
): GuestOperation[] {
  if (sessions.length === 0 || random.oneIn(6)) {
    return [create(random, setup, sessions, 0)];
  }
  if (random.oneIn(5)) return [{ op: "run", queue: random.below(2) }];
  return [
    makeRequest(random, setup, sessions, { bytes: 2, descriptors: 0 }),
  ];
}

function someRings(
  random: Random,
  setup: MachineSetup,
  sessions: PlannedSession[],
): GuestOperation[] {
  if (sessions.length === 0) return [create(random, setup, sessions, 0)];
  const queue = random.below(2);
  switch (random.below(17)) {
    case 16:
      return [{
        op: "race",
        queue,
        at: random.oneIn(2)
          ? 4 * random.below(setup.ringSize) + random.pick([0, 1, 2, 2, 2, 3])
          : random.below(1 << 16),
        mask: random.pick([1, 3, 0x10, 0xff, 0x10_0000, 0x10001, -1, 1 << 31]),
      }];
    case 0:
      return [{
        op: "again",
        queue,
        value: random.pick([
          random.below(setup.ringSize),
          random.below(setup.ringSize),
          setup.ringSize,
          setup.ringSize - 1,
          0xffff,
        ]),
      }];
    case 1:
      return [{
        op: "jump",
        queue,
        by: random.pick([1, setup.ringSize, setup.ringSize + 1, 0x7fff, 2]),
      }];
    case 2:
      return [{
        op: "poke",
        queue,
        at: random.below(1 << 16),
        value: random.pick([0, 1, 2, 3, 4, 5, 7, 0x80, 0x8080, 0xffff]),
      }];
    case 3:
      return [{ op: "wanted", queue, value: random.below(1 << 12) }];
    case 4:
      return [{ op: "restart", queue, anew: random.oneIn(3) }];
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      return [{ op: "run", queue }];
    default:
      return [
        makeRequest(random, setup, sessions, { bytes: 8, descriptors: 2 }),
      ];
  }
}

function someSessions(
  random: Random,
  setup: MachineSetup,
  sessions: PlannedSession[],
): GuestOperation[] {
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      return [create(random, setup, sessions, 3)];
    case 3:
    case 4:
      return [makeDestroy(random, setup, sessions, 3)];
    case 5:
      return random.oneIn(4) ? [{ op: "clear" }] : [];
    case 6:
      return [{ op: "run", queue: random.below(2) }];
    default:
      return [
        makeRequest(random, setup, sessions, { bytes: 6, descriptors: 0 }),
        ...(random.oneIn(2)
          ? [{ op: "run", queue: random.below(2) }] as const
          : []),
      ];
  }
}
