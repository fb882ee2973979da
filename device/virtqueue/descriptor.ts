/**
 * Descriptors as split rings and indirect tables have them (virtio 1.1, 2.6.5).
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";
import { type Chain, ChainFault } from "./chain.ts";

/** Size of a descriptor: le64 addr, le32 len, le16 flags, le16 next. */
export const DESCRIPTOR_SIZE = 16;
const ADDR_LOW = 0;
const ADDR_HIGH = 4;
const LEN = 8;
const FLAGS_AND_NEXT = 12;

/** `next` is valid. */
export const VIRTQ_DESC_F_NEXT = 1;
/** The device may write the buffer. */
export const VIRTQ_DESC_F_WRITE = 2;
/** The buffer is a table of descriptors. */
export const VIRTQ_DESC_F_INDIRECT = 4;

/**
 * Most entries of an indirect table: `next` has 16 bits. The standard bounds
 * chains by the ring's size, but Linux' driver builds tables of n(n+1)+3
 * entries for a request over n pages, and takes one that comes back without a
 * status for served.
 */
export const INDIRECT_MAX = 65536;

const TWO_32 = 0x1_0000_0000;

/** A descriptor, read out of guest memory once and judged from the copy. */
export class Descriptor {
  /** Guest address; inexact above 2^53, where no memory is. */
  address = 0;
  /** Bytes. */
  length = 0;
  /** VIRTQ_DESC_F_*. */
  flags = 0;
  /** Index of the next descriptor, if NEXT is set. */
  next = 0;

  /**
   * Reads a descriptor.
   *
   * @param view memory that holds it
   * @param at byte offset of its first byte
   */
  read(view: DataView, at: number): void {
    this.address = view.getUint32(at + ADDR_HIGH, true) * TWO_32 +
      view.getUint32(at + ADDR_LOW, true);
    this.length = view.getUint32(at + LEN, true);
    const flagsAndNext = view.getUint32(at + FLAGS_AND_NEXT, true);
    this.flags = flagsAndNext & 0xffff;
    this.next = flagsAndNext >>> 16;
  }
}

/**
 * Walks the indirect table a descriptor refers to and adds its buffers to the
 * chain. Refused, as a fault of the chain: a table of no or too many entries,
 * of a length that is no multiple of 16, or that has an entry outside memory
 * or over the end of a region; a nested table (virtio 1.1, 2.6.5.3.1); a
 * `next` past the table; a loop.
 *
 * @param memory the guest's memory
 * @param table the descriptor that refers to the table; not changed
 * @param entry a descriptor to read into
 * @param chain receives the buffers
 * @param segments the round's table
 */
export function walkIndirect(
  memory: GuestMemory,
  table: Descriptor,
  entry: Descriptor,
  chain: Chain,
  segments: SegmentTable,
): void {
  const { address, length } = table;
  const entries = length / DESCRIPTOR_SIZE;
  if (entries < 1 || length % DESCRIPTOR_SIZE !== 0) {
    chain.fault ||= ChainFault.BAD_INDIRECT;
    return;
  }
  // Linux' driver builds longer ones, whose `next` wraps. It takes a request
  // that comes back without a status for served, so the walk looks for it.
  if (entries > INDIRECT_MAX) chain.fault ||= ChainFault.BAD_INDIRECT;
  const most = Math.min(entries, INDIRECT_MAX);
  let index = 0;
  for (let count = 0; count < most; count++) {
    const at = address + index * DESCRIPTOR_SIZE;
    if (
      !readEntry(memory, at, entry) || entry.flags & VIRTQ_DESC_F_INDIRECT
    ) {
      chain.fault ||= ChainFault.BAD_INDIRECT;
      return;
    }
    chain.add(
      memory,
      segments,
      entry.address,
      entry.length,
      (entry.flags & VIRTQ_DESC_F_WRITE) !== 0,
    );
    if (!(entry.flags & VIRTQ_DESC_F_NEXT)) return;
    index = entry.next;
    if (index >= entries) {
      chain.fault ||= ChainFault.NEXT_OUT_OF_RANGE;
      return;
    }
  }
  // As many steps as entries and none was the last: some were taken twice.
  chain.fault ||= ChainFault.LOOP;
}

/** Reads an entry at a guest address; false where it is not in memory. */
function readEntry(
  memory: GuestMemory,
  at: number,
  entry: Descriptor,
): boolean {
  const region = memory.find(at);
  if (region < 0 || memory.room(region, at) < DESCRIPTOR_SIZE) return false;
  entry.read(memory.data[region]!, memory.offsetIn(region, at));
  return true;
}
