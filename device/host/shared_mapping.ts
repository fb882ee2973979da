/**
 * Memory of a file descriptor, mapped over a SharedArrayBuffer: what a frontend
 * shares becomes memory that every thread of this process can use.
 *
 * The buffer's own memory under the mapping is never touched. Releasing maps
 * anonymous memory in its place, so that a view somebody forgot reads zeros and
 * does not fault; the buffer is then kept for a later mapping.
 *
 * @module
 */

import { FileType, mappingUnit, statFd } from "./file.ts";
import { addressOf, libc } from "./libc.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Buffers are at least this large: malloc gives a smaller one memory of its
 * heap, and its threshold can grow to 32 MiB.
 */
const LEAST_CAPACITY = 64 * 2 ** 20;

/**
 * Capacities are multiples of this, which is also room enough to find the
 * boundary of a page or of a huge page of 2 MiB in.
 */
const CAPACITY_STEP = 2 * 2 ** 20;

/** The most buffers kept for reuse. They hold addresses, not memory. */
const MOST_POOLED = 32;

/** A file descriptor cannot be mapped as asked. */
export class MappingError extends Error {
  /** The name of the class. */
  override readonly name = "MappingError";
}

/** Released buffers, the oldest first. */
const pool: SharedArrayBuffer[] = [];

function takeBuffer(capacity: number): SharedArrayBuffer {
  // The smallest that is large enough, so that a guest which reconnects finds
  // the buffers of its last visit, and so that odd sizes find one at all.
  let best = -1;
  pool.forEach(({ byteLength }, i) => {
    const bestLength = pool[best]?.byteLength ?? Infinity;
    if (byteLength >= capacity && byteLength < bestLength) best = i;
  });
  const [pooled] = best < 0 ? [] : pool.splice(best, 1);
  if (pooled !== undefined) return pooled;
  try {
    return new SharedArrayBuffer(capacity);
  } catch (cause) {
    throw new MappingError(
      `Cannot reserve ${capacity} bytes of addresses for a mapping`,
      { cause },
    );
  }
}

function keepBuffer(buffer: SharedArrayBuffer): void {
  pool.push(buffer);
  // What drops out is out of reach, and the collector gives it back.
  if (pool.length > MOST_POOLED) pool.shift();
}

function mapAnonymous(address: bigint, length: bigint): boolean {
  return libc().mmap(
    address,
    length,
    PROT_READ_WRITE,
    MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE,
    -1,
    0n,
  ) !== MAP_FAILED;
}

/** Memory of a file, shared between its other users and this process. */
export class SharedMapping implements Disposable {
  /** Number of bytes that were asked for. */
  readonly size: number;
  #buffer: SharedArrayBuffer | undefined;
  readonly #offset: number;
  readonly #address: bigint;
  readonly #length: bigint;

  /**
   * Made by {@linkcode mapShared} only.
   *
   * @param buffer the buffer the file is mapped over
   * @param offset where in `buffer` the asked-for bytes start
   * @param size number of those bytes
   * @param address address of the first mapped page
   * @param length bytes of whole pages mapped
   */
  constructor(
    buffer: SharedArrayBuffer,
    offset: number,
    size: number,
    address: bigint,
    length: bigint,
  ) {
    this.#buffer = buffer;
    this.#offset = offset;
    this.size = size;
    this.#address = address;
    this.#length = length;
  }

  /**
   * The buffer that holds the memory, which starts at {@linkcode offset}.
   *
   * @throws {MappingError} The mapping was released
   */
  get buffer(): SharedArrayBuffer {
    if (this.#buffer === undefined) {
      throw new MappingError("Cannot use a mapping after its release");
    }
    return this.#buffer;
  }

  /** Where in {@linkcode buffer} the memory starts, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether {@linkcode release} was called. */
  get released(): boolean {
    return this.#buffer === undefined;
  }

  /**
   * Takes the file's memory out of the buffer and keeps the buffer for another
   * mapping. A second call does nothing.
   *
   * Every thread must have dropped its views before: whoever still has one sees
   * zeros at first, and later another mapping's memory.
   *
   * @throws {MappingError} The system refused; the buffer is then not reused
   */
  release(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    if (!mapAnonymous(this.#address, this.#length)) {
      throw new MappingError(
        `Cannot release a mapping of ${this.size} bytes: the system refused anonymous memory`,
      );
    }
    keepBuffer(buffer);
  }

  /** {@linkcode release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * Maps a range of a file over a SharedArrayBuffer. Checked are: the descriptor
 * is a regular file (memfds and hugetlbfs files are), the range is not empty and
 * lies within the file as it is now. A file that is cut shorter afterwards
 * raises SIGBUS on access, which ends the process.
 *
 * The offset need not be a multiple of the page size: the mapping then starts on
 * the page below (vhost-user, "Memory regions description": mmap offset is where
 * the region starts in the mapped memory).
 *
 * @param fd the descriptor; it is not needed any more once this returns
 * @param fdOffset where in the file the range starts, in bytes
 * @param size number of bytes, at least 1
 * @returns the mapping, which the caller releases
 * @throws {MappingError} A check failed, or the system refused
 */
export function mapShared(
  fd: number,
  fdOffset: number,
  size: number,
): SharedMapping {
  const range = `${size} bytes at offset ${fdOffset} of file descriptor ${fd}`;
  // Also bounds the sums below: the two are exact, and so is their sum.
  if (
    !Number.isSafeInteger(fdOffset) || fdOffset < 0 ||
    !Number.isSafeInteger(size) || size < 1 ||
    !Number.isSafeInteger(fdOffset + size)
  ) {
    throw new MappingError(`Cannot map ${range}: the range is not valid`);
  }
  const status = statFd(fd);
  if (status === undefined) {
    throw new MappingError(`Cannot map ${range}: it is not open`);
  }
  if (status.type !== FileType.REGULAR) {
    throw new MappingError(`Cannot map ${range}: it is not a file of memory`);
  }
  const unit = mappingUnit(fd);
  const start = fdOffset - fdOffset % unit;
  const end = Math.ceil((fdOffset + size) / unit) * unit;
  if (status.size < BigInt(fdOffset + size)) {
    throw new MappingError(
      `Cannot map ${range}: the file has ${status.size} bytes`,
    );
  }
  const length = end - start;
  const slack = Math.max(unit, CAPACITY_STEP);
  const capacity = Math.max(
    LEAST_CAPACITY,
    Math.ceil((length + slack) / CAPACITY_STEP) * CAPACITY_STEP,
  );
  const buffer = takeBuffer(capacity);
  const base = addressOf(new Uint8Array(buffer));
  const wideUnit = BigInt(unit);
  // A boundary of `unit` is less than `slack` bytes on, so all of `length` fits.
  const address = (base + wideUnit - 1n) / wideUnit * wideUnit;
  const inside = Number(address - base);
  const mapped = libc().mmap(
    address,
    BigInt(length),
    PROT_READ_WRITE,
    MAP_SHARED | MAP_FIXED,
    fd,
    BigInt(start),
  );
  if (mapped === MAP_FAILED) {
    // The pages may be gone already when a file system refuses.
    if (mapAnonymous(address, BigInt(length))) keepBuffer(buffer);
    throw new MappingError(
      `Cannot map ${range}: the system refused, for instance because it is not open for writing`,
    );
  }
  return new SharedMapping(
    buffer,
    inside + (fdOffset - start),
    size,
    address,
    BigInt(length),
  );
}
