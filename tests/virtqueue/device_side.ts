/**
 * A device's side of a ring under test, and what it made of a chain.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import { SegmentTable } from "../../device/memory/segments.ts";
import { Chain, ChainFault } from "../../device/virtqueue/chain.ts";
import { type RingSetup, Take } from "../../device/virtqueue/ring.ts";
import { SplitRing } from "../../device/virtqueue/split_ring.ts";
import { GuestRing, type GuestRingOptions } from "../support/guest_ring.ts";
import { plainMemory } from "../support/plain_memory.ts";

/** A segment by guest address. */
export type Piece = readonly [address: number, length: number];

/** Both sides of a ring. */
export class RingPair {
  readonly guest: GuestRing;
  readonly ring: SplitRing;
  readonly chain = new Chain();
  readonly segments: SegmentTable;

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
    this.guest = new GuestRing(memory, options);
    this.ring = new SplitRing(memory, this.guest.setup(changes));
    this.segments = new SegmentTable(segments);
  }

  /** Takes a chain; its segments are the table's only ones. */
  take(): number {
    this.segments.clear();
    return this.ring.take(this.chain, this.segments);
  }

  /** Offers a head and takes the chain, which has to be there. */
  takeHead(head: number): Chain {
    this.guest.offer(head);
    assertEquals(this.take(), Take.TAKEN);
    return this.chain;
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
    const { lastRegion, lastOffset } = this.chain;
    if (lastRegion < 0) return undefined;
    return this.guest.memory.regions[lastRegion]!.guestAddress + lastOffset;
  }

  /** The fault's name. */
  get fault(): string {
    return faultName(this.chain.fault);
  }

  #pieces(from: number, to: number): Piece[] {
    const pieces: Piece[] = [];
    for (let i = from; i < to; i++) {
      const region = this.guest.memory.regions[this.segments.region[i]!]!;
      pieces.push([
        region.guestAddress + this.segments.offset[i]!,
        this.segments.length[i]!,
      ]);
    }
    return pieces;
  }
}

function faultName(fault: number): string {
  return Object.entries(ChainFault).find(([, value]) => value === fault)![0];
}
