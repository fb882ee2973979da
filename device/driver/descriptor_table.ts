/**
 * Descriptors of split rings and of their indirect tables, struct virtq_desc
 * (virtio 1.1, 2.6.5): addr le64, len le32, flags le16, next le16.
 *
 * @module
 */

import type { GuestRange } from "./guest_view.ts";

/** Size of a descriptor. */
export const DESC_BYTES = 16;
const DESC_LEN = 8;
const DESC_FLAGS = 12;
const DESC_NEXT = 14;

const VIRTQ_DESC_F_NEXT = 1;
const VIRTQ_DESC_F_WRITE = 2;
/** The descriptor's buffer is a table of descriptors. */
export const VIRTQ_DESC_F_INDIRECT = 4;

/**
 * Writes one buffer of a request as an entry of a table.
 *
 * @param table the table
 * @param at index of the entry
 * @param readable what the device reads, in order
 * @param writable what the device writes, in order
 * @param i which buffer, of readable and writable ones together
 * @param next index of the entry for the buffer after it
 */
export function writeEntry(
  table: DataView,
  at: number,
  readable: readonly GuestRange[],
  writable: readonly GuestRange[],
  i: number,
  next: number,
): void {
  const write = i >= readable.length;
  const range = write ? writable[i - readable.length]! : readable[i]!;
  const more = i + 1 < readable.length + writable.length;
  writeDescriptor(
    table,
    at,
    range.address,
    range.length,
    (write ? VIRTQ_DESC_F_WRITE : 0) | (more ? VIRTQ_DESC_F_NEXT : 0),
    more ? next : 0,
  );
}

/**
 * Writes one descriptor.
 *
 * @param table the table
 * @param index index of the descriptor
 * @param address guest address of the buffer
 * @param length its bytes
 * @param flags VIRTQ_DESC_F_*
 * @param next index of the next descriptor
 */
export function writeDescriptor(
  table: DataView,
  index: number,
  address: number,
  length: number,
  flags: number,
  next: number,
): void {
  const at = DESC_BYTES * index;
  // Both halves are taken modulo 2^32.
  table.setUint32(at, address, true);
  table.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
  table.setUint32(at + DESC_LEN, length, true);
  table.setUint16(at + DESC_FLAGS, flags, true);
  table.setUint16(at + DESC_NEXT, next, true);
}
