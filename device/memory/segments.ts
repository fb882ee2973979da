/**
 * Scatter-gather lists over guest memory: what a descriptor chain comes down
 * to once its addresses are translated.
 *
 * @module
 */

import type { GuestMemory } from "./guest_memory.ts";

/** Below this many bytes a copy goes word by word, which makes no garbage. */
const SMALL_COPY = 256;

/**
 * An append-only table of memory segments, cleared and filled again each
 * round. A chain is a run of consecutive entries.
 */
export class SegmentTable {
  /** Index of the memory's window, per segment. */
  readonly region: Uint16Array;
  /** Byte offset in the window, per segment. */
  readonly offset: Uint32Array;
  /** Number of bytes, per segment. */
  readonly length: Uint32Array;
  /** Number of segments in use. */
  count = 0;

  /**
   * Makes an empty table.
   *
   * @param capacity most segments the table can hold
   */
  constructor(capacity: number) {
    this.region = new Uint16Array(capacity);
    this.offset = new Uint32Array(capacity);
    this.length = new Uint32Array(capacity);
  }

  /** Most segments the table can hold. */
  get capacity(): number {
    return this.length.length;
  }

  /** Forgets all segments. */
  clear(): void {
    this.count = 0;
  }

  /**
   * Adds a segment.
   *
   * @param region index of the memory's window
   * @param offset byte offset in the window
   * @param length number of bytes
   * @returns false when the table is full
   */
  push(region: number, offset: number, length: number): boolean {
    const at = this.count;
    if (at === this.length.length) return false;
    this.region[at] = region;
    this.offset[at] = offset;
    this.length[at] = length;
    this.count = at + 1;
    return true;
  }
}

/**
 * A run of bytes inside a segment table: where it starts and how long it is.
 * Records own their spans and fill them again for each request.
 */
export class Span {
  /** Index of the segment that holds the first byte. */
  segment = 0;
  /** Bytes of that segment before the first byte. */
  skip = 0;
  /** Number of bytes. */
  length = 0;

  /**
   * Makes it the start of a segment.
   *
   * @param segment index of the segment
   * @param length number of bytes
   */
  open(segment: number, length: number): void {
    this.segment = segment;
    this.skip = 0;
    this.length = length;
  }

  /** Makes the span one of no bytes. */
  clear(): void {
    this.segment = 0;
    this.skip = 0;
    this.length = 0;
  }
}

/**
 * Moves bytes between private memory and the segments of a table, in order.
 * One cursor serves a worker; it allocates only for copies of 256 bytes and
 * more (a subarray each).
 *
 * The caller has checked that the segments hold what it asks for: a cursor
 * that runs off its table throws.
 */
export class SegmentCursor {
  #memory: GuestMemory;
  readonly #table: SegmentTable;
  #segment = 0;
  #skip = 0;

  /**
   * Makes a cursor, which has to be told where to go first.
   *
   * @param memory the guest's memory
   * @param table the segments
   */
  constructor(memory: GuestMemory, table: SegmentTable) {
    this.#memory = memory;
    this.#table = table;
  }

  /** Replaces the memory the segments lie in. */
  set memory(memory: GuestMemory) {
    this.#memory = memory;
  }

  /**
   * Goes to a place in the table.
   *
   * @param segment index of the segment
   * @param skip bytes into it
   */
  seek(segment: number, skip = 0): void {
    this.#segment = segment;
    this.#skip = skip;
    this.#settle();
  }

  /** Goes to the first byte of a span. */
  seekSpan(span: Span): void {
    this.seek(span.segment, span.skip);
  }

  /**
   * Passes over bytes.
   *
   * @param length number of bytes
   */
  skip(length: number): void {
    this.#skip += length;
    this.#settle();
  }

  /**
   * Writes the cursor's place and a length into a span, and passes over it.
   *
   * @param span the span to fill
   * @param length number of bytes
   */
  take(span: Span, length: number): void {
    span.segment = this.#segment;
    span.skip = this.#skip;
    span.length = length;
    this.skip(length);
  }

  /** The segments. */
  get table(): SegmentTable {
    return this.#table;
  }

  /**
   * Copies from the segments to private memory and moves on.
   *
   * @param target where to copy to
   * @param at offset in `target`
   * @param length number of bytes
   */
  read(target: Uint8Array, at: number, length: number): void {
    while (length > 0) {
      const n = this.#run(length);
      const region = this.#table.region[this.#segment]!;
      const from = this.#table.offset[this.#segment]! + this.#skip;
      const source = this.#memory.bytes[region]!;
      if (n < SMALL_COPY) {
        for (let i = 0; i < n; i++) target[at + i] = source[from + i]!;
      } else {
        target.set(source.subarray(from, from + n), at);
      }
      at += n;
      length -= n;
      this.skip(n);
    }
  }

  /**
   * Copies from the segments to the start of private memory and moves on: the
   * way to read headers and ivs. What lies in aligned words of one segment is
   * copied by words.
   *
   * @param target where to copy to
   * @param bytes the same memory as bytes
   * @param length number of bytes
   */
  readWords(target: Uint32Array, bytes: Uint8Array, length: number): void {
    const segment = this.#segment;
    const table = this.#table;
    if (
      (length & 3) === 0 && length <= table.length[segment]! - this.#skip &&
      segment < table.count
    ) {
      const region = table.region[segment]!;
      const offset = table.offset[segment]! + this.#skip;
      const from = this.#memory.wordAt(region, offset, length);
      if (from >= 0) {
        const words = this.#memory.words[region]!;
        const count = length >> 2;
        for (let i = 0; i < count; i++) target[i] = words[from + i]!;
        this.skip(length);
        return;
      }
    }
    this.read(bytes, 0, length);
  }

  /**
   * Copies from private memory to the segments and moves on.
   *
   * @param source where to copy from
   * @param at offset in `source`
   * @param length number of bytes
   */
  write(source: Uint8Array, at: number, length: number): void {
    while (length > 0) {
      const n = this.#run(length);
      const region = this.#table.region[this.#segment]!;
      const to = this.#table.offset[this.#segment]! + this.#skip;
      const target = this.#memory.bytes[region]!;
      if (n < SMALL_COPY) {
        for (let i = 0; i < n; i++) target[to + i] = source[at + i]!;
      } else {
        target.set(source.subarray(at, at + n), to);
      }
      at += n;
      length -= n;
      this.skip(n);
    }
  }

  /** How many of `length` bytes lie in the current segment. */
  #run(length: number): number {
    if (this.#segment >= this.#table.count) {
      throw new RangeError("Cannot move past the end of the segment table");
    }
    const here = this.#table.length[this.#segment]! - this.#skip;
    return here < length ? here : length;
  }

  /** Leaves segments that are used up, and those of no bytes. */
  #settle(): void {
    const lengths = this.#table.length;
    const count = this.#table.count;
    while (this.#segment < count && this.#skip >= lengths[this.#segment]!) {
      this.#skip -= lengths[this.#segment]!;
      this.#segment++;
    }
  }
}
