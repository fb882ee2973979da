/**
 * A frontend's memory table: which file lies where, and what of it is mapped.
 *
 * @module
 */

import { libc } from "../host/libc.ts";
import { MappingError, MappingSpace } from "../host/mapping_space.ts";
import {
  mappingRoom,
  mapShared,
  type SharedMapping,
} from "../host/shared_mapping.ts";
import {
  GuestMemory,
  MAX_MEMORY_REGIONS,
  type MemoryRegion,
} from "../memory/guest_memory.ts";
import { type MemRegion, PayloadError } from "./payload.ts";
import { closeFd } from "./socket.ts";

/** Another descriptor of a file, which child processes do not get (fcntl.h). */
const F_DUPFD_CLOEXEC = 1030;

/** A region, the mapping that holds it, and the file that is mapped. */
export interface MappedRegion extends MemoryRegion, MemRegion {
  /** The mapping. */
  readonly mapping: SharedMapping;
  /** Descriptor of the file, which the region owns: it can be mapped again. */
  readonly fd: number;
}

function mapRegion(
  region: MemRegion,
  fd: number,
  space?: MappingSpace,
): MappedRegion {
  const { guestAddress, userAddress, size, mmapOffset } = region;
  const mapping = mapShared(fd, mmapOffset, size, space);
  const own = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) {
    mapping.release();
    throw new MappingError(`Cannot keep file descriptor ${fd} open`);
  }
  return {
    guestAddress,
    userAddress,
    size,
    mmapOffset,
    buffer: mapping.buffer,
    offset: mapping.offset,
    mapping,
    fd: own,
  };
}

/**
 * Releases regions, once no thread uses them.
 *
 * @param regions the regions
 */
export function releaseRegions(regions: readonly MappedRegion[]): void {
  for (const { mapping, fd } of regions) {
    closeFd(fd);
    mapping.release();
  }
}

/**
 * The regions as threads take them: without their mappings and files.
 *
 * @param regions mapped regions
 * @returns plain data
 */
export function plainRegions(
  regions: readonly MappedRegion[],
): MemoryRegion[] {
  return regions.map((region) => {
    const { guestAddress, userAddress, size, buffer, offset } = region;
    return { guestAddress, userAddress, size, buffer, offset };
  });
}

/**
 * Maps the regions of a SET_MEM_TABLE, side by side.
 *
 * @param table the regions
 * @param fds a descriptor for each; not closed
 * @returns the mapped regions
 * @throws {MappingError} One cannot be mapped; none is then
 * @throws {RangeError} They overlap; none is then mapped
 */
export function mapTable(
  table: readonly MemRegion[],
  fds: readonly number[],
): MappedRegion[] {
  const space = new MappingSpace(
    table.reduce(
      (sum, { mmapOffset, size }, i) =>
        sum + mappingRoom(fds[i]!, mmapOffset, size),
      0,
    ),
  );
  const mapped: MappedRegion[] = [];
  try {
    table.forEach((region, i) =>
      mapped.push(mapRegion(region, fds[i]!, space))
    );
    // Judges sizes, ends and overlaps.
    new GuestMemory(mapped);
  } catch (error) {
    releaseRegions(mapped);
    throw error;
  }
  return mapped;
}

/**
 * Maps the region of an ADD_MEM_REG. The others are mapped anew, so that all are
 * side by side; where that fails, it alone is mapped.
 *
 * @param current the regions there are
 * @param region the new one
 * @param fd its descriptor; not closed
 * @returns all regions, and those of `current` that they replace
 * @throws {MappingError} It cannot be mapped
 * @throws {PayloadError} There are too many
 * @throws {RangeError} It overlaps another one
 */
export function addRegion(
  current: readonly MappedRegion[],
  region: MemRegion,
  fd: number,
): { all: MappedRegion[]; replaced: readonly MappedRegion[] } {
  if (current.length >= MAX_MEMORY_REGIONS) {
    throw new PayloadError(
      `Cannot add a memory region to ${current.length}: the limit is ${MAX_MEMORY_REGIONS}`,
    );
  }
  try {
    const fds = [...current.map((mapped) => mapped.fd), fd];
    return { all: mapTable([...current, region], fds), replaced: current };
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
  }
  const added = mapRegion(region, fd);
  const all = [...current, added];
  try {
    new GuestMemory(all);
  } catch (error) {
    releaseRegions([added]);
    throw error;
  }
  return { all, replaced: [] };
}

/**
 * Finds the region of a REM_MEM_REG: the one with the same guest address, size
 * and user address (vhost-user, VHOST_USER_REM_MEM_REG).
 *
 * @param current the regions there are
 * @param region the one to remove
 * @returns the one to remove, and those that stay
 * @throws {PayloadError} There is no such region
 */
export function removeRegion(
  current: readonly MappedRegion[],
  region: MemRegion,
): { removed: MappedRegion; rest: MappedRegion[] } {
  const removed = current.find((r) =>
    r.guestAddress === region.guestAddress && r.size === region.size &&
    r.userAddress === region.userAddress
  );
  if (removed === undefined) {
    throw new PayloadError(
      `Cannot remove a memory region of ${region.size} bytes at 0x${
        region.guestAddress.toString(16)
      }: there is none`,
    );
  }
  return { removed, rest: current.filter((r) => r !== removed) };
}
