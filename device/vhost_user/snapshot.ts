/**
 * What can be seen of a server from outside, as plain data: no keys, and
 * nothing of what requests carry.
 *
 * @module
 */

import type { QueueStatistics } from "../service/counters.ts";

/** A ring at one moment. */
export interface RingSnapshot {
  /** How it lies in memory. */
  readonly type: "split" | "packed";
  /** Number of entries. */
  readonly size: number;
  /**
   * Split: the driver's available index. Packed: the offset behind the last
   * available descriptor.
   */
  readonly available: number;
  /** Split: the used index. Packed: the offset where the device goes on. */
  readonly used: number;
  /** Split: chains that wait or are worked on. Packed: their descriptors. */
  readonly depth: number;
  /** Whether VIRTIO_F_IN_ORDER was negotiated. */
  readonly inOrder: boolean;
  /** Whether VIRTIO_F_RING_EVENT_IDX was negotiated. */
  readonly eventIdx: boolean;
}

/** What a frontend said of a ring. */
export interface VringSnapshot {
  /** Whether it is served. */
  readonly running: boolean;
  /** Whether the frontend enabled it; always with session messages. */
  readonly enabled: boolean;
  /** Why it is served no more, where something is wrong with it. */
  readonly broken: string | null;
  /** The ring, where it was set up. */
  readonly ring: RingSnapshot | null;
}

/** A queue at one moment. */
export interface QueueSnapshot extends VringSnapshot {
  /** Number of the queue. */
  readonly index: number;
  /** What it is for. */
  readonly kind: "data" | "control";
  /** What it counted since the server started. */
  readonly statistics: QueueStatistics;
}

/** A session, without its keys. */
export interface SessionSnapshot {
  /** Its id, in hexadecimal. */
  readonly id: string;
  /** "CIPHER", "HASH", "MAC" or "AEAD". */
  readonly service: string;
  /** The algorithm; a chain's cipher. */
  readonly algorithm: string;
  /** A chain's hash or MAC. */
  readonly hash: string | null;
  /** The direction; null for HASH and MAC. */
  readonly op: "encrypt" | "decrypt" | null;
  /** Bytes of the key. */
  readonly keyLength: number;
  /** Bytes of a chain's authentication key. */
  readonly authKeyLength: number;
  /** Bytes of the digest or tag. */
  readonly resultLength: number;
}

/** A region of guest memory. */
export interface MemorySnapshot {
  /** Its guest address, in hexadecimal. */
  readonly guestAddress: string;
  /** Bytes. */
  readonly size: number;
}

/** One socket and the device behind it, at one moment. */
export interface DeviceSnapshot {
  /** The socket's path, or "fd" for one that was handed down. */
  readonly socket: string;
  /** Whether a frontend is connected. */
  readonly connected: boolean;
  /**
   * Whose the control queue is: "device" where it is served here, "cryptodev"
   * where the frontend owns it; null while nobody is connected.
   */
  readonly mode: "device" | "cryptodev" | null;
  /** Names of the negotiated feature bits. */
  readonly features: readonly string[];
  /** The engines that were loaded, the preferred one first. */
  readonly engines: readonly string[];
  /** Largest content of a request in bytes. */
  readonly maxSize: number;
  /** The sessions; some of them only in `list`. */
  readonly sessions: {
    /** How many there are. */
    readonly live: number;
    /** How many there can be. */
    readonly most: number;
    /** Some of them. */
    readonly list: readonly SessionSnapshot[];
  };
  /** The guest's memory. */
  readonly memory: readonly MemorySnapshot[];
  /** The queues that are in use or were. */
  readonly queues: readonly QueueSnapshot[];
}
