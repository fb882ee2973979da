/**
 * Guest memory: the regions a frontend shares, and the translation of guest
 * addresses into them.
 *
 * A region is a range of a SharedArrayBuffer. Where the memory came from (a
 * frontend's file descriptor mapped over the buffer, or a plain buffer of this
 * process) is not known here.
 *
 * @module
 */

/**
 * Bytes of a window: regions are seen through windows of at most this size, so
 * that every offset is a small integer, which is what makes arithmetic with
 * them cheap. A window never holds parts of two regions.
 */
export const MEMORY_WINDOW = 1 << 30;

/** Bytes of a view at most: so that every index of a word is a small integer. */
const MEMORY_VIEW = 4 * 2 ** 31;

/** The most regions one guest can have. */
export const MAX_MEMORY_REGIONS = 64;

/** One contiguous range of guest memory. Addresses and sizes are in bytes. */
export interface MemoryRegion {
  /** Guest physical address of the first byte. */
  readonly guestAddress: number;
  /** Number of bytes, at least 1. */
  readonly size: number;
  /**
   * Address of the first byte in the frontend's own address space, which is
   * what vhost-user gives ring addresses in. In process: the guest address.
   */
  readonly userAddress: number;
  /** The memory that holds the region. */
  readonly buffer: SharedArrayBuffer;
  /** Where in `buffer` the region starts. */
  readonly offset: number;
}

/**
 * The whole of a guest's memory, translated by guest address or by the
 * frontend's address. Looking up allocates nothing.
 *
 * A region is seen through one window, or through several where it is longer
 * than {@linkcode MEMORY_WINDOW}; translation gives a window's index and the
 * offset in it. `bytes`, `data` and `words` are cut to their window, so an offset
 * that a mistake made too large is undefined and never another region's byte.
 * Who reads `views` has to have seen that all of it is in the window.
 */
export class GuestMemory {
  /** The regions, by ascending guest address. */
  readonly regions: readonly MemoryRegion[];
  /** The bytes of each window, by ascending guest address. */
  readonly bytes: readonly Uint8Array<SharedArrayBuffer>[];
  /** A DataView of each window, for unaligned little-endian fields. */
  readonly data: readonly DataView<SharedArrayBuffer>[];
  /**
   * The little-endian 32-bit words of each window, which are read in a third of
   * a DataView's time. A window that does not start at a multiple of 4 of its
   * buffer has none.
   */
  readonly words: readonly Uint32Array<SharedArrayBuffer>[];
  /**
   * The little-endian 32-bit words of all windows that are near each other in
   * one buffer, with what is between them: looking into one array after another
   * takes longer than looking into one.
   */
  readonly views: readonly Uint32Array<SharedArrayBuffer>[];
  /** The view that each window is in; of no meaning where it has no words. */
  readonly viewOf: Uint16Array;
  /** Index in that view of each window's first word. */
  readonly wordOf: Int32Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  #last = 0;

  /**
   * Makes a guest's memory of regions.
   *
   * @param regions up to {@linkcode MAX_MEMORY_REGIONS} regions in any order
   * @throws {RangeError} A region is empty, leaves its buffer, wraps, or
   * overlaps another one; or there are too many
   */
  constructor(regions: readonly MemoryRegion[]) {
    if (regions.length > MAX_MEMORY_REGIONS) {
      throw new RangeError(
        `Cannot hold ${regions.length} memory regions: the limit is ${MAX_MEMORY_REGIONS}`,
      );
    }
    this.regions = [...regions].sort((a, b) => a.guestAddress - b.guestAddress);
    let previousEnd = 0;
    this.regions.forEach((region, i) => {
      const { guestAddress, size, buffer, offset } = region;
      // Addresses are JavaScript numbers: above 2^53 they would not be exact.
      if (
        size < 1 || guestAddress < 0 ||
        !Number.isSafeInteger(guestAddress + size) ||
        !Number.isSafeInteger(region.userAddress + size)
      ) {
        throw new RangeError(
          `Cannot use a memory region of ${size} bytes at 0x${
            guestAddress.toString(16)
          }`,
        );
      }
      if (offset < 0 || offset + size > buffer.byteLength) {
        throw new RangeError(
          `Cannot use a memory region of ${size} bytes at offset ${offset} of a buffer of ${buffer.byteLength} bytes`,
        );
      }
      if (i > 0 && guestAddress < previousEnd) {
        throw new RangeError(
          `Cannot use overlapping memory regions at 0x${
            guestAddress.toString(16)
          }`,
        );
      }
      previousEnd = guestAddress + size;
    });
    const windows = this.regions.flatMap(windowsOf);
    this.#starts = Float64Array.from(windows, (w) => w.guestAddress);
    this.#ends = Float64Array.from(windows, (w) => w.guestAddress + w.size);
    this.bytes = windows.map((w) => new Uint8Array(w.buffer, w.offset, w.size));
    this.data = windows.map((w) => new DataView(w.buffer, w.offset, w.size));
    this.words = windows.map((w) =>
      w.offset % 4 === 0
        ? new Uint32Array(w.buffer, w.offset, w.size >>> 2)
        : new Uint32Array(w.buffer, 0, 0)
    );
    this.views = viewsOf(windows);
    const found = windows.map((window) => viewHolding(window, this.views));
    this.viewOf = Uint16Array.from(found);
    this.wordOf = Int32Array.from(
      windows,
      (w, i) => (w.offset - this.views[found[i]!]!.byteOffset) / 4,
    );
  }

  /**
   * The window that holds a guest address.
   *
   * @param address guest physical address
   * @returns its index, or -1 where no memory is
   */
  find(address: number): number {
    const last = this.#last;
    const starts = this.#starts;
    const ends = this.#ends;
    // The typed arrays' elements are undefined only where there is no window:
    // a comparison with undefined is false, and the search below finds none.
    if (address >= starts[last]! && address < ends[last]!) return last;
    let low = 0;
    let high = starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (address < starts[middle]!) high = middle - 1;
      else if (address >= ends[middle]!) low = middle + 1;
      else {
        this.#last = middle;
        return middle;
      }
    }
    return -1;
  }

  /**
   * Guest address of a window's first byte.
   *
   * @param window index of the window
   * @returns guest physical address
   */
  start(window: number): number {
    return this.#starts[window]!;
  }

  /**
   * Guest address behind a window's last byte.
   *
   * @param window index of the window
   * @returns guest physical address
   */
  end(window: number): number {
    return this.#ends[window]!;
  }

  /**
   * Where a range of whole words starts, for whoever reads it as words.
   *
   * @param window index of the window
   * @param offset byte offset of the range in its window
   * @param length its bytes, at most 2^31
   * @returns index into the window's `words`, or -1 where the range is not
   * aligned to 4 bytes or is not wholly in them
   */
  wordAt(window: number, offset: number, length: number): number {
    const at = offset >> 2;
    return (offset & 3) === 0 &&
        at + ((length + 3) >> 2) <= this.words[window]!.length
      ? at
      : -1;
  }

  /**
   * Offset of a guest address within the window that {@linkcode find} gave.
   *
   * @param window index of the window
   * @param address guest physical address inside it
   * @returns bytes from the window's start
   */
  offsetIn(window: number, address: number): number {
    return (address - this.#starts[window]!) | 0;
  }

  /**
   * Bytes from a guest address to the end of its window.
   *
   * @param window index of the window
   * @param address guest physical address inside it
   * @returns number of bytes, at least 1
   */
  room(window: number, address: number): number {
    return (this.#ends[window]! - address) | 0;
  }

  /**
   * The region that holds a whole range given by the frontend's addresses, as
   * the addresses of rings are (vhost-user, "vring address description").
   *
   * @param address address in the frontend's address space
   * @param length number of bytes
   * @returns the region's index, or -1 where the range is not inside one region
   */
  findUser(address: number, length: number): number {
    return this.regions.findIndex((r) =>
      address >= r.userAddress && address + length <= r.userAddress + r.size
    );
  }
}

/** The windows of one region. */
function windowsOf(region: MemoryRegion): MemoryRegion[] {
  const windows: MemoryRegion[] = [];
  for (let at = 0; at < region.size; at += MEMORY_WINDOW) {
    windows.push({
      guestAddress: region.guestAddress + at,
      userAddress: region.userAddress + at,
      size: Math.min(region.size - at, MEMORY_WINDOW),
      buffer: region.buffer,
      offset: region.offset + at,
    });
  }
  return windows;
}

/** As few views as hold some windows, each wholly in one. */
function viewsOf(
  windows: readonly MemoryRegion[],
): Uint32Array<SharedArrayBuffer>[] {
  const views: Uint32Array<SharedArrayBuffer>[] = [];
  for (const [buffer, held] of Map.groupBy(windows, (w) => w.buffer)) {
    let [start, end] = [0, 0];
    for (const { offset, size } of held.sort((a, b) => a.offset - b.offset)) {
      if (end > 0 && offset + size - start <= MEMORY_VIEW) views.pop();
      else start = offset - offset % 4;
      end = Math.max(end, offset + size);
      views.push(new Uint32Array(buffer, start, Math.floor((end - start) / 4)));
    }
  }
  return views;
}

/** The view that a window is in: views of one buffer ascend. */
function viewHolding(
  { buffer, offset }: MemoryRegion,
  views: readonly Uint32Array<SharedArrayBuffer>[],
): number {
  return views.findLastIndex((view) =>
    view.buffer === buffer && view.byteOffset <= offset
  );
}
