/**
 * What split and packed rings of the fuzzer have in common.
 *
 * @module
 */

import type {
  Notification,
  RingSetup,
} from "../../../device/virtqueue/ring.ts";
import type { Range } from "./memory.ts";
import type { ModelChain } from "./model/chain.ts";

/** How a ring is made. */
export interface FuzzRingOptions {
  readonly size: number;
  readonly notification: Notification;
  readonly indirect: boolean;
  /** Where its indices start: 16 bits, or a place in a packed ring. */
  readonly start: number;
  /** Odd: how far apart descriptors of a split chain stand. */
  readonly stride: number;
}

/** A descriptor to write. */
export interface FuzzDescriptor {
  readonly address: bigint;
  readonly length: number;
  readonly flags: number;
  /** Of a split one; that of the one behind it when left out. */
  readonly next?: number;
}

/** What a device has to find in a ring. */
export interface Pending {
  readonly chains: readonly ModelChain[];
  /** Behind those chains the ring is broken. */
  readonly broken: boolean;
}

/** A ring. */
export interface FuzzRing {
  readonly size: number;
  /** Where its parts are. */
  readonly parts: readonly Range[];
  /** Where a hostile driver scribbles. */
  readonly pokeable: Range;
  /** Behind its last byte, a multiple of 16. */
  readonly end: number;
  /** Writes an empty ring at its start. */
  reset(): void;
  /** How a device is told of it. */
  setup(): RingSetup;
  /**
   * Makes a chain available.
   *
   * @param descriptors what it is of; NEXT flags are the caller's
   * @returns false where there is no room
   */
  offer(descriptors: readonly FuzzDescriptor[]): boolean;
  /** Makes a head, or what is left in the ring, available as it is. */
  offerAgain(value: number): void;
  /** Makes heads available once more; in a packed ring nothing. */
  repeat(heads: readonly number[]): void;
  /** Moves the driver's place without writing descriptors. */
  jump(by: number): void;
  /** What the driver wants to be told of: any number. */
  wanted(value: number): void;
  /** What a device has to find. */
  pending(): Pending;
  /** Whether a device signals once `count` chains were completed. */
  signals(count: number): boolean;
  /** Whether driver and device stand apart although nothing is pending. */
  readonly stuck: boolean;
  /** Expects a chain to be returned. */
  complete(chain: ModelChain, length: number): void;
  /** All is returned: takes what only the device decides as it is. */
  settle(): void;
}
