/**
 * Indirect tables in guest memory (virtio 1.1, 2.6.5.3, 2.7.7).
 *
 * @module
 */

import { DESC_BYTES } from "./descriptor_table.ts";
import type { GuestAllocator } from "./guest_allocator.ts";
import { locate } from "./guest_view.ts";

/** Entries of the smallest table made: 64 bytes. */
const LEAST_TABLE = 4;

/** A table that is to be filled. */
export interface IndirectTable {
  /** Its guest address. */
  readonly address: number;
  /** Its bytes: 16 an entry. */
  readonly view: DataView<SharedArrayBuffer>;
}

/** The tables of a ring; an id keeps its table from request to request. */
export class IndirectTables {
  readonly #allocator: GuestAllocator;
  /** By id: address and entries of the table it was given, if any. */
  readonly #address: Float64Array;
  readonly #entries: Uint32Array;

  /**
   * @param allocator where the tables' memory comes from
   * @param size number of ids
   */
  constructor(allocator: GuestAllocator, size: number) {
    this.#allocator = allocator;
    this.#address = new Float64Array(size);
    this.#entries = new Uint32Array(size);
  }

  /**
   * Gives an id a table.
   *
   * @param id the id, which the device does not hold
   * @param count number of entries
   * @returns the table; undefined where there is no memory for it
   */
  place(id: number, count: number): IndirectTable | undefined {
    if (this.#entries[id]! < count) {
      const entries = Math.max(LEAST_TABLE, count);
      const address = this.#allocator.tryAlloc(DESC_BYTES * entries, 16);
      if (address === undefined) return undefined;
      if (this.#entries[id]! > 0) this.#allocator.free(this.#address[id]!);
      this.#address[id] = address;
      this.#entries[id] = entries;
    }
    const address = this.#address[id]!;
    const { memory } = this.#allocator;
    const length = DESC_BYTES * count;
    const { region, offset } = locate(memory, address, length);
    const { buffer, byteOffset } = memory.data[region]!;
    return {
      address,
      view: new DataView(buffer, byteOffset + offset, length),
    };
  }

  /** Gives all memory back. */
  free(): void {
    for (let id = 0; id < this.#entries.length; id++) {
      if (this.#entries[id]! > 0) this.#allocator.free(this.#address[id]!);
      this.#entries[id] = 0;
    }
  }
}
