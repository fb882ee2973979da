/**
 * The device's side of a split ring, done by hand: it does what a test says
 * and nothing else. It knows rings by their bytes only.
 *
 * @module
 */

import { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { DriverRing } from "../../device/driver/ring.ts";

/** Guest address of the memory that {@linkcode testMemory} makes. */
export const BASE = 0x1_4000_0000;
/** What the frontend's address of a byte is more than its guest address. */
export const USER_DISTANCE = 0x7f00_0000_0000;

/** One region of memory, above 4 GiB. */
export function testMemory(size = 1 << 20): GuestMemory {
  return new GuestMemory([{
    guestAddress: BASE,
    userAddress: BASE + USER_DISTANCE,
    size,
    buffer: new SharedArrayBuffer(size + 4096),
    offset: 4096,
  }]);
}

/** A descriptor as it lies in memory. */
export interface RawDescriptor {
  readonly address: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** A request as the device finds it. */
export interface Taken {
  readonly head: number;
  readonly indirect: boolean;
  readonly descriptors: readonly RawDescriptor[];
  /** What it reads, joined. */
  readonly readable: Uint8Array;
  /** Total of what it may write. */
  readonly writableLength: number;
}

/** The device's side of one ring. */
export class ScriptedDevice {
  readonly #memory: GuestMemory;
  readonly #ring: DriverRing;
  #next: number;
  #used: number;

  constructor(memory: GuestMemory, ring: DriverRing) {
    this.#memory = memory;
    this.#ring = ring;
    this.#next = ring.base;
    this.#used = ring.base;
  }

  /** Available index as the driver published it. */
  get availableIndex(): number {
    return this.#u16(this.#ring.guestAddresses.available + 2);
  }

  /** Available requests that were not taken. */
  get waiting(): number {
    return (this.availableIndex - this.#next) & 0xffff;
  }

  /** The available ring's flags. */
  get availableFlags(): number {
    return this.#u16(this.#ring.guestAddresses.available);
  }

  /** The driver's used_event. */
  get usedEvent(): number {
    const { available } = this.#ring.guestAddresses;
    return this.#u16(available + 4 + 2 * this.#ring.size);
  }

  /** Sets the used ring's flags. */
  setUsedFlags(flags: number): void {
    this.#setU16(this.#ring.guestAddresses.used, flags);
  }

  /** Sets avail_event. */
  setAvailEvent(index: number): void {
    const { used } = this.#ring.guestAddresses;
    this.#setU16(used + 4 + 8 * this.#ring.size, index);
  }

  /** Takes the next request. */
  take(): Taken {
    const { available, descriptor } = this.#ring.guestAddresses;
    const slot = this.#next++ % this.#ring.size;
    this.#next &= 0xffff;
    const head = this.#u16(available + 4 + 2 * slot);
    const first = this.#descriptor(descriptor, head);
    const indirect = (first.flags & 4) !== 0;
    const descriptors = indirect
      ? this.#chain(first.address, 0)
      : this.#chain(descriptor, head);
    const readable: number[] = [];
    let writableLength = 0;
    for (const { address, length, flags } of descriptors) {
      if (flags & 2) writableLength += length;
      else {for (let i = 0; i < length; i++) {
          readable.push(this.#u8(address + i));
        }}
    }
    return {
      head,
      indirect,
      descriptors,
      readable: Uint8Array.from(readable),
      writableLength,
    };
  }

  /** Writes from the start of a request's writable part. */
  write(taken: Taken, bytes: Uint8Array, at = 0): void {
    let i = -at;
    for (const { address, length, flags } of taken.descriptors) {
      if (!(flags & 2)) continue;
      for (let k = 0; k < length; k++, i++) {
        if (i >= 0 && i < bytes.length) this.#setU8(address + k, bytes[i]!);
      }
    }
  }

  /** Returns an id, and shows it unless told otherwise. */
  put(id: number, length: number, show = true): void {
    const { used } = this.#ring.guestAddresses;
    const at = used + 4 + 8 * (this.#used % this.#ring.size);
    this.#setU32(at, id);
    this.#setU32(at + 4, length);
    this.#used = (this.#used + 1) & 0xffff;
    if (show) this.#setU16(used + 2, this.#used);
  }

  #chain(table: number, first: number): RawDescriptor[] {
    const found: RawDescriptor[] = [];
    let index = first;
    for (;;) {
      const descriptor = this.#descriptor(table, index);
      found.push(descriptor);
      if (!(descriptor.flags & 1)) return found;
      index = descriptor.next;
    }
  }

  #descriptor(table: number, index: number): RawDescriptor {
    const at = table + 16 * index;
    return {
      address: this.#u32(at) + this.#u32(at + 4) * 2 ** 32,
      length: this.#u32(at + 8),
      flags: this.#u16(at + 12),
      next: this.#u16(at + 14),
    };
  }

  get #data(): DataView {
    return this.#memory.data[0]!;
  }
  #u8(address: number): number {
    return this.#data.getUint8(address - BASE);
  }
  #u16(address: number): number {
    return this.#data.getUint16(address - BASE, true);
  }
  #u32(address: number): number {
    return this.#data.getUint32(address - BASE, true);
  }
  #setU8(address: number, value: number): void {
    this.#data.setUint8(address - BASE, value);
  }
  #setU16(address: number, value: number): void {
    this.#data.setUint16(address - BASE, value, true);
  }
  #setU32(address: number, value: number): void {
    this.#data.setUint32(address - BASE, value, true);
  }
}
