/**
 * A request as one reading decodes it: its fields, its variable parts, and what
 * is wrong with it.
 *
 * @module
 */

import type { Capabilities } from "../service/capabilities.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import type { FieldValue } from "./fields.ts";
import type { Problem } from "./problem.ts";
import type { Reading } from "./reading.ts";

/** The fields of one structure. */
export interface DecodedStructure {
  /** Its name in the document. */
  readonly name: string;
  /** Where the document gives it. */
  readonly clause: string;
  /** Its fields in order. */
  readonly fields: readonly FieldValue[];
}

/** A part of variable length. */
export interface Part {
  /** Its name in the document. */
  readonly name: string;
  /** Bytes from the start of the readable or the writable part. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Its first bytes, where they may be shown; never those of a key. */
  readonly start: Uint8Array | undefined;
}

/** What is known beside the request. */
export interface Surroundings {
  /** What the device serves. */
  readonly capabilities: Capabilities;
  /** Data queues of the device. */
  readonly queues: number;
  /** Largest content of a request in bytes. */
  readonly maxSize: number;
  /**
   * Bytes of the readable part, where only header and fixed part of it are
   * there.
   */
  readonly readable?: number | undefined;
  /** Bytes of the writable part, where that is known. */
  readonly writable: number | undefined;
  /** The session of a data request, where that is known. */
  readonly session: OperationParameters | undefined;
}

/** A request, decoded. */
export interface Decoded {
  /** How it was read. */
  readonly reading: Reading;
  /** The queue it was read as one of. */
  readonly queue: "control" | "data";
  /** What it is, in words. */
  readonly title: string;
  /** Header and fixed part. */
  readonly structures: readonly DecodedStructure[];
  /** What lies behind them in the readable part. */
  readonly readable: readonly Part[];
  /** What the writable part is for. */
  readonly writable: readonly Part[];
  /** Bytes of the writable part: what was told, else what the request needs. */
  readonly writableLength: number;
  /** Whether the lengths account for every byte of the readable part. */
  readonly exact: boolean;
  /** What is wrong; the first one decides the status. */
  readonly problems: readonly Problem[];
  /** What is not wrong, but worth knowing. */
  readonly notes: readonly string[];
  /** What a good verdict depends on that the request does not hold. */
  readonly condition: string | undefined;
  /** The session an answer of the device is about, if it is of one. */
  readonly session: OperationParameters | undefined;
}
