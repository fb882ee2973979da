/**
 * Where a span of a job lies in this process's address space.
 *
 * @module
 */

import type { GuestAddresses } from "../../host/guest_addresses.ts";
import type { SegmentTable, Span } from "../../memory/segments.ts";

/** Ranges there is room for at first. */
const FIRST_CAPACITY = 64;

/**
 * A span as ranges of addresses. Segments that adjoin in memory make one range.
 * Filled again for each job; it allocates only to hold more ranges than ever
 * before.
 */
export class Ranges {
  /** Address of each range's first byte. */
  start: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Bytes of each range, at least 1. */
  length: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Number of ranges; 0 for no bytes. */
  count = 0;

  /**
   * Finds the ranges of a span. Checked are: the span stays within its
   * segments, and each segment within its window.
   *
   * @param addresses of the memory the segments lie in
   * @param segments the segments
   * @param span the span, of which only the place is used
   * @param length number of bytes
   * @returns false when a check failed
   */
  fill(
    addresses: GuestAddresses,
    segments: SegmentTable,
    span: Span,
    length: number,
  ): boolean {
    this.count = 0;
    let { segment, skip } = span;
    let end = -1;
    while (length > 0) {
      if (segment >= segments.count) return false;
      let here = segments.length[segment]! - skip;
      if (here <= 0) {
        skip = -here;
        segment++;
        continue;
      }
      if (here > length) here = length;
      const region = segments.region[segment]!;
      const offset = segments.offset[segment]! + skip;
      if (
        region >= addresses.size.length ||
        offset + here > addresses.size[region]!
      ) return false;
      const at = addresses.start[region]! + offset;
      if (at === end) {
        const last = this.count - 1;
        this.length[last] = this.length[last]! + here;
      } else {
        this.#push(at, here);
      }
      end = at + here;
      length -= here;
      skip = 0;
      segment++;
    }
    return true;
  }

  #push(start: number, length: number): void {
    const at = this.count++;
    if (at === this.start.length) {
      const { start: starts, length: lengths } = this;
      this.start = new Float64Array(2 * at);
      this.start.set(starts);
      this.length = new Float64Array(2 * at);
      this.length.set(lengths);
    }
    this.start[at] = start;
    this.length[at] = length;
  }
}
