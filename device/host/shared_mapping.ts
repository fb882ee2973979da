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
import { libc } from "./libc.ts";
import {
  MappingError,
  type MappingPlace,
  MappingSpace,
} from "./mapping_space.ts";

export { MappingError } from "./mapping_space.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Maps memory of zeros over a place; false where the system refuses. */
function mapAnonymous({ address, length }: MappingPlace): boolean {
  return libc().mmap(
    address,
    BigInt(length),
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
  #place: MappingPlace | undefined;
  readonly #space: MappingSpace;
  readonly #offset: number;

  /**
   * Made by {@linkcode mapShared} only.
   *
   * @param space where `place` is from
   * @param place the addresses that the file is mapped over
   * @param inside bytes in `place` before the asked-for ones
   * @param size number of those bytes
   */
  constructor(
    space: MappingSpace,
    place: MappingPlace,
    inside: number,
    size: number,
  ) {
    this.#space = space;
    this.#place = place;
    this.#offset = place.offset + inside;
    this.size = size;
  }

  /**
   * The buffer that holds the memory, which starts at {@linkcode offset}.
   *
   * @throws {MappingError} The mapping was released
   */
  get buffer(): SharedArrayBuffer {
    if (this.#place === undefined) {
      throw new MappingError("Cannot use a mapping after its release");
    }
    return this.#place.buffer;
  }

  /** Where in {@linkcode buffer} the memory starts, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether {@linkcode release} was called. */
  get released(): boolean {
    return this.#place === undefined;
  }

  /**
   * Takes the file's memory out of the buffer and keeps its place for another
   * mapping. A second call does nothing.
   *
   * Every thread must have dropped its views before: whoever still has one sees
   * zeros at first, and later another mapping's memory.
   *
   * @throws {MappingError} The system refused; the place is then not reused
   */
  release(): void {
    const place = this.#place;
    if (place === undefined) return;
    this.#place = undefined;
    if (!mapAnonymous(place)) {
      throw new MappingError(
        `Cannot release a mapping of ${this.size} bytes: the system refused anonymous memory`,
      );
    }
    this.#space.giveBack(place);
  }

  /** {@linkcode release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** A range of a file in whole units. */
interface FileRange {
  /** Where in the file it starts, in bytes. */
  readonly start: number;
  /** Number of bytes. */
  readonly length: number;
  /** What both are multiples of, and its address has to be. */
  readonly unit: number;
}

/** How messages call a range. */
function nameOf(fd: number, fdOffset: number, size: number): string {
  return `${size} bytes at offset ${fdOffset} of file descriptor ${fd}`;
}

/** Checks a range of a file, and finds the one in whole units around it. */
function rangeOf(fd: number, fdOffset: number, size: number): FileRange {
  const range = nameOf(fd, fdOffset, size);
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
  return { start, length: end - start, unit };
}

/**
 * Bytes of addresses that a mapping takes at most: what a
 * {@linkcode MappingSpace} is to expect of it.
 *
 * @param fd the descriptor
 * @param fdOffset where in the file the range starts, in bytes
 * @param size number of bytes, at least 1
 * @returns number of bytes
 * @throws {MappingError} A check of {@linkcode mapShared} failed
 */
export function mappingRoom(
  fd: number,
  fdOffset: number,
  size: number,
): number {
  const { length, unit } = rangeOf(fd, fdOffset, size);
  return length + unit;
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
 * @param space where its addresses come from; one of its own when left out
 * @returns the mapping, which the caller releases
 * @throws {MappingError} A check failed, or the system refused
 */
export function mapShared(
  fd: number,
  fdOffset: number,
  size: number,
  space: MappingSpace = new MappingSpace(),
): SharedMapping {
  const { start, length, unit } = rangeOf(fd, fdOffset, size);
  const place = space.take(length, unit);
  const mapped = libc().mmap(
    place.address,
    BigInt(length),
    PROT_READ_WRITE,
    MAP_SHARED | MAP_FIXED,
    fd,
    BigInt(start),
  );
  if (mapped === MAP_FAILED) {
    // The pages may be gone already when a file system refuses.
    if (mapAnonymous(place)) space.giveBack(place);
    throw new MappingError(
      `Cannot map ${
        nameOf(fd, fdOffset, size)
      }: the system refused, for instance because it is not open for writing`,
    );
  }
  return new SharedMapping(space, place, fdOffset - start, size);
}
