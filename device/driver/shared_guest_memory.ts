/**
 * Guest memory that a backend can map: regions of memfds, mapped in this process
 * as well.
 *
 * @module
 */

import { cString, libc } from "../host/libc.ts";
import {
  MappingError,
  mapShared,
  type SharedMapping,
} from "../host/shared_mapping.ts";
import { GuestMemory } from "../memory/guest_memory.ts";
import type { MemRegion } from "../vhost_user/payload.ts";
import { closeFd } from "../vhost_user/socket.ts";

const MFD_CLOEXEC = 1;

/**
 * Where frontend addresses begin. They lie beyond what a guest has, and later
 * regions lie below earlier ones, so that a backend which takes one kind of
 * address for the other finds nothing.
 */
const USER_ADDRESS_BASE = 0x6000_0000_0000;
const USER_ADDRESS_STEP = 0x100_0000_0000;

/** A region to make. */
export interface RegionOptions {
  /** Guest physical address of its first byte. */
  readonly guestAddress: number;
  /** Number of bytes. */
  readonly size: number;
  /** Where in its file it starts, in bytes; 0 if not said. */
  readonly mmapOffset?: number;
}

/** A region, the file it is in, and that file mapped here. */
export interface SharedRegion extends MemRegion {
  /** The file, which the memory owns. */
  readonly fd: number;
  /** The region as this process sees it. */
  readonly mapping: SharedMapping;
}

/** Guest memory made here, to be shared. */
export class SharedGuestMemory {
  #regions: SharedRegion[] = [];
  #made = 0;

  /** The regions, in the order in which they were added. */
  get regions(): readonly SharedRegion[] {
    return this.#regions;
  }

  /**
   * The memory as this process sees it now. Adding or removing a region does not
   * change one that was asked for before.
   */
  get memory(): GuestMemory {
    return new GuestMemory(this.#regions.map((region) => ({
      guestAddress: region.guestAddress,
      size: region.size,
      userAddress: region.userAddress,
      buffer: region.mapping.buffer,
      offset: region.mapping.offset,
    })));
  }

  /**
   * Makes a region of zeros, in a file of its own.
   *
   * @param options its place and size
   * @returns the region
   * @throws {MappingError} There is not the memory for it
   */
  add(options: RegionOptions): SharedRegion {
    const { guestAddress, size, mmapOffset = 0 } = options;
    const fd = libc().memfd_create(cString("guest-memory"), MFD_CLOEXEC);
    if (fd < 0) throw new MappingError("Cannot create a memfd");
    try {
      if (libc().ftruncate(fd, BigInt(mmapOffset + size)) !== 0) {
        throw new MappingError(
          `Cannot make a memfd of ${mmapOffset + size} bytes`,
        );
      }
      const mapping = mapShared(fd, mmapOffset, size);
      const userAddress = USER_ADDRESS_BASE - this.#made++ * USER_ADDRESS_STEP;
      const region: SharedRegion = {
        guestAddress,
        size,
        userAddress,
        mmapOffset,
        fd,
        mapping,
      };
      this.#regions.push(region);
      return region;
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }

  /**
   * Takes a region out and gives its memory back. Nobody here may have views of
   * it any more; a backend that has it mapped keeps it.
   *
   * @param region one of {@linkcode regions}
   */
  remove(region: SharedRegion): void {
    if (!this.#regions.includes(region)) return;
    this.#regions = this.#regions.filter((other) => other !== region);
    region.mapping.release();
    closeFd(region.fd);
  }

  /** {@linkcode remove} of all regions. */
  close(): void {
    for (const region of this.#regions) this.remove(region);
  }
}
