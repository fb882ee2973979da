/**
 * The rings of a hostile guest: what split and packed rings have in common, over
 * the test suite's rings that write what they are told.
 *
 * @module
 */

import type { RingAddresses } from "../../device/driver/ring.ts";
import type { StartableRing } from "../../device/driver/vhost_user_frontend.ts";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  GuestPackedRing,
  type PackedBuffer,
  stateAt,
} from "../support/guest_packed_ring.ts";
import {
  GuestRing,
  INDIRECT,
  NEXT,
  type RawDescriptor,
  type UsedElement,
  WRITE,
} from "../support/guest_ring.ts";

/** Which kind of ring. */
export type RingKind = "split" | "packed";

/** The kinds. */
export const RING_KINDS: readonly RingKind[] = ["split", "packed"];

/** Descriptors of a split ring, and of a packed one, which need not be 2^n. */
export const RING_SIZE: Readonly<Record<RingKind, number>> = {
  split: 128,
  packed: 125,
};

/** Bytes that a ring has in guest memory. */
export const RING_ROOM = 0x2000;

/** A buffer of a chain: a range of guest addresses, in memory or not. */
export interface Buffer {
  readonly address: number;
  readonly length: number;
  readonly writable: boolean;
}

/** A range of guest addresses. */
export type Range = readonly [address: number, length: number];

/** The driver's side of a ring that a hostile guest fills. */
export interface HostileRing {
  readonly size: number;
  /** Where its three parts are, in guest addresses. */
  readonly addresses: RingAddresses;
  /** How long they are, in bytes. */
  readonly lengths: RingAddresses;
  /** SET_VRING_BASE of a ring at its beginning. */
  readonly base: number;
  /** What the device may write. */
  readonly deviceWrites: readonly Range[];
  /**
   * Prepares a chain whose every buffer is a descriptor of the ring.
   *
   * @param buffers the buffers
   * @returns its id
   */
  addDirect(buffers: readonly Buffer[]): number;
  /**
   * Prepares a chain that is one indirect table.
   *
   * @param table where the table is
   * @param buffers its entries
   * @returns its id
   */
  addIndirect(table: number, buffers: readonly Buffer[]): number;
  /** Makes what was prepared available. */
  publish(): void;
  /** What came back since this was last asked. */
  takeUsed(): UsedElement[];
  /** Gives all descriptors back: nothing is outstanding. */
  release(): void;
}

/** A split ring. */
export class SplitHostileRing implements HostileRing {
  readonly raw: GuestRing;
  readonly base = 0;
  readonly lengths: RingAddresses;
  #next = 0;
  #pending: number[] = [];

  /**
   * @param memory holds the ring
   * @param at guest address of the first of its parts
   * @param size number of descriptors
   */
  constructor(memory: GuestMemory, at: number, size = RING_SIZE.split) {
    this.raw = new GuestRing(memory, { size, at });
    this.lengths = {
      descriptor: 16 * size,
      available: 6 + 2 * size,
      used: 6 + 8 * size,
    };
  }

  get size(): number {
    return this.raw.size;
  }

  get addresses(): RingAddresses {
    const { descriptors, available, used } = this.raw;
    return { descriptor: descriptors, available, used };
  }

  get deviceWrites(): readonly Range[] {
    return [[this.addresses.used, this.lengths.used]];
  }

  addDirect(buffers: readonly Buffer[]): number {
    const first = this.#take(buffers.length);
    this.raw.describe(first, ...descriptorsOf(buffers, first));
    this.#pending.push(first);
    return first;
  }

  addIndirect(table: number, buffers: readonly Buffer[]): number {
    const length = this.raw.table(table, ...descriptorsOf(buffers, 0));
    return this.addRaw([table, length, INDIRECT]);
  }

  /** Prepares a chain of descriptors as they are given. */
  addRaw(...descriptors: readonly RawDescriptor[]): number {
    const first = this.#take(descriptors.length);
    this.raw.describe(first, ...descriptors);
    this.#pending.push(first);
    return first;
  }

  publish(): void {
    this.raw.offer(...this.#pending);
    this.#pending = [];
  }

  takeUsed(): UsedElement[] {
    return this.raw.takeUsed();
  }

  release(): void {
    this.#next = 0;
  }

  #take(count: number): number {
    const first = this.#next;
    if (first + count > this.size) throw new Error("The ring is too small");
    this.#next = first + count;
    return first;
  }
}

function descriptorsOf(
  buffers: readonly Buffer[],
  first: number,
): RawDescriptor[] {
  return buffers.map(({ address, length, writable }, i) => {
    const next = i < buffers.length - 1 ? NEXT : 0;
    return [address, length, (writable ? WRITE : 0) | next, first + i + 1];
  });
}

/** A packed ring. */
export class PackedHostileRing implements HostileRing {
  readonly raw: GuestPackedRing;
  readonly base: number = stateAt({ offset: 0, wrap: true });
  readonly lengths: RingAddresses;
  #ids = 0;
  #pending: (() => void)[] = [];

  /**
   * @param memory holds the ring
   * @param at guest address of the first of its parts
   * @param size number of descriptors
   */
  constructor(memory: GuestMemory, at: number, size = RING_SIZE.packed) {
    this.raw = new GuestPackedRing(memory, { size, at });
    this.lengths = { descriptor: 16 * size, available: 4, used: 4 };
  }

  get size(): number {
    return this.raw.size;
  }

  get addresses(): RingAddresses {
    const { ring, driverEvents, deviceEvents } = this.raw;
    return { descriptor: ring, available: driverEvents, used: deviceEvents };
  }

  get deviceWrites(): readonly Range[] {
    const { addresses, lengths } = this;
    return [
      [addresses.descriptor, lengths.descriptor],
      [addresses.used, lengths.used],
    ];
  }

  addDirect(buffers: readonly Buffer[]): number {
    const id = this.#ids++;
    const list = buffers.map(packedBuffer);
    this.#pending.push(() => this.raw.offer(id, ...list));
    return id;
  }

  addIndirect(table: number, buffers: readonly Buffer[]): number {
    return this.addRaw(this.raw.table(table, ...buffers.map(packedBuffer)));
  }

  /** Prepares a list of descriptors, their flags as they are given. */
  addRaw(...buffers: readonly PackedBuffer[]): number {
    const id = this.#ids++;
    this.#pending.push(() => this.raw.offerRaw(id, ...buffers));
    return id;
  }

  publish(): void {
    for (const offer of this.#pending) offer();
    this.#pending = [];
  }

  takeUsed(): UsedElement[] {
    return this.raw.takeUsed();
  }

  release(): void {
    this.#ids = 0;
  }
}

function packedBuffer({ address, length, writable }: Buffer): PackedBuffer {
  return [address, length, writable ? WRITE : 0];
}

/**
 * Lays out a ring.
 *
 * @param kind which kind
 * @param memory holds the ring
 * @param at guest address of the first of its parts
 * @returns the ring, at its beginning
 */
export function layRing(
  kind: RingKind,
  memory: GuestMemory,
  at: number,
): SplitHostileRing | PackedHostileRing {
  return kind === "split"
    ? new SplitHostileRing(memory, at)
    : new PackedHostileRing(memory, at);
}

/**
 * A ring as a carrier starts it.
 *
 * @param memory holds the ring
 * @param ring the ring
 * @param changes what is told wrongly
 * @returns its size, base and addresses, those in the frontend's address space
 */
export function startable(
  memory: GuestMemory,
  ring: HostileRing,
  changes: Partial<RingAddresses> & { readonly size?: number } = {},
): StartableRing {
  const user = (address: number): number => {
    const region = memory.regions[memory.find(address)]!;
    return region.userAddress + (address - region.guestAddress);
  };
  const { descriptor, available, used } = ring.addresses;
  const { size = ring.size, ...addresses } = changes;
  return {
    size,
    base: ring.base,
    userAddresses: {
      descriptor: user(descriptor),
      available: user(available),
      used: user(used),
      ...addresses,
    },
  };
}
