/**
 * How requests lie in memory: cut into buffers, with descriptors that are right or
 * not.
 *
 * @module
 */

import type { MachineSetup } from "./device.ts";
import { REGIONS } from "./memory.ts";
import type { DescriptorPatch, Placement } from "./operations.ts";
import { EDGES } from "./plan.ts";
import type { Random } from "../random.ts";

/** Cuts a length into buffers. */
export function cut(random: Random, length: number): number[] {
  if (random.oneIn(3)) return [length];
  const parts: number[] = [];
  for (let left = length; left > 0 && parts.length < 12;) {
    const most = random.oneIn(4) ? Math.min(left, 4) : left;
    const part = random.oneIn(12) ? 0 : 1 + random.below(most);
    parts.push(part);
    left -= part;
  }
  const sum = parts.reduce((a, b) => a + b, 0);
  return sum < length ? [...parts, length - sum] : parts;
}

/** The buffers that drivers make of a request. */
export interface DriverCut {
  /** Header and fixed part, then the iv; the rest is the source. */
  readonly readable: readonly number[];
  /** The result, then the status. */
  readonly writable: readonly number[];
}

/**
 * How a request lies in memory.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param readable bytes of its readable part
 * @param writable bytes of its writable part
 * @param hostility one in so many has a descriptor changed; 0: none
 * @param driver how a driver cuts it; left out: it is cut anyhow
 * @returns the placement
 */
export function placement(
  random: Random,
  setup: MachineSetup,
  readable: number,
  writable: number,
  hostility: number,
  driver?: DriverCut,
): Placement {
  const result: Placement = {
    readable: [...driver?.readable ?? cut(random, readable).slice(0, -1)],
    writable: driver !== undefined
      ? [...driver.writable]
      : writable > 0
      ? cut(random, writable)
      : [],
    style: driver !== undefined && setup.indirect ? "indirect" : random.pick(
      setup.indirect || random.oneIn(10)
        ? ["direct", "indirect", "indirect", "mixed"]
        : ["direct"],
    ),
    gap: random.pick([0, 1, 3, 16, 61]),
    ...(driver !== undefined ? { aligned: true } : {}),
    ...(random.oneIn(6) ? { high: true } : {}),
  };
  if (hostility === 0 || !random.oneIn(hostility)) return result;
  const count = result.readable.length + result.writable.length + 1;
  // Behind the readable buffers there is one that takes the rest.
  const firstWritable = result.readable.length + 1;
  if (
    result.style === "indirect" && firstWritable < count && random.oneIn(8)
  ) {
    return { ...result, patches: [loop(random, firstWritable, count)] };
  }
  const patches = Array.from(
    { length: random.oneIn(4) ? 2 : 1 },
    () => patch(random, setup, count),
  );
  return { ...result, patches };
}

/** Addresses at which memory turns, and a little beside them. */
function oddAddress(random: Random): bigint {
  const [start, size] = random.pick(REGIONS);
  const edge = random.pick([
    start,
    start + size,
    start + size,
    start + size,
    0,
    0x1_0000_0000,
    2 ** 53 - 8,
    -1,
  ]);
  const near = random.oneIn(3) ? 0 : random.between(-40, 8);
  return BigInt.asUintN(64, BigInt(edge) + BigInt(near));
}

/** A loop of writable entries, so that there is a place for a status. */
function loop(
  random: Random,
  firstWritable: number,
  count: number,
): DescriptorPatch {
  const at = Math.max(firstWritable, random.between(firstWritable, count - 1));
  return { at, flags: 3, next: random.between(firstWritable, at) };
}

function patch(
  random: Random,
  setup: MachineSetup,
  count: number,
): DescriptorPatch {
  const at = random.below(count + 1);
  switch (random.below(9)) {
    case 0:
    case 1:
      return { at, address: `0x${oddAddress(random).toString(16)}` };
    case 2:
      return {
        at,
        address: `0x${oddAddress(random).toString(16)}`,
        length: random.pick([1, 4, 16, 40, 256, 4096, 0x9000]),
      };
    case 3:
      return { at, length: random.pick([0, 1, 8, 24, ...EDGES]) };
    case 4:
      return { at, length: 16 * random.between(0, 3) + random.pick([0, 0, 8]) };
    case 5:
      return { at, flags: random.below(8) };
    case 6:
      return {
        at,
        flags: 1 | (random.oneIn(3) ? 2 : 0),
        next: random.pick([
          0,
          1,
          2,
          setup.ringSize - 1,
          setup.ringSize,
          setup.ringSize + 1,
          0xffff,
          random.below(setup.ringSize),
        ]),
      };
    case 7:
      return { at, next: random.pick([0, at, setup.ringSize, 0x7fff, 0xffff]) };
    default:
      return { at, flags: random.pick([4, 5, 6, 7, 0, 2, 1]) };
  }
}
