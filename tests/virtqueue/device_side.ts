/**
 * A device's side of a ring under test, and what it made of a chain.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import { SegmentTable } from "../../device/memory/segments.ts";
import { Chain, ChainFault } from "../../device/virtqueue/chain.ts";
import { PackedRing } from "../../device/virtqueue/packed_ring.ts";
import {
  type DeviceRing,
  type RingSetup,
  Take,
} from "../../device/virtqueue/ring.ts";
import { SplitRing } from "../../device/virtqueue/split_ring.ts";
import {
  GuestPackedRing,
  type GuestPackedRingOptions,
  type PackedBuffer,
} from "../support/guest_packed_ring.ts";
import { GuestRing, type GuestRingOptions } from "../support/guest_ring.ts";
import { plainMemory } from "../support/plain_memory.ts";

/** A segment by guest address. */
export type Piece = readonly [address: number, length: number];

/** The device's side of a ring. */
class DeviceSide<R extends DeviceRing> {
  readonly ring: R;
  readonly chain = new Chain();
  readonly segments: SegmentTable;
  readonly #memory: GuestMemory;

  /**
   * @param memory the guest's memory
   * @param ring the ring
   * @param segments capacity of the segment table
   */
  constructor(memory: GuestMemory, ring: R, segments: number) {
    this.#memory = memory;
    this.ring = ring;
    this.segments = new SegmentTable(segments);
  }

  /** Takes a chain; its segments are the table's only ones. */
  take(): number {
    this.segments.clear();
    return this.ring.take(this.chain, this.segments);
  }

  /** The readable and the writable part, by guest addresses. */
  get parts(): { readable: Piece[]; writable: Piece[] } {
    const { readableFirst, writableFirst, end } = this.chain;
    return {
      readable: this.#pieces(readableFirst, writableFirst),
      writable: this.#pieces(writableFirst, end),
    };
  }

  /** Guest address of the byte that takes the status; undefined: none. */
  get statusAddress(): number | undefined {
    const { lastWindow, lastOffset } = this.chain;
    if (lastWindow < 0) return undefined;
    return this.#memory.regions[lastWindow]!.guestAddress + lastOffset;
  }

  /** The fault's name. */
  get fault(): string {
    return faultName(this.chain.fault);
  }

  #pieces(from: number, to: number): Piece[] {
    const pieces: Piece[] = [];
    for (let i = from; i < to; i++) {
      const region = this.#memory.regions[this.segments.region[i]!]!;
      pieces.push([
        region.guestAddress + this.segments.offset[i]!,
        this.segments.length[i]!,
      ]);
    }
    return pieces;
  }
}

/** Both sides of a split ring. */
export class RingPair extends DeviceSide<SplitRing> {
  readonly guest: GuestRing;

  /**
   * @param options how the ring is made
   * @param memory holds the ring; left out: one region of 64 KiB
   * @param changes what the device is told otherwise
   * @param segments capacity of the segment table
   */
  constructor(
    options: GuestRingOptions = {},
    memory: GuestMemory = plainMemory(0x1_0000),
    changes: Partial<RingSetup> = {},
    segments = 256,
  ) {
    const guest = new GuestRing(memory, options);
    super(memory, new SplitRing(memory, guest.setup(changes)), segments);
    this.guest = guest;
  }

  /** Offers a head and takes the chain, which has to be there. */
  takeHead(head: number): Chain {
    this.guest.offer(head);
    assertEquals(this.take(), Take.TAKEN);
    return this.chain;
  }
}

/** Both sides of a packed ring. */
export class PackedPair extends DeviceSide<PackedRing> {
  readonly guest: GuestPackedRing;

  /**
   * @param options how the ring is made
   * @param memory holds the ring; left out: one region of 64 KiB
   * @param changes what the device is told otherwise
   * @param segments capacity of the segment table
   */
  constructor(
    options: GuestPackedRingOptions = {},
    memory: GuestMemory = plainMemory(0x1_0000),
    changes: Partial<RingSetup> = {},
    segments = 256,
  ) {
    const guest = new GuestPackedRing(memory, options);
    super(memory, new PackedRing(memory, guest.setup(changes)), segments);
    this.guest = guest;
  }

  /** Offers buffers and takes the chain, which has to be there. */
  takeList(id: number, ...buffers: PackedBuffer[]): Chain {
    this.guest.offer(id, ...buffers);
    assertEquals(this.take(), Take.TAKEN);
    return this.chain;
  }

  /** Returns the chain taken last, and shows it. */
  answer(length: number): void {
    this.ring.put(this.chain, length);
    this.ring.publish();
  }
}

function faultName(fault: number): string {
  return Object.entries(ChainFault).find(([, value]) => value === fault)![0];
}
