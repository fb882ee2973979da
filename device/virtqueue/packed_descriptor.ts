/**
 * Descriptors as packed rings and their indirect tables have them (virtio 1.1,
 * 2.7.13).
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";
import { type Chain, ChainFault } from "./chain.ts";
import {
  addressOf,
  DESCRIPTOR_SIZE,
  DESCRIPTOR_WORDS,
  INDIRECT_MAX,
  type IndirectTable,
  LEN,
  VIRTQ_DESC_F_WRITE,
} from "./descriptor.ts";

/** le16 id, le16 flags: index of a descriptor's word. */
export const ID_AND_FLAGS = 3;

/** Equal to the driver's wrap counter where it is available (2.7.1). */
export const VIRTQ_DESC_F_AVAIL = 1 << 7;
/** Equal to the device's wrap counter where it is used (2.7.1). */
export const VIRTQ_DESC_F_USED = 1 << 15;

/**
 * Walks an indirect table and adds its buffers to the chain. Its entries come
 * one after the other as many as its length says, and of their flags only
 * WRITE is valid: the others are ignored (virtio 1.1, 2.7.7). Refused, as a
 * fault of the chain: a table of no or too many entries, of a length that is
 * no multiple of 16, or that has an entry outside memory or over the end of a
 * region.
 *
 * @param memory the guest's memory
 * @param address guest address of the table
 * @param length its bytes
 * @param table turns to it
 * @param chain receives the buffers
 * @param segments the round's table
 */
export function walkPackedIndirect(
  memory: GuestMemory,
  address: number,
  length: number,
  table: IndirectTable,
  chain: Chain,
  segments: SegmentTable,
): void {
  const entries = length >>> 4;
  if (entries < 1 || (length & (DESCRIPTOR_SIZE - 1)) !== 0) {
    chain.fault ||= ChainFault.BAD_INDIRECT;
    return;
  }
  let index = 0;
  if (entries > INDIRECT_MAX) {
    chain.fault ||= ChainFault.BAD_INDIRECT;
    // The place of the status is at the end.
    index = entries - INDIRECT_MAX;
  }
  table.open(memory, address, length);
  for (; index < entries; index++) {
    let { words } = table;
    let at = table.first + index * DESCRIPTOR_WORDS;
    if (table.first < 0) {
      if (!table.gather(index)) {
        chain.fault ||= ChainFault.BAD_INDIRECT;
        return;
      }
      words = table.copy;
      at = 0;
    }
    chain.add(
      memory,
      segments,
      addressOf(words, at),
      words[at + LEN]!,
      (words[at + ID_AND_FLAGS]! >>> 16 & VIRTQ_DESC_F_WRITE) !== 0,
    );
  }
}
