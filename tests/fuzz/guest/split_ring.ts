/**
 * A split ring that may hold anything, and what a device has to make of it
 * (virtio 1.1, 2.6).
 *
 * @module
 */

import type { RingSetup } from "../../../device/virtqueue/ring.ts";
import { USER_DISTANCE } from "../../support/plain_memory.ts";
import type { FuzzMemory, Range } from "./memory.ts";
import { INDIRECT, ModelChain, NEXT, readDescriptor } from "./model/chain.ts";
import type {
  FuzzDescriptor,
  FuzzRing,
  FuzzRingOptions,
  Pending,
} from "./ring.ts";

/** A split ring. */
export class SplitFuzzRing implements FuzzRing {
  readonly size: number;
  readonly parts: readonly Range[];
  readonly pokeable: Range;
  readonly end: number;
  readonly #memory: FuzzMemory;
  readonly #options: FuzzRingOptions;
  readonly #table: number;
  readonly #available: number;
  readonly #used: number;
  /** Descriptors given out since all were free. */
  #given = 0;
  /** Where the device takes next, and where it puts next. */
  #next = 0;
  #put = 0;
  #owed = true;

  constructor(memory: FuzzMemory, at: number, options: FuzzRingOptions) {
    this.#memory = memory;
    this.#options = options;
    const size = this.size = options.size;
    this.#table = at;
    this.#available = at + 16 * size;
    this.#used = this.#available + ((6 + 2 * size + 3) & ~3);
    this.end = (this.#used + 6 + 8 * size + 15) & ~15;
    this.parts = [[this.#table, 16 * size], [this.#available, 6 + 2 * size], [
      this.#used,
      6 + 8 * size,
    ]];
    this.pokeable = [this.#table, this.end - this.#table];
  }

  reset(): void {
    this.#memory.write(this.#table, new Uint8Array(this.end - this.#table));
    const start = this.#options.start & 0xffff;
    this.#next = this.#put = start;
    this.#availableIndex = start;
    this.#memory.writeInteger(this.#used + 2, 2, BigInt(start));
    this.#owed = true;
    this.#given = 0;
  }

  setup(): RingSetup {
    // Whatever a guest wrote there: a device that starts goes on at the used
    // index that is in the ring.
    this.#put = this.#memory.u16(this.#used + 2);
    return {
      format: "split",
      size: this.size,
      descriptorAddress: this.#table + USER_DISTANCE,
      availableAddress: this.#available + USER_DISTANCE,
      usedAddress: this.#used + USER_DISTANCE,
      state: this.#next,
      notification: this.#options.notification,
      indirect: this.#options.indirect,
    };
  }

  get #availableIndex(): number {
    return this.#memory.u16(this.#available + 2);
  }

  set #availableIndex(index: number) {
    this.#memory.writeInteger(this.#available + 2, 2, BigInt(index & 0xffff));
  }

  offer(descriptors: readonly FuzzDescriptor[]): boolean {
    if (this.#given + descriptors.length > this.size) return false;
    const slot = (i: number) =>
      ((this.#given + i) * this.#options.stride) % this.size;
    descriptors.forEach(({ address, length, flags, next }, i) => {
      const at = this.#table + 16 * slot(i);
      this.#memory.writeInteger(at, 8, address);
      this.#memory.writeInteger(at + 8, 4, BigInt(length));
      this.#memory.writeInteger(at + 12, 2, BigInt(flags));
      this.#memory.writeInteger(at + 14, 2, BigInt(next ?? slot(i + 1)));
    });
    this.#offerHead(slot(0));
    this.#given += descriptors.length;
    return true;
  }

  offerAgain(value: number): void {
    this.#offerHead(value);
  }

  #offerHead(head: number): void {
    const index = this.#availableIndex;
    const at = this.#available + 4 + 2 * (index % this.size);
    this.#memory.writeInteger(at, 2, BigInt(head));
    this.#availableIndex = index + 1;
  }

  repeat(heads: readonly number[]): void {
    for (const head of heads) this.#offerHead(head);
  }

  jump(by: number): void {
    this.#availableIndex = this.#availableIndex + by;
  }

  wanted(value: number): void {
    // avail.flags and used_event.
    this.#memory.writeInteger(this.#available, 2, BigInt(value & 1));
    this.#memory.writeInteger(
      this.#available + 4 + 2 * this.size,
      2,
      BigInt((this.#put + (value >> 1)) & 0xffff),
    );
  }

  pending(): Pending {
    const memory = this.#memory;
    const chains: ModelChain[] = [];
    const waiting = (this.#availableIndex - this.#next) & 0xffff;
    if (waiting > this.size) return { chains, broken: true };
    for (let i = 0; i < waiting; i++) {
      const entry = (this.#next + i) % this.size;
      const head = memory.u16(this.#available + 4 + 2 * entry);
      const chain = head < this.size ? this.#walk(head) : undefined;
      if (chain === undefined) return { chains, broken: true };
      chains.push(chain);
    }
    return { chains, broken: false };
  }

  #walk(head: number): ModelChain | undefined {
    const chain = new ModelChain(this.#memory);
    chain.id = head;
    let index = head;
    for (let count = 0; count < this.size; count++) {
      const at = this.#table + 16 * index;
      const descriptor = readDescriptor(this.#memory, at, false);
      if (descriptor.flags & INDIRECT) {
        if (!this.#options.indirect || descriptor.flags & NEXT) {
          chain.broken = true;
        } else {
          chain.addTable(descriptor);
        }
        return chain;
      }
      chain.add(descriptor);
      if (!(descriptor.flags & NEXT)) return chain;
      index = descriptor.next;
      if (index >= this.size) {
        chain.broken = true;
        return chain;
      }
    }
    return undefined;
  }

  signals(count: number): boolean {
    const memory = this.#memory;
    const owed = this.#owed;
    this.#owed = false;
    if (this.#options.notification !== "event-index") {
      return !(memory.u16(this.#available) & 1);
    }
    const event = memory.u16(this.#available + 4 + 2 * this.size);
    // The driver wants to hear of entry `event` (virtio 1.1, 2.6.7.2).
    return owed || ((event - (this.#put - count)) & 0xffff) < count;
  }

  get stuck(): boolean {
    return this.#availableIndex !== this.#next;
  }

  complete(chain: ModelChain, length: number): void {
    const element = new DataView(new ArrayBuffer(8));
    element.setUint32(0, chain.id, true);
    element.setUint32(4, length, true);
    this.#memory.expect(
      this.#used + 4 + 8 * (this.#put % this.size),
      new Uint8Array(element.buffer),
    );
    this.#put = (this.#put + 1) & 0xffff;
    this.#next = (this.#next + 1) & 0xffff;
    this.#memory.expect(
      this.#used + 2,
      Uint8Array.of(this.#put & 0xff, this.#put >> 8),
    );
  }

  settle(): void {
    // used.flags and avail_event are the device's wishes.
    this.#memory.adopt(this.#used, 2);
    this.#memory.adopt(this.#used + 4 + 8 * this.size, 2);
    this.#given = 0;
  }
}
