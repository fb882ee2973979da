/**
 * Chains as a hostile guest sends them, and what has to come back.
 *
 * @module
 */

import type { Write } from "./requests.ts";
import type { Buffer } from "./ring.ts";

export const OK = 0;
export const ERR = 1;
export const BADMSG = 2;
export const NOTSUPP = 3;
export const INVSESS = 4;

/** What has to come back of a chain. */
export interface Expected {
  /** Length of the used element; that of the writable part when left out. */
  readonly used?: number;
  /** What the device writes; nothing when left out. */
  readonly writes?: readonly Write[];
  /** The last byte of the writable part; none when left out. */
  readonly status?: number;
  /** The writable part may become anything, and the used length as well. */
  readonly any?: boolean;
}

/** A chain that is sent. */
export interface Sent {
  readonly buffers: readonly Buffer[];
  /** Direct when left out. */
  readonly style?: "direct" | "indirect";
  readonly expected: Expected;
}

/** What came back of a chain. */
export interface Answer {
  readonly used: number;
  /** The writable part, as far as it is in memory. */
  readonly written: Uint8Array;
}
