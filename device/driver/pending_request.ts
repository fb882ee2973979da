/**
 * A request on its way through a queue: placed in guest memory, given to the
 * device, and settled from what came back.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { UsedLengthError } from "./errors.ts";
import { guestBytes, type GuestRange } from "./guest_view.ts";
import type { RequestBytes } from "./requests.ts";

/** A status byte that no device writes: seen when it wrote none. */
export const NO_STATUS = 0xff;

/** The writable part starts on a cache line of its own. */
const LINE = 64;

/** What a queue needs to know of a request. */
export interface PendingRequest {
  /** Bytes of guest memory its buffers need. */
  readonly size: number;
  /** Give the buffers by an indirect table. */
  readonly indirect: boolean;
  /** What the device reads. Valid once placed. */
  readonly readable: readonly GuestRange[];
  /** What the device writes. Valid once placed. */
  readonly writable: readonly GuestRange[];
  /**
   * Lays the buffers out.
   *
   * @param memory the guest's memory
   * @param address guest address of `size` bytes
   */
  place(memory: GuestMemory, address: number): void;
  /**
   * The device has returned the request, and its buffers are still there.
   *
   * @param memory the guest's memory
   * @param usedLength length of the used element in bytes
   */
  complete(memory: GuestMemory, usedLength: number): void;
  /**
   * The request will not complete. The device may still hold its buffers.
   *
   * @param memory the guest's memory
   * @param error why
   */
  fail(memory: GuestMemory, error: Error): void;
}

/** How buffers are given to the device. */
export interface BufferStyle {
  /** By indirect tables; VIRTIO_F_RING_INDIRECT_DESC was negotiated. */
  readonly indirect: boolean;
  /**
   * - joined: one descriptor for all that is read, one for all that is written
   * - fields: one descriptor for each field, as Linux does
   */
  readonly descriptors: "joined" | "fields";
}

/** A request built from fields, whose answer is decoded to a value. */
export class FieldsRequest<T> implements PendingRequest {
  readonly size: number;
  readonly indirect: boolean;
  readable: readonly GuestRange[] = [];
  writable: readonly GuestRange[] = [];
  /** The decoded answer. */
  readonly result: Promise<T>;

  readonly #bytes: RequestBytes;
  readonly #style: BufferStyle;
  readonly #secret: boolean;
  readonly #decode: (answer: Uint8Array<SharedArrayBuffer>) => T;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #readableLength: number;
  readonly #writableLength: number;
  #address = -1;

  /**
   * Makes a request that is not placed yet.
   *
   * @param bytes the request's fields
   * @param style how buffers are given to the device
   * @param secret overwrite the readable part when done, because it has a key
   * @param decode makes the result from the writable part, which is guest
   * memory that will be used again: it copies what it keeps. It may throw
   */
  constructor(
    bytes: RequestBytes,
    style: BufferStyle,
    secret: boolean,
    decode: (answer: Uint8Array<SharedArrayBuffer>) => T,
  ) {
    this.#bytes = bytes;
    this.#style = style;
    this.#secret = secret;
    this.#decode = decode;
    this.indirect = style.indirect;
    let readable = 0;
    for (const field of bytes.readable) readable += field.length;
    let writable = 0;
    for (const length of bytes.writable) writable += length;
    this.#readableLength = readable;
    this.#writableLength = writable;
    this.size = this.#writableAt + writable;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  place(memory: GuestMemory, address: number): void {
    this.#address = address;
    const target = guestBytes(memory, address, this.size);
    let at = 0;
    for (const field of this.#bytes.readable) {
      target.set(field, at);
      at += field.length;
    }
    // The last byte of the writable part is the status of a data request.
    target[this.size - 1] = NO_STATUS;
    const start = address + this.#writableAt;
    if (this.#style.descriptors === "joined") {
      this.readable = [{ address, length: this.#readableLength }];
      this.writable = [{ address: start, length: this.#writableLength }];
    } else {
      this.readable = rangesOf(
        address,
        this.#bytes.readable.map((f) => f.length),
      );
      this.writable = rangesOf(start, this.#bytes.writable);
    }
  }

  complete(memory: GuestMemory, usedLength: number): void {
    this.#wipe(memory);
    if (usedLength !== this.#writableLength) {
      this.#reject(new UsedLengthError(usedLength, this.#writableLength));
      return;
    }
    const answer = guestBytes(
      memory,
      this.#address + this.#writableAt,
      this.#writableLength,
    );
    try {
      this.#resolve(this.#decode(answer));
    } catch (error) {
      this.#reject(error);
    }
  }

  fail(memory: GuestMemory, error: Error): void {
    this.#wipe(memory);
    this.#reject(error);
  }

  get #writableAt(): number {
    return Math.ceil(this.#readableLength / LINE) * LINE;
  }

  #wipe(memory: GuestMemory): void {
    if (!this.#secret || this.#address < 0) return;
    guestBytes(memory, this.#address, this.#readableLength).fill(0);
  }
}

function rangesOf(start: number, lengths: readonly number[]): GuestRange[] {
  let address = start;
  return lengths.map((length) => {
    const range = { address, length };
    address += length;
    return range;
  });
}
