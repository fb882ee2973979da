/**
 * A packed ring that may hold anything, and what a device has to make of it
 * (virtio 1.1, 2.7).
 *
 * @module
 */

import type { RingSetup } from "../../../device/virtqueue/ring.ts";
import { AVAIL, USED } from "../../support/guest_packed_ring.ts";
import { USER_DISTANCE } from "../../support/plain_memory.ts";
import type { FuzzMemory, Range } from "./memory.ts";
import {
  INDIRECT,
  ModelChain,
  NEXT,
  readDescriptor,
  WRITE,
} from "./model/chain.ts";
import type {
  FuzzDescriptor,
  FuzzRing,
  FuzzRingOptions,
  Pending,
} from "./ring.ts";

/** A packed ring. Places count on through both wrap counters. */
export class PackedFuzzRing implements FuzzRing {
  readonly size: number;
  readonly parts: readonly Range[];
  readonly pokeable: Range;
  readonly end: number;
  readonly #memory: FuzzMemory;
  readonly #options: FuzzRingOptions;
  readonly #ring: number;
  readonly #driverEvents: number;
  readonly #deviceEvents: number;
  #driver = 0;
  #device = 0;
  /** Where the chains begin that were completed since the last settling. */
  #completedFrom = 0;
  #owed = true;
  #id = 0;

  constructor(memory: FuzzMemory, at: number, options: FuzzRingOptions) {
    this.#memory = memory;
    this.#options = options;
    const size = this.size = options.size;
    this.#ring = at;
    this.#driverEvents = at + 16 * size;
    this.#deviceEvents = this.#driverEvents + 4;
    this.end = (this.#deviceEvents + 4 + 15) & ~15;
    this.parts = [[this.#ring, 16 * size], [this.#driverEvents, 8]];
    this.pokeable = [this.#ring, 16 * size + 8];
  }

  reset(): void {
    this.#memory.write(this.#ring, new Uint8Array(this.end - this.#ring));
    const start = this.#options.start % (2 * this.size);
    this.#driver = this.#device = this.#completedFrom = start;
    // As if the ring had been used up to the start.
    for (let offset = 0; offset < this.size; offset++) {
      const wrap = offset < this.#offset(start)
        ? this.#wrap(start)
        : !this.#wrap(start);
      this.#flags(offset, wrap ? AVAIL | USED : 0);
    }
    this.#owed = true;
  }

  setup(): RingSetup {
    const place = this.#offset(this.#device) |
      (this.#wrap(this.#device) ? 0x8000 : 0);
    return {
      format: "packed",
      size: this.size,
      descriptorAddress: this.#ring + USER_DISTANCE,
      availableAddress: this.#driverEvents + USER_DISTANCE,
      usedAddress: this.#deviceEvents + USER_DISTANCE,
      state: place * 0x1_0001,
      notification: this.#options.notification,
      indirect: this.#options.indirect,
    };
  }

  #offset(place: number): number {
    return place % this.size;
  }

  #wrap(place: number): boolean {
    return place % (2 * this.size) < this.size;
  }

  #flags(offset: number, flags: number): void {
    this.#memory.writeInteger(this.#ring + 16 * offset + 14, 2, BigInt(flags));
  }

  get #taken(): number {
    return this.#driver - this.#device;
  }

  offer(descriptors: readonly FuzzDescriptor[]): boolean {
    if (this.#taken + descriptors.length > this.size) return false;
    this.#id = (this.#id + 1) & 0xffff;
    descriptors.forEach(({ address, length, flags }, i) => {
      const place = this.#driver + i;
      const at = this.#ring + 16 * this.#offset(place);
      this.#memory.writeInteger(at, 8, address);
      this.#memory.writeInteger(at + 8, 4, BigInt(length));
      this.#memory.writeInteger(at + 12, 2, BigInt(this.#id));
      this.#flags(
        this.#offset(place),
        (flags & ~(AVAIL | USED)) | (this.#wrap(place) ? AVAIL : USED),
      );
    });
    this.#driver += descriptors.length;
    return true;
  }

  offerAgain(value: number): void {
    // What stands there becomes available, with some other flags.
    if (this.#taken >= this.size) return;
    const place = this.#driver++;
    this.#flags(
      this.#offset(place),
      (value & 7) | (this.#wrap(place) ? AVAIL : USED),
    );
  }

  repeat(): void {
    // Used descriptors have lost their flags, and what follows is not there.
  }

  jump(by: number): void {
    // Leaves a hole that is not available.
    this.#driver += by % (this.size - this.#taken + 1);
  }

  wanted(value: number): void {
    const place = this.#device + (value >> 2) % (2 * this.size);
    const bits = value & 0x100
      ? value & 0xffff
      : this.#offset(place) | (this.#wrap(place) ? 0x8000 : 0);
    this.#memory.writeInteger(this.#driverEvents, 2, BigInt(bits));
    this.#memory.writeInteger(this.#driverEvents + 2, 2, BigInt(value & 3));
  }

  #available(place: number): boolean {
    const { flags } = readDescriptor(
      this.#memory,
      this.#ring + 16 * this.#offset(place),
      true,
    );
    return (flags & (AVAIL | USED)) === (this.#wrap(place) ? AVAIL : USED);
  }

  pending(): Pending {
    const chains: ModelChain[] = [];
    let place = this.#device;
    const end = place + this.size;
    while (this.#available(place)) {
      const chain = new ModelChain(this.#memory);
      for (let more = true; more; place++) {
        if (place === end) return { chains, broken: true };
        if (chain.descriptors > 0 && !this.#available(place)) {
          return { chains, broken: true };
        }
        const descriptor = readDescriptor(
          this.#memory,
          this.#ring + 16 * this.#offset(place),
          true,
        );
        chain.id = descriptor.next;
        chain.descriptors++;
        more = (descriptor.flags & NEXT) !== 0;
        if (!(descriptor.flags & INDIRECT)) {
          chain.add(descriptor);
          continue;
        }
        if (!this.#options.indirect || more || chain.descriptors > 1) {
          chain.broken = true;
        }
        if (this.#options.indirect && !more) chain.addPackedTable(descriptor);
      }
      chains.push(chain);
    }
    return { chains, broken: false };
  }

  signals(_count: number): boolean {
    const bits = this.#memory.u16(this.#driverEvents);
    const flags = this.#memory.u16(this.#driverEvents + 2) & 3;
    const owed = this.#owed;
    this.#owed = false;
    if (flags === 1) return false;
    if (
      flags !== 2 || this.#options.notification !== "event-index" || owed ||
      (bits & 0x7fff) >= this.size
    ) return true;
    const event = (bits & 0x7fff) + (bits & 0x8000 ? 0 : this.size);
    const from = this.#completedFrom % (2 * this.size);
    const ahead = (event - from + 2 * this.size) % (2 * this.size);
    return ahead < this.#device - this.#completedFrom;
  }

  get stuck(): boolean {
    return this.#taken !== 0;
  }

  complete(chain: ModelChain, length: number): void {
    const at = this.#ring + 16 * this.#offset(this.#device);
    const flags = (this.#wrap(this.#device) ? AVAIL | USED : 0) |
      (length > 0 ? WRITE : 0);
    const written = new DataView(new ArrayBuffer(8));
    written.setUint32(0, length, true);
    written.setUint16(4, chain.id, true);
    written.setUint16(6, flags, true);
    this.#memory.expect(at + 8, new Uint8Array(written.buffer));
    this.#device += chain.descriptors;
  }

  settle(): void {
    this.#memory.adopt(this.#deviceEvents, 4);
    this.#completedFrom = this.#device;
  }
}
