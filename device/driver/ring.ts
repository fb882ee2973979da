/**
 * The driver's side of a virtqueue, whatever its format.
 *
 * @module
 */

import type { GuestRange } from "./guest_view.ts";

/**
 * Addresses of a ring's three parts, by the names that vhost-user has for
 * them. A packed ring's driver area is `available`, its device area `used`
 * (virtio 1.1, 2.3).
 */
export interface RingAddresses {
  /** Descriptor table, or the packed ring. */
  readonly descriptor: number;
  /** Available ring, or driver event suppression. */
  readonly available: number;
  /** Used ring, or device event suppression. */
  readonly used: number;
}

/** A request that the device has returned. Records are filled again. */
export interface UsedRecord {
  /** What {@linkcode DriverRing.add} returned for it. */
  id: number;
  /** Bytes the device says it wrote to the writable part. */
  length: number;
}

/** The driver's side of a virtqueue. */
export interface DriverRing {
  /** Number of descriptors. */
  readonly size: number;
  /** Where the ring lies, in guest addresses. */
  readonly guestAddresses: RingAddresses;
  /** Where the ring lies, in the frontend's own addresses. */
  readonly userAddresses: RingAddresses;
  /** Value of SET_VRING_BASE when the ring is first started. */
  readonly base: number;
  /** Requests added and not taken back. */
  readonly outstanding: number;
  /**
   * Adds a request, which the device sees only once it is published.
   *
   * @param readable what the device reads, in order
   * @param writable what the device writes, in order
   * @param indirect give the buffers by an indirect table, which takes one
   * descriptor of the ring only
   * @returns the request's id, below `size`; -1 where there is no room now
   * @throws {RangeError} The request has no buffers, or more than can ever fit
   */
  add(
    readable: readonly GuestRange[],
    writable: readonly GuestRange[],
    indirect: boolean,
  ): number;
  /** Makes everything added visible to the device. */
  publish(): void;
  /**
   * Whether the device wants to hear of what was published since this was last
   * asked.
   *
   * @returns true when it has to be notified
   */
  needsKick(): boolean;
  /** Whether the device has returned a request that was not taken. */
  hasUsed(): boolean;
  /**
   * Takes the next request the device has returned. Its id may be given to
   * the next one added.
   *
   * @param record filled with id and length
   * @returns false where there is none
   * @throws {UsedRingError} The device broke the ring
   */
  take(record: UsedRecord): boolean;
  /** Asks the device not to signal. It may do so all the same. */
  disableInterrupts(): void;
  /**
   * Asks the device to signal the next request it returns.
   *
   * @returns true when one is there already, which may go without a signal
   */
  enableInterrupts(): boolean;
  /** Gives the ring's memory back, once the device has stopped using it. */
  free(): void;
}
