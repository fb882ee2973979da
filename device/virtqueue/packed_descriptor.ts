/**
 * Descriptors as packed rings and their indirect tables have them (virtio 1.1,
 * 2.7.13).
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";
import { type Chain, ChainFault } from "./chain.ts";
import { INDIRECT_MAX, VIRTQ_DESC_F_WRITE } from "./descriptor.ts";

/** Size of a descriptor: le64 addr, le32 len, le16 id, le16 flags. */
export const PACKED_DESCRIPTOR_SIZE = 16;
const ADDR_LOW = 0;
const ADDR_HIGH = 4;
const LEN = 8;
const FLAGS = 14;

/** Equal to the driver's wrap counter where it is available (2.7.1). */
export const VIRTQ_DESC_F_AVAIL = 1 << 7;
/** Equal to the device's wrap counter where it is used (2.7.1). */
export const VIRTQ_DESC_F_USED = 1 << 15;

const TWO_32 = 0x1_0000_0000;

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
 * @param chain receives the buffers
 * @param segments the round's table
 */
export function walkPackedIndirect(
  memory: GuestMemory,
  address: number,
  length: number,
  chain: Chain,
  segments: SegmentTable,
): void {
  const entries = length / PACKED_DESCRIPTOR_SIZE;
  if (entries < 1 || length % PACKED_DESCRIPTOR_SIZE !== 0) {
    chain.fault ||= ChainFault.BAD_INDIRECT;
    return;
  }
  let index = 0;
  if (entries > INDIRECT_MAX) {
    chain.fault ||= ChainFault.BAD_INDIRECT;
    // The place of the status is at the end.
    index = entries - INDIRECT_MAX;
  }
  for (; index < entries; index++) {
    const at = address + index * PACKED_DESCRIPTOR_SIZE;
    const region = memory.find(at);
    if (region < 0 || memory.room(region, at) < PACKED_DESCRIPTOR_SIZE) {
      chain.fault ||= ChainFault.BAD_INDIRECT;
      return;
    }
    const view = memory.data[region]!;
    const offset = memory.offsetIn(region, at);
    chain.add(
      memory,
      segments,
      // Inexact above 2^53, where no memory is.
      view.getUint32(offset + ADDR_HIGH, true) * TWO_32 +
        view.getUint32(offset + ADDR_LOW, true),
      view.getUint32(offset + LEN, true),
      (view.getUint16(offset + FLAGS, true) & VIRTQ_DESC_F_WRITE) !== 0,
    );
  }
}
