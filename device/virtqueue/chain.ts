/**
 * One descriptor chain after it was walked: what a ring hands to the rest of
 * the device, whatever the ring's format.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import type { SegmentTable } from "../memory/segments.ts";

/** What is wrong with a chain. The request fails, the queue goes on. */
export const ChainFault = {
  /** Nothing. */
  NONE: 0,
  /** A `next` past the table's end (virtio 1.1, 2.6.5). */
  NEXT_OUT_OF_RANGE: 1,
  /** An indirect table that is nested, chained, misplaced, or of odd length. */
  BAD_INDIRECT: 2,
  /** A buffer that is not wholly in guest memory. */
  OUTSIDE_MEMORY: 3,
  /** A readable descriptor behind a writable one (virtio 1.1, 2.6.4.2). */
  READABLE_AFTER_WRITABLE: 4,
  /** A loop inside an indirect table. */
  LOOP: 5,
  /** More than 2^32 - 1 bytes (virtio 1.1, 2.6.5). */
  TOO_LONG: 6,
  /** More segments than a round can hold. */
  TOO_MANY_SEGMENTS: 7,
} as const;

/**
 * Most segments of a chain: the longest indirect table, and a reserve for
 * buffers that run over regions.
 */
export const MAX_CHAIN_SEGMENTS = 65536 + 4096;

/**
 * Descriptors after which nobody takes more chains in one go: those of no bytes
 * fill no table, and would keep a thread from a stop, or from other guests.
 */
export const WALK_LIMIT = 65536;

// Constants of a module's own are numbers to the compiler; exported and
// imported ones are loaded and looked at each time.
const {
  NONE,
  OUTSIDE_MEMORY,
  READABLE_AFTER_WRITABLE,
  TOO_LONG,
  TOO_MANY_SEGMENTS,
} = ChainFault;

/** Most bytes a chain may describe (virtio 1.1, 2.6.5). */
const MAX_CHAIN_BYTES = 0xffff_ffff;

/**
 * A walked chain: a run of a segment table, readable segments first. The
 * object is reused; a ring fills it through {@linkcode begin} and
 * {@linkcode add}.
 */
export class Chain {
  /** Buffer id to return the chain by: in a split ring its head. */
  id = 0;
  /** Ring entries it took. */
  descriptors = 0;
  /** First segment of the readable part. */
  readableFirst = 0;
  /** First segment of the writable part. */
  writableFirst = 0;
  /** Behind the last segment of the writable part. */
  end = 0;
  /** Bytes of the readable part that are in memory. */
  readableLength = 0;
  /** Bytes of the writable part as the descriptors say, at most 2^32 - 1. */
  writableLength = 0;
  /** Window of the last writable byte; -1 where there is none in memory. */
  lastWindow = -1;
  /** Offset of the last writable byte in its window. */
  lastOffset = 0;
  /** A value of {@linkcode ChainFault}. */
  fault = 0;
  /** Descriptors walked, those of no bytes and of indirect tables included. */
  walked = 0;

  /**
   * Starts a chain whose segments will be the next ones of the table.
   *
   * @param id the buffer id
   * @param segments the round's table
   */
  begin(id: number, segments: SegmentTable): void {
    this.id = id;
    this.descriptors = 0;
    this.readableFirst = segments.count;
    this.writableFirst = segments.count;
    this.end = segments.count;
    this.readableLength = 0;
    this.writableLength = 0;
    this.lastWindow = -1;
    this.lastOffset = 0;
    this.fault = NONE;
    this.walked = 0;
  }

  /**
   * Adds a descriptor's buffer. A buffer that runs from one region into the
   * next becomes several segments. After a fault the walk goes on only to find
   * the byte that takes the status.
   *
   * @param memory the guest's memory
   * @param segments the round's table
   * @param address guest address of the buffer; any number of 64 bits, those
   * above 2^53 inexact but outside any memory
   * @param length bytes, 0 to 2^32 - 1
   * @param writable whether the device may write it
   */
  add(
    memory: GuestMemory,
    segments: SegmentTable,
    address: number,
    length: number,
    writable: boolean,
  ): void {
    this.walked++;
    if (length === 0) return;
    if (this.readableLength + this.writableLength + length > MAX_CHAIN_BYTES) {
      this.fault ||= TOO_LONG;
      if (!writable) return;
    }
    if (writable) {
      // Both terms are below 2^32, so the sum is exact.
      const sum = this.writableLength + length;
      this.writableLength = sum > MAX_CHAIN_BYTES ? MAX_CHAIN_BYTES : sum;
    } else if (this.writableLength > 0) {
      this.fault ||= READABLE_AFTER_WRITABLE;
      return;
    } else {
      this.readableLength += length;
    }

    const window = memory.find(address);
    if (window >= 0 && memory.room(window, address) >= length) {
      const offset = memory.offsetIn(window, address);
      this.push(segments, window, offset, length, writable);
    } else {
      this.#addPieces(memory, segments, address, length, writable);
    }
  }

  /**
   * Adds a buffer of at least one byte that is wholly in one window.
   *
   * @param segments the round's table
   * @param window index of the window
   * @param offset where the buffer starts in it
   * @param length its bytes
   * @param writable whether the device may write it
   */
  push(
    segments: SegmentTable,
    window: number,
    offset: number,
    length: number,
    writable: boolean,
  ): void {
    if (!segments.push(window, offset, length)) {
      this.fault ||= TOO_MANY_SEGMENTS;
    }
    this.end = segments.count;
    if (writable) {
      this.lastWindow = window;
      this.lastOffset = offset + length - 1;
    } else {
      this.writableFirst = segments.count;
    }
  }

  /** Adds a buffer that runs over windows, or out of them. */
  #addPieces(
    memory: GuestMemory,
    segments: SegmentTable,
    address: number,
    length: number,
    writable: boolean,
  ): void {
    let left = length;
    while (left > 0) {
      const window = memory.find(address);
      if (window < 0) {
        this.fault ||= OUTSIDE_MEMORY;
        if (writable) this.lastWindow = -1;
        return;
      }
      const room = memory.room(window, address);
      const here = left < room ? left : room;
      const offset = memory.offsetIn(window, address);
      this.push(segments, window, offset, here, writable);
      address += here;
      left -= here;
    }
  }
}
