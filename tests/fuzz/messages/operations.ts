/**
 * What a case of vhost-user messages is made of.
 *
 * @module
 */

import type { EngineName } from "../../../device/engine/engine.ts";

/** Descriptors to send along. */
export type FdKind =
  /** The guest's memory, of {@linkcode MEMORY_SIZE} bytes. */
  | "memory"
  /** A file of memory of one page. */
  | "short"
  | "kick"
  | "call"
  | "err"
  /** The end of a pipe that is read, and the one that is written. */
  | "reader"
  | "writer"
  /** A socket. */
  | "socket";

/** Bytes of the guest's memory. */
export const MEMORY_SIZE = 1 << 20;

/** A message. */
export interface MessageOperation {
  readonly op: "message";
  readonly request: number;
  readonly flags: number;
  /** Bytes of payload. */
  readonly size: number;
  /** le32 values of the payload by their offset; the rest is 0. */
  readonly words: readonly (readonly [at: number, value: number])[];
  readonly fds: readonly FdKind[];
  /** What the header says of the payload, where that is not true. */
  readonly claims?: number;
  /** Sent in two parts, the first of so many bytes. */
  readonly first?: number;
}

/** One operation. */
export type ConnectionOperation =
  | MessageOperation
  /** A few bytes of a message, then the end of the connection. */
  | { readonly op: "break-off"; readonly bytes: number; readonly fd: boolean }
  | { readonly op: "reconnect" }
  /** Somebody else connects, and is turned away. */
  | { readonly op: "second" }
  | { readonly op: "kick" }
  /** 16 bits of guest memory change. */
  | { readonly op: "scribble"; readonly at: number; readonly value: number };

/** A case of messages. */
export interface MessageCase {
  readonly target: "messages";
  readonly setup: { readonly engine: EngineName | "auto" };
  readonly operations: readonly ConnectionOperation[];
}
