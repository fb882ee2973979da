/**
 * The device's side of a packed ring, done by hand: it does what a test says
 * and nothing else. It knows rings by their bytes only (virtio 1.1, 2.7).
 *
 * @module
 */

import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { DriverRing } from "../../device/driver/ring.ts";
import { BASE, type RawDescriptor } from "./scripted_device.ts";

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAIL = 0x80;
const USED = 0x8000;

/** Event suppression: the flags. */
export const ENABLE = 0;
export const DISABLE = 1;
export const DESC = 2;

/** Where a side stands: an offset and a wrap counter. */
export type Place = readonly [offset: number, wrap: 0 | 1];

/** A list as the device finds it. */
export interface TakenList {
  readonly id: number;
  /** Descriptors of the ring it takes. */
  readonly count: number;
  readonly indirect: boolean;
  /** The ring's or the table's, `next` being the id. */
  readonly descriptors: readonly RawDescriptor[];
}

/** The device's side of one packed ring. */
export class ScriptedPackedDevice {
  readonly #ring: DriverRing;
  readonly #data: DataView;
  /** Where the next list is looked for. */
  next: Place = [0, 1];
  /** Where the next used descriptor is written. */
  used: Place = [0, 1];

  constructor(memory: GuestMemory, ring: DriverRing) {
    this.#data = memory.data[0]!;
    this.#ring = ring;
  }

  /** A place further on. */
  behind([offset, wrap]: Place, count: number): Place {
    const sum = offset + count;
    const { size } = this.#ring;
    return sum < size ? [sum, wrap] : [sum - size, wrap === 1 ? 0 : 1];
  }

  /** Whether there is a list to take. */
  get waiting(): boolean {
    return this.#available(this.next);
  }

  /** What the driver wants to be told of: flags, offset and wrap counter. */
  get driverWants(): readonly [flags: number, ...place: Place] {
    const at = this.#ring.guestAddresses.available;
    const place = this.#u16(at);
    return [this.#u16(at + 2), place & 0x7fff, place >> 15 ? 1 : 0];
  }

  /** Says what the device wants to be told of. */
  want(flags: number, [offset, wrap]: Place = [0, 0]): void {
    const at = this.#ring.guestAddresses.used;
    this.#data.setUint16(at - BASE, offset | wrap << 15, true);
    this.#data.setUint16(at - BASE + 2, flags, true);
  }

  /** Takes the next list, which has to be available to its end. */
  take(): TakenList {
    const list: RawDescriptor[] = [];
    let place = this.next;
    for (;;) {
      if (!this.#available(place)) {
        throw new Error(`Descriptor ${place[0]} is not available`);
      }
      const found = this.#descriptor(this.#at(place));
      // What only says who has it is not looked at further on.
      const flags = found.flags & ~(AVAIL | USED);
      list.push({ ...found, flags });
      place = this.behind(place, 1);
      if (!(flags & NEXT)) break;
    }
    this.next = place;
    const last = list.at(-1)!;
    const indirect = (last.flags & INDIRECT) !== 0;
    return {
      id: last.next,
      count: list.length,
      indirect,
      descriptors: indirect
        ? Array.from(
          { length: last.length / 16 },
          (_, i) => this.#descriptor(last.address + 16 * i),
        )
        : list,
    };
  }

  /** Returns an id that stands for a number of descriptors. */
  put(id: number, length: number, count = 1, write = true): void {
    const at = this.#at(this.used) - BASE;
    const [, wrap] = this.used;
    this.#data.setUint32(at + 8, length, true);
    this.#data.setUint16(at + 12, id, true);
    this.#data.setUint16(
      at + 14,
      (write ? WRITE : 0) | (wrap ? AVAIL | USED : 0),
      true,
    );
    this.used = this.behind(this.used, count);
  }

  #at([offset]: Place): number {
    return this.#ring.guestAddresses.descriptor + 16 * offset;
  }

  #available(place: Place): boolean {
    const flags = this.#u16(this.#at(place) + 14) & (AVAIL | USED);
    return flags === (place[1] ? AVAIL : USED);
  }

  #descriptor(at: number): RawDescriptor {
    const low = this.#data.getUint32(at - BASE, true);
    const high = this.#data.getUint32(at - BASE + 4, true);
    return {
      address: low + high * 2 ** 32,
      length: this.#data.getUint32(at - BASE + 8, true),
      flags: this.#u16(at + 14),
      next: this.#u16(at + 12),
    };
  }

  #u16(address: number): number {
    return this.#data.getUint16(address - BASE, true);
  }
}
