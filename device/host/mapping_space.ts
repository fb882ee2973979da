/**
 * Addresses that files are mapped over: parts of SharedArrayBuffers, so that
 * what is mapped is memory that every thread of this process can use.
 *
 * @module
 */

import { addressOf } from "./libc.ts";

/**
 * Buffers are at least this large: malloc gives a smaller one memory of its
 * heap, and its threshold can grow to 32 MiB.
 */
const LEAST_CAPACITY = 64 * 2 ** 20;

/**
 * Capacities are multiples of this, so that buffers of odd sizes can serve each
 * other's mappings.
 */
const CAPACITY_STEP = 2 * 2 ** 20;

/** The most buffers kept for reuse. They hold addresses, not memory. */
const MOST_POOLED = 32;

/** A file descriptor cannot be mapped as asked. */
export class MappingError extends Error {
  /** The name of the class. */
  override readonly name = "MappingError";
}

/** Released buffers, the oldest first. */
const pool: SharedArrayBuffer[] = [];

function takeBuffer(capacity: number): SharedArrayBuffer {
  // The smallest that is large enough, so that a guest which reconnects finds
  // the buffers of its last visit, and so that odd sizes find one at all.
  let best = -1;
  pool.forEach(({ byteLength }, i) => {
    const bestLength = pool[best]?.byteLength ?? Infinity;
    if (byteLength >= capacity && byteLength < bestLength) best = i;
  });
  const [pooled] = best < 0 ? [] : pool.splice(best, 1);
  if (pooled !== undefined) return pooled;
  try {
    return new SharedArrayBuffer(capacity);
  } catch (cause) {
    throw new MappingError(
      `Cannot reserve ${capacity} bytes of addresses for a mapping`,
      { cause },
    );
  }
}

function keepBuffer(buffer: SharedArrayBuffer): void {
  pool.push(buffer);
  // What drops out is out of reach, and the collector gives it back.
  if (pool.length > MOST_POOLED) pool.shift();
}

/** Addresses for one mapping. */
export interface MappingPlace {
  /** The buffer that they are in. */
  readonly buffer: SharedArrayBuffer;
  /** Where in it they start, in bytes. */
  readonly offset: number;
  /** The first address. */
  readonly address: bigint;
  /** Number of bytes. */
  readonly length: number;
}

/** A buffer, and what of it is taken. */
interface Room {
  readonly buffer: SharedArrayBuffer;
  readonly base: bigint;
  /** In the order in which they lie. */
  readonly places: MappingPlace[];
}

/**
 * Addresses for mappings, side by side in one buffer as long as it has room:
 * memory in one buffer is read through one view (`GuestMemory.views`).
 */
export class MappingSpace {
  readonly #expected: number;
  readonly #rooms: Room[] = [];

  /**
   * @param expected bytes that all mappings will take, their alignment
   * included, where that is known; what is more is in another buffer
   */
  constructor(expected = 0) {
    this.#expected = expected;
  }

  /**
   * Takes addresses for a mapping.
   *
   * @param length number of bytes
   * @param unit what the first address has to be a multiple of
   * @returns addresses of nobody else
   * @throws {MappingError} There are none
   */
  take(length: number, unit: number): MappingPlace {
    for (const room of this.#rooms) {
      const place = placeIn(room, length, unit);
      if (place !== undefined) return place;
    }
    const first = this.#rooms.length === 0 ? this.#expected : 0;
    const bytes = Math.max(LEAST_CAPACITY, first, length + unit);
    const buffer = takeBuffer(
      Math.ceil(bytes / CAPACITY_STEP) * CAPACITY_STEP,
    );
    const base = addressOf(new Uint8Array(buffer));
    const room = { buffer, base, places: [] };
    this.#rooms.push(room);
    return placeIn(room, length, unit)!;
  }

  /**
   * Gives addresses back, where nothing is mapped any more but memory of zeros.
   * Others that are never given back are never used again.
   *
   * @param place what {@linkcode take} gave
   */
  giveBack(place: MappingPlace): void {
    const at = this.#rooms.findIndex(({ buffer }) => buffer === place.buffer);
    const { buffer, places } = this.#rooms[at]!;
    places.splice(places.indexOf(place), 1);
    if (places.length > 0) return;
    this.#rooms.splice(at, 1);
    keepBuffer(buffer);
  }
}

/** Takes the first addresses of a room that are free; undefined: there are none. */
function placeIn(
  { buffer, base, places }: Room,
  length: number,
  unit: number,
): MappingPlace | undefined {
  let start = 0;
  for (let i = 0; i <= places.length; i++) {
    const next = places[i];
    const end = next === undefined ? buffer.byteLength : next.offset;
    const address = base + BigInt(start);
    const offset = start + Number(-address & BigInt(unit - 1));
    if (offset + length <= end) {
      const place = {
        buffer,
        offset,
        address: base + BigInt(offset),
        length,
      };
      places.splice(i, 0, place);
      return place;
    }
    if (next !== undefined) start = next.offset + next.length;
  }
  return undefined;
}
