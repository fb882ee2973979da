/**
 * Requests of one operation in guest memory, and a ring that offers them: the
 * load that a device is measured under.
 *
 * @module
 */

import type { RequestBytes } from "../../device/driver/requests.ts";
import type { LoadMemory } from "./load_memory.ts";
import {
  type Buffer,
  type LoadRing,
  loadRing,
  type LoadRingOptions,
} from "./load_ring.ts";
import { checkResult, type Operation } from "./operations.ts";

/** Bytes before the session's id in a data request's header. */
const SESSION_ID_AT = 8;

/** How a load is made. */
export interface LoadOptions extends LoadRingOptions {
  /** Number of requests, a power of two; 64. */
  readonly slots?: number;
  /** Alignment of source and destination; 64 bytes. */
  readonly align?: number;
  /** What is added to an aligned address of the source; 0. */
  readonly offset?: number;
  /** Whether each buffer is in the next region, not each request; false. */
  readonly apart?: boolean;
}

/** Requests that are laid out, and the ring that offers them. */
export class Load {
  readonly memory: LoadMemory;
  readonly ring: LoadRing;
  readonly slots: number;
  /** Guest addresses of each request's buffers. */
  readonly buffers: readonly (readonly Buffer[])[];
  readonly #ids: readonly Uint32Array<SharedArrayBuffer>[];
  readonly #operation: Operation;

  /**
   * @param memory where it lies; each request in the next region, or each
   * buffer
   * @param operation what the requests ask for
   * @param request the request, by its slot
   * @param options how it is made
   */
  constructor(
    memory: LoadMemory,
    operation: Operation,
    request: (slot: number) => RequestBytes,
    options: LoadOptions = {},
  ) {
    const { slots = 64, align = 64, offset = 0, apart = false } = options;
    this.memory = memory;
    this.slots = slots;
    this.#operation = operation;
    this.buffers = Array.from({ length: slots }, (_, slot) => {
      const { readable, writable } = request(slot);
      memory.turn();
      const place = (length: number, writable: boolean): Buffer => {
        if (apart) memory.turn();
        const data = length >= Math.min(operation.source.length, 64);
        const address = memory.allocate(
          length,
          data ? align : 16,
          data ? offset : 0,
        );
        return { address, length, writable };
      };
      return [
        ...readable.map((bytes) => {
          const buffer = place(bytes.length, false);
          memory.bytes(buffer.address, bytes.length).set(bytes);
          return buffer;
        }),
        ...writable.map((length) => place(length, true)),
      ];
    });
    this.#ids = this.buffers.map(([header]) => {
      const id = memory.bytes(header!.address + SESSION_ID_AT, 8);
      return new Uint32Array(id.buffer, id.byteOffset, 2);
    });
    this.ring = loadRing(memory, this.buffers, options);
  }

  /**
   * Turns a request to another session.
   *
   * @param slot the request
   * @param low low half of the session's id
   * @param high high half
   */
  setSession(slot: number, low: number, high: number): void {
    const id = this.#ids[slot]!;
    id[0] = low;
    id[1] = high;
  }

  /** Overwrites results and statuses. */
  clear(): void {
    for (const buffers of this.buffers) {
      for (const { address, length, writable } of buffers) {
        if (writable) this.memory.bytes(address, length).fill(0xa5);
      }
    }
  }

  /**
   * Throws unless requests have status OK and the right result.
   *
   * @param what named in the error
   * @param count how many, from the first
   */
  check(what: string, count = this.slots): void {
    for (let slot = 0; slot < count; slot++) {
      const written = this.buffers[slot]!.filter(({ writable }) => writable);
      const [result] = written;
      const { address, length } = written.at(-1)!;
      const status = this.memory.bytes(address, length)[length - 1]!;
      if (status !== 0) {
        throw new Error(
          `Cannot measure ${what}: request ${slot} has status ${status}`,
        );
      }
      checkResult(
        what,
        this.memory.bytes(result!.address, result!.length),
        this.#operation,
      );
    }
  }
}
