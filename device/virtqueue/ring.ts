/**
 * The device's side of a virtqueue, whatever its format.
 *
 * @module
 */

import type { SegmentTable } from "../memory/segments.ts";
import type { Chain } from "./chain.ts";
import type { StraightChains } from "./straight_chains.ts";

/** What {@linkcode DeviceRing.take} found. */
export const Take = {
  /** Nothing is available. */
  EMPTY: 0,
  /** A chain was taken. */
  TAKEN: 1,
  /** The ring is broken: see {@linkcode DeviceRing.broken}. */
  BROKEN: 2,
} as const;

/** How the ring lies in memory: packed with VIRTIO_F_RING_PACKED. */
export type RingFormat = "split" | "packed";

/** How the two sides tell each other when to notify. */
export type Notification =
  /**
   * NO_NOTIFY and NO_INTERRUPT flags (virtio 1.1, 2.6.7); in packed rings
   * RING_EVENT_FLAGS_ENABLE and _DISABLE (2.7.10).
   */
  | "flags"
  /**
   * used_event and avail_event (VIRTIO_F_RING_EVENT_IDX); in packed rings
   * RING_EVENT_FLAGS_DESC.
   */
  | "event-index"
  /**
   * What the guest negotiated is not known: avail_event is kept for those who
   * read it, and only the avail ring's flag suppresses a signal. Such rings
   * are split ones.
   */
  | "unknown";

/**
 * How a ring is set up. Plain data: it crosses threads. Addresses are in the
 * frontend's address space.
 */
export interface RingSetup {
  /** How it lies in memory. */
  readonly format: RingFormat;
  /** Number of ring entries. */
  readonly size: number;
  /** Address of the descriptor table, or of the packed ring. */
  readonly descriptorAddress: number;
  /** Address of the available ring, or of the driver event suppression. */
  readonly availableAddress: number;
  /** Address of the used ring, or of the device event suppression. */
  readonly usedAddress: number;
  /**
   * Where to go on, as SET_VRING_BASE and GET_VRING_BASE have it. Split: the
   * available index. Packed: where to take next in the low 16 bits, where to
   * return next in the high ones, the wrap counter being the top bit of each.
   */
  readonly state: number;
  /** How to notify. */
  readonly notification: Notification;
  /** Whether indirect tables may be used. */
  readonly indirect: boolean;
}

/** A ring that cannot be served any more, and why. */
export class RingError extends Error {
  /** "RingError". */
  override readonly name = "RingError";
}

/** The device's side of a ring. */
export interface DeviceRing {
  /** Number of ring entries. */
  readonly size: number;
  /**
   * Stores the state where it outlives the thread: with a plain write, since
   * it is read when the thread is gone.
   *
   * @param position one number of 32 bits
   */
  storeState(position: Int32Array<SharedArrayBuffer>): void;
  /** What broke the ring, once it is broken. */
  readonly broken: RingError | undefined;
  /**
   * Where to go on after a stop, as GET_VRING_BASE has it: the first chain
   * that was not put back.
   */
  readonly state: number;
  /** Whether there is nothing to take; a broken ring is not empty. */
  isEmpty(): boolean;
  /**
   * Takes the next available chain and walks it.
   *
   * @param chain receives the chain
   * @param segments receives its segments
   * @returns a value of {@linkcode Take}
   */
  take(chain: Chain, segments: SegmentTable): number;
  /**
   * Makes the chain taken last available again.
   *
   * @param chain the chain
   */
  untake(chain: Chain): void;
  /**
   * Looks for the straight chains that are next, of those that there were when
   * {@linkcode isEmpty} was asked; takes none.
   *
   * @param chains receives them, up to the first that is another one
   */
  lookStraight(chains: StraightChains): void;
  /**
   * Takes the first of the chains that {@linkcode lookStraight} found.
   *
   * @param count how many of them
   */
  takeStraight(count: number): void;
  /**
   * Returns a straight chain, as {@linkcode put} does.
   *
   * @param id its buffer id
   * @param length bytes of its writable part in use
   */
  putStraight(id: number, length: number): void;
  /**
   * Returns a chain to the driver, in the order of taking. It is seen only
   * after {@linkcode publish}.
   *
   * @param chain the chain
   * @param length bytes of its writable part in use, from the first on
   */
  put(chain: Chain, length: number): void;
  /** Shows the driver all that was put. */
  publish(): void;
  /** Whether the driver wants to be told of what was published since it was last asked. */
  shouldSignal(): boolean;
  /** Asks the driver not to notify while the device is looking anyway. */
  disarm(): void;
  /**
   * Asks the driver to notify of the next chain.
   *
   * @returns true when one came meanwhile: then look again before sleeping
   */
  arm(): boolean;
}
