/**
 * A guest with one queue: it lays requests out in memory full of guard bytes,
 * and finds out what the device wrote.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import {
  GuestRing,
  type GuestRingOptions,
  INDIRECT,
  NEXT,
  type RawDescriptor,
  WRITE,
} from "./guest_ring.ts";
import { bytesAt, plainMemory } from "./plain_memory.ts";

/** What memory holds where nothing was put. */
const GUARD = 0x5a;
/** What writable buffers hold before the device writes them. */
export const FILL = 0xa5;
/** Guard bytes between two buffers, at least. */
const GAP = 9;

/** One request. Every buffer is a descriptor. */
export interface GuestRequest {
  readonly readable: readonly Uint8Array[];
  readonly writable: readonly number[];
  /** Direct when left out. */
  readonly style?: "direct" | "indirect" | "mixed";
}

/** What came of a request. */
export interface Answer {
  /** Length of the used element. */
  readonly usedLength: number;
  /** The last writable byte; undefined where there is none. */
  readonly status: number | undefined;
  /** The writable part without its last byte. */
  readonly result: Uint8Array;
}

/** A range of guest addresses. */
type Range = readonly [address: number, length: number];

/** A queue as a guest has it. */
export class GuestQueue {
  readonly memory: GuestMemory;
  readonly ring: GuestRing;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  #at: number;
  #descriptor = 0;
  readonly #offered: { readonly head: number; readonly writable: Range[] }[] =
    [];
  #before = new Uint8Array(0);

  /**
   * @param options how the ring is made; 64 descriptors when not said
   * @param memorySize bytes of guest memory
   */
  constructor(options: GuestRingOptions = {}, memorySize = 1 << 18) {
    this.memory = plainMemory(memorySize);
    this.#bytes = this.memory.bytes[0]!;
    this.#bytes.fill(GUARD);
    this.ring = new GuestRing(this.memory, { size: 64, ...options });
    this.#at = this.ring.end;
  }

  /**
   * Puts a request into the ring, where the device can see it.
   *
   * @param request the request
   * @returns its head
   */
  offer(request: GuestRequest): number {
    const { readable, writable, style = "direct" } = request;
    const places: Range[] = [
      ...readable.map((bytes): Range => {
        const at = this.#place(bytes.length);
        bytesAt(this.memory, at, bytes.length).set(bytes);
        return [at, bytes.length];
      }),
      ...writable.map((length): Range => {
        const at = this.#place(length);
        bytesAt(this.memory, at, length).fill(FILL);
        return [at, length];
      }),
    ];
    const direct = style === "direct"
      ? places.length
      : style === "mixed"
      ? places.length - 2
      : 0;
    const first = this.#descriptor;
    this.#descriptor += direct < places.length ? direct + 1 : direct;
    assert(this.#descriptor <= this.ring.size, "The ring is too small");
    const describe = (
      [address, length]: Range,
      i: number,
      next: number,
    ): RawDescriptor => [
      address,
      length,
      (i < readable.length ? 0 : WRITE) | (i < places.length - 1 ? NEXT : 0),
      next,
    ];
    places.slice(0, direct).forEach((place, i) =>
      this.ring.describe(first + i, describe(place, i, first + i + 1))
    );
    if (direct < places.length) {
      const rest = places.slice(direct);
      const table = this.#place(16 * rest.length);
      rest.forEach((place, i) =>
        this.ring.table(table + 16 * i, describe(place, direct + i, i + 1))
      );
      this.ring.describe(first + direct, [
        table,
        16 * rest.length,
        INDIRECT,
        0,
      ]);
    }
    this.ring.offer(first);
    this.#offered.push({
      head: first,
      writable: places.slice(readable.length),
    });
    return first;
  }

  /** Remembers what memory holds, before the device works. */
  watch(): void {
    this.#before = this.#bytes.slice();
  }

  /**
   * Takes the answers, which have to be in order, and checks that the device
   * wrote nothing but used ring and writable buffers since it was watched.
   *
   * @returns the answers
   */
  answers(): Answer[] {
    const used = this.ring.takeUsed();
    const answered = this.#offered.splice(0, used.length);
    assertEquals(
      used.map(({ id }) => id),
      answered.map(({ head }) => head),
      "Answers are not in ring order",
    );
    this.#checkGuards(answered.flatMap(({ writable }) => writable));
    const answers = answered.map(({ writable }, i): Answer => {
      const bytes = new Uint8Array(writable.reduce((n, [, l]) => n + l, 0));
      let at = 0;
      for (const [address, length] of writable) {
        bytes.set(bytesAt(this.memory, address, length), at);
        at += length;
      }
      return {
        usedLength: used[i]!.length,
        status: bytes.at(-1),
        result: bytes.slice(0, -1),
      };
    });
    if (this.#offered.length === 0) {
      // All descriptors and buffers are free again.
      this.#descriptor = 0;
      bytesAt(this.memory, this.ring.end, this.#at - this.ring.end).fill(GUARD);
      this.#at = this.ring.end;
    }
    return answers;
  }

  /** Number of requests that were not answered. */
  get outstanding(): number {
    return this.#offered.length;
  }

  /** Guest address of a range behind all others, with guards around. */
  #place(length: number): number {
    const at = Math.ceil((this.#at + GAP) / 16) * 16;
    this.#at = at + length + GAP;
    return at;
  }

  #checkGuards(writable: readonly Range[]): void {
    const before = this.#before;
    const base = this.memory.regions[0]!.guestAddress;
    const { used, size } = this.ring;
    const may: readonly Range[] = [...writable, [used, 6 + 8 * size]];
    const after = this.#bytes.slice();
    for (const [address, length] of may) {
      const from = address - base;
      after.set(before.subarray(from, from + length), from);
    }
    for (let i = 0; i < after.length; i++) {
      if (after[i] === before[i]) continue;
      assert(false, `The device wrote at 0x${(base + i).toString(16)}`);
    }
    this.watch();
  }
}
