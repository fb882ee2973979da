/**
 * Descriptors as split rings and indirect tables have them (virtio 1.1, 2.6.5).
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";
import { type Chain, ChainFault } from "./chain.ts";

/**
 * Size of a descriptor: le64 addr, le32 len, le16 flags, le16 next; in packed
 * rings le64 addr, le32 len, le16 id, le16 flags.
 */
export const DESCRIPTOR_SIZE = 16;

/** 32-bit words of a descriptor. */
export const DESCRIPTOR_WORDS = 4;
// Its words by index.
/** Low half of addr. */
export const ADDR_LOW = 0;
/** High half of addr. */
export const ADDR_HIGH = 1;
/** len. */
export const LEN = 2;
const FLAGS_AND_NEXT = 3;

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

// What is exported is loaded and looked at each time; these are numbers to the
// compiler.
const TWO_32 = 0x1_0000_0000;
/** Most bytes a chain may describe (virtio 1.1, 2.6.5). */
const MAX_CHAIN_BYTES = 0xffff_ffff;
const SIZE = DESCRIPTOR_SIZE;
const WORDS = DESCRIPTOR_WORDS;
const HIGH = ADDR_HIGH;
const LOW = ADDR_LOW;
const LENGTH = LEN;
const NEXT = VIRTQ_DESC_F_NEXT;
const WRITE = VIRTQ_DESC_F_WRITE;
const INDIRECT = VIRTQ_DESC_F_INDIRECT;
const MOST_ENTRIES = INDIRECT_MAX;
const { BAD_INDIRECT, LOOP, NEXT_OUT_OF_RANGE } = ChainFault;

/**
 * An indirect table while it is walked. Its entries are read in place where
 * the whole table is aligned and in one region; elsewhere each is copied here
 * first.
 */
export class IndirectTable {
  /** The words of the window that holds the table. */
  words: Uint32Array = new Uint32Array(0);
  /** Index of the table's first word; -1: entries are copied one by one. */
  first = -1;
  /** The window that holds the table's first byte; -1 where none does. */
  window = -1;
  /** Guest address of the window's first byte. */
  start = 0;
  /** Guest address behind the window's last byte. */
  end = 0;
  /** The entry that {@linkcode gather} copied. */
  readonly copy: Uint32Array = new Uint32Array(WORDS);
  #memory: GuestMemory | undefined;
  #address = 0;

  /**
   * Turns to a table.
   *
   * @param memory the guest's memory
   * @param address guest address of the table
   * @param length its bytes
   */
  open(memory: GuestMemory, address: number, length: number): void {
    this.#memory = memory;
    this.#address = address;
    const window = memory.find(address);
    this.window = window;
    this.first = -1;
    if (window < 0) {
      this.start = this.end = 0;
      return;
    }
    this.start = memory.start(window);
    this.end = memory.end(window);
    if (this.end - address >= length) {
      this.words = memory.words[window]!;
      this.first = memory.wordAt(window, (address - this.start) | 0, length);
    }
  }

  /**
   * Copies an entry.
   *
   * @param index its index, which is in the table
   * @returns false where it is not in memory, or runs over a region's end
   */
  gather(index: number): boolean {
    const memory = this.#memory!;
    const address = this.#address + index * SIZE;
    const region = memory.find(address);
    if (region < 0 || memory.room(region, address) < SIZE) {
      return false;
    }
    const view = memory.data[region]!;
    const offset = memory.offsetIn(region, address);
    for (let i = 0; i < WORDS; i++) {
      this.copy[i] = view.getUint32(offset + 4 * i, true);
    }
    return true;
  }
}

/**
 * The guest address in a descriptor.
 *
 * @param words memory that holds the descriptor
 * @param at index of its first word
 * @returns the address; inexact above 2^53, where no memory is
 */
export function addressOf(words: Uint32Array, at: number): number {
  return words[at + HIGH]! * TWO_32 + words[at + LOW]!;
}

/**
 * Walks descriptors of a split ring's own table and adds their buffers to the
 * chain. Faults of the chain: an indirect table that is not allowed or comes
 * with NEXT (virtio 1.1, 2.6.5.3.1), a `next` past the table.
 *
 * @param memory the guest's memory
 * @param words the descriptor table
 * @param size its entries
 * @param head index of the first descriptor
 * @param table for indirect tables; undefined where they are not negotiated
 * @param chain receives the buffers
 * @param segments the round's table
 * @returns false for a loop
 */
export function walkTable(
  memory: GuestMemory,
  words: Uint32Array,
  size: number,
  head: number,
  table: IndirectTable | undefined,
  chain: Chain,
  segments: SegmentTable,
): boolean {
  let index = head;
  for (let count = 1; count <= size; count++) {
    const at = index * WORDS;
    const address = addressOf(words, at);
    const length = words[at + LENGTH]!;
    const flagsAndNext = words[at + FLAGS_AND_NEXT]!;
    chain.descriptors = count;
    if (flagsAndNext & INDIRECT) {
      if (table === undefined || flagsAndNext & NEXT) {
        chain.fault ||= BAD_INDIRECT;
      } else {
        walkIndirect(memory, address, length, table, chain, segments);
      }
      return true;
    }
    const writable = (flagsAndNext & WRITE) !== 0;
    chain.add(memory, segments, address, length, writable);
    if (!(flagsAndNext & NEXT)) return true;
    index = flagsAndNext >>> 16;
    if (index >= size) {
      chain.fault ||= NEXT_OUT_OF_RANGE;
      return true;
    }
  }
  return false;
}

/**
 * Walks an indirect table and adds its buffers to the chain. Refused, as a
 * fault of the chain: a table of no or too many entries, of a length that is no
 * multiple of 16, or that has an entry outside memory or over the end of a
 * region; a nested table (virtio 1.1, 2.6.5.3.1); a `next` past the table; a
 * loop.
 */
function walkIndirect(
  memory: GuestMemory,
  address: number,
  length: number,
  table: IndirectTable,
  chain: Chain,
  segments: SegmentTable,
): void {
  const entries = length >>> 4;
  if (entries < 1 || (length & (SIZE - 1)) !== 0) {
    chain.fault ||= BAD_INDIRECT;
    return;
  }
  // Linux' driver builds longer ones, whose `next` wraps. It takes a request
  // that comes back without a status for served, so the walk looks for it.
  if (entries > MOST_ENTRIES) chain.fault ||= BAD_INDIRECT;
  const most = entries < MOST_ENTRIES ? entries : MOST_ENTRIES;
  table.open(memory, address, length);
  // Most buffers are in the window that the table is in. Those are added here,
  // with the state of chain and table in variables; all others by Chain.add.
  const { window, start, end } = table;
  const { region: windows, offset: offsets, length: lengths } = segments;
  let filled = segments.count;
  let { readableLength, writableLength, writableFirst, lastOffset } = chain;
  let { walked } = chain;
  let index = 0;
  let count = 0;
  for (; count < most; count++) {
    let { words } = table;
    let at = table.first + index * WORDS;
    if (table.first < 0) {
      if (!table.gather(index)) {
        chain.fault ||= BAD_INDIRECT;
        break;
      }
      words = table.copy;
      at = 0;
    }
    const buffer = words[at + HIGH]! * TWO_32 + words[at + LOW]!;
    const bytes = words[at + LENGTH]!;
    const flagsAndNext = words[at + FLAGS_AND_NEXT]!;
    if (flagsAndNext & INDIRECT) {
      chain.fault ||= BAD_INDIRECT;
      break;
    }
    const isWritable = (flagsAndNext & WRITE) !== 0;
    if (
      bytes !== 0 && buffer >= start && buffer + bytes <= end &&
      filled < lengths.length && (isWritable || writableLength === 0) &&
      readableLength + writableLength + bytes <= MAX_CHAIN_BYTES
    ) {
      const offset = (buffer - start) | 0;
      windows[filled] = window;
      offsets[filled] = offset;
      lengths[filled] = bytes;
      filled++;
      walked++;
      if (isWritable) {
        writableLength += bytes;
        lastOffset = offset + bytes - 1;
        chain.lastWindow = window;
      } else {
        readableLength += bytes;
        writableFirst = filled;
      }
    } else {
      segments.count = filled;
      chain.readableLength = readableLength;
      chain.writableLength = writableLength;
      chain.writableFirst = writableFirst;
      chain.lastOffset = lastOffset;
      chain.walked = walked;
      chain.add(memory, segments, buffer, bytes, isWritable);
      filled = segments.count;
      ({ readableLength, writableLength, writableFirst } = chain);
      ({ lastOffset, walked } = chain);
    }
    if (!(flagsAndNext & NEXT)) break;
    index = flagsAndNext >>> 16;
    if (index >= entries) {
      chain.fault ||= NEXT_OUT_OF_RANGE;
      break;
    }
  }
  // As many steps as entries and none was the last: some were taken twice.
  if (count === most) chain.fault ||= LOOP;
  segments.count = filled;
  chain.end = filled;
  chain.walked = walked;
  chain.readableLength = readableLength;
  chain.writableLength = writableLength;
  chain.writableFirst = writableFirst;
  chain.lastOffset = lastOffset;
}
