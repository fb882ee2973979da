/**
 * Makes creations and destructions of sessions.
 *
 * @module
 */

import type { MachineSetup } from "./device.ts";
import type { CreateOperation, DestroyOperation } from "./operations.ts";
import { placement } from "./placement.ts";
import { EDGES, maybeWrong, type PlannedSession, someKey } from "./plan.ts";
import type { Random } from "../random.ts";

/**
 * Makes a creation.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param plan what it is to create
 * @param hostility one in so many has something wrong; 0: none
 * @returns the creation
 */
export function makeCreate(
  random: Random,
  setup: MachineSetup,
  plan: PlannedSession,
  hostility: number,
): CreateOperation {
  const { algorithm, hash, direction, resultLength } = plan;
  const wrong = (value: number) =>
    hostility > 0 ? maybeWrong(random, value) : value;
  const words: [number, number][] = [];
  let extra = 0;
  let writable = random.pick([16, 16, 16, 17, 40]);
  if (hostility > 0 && random.oneIn(hostility)) {
    switch (random.below(4)) {
      case 0:
        words.push([4 * random.below(18), random.pick(EDGES)]);
        break;
      case 1:
        extra = random.pick([-1, 1, -8, 48, random.between(-90, 40)]);
        break;
      case 2:
        writable = random.below(18);
        break;
      default:
        words.push([
          0,
          random.pick([0, 1, 2, 3, 0x102, 0x202, 0x302, 0x303, 0x402, 0x10002]),
        ]);
    }
  }
  const padded = setup.spec === "1.4" && setup.features & 1
    ? random.oneIn(20)
    : random.oneIn(2);
  return {
    op: "create",
    service: algorithm.service,
    algorithm: wrong(algorithm.number),
    direction: algorithm.service === 0 || algorithm.service === 3
      ? wrong(direction)
      : 0,
    keyLength: wrong(someKey(random, algorithm)) & 0xffff,
    resultLength: wrong(resultLength),
    ...(hash === undefined ? {} : {
      chain: {
        order: wrong(1 + random.below(2)),
        mode: wrong(hash.service),
        hash: wrong(hash.number),
        authKeyLength: hash.service === 2
          ? wrong(someKey(random, hash)) & 0xffff
          : random.pick([0, 0, 9]),
      },
    }),
    padded,
    queueId: hostility > 0 && random.oneIn(10) ? random.pick(EDGES) : 0,
    data: random.word(),
    ...(words.length > 0 ? { words } : {}),
    ...(extra !== 0 ? { extra } : {}),
    placement: placement(random, setup, 90, writable, hostility && 30),
  };
}

/**
 * Makes a destruction.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param sessions sessions there may be
 * @param hostility one in so many has something wrong; 0: none
 * @returns the destruction
 */
export function makeDestroy(
  random: Random,
  setup: MachineSetup,
  sessions: readonly PlannedSession[],
  hostility: number,
): DestroyOperation {
  const session = random.below(Math.max(1, sessions.length));
  let service = sessions[session]?.algorithm.service ?? 0;
  let idXor: string | undefined;
  let extra = 0;
  let writable = random.pick([1, 1, 7, 8, 8, 16, 20]);
  if (hostility > 0 && random.oneIn(hostility)) {
    switch (random.below(4)) {
      case 0:
        service = random.below(5);
        break;
      case 1: {
        const bits = random.pick([
          1n << BigInt(random.pick([0, 1, 31, 32, 33, 62, 63])),
          0xffff_ffff_ffff_ffffn,
          0xffff_ffff_0000_0000n,
        ]);
        idXor = `0x${bits.toString(16)}`;
        break;
      }
      case 2:
        extra = random.pick([-1, 1, -8, 48, random.between(-30, 60)]);
        break;
      default:
        writable = random.below(9);
    }
  }
  const padded = setup.spec === "1.4" && setup.features & 1
    ? random.oneIn(20)
    : random.oneIn(2);
  return {
    op: "destroy",
    service,
    session,
    ...(idXor === undefined ? {} : { idXor }),
    padded,
    ...(extra !== 0 ? { extra } : {}),
    placement: placement(random, setup, 24, writable, hostility && 30),
  };
}
