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
 * Every view is cut to its region, so an offset that a mistake made too large
 * is undefined and never another region's byte.
 */
export class GuestMemory {
  /** The regions, by ascending guest address. */
  readonly regions: readonly MemoryRegion[];
  /** The bytes of each region. */
  readonly bytes: readonly Uint8Array<SharedArrayBuffer>[];
  /** A DataView of each region, for unaligned little-endian fields. */
  readonly data: readonly DataView<SharedArrayBuffer>[];
  readonly #start: Float64Array;
  readonly #end: Float64Array;
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
    this.#start = new Float64Array(regions.length);
    this.#end = new Float64Array(regions.length);
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
      this.#start[i] = guestAddress;
      previousEnd = this.#end[i] = guestAddress + size;
    });
    this.bytes = this.regions.map((r) =>
      new Uint8Array(r.buffer, r.offset, r.size)
    );
    this.data = this.regions.map((r) =>
      new DataView(r.buffer, r.offset, r.size)
    );
  }

  /**
   * The region that holds a guest address.
   *
   * @param address guest physical address
   * @returns its index in `regions`, or -1 where no memory is
   */
  find(address: number): number {
    const last = this.#last;
    const starts = this.#start;
    const ends = this.#end;
    // The typed arrays' elements are undefined only where there is no region:
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
   * Offset of a guest address within the region that {@linkcode find} gave.
   *
   * @param region index of the region
   * @param address guest physical address inside it
   * @returns bytes from the region's start
   */
  offsetIn(region: number, address: number): number {
    return address - this.#start[region]!;
  }

  /**
   * Bytes from a guest address to the end of its region.
   *
   * @param region index of the region
   * @param address guest physical address inside it
   * @returns number of bytes, at least 1
   */
  room(region: number, address: number): number {
    return this.#end[region]! - address;
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
