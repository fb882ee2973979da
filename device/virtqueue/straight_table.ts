/**
 * The table of a straight chain: five descriptors, which are the header, the iv,
 * the source, the destination and the status.
 *
 * @module
 */

import { VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from "./descriptor.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const READ = VIRTQ_DESC_F_NEXT;
const WRITE = VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT;
const LAST = VIRTQ_DESC_F_WRITE;

/** Bytes of the table. */
export const TABLE_BYTES = 5 * 16;

/** What the table's words are; the high half of an address follows the low one. */
export const TableField = {
  HEADER_ADDRESS: 0,
  IV_ADDRESS: 4,
  SOURCE_ADDRESS: 8,
  SOURCE_LENGTH: 10,
  DESTINATION_ADDRESS: 12,
  DESTINATION_LENGTH: 14,
  STATUS_ADDRESS: 16,
} as const;

// What flags and next of the first four descriptors are together in a split
// ring's table.
const HEADER_LINK = READ | 1 << 16;
const IV_LINK = READ | 2 << 16;
const SOURCE_LINK = READ | 3 << 16;
const DESTINATION_LINK = WRITE | 4 << 16;
/** WRITE in the flags of a packed ring's table. */
const PACKED_WRITE = VIRTQ_DESC_F_WRITE << 16;

/**
 * Whether a table's descriptors are linked as those of a straight chain.
 *
 * @param words the words of the table's view
 * @param t index of its first word
 * @param header bytes that its first buffer has to have
 * @param iv bytes that its second buffer has to have
 * @param packed whether the ring is a packed one
 * @returns true when they are
 */
export function isStraight(
  words: Uint32Array,
  t: number,
  header: number,
  iv: number,
  packed: boolean,
): boolean {
  if (
    words[t + 18] !== 1 || words[t + 2] !== header || words[t + 6] !== iv
  ) return false;
  // In a packed ring's table the entries follow each other, and of their flags,
  // which are the high half, only WRITE counts (virtio 1.1, 2.7.7).
  return packed
    ? ((words[t + 3]! | words[t + 7]! | words[t + 11]!) & PACKED_WRITE) === 0 &&
      (words[t + 15]! & words[t + 19]! & PACKED_WRITE) !== 0
    : words[t + 3] === HEADER_LINK && words[t + 7] === IV_LINK &&
      words[t + 11] === SOURCE_LINK && words[t + 15] === DESTINATION_LINK &&
      (words[t + 19]! & 0xffff) === LAST;
}
