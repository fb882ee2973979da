/**
 * The log of a queue's requests, in shared memory: the queue's thread writes
 * it ({@linkcode RequestLogWriter}), the main thread reads it
 * ({@linkcode RequestLogReader}). It is a ring of records of a fixed size, of
 * which the oldest is overwritten, and it is written only as far as the reader
 * asked.
 *
 * Besides, it can be asked for refused requests: where one in a million is
 * wrong, that is the one to look at.
 *
 * A record holds the header and the fixed part of a request. No byte of a key
 * and none of the data gets here: they lie behind the fixed part, and where a
 * layout pads it, only its named fields are copied.
 *
 * @module
 */

import { MAX_ENGINES, MAX_NAME_LENGTH } from "../engine/definition.ts";
import { DATA_FIXED_MAX } from "../spec/data_request.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";

/** Most records of one round. */
export const ROUND_RECORDS = 256;

/** Fewest records of a log: the reader needs room beside the round that runs. */
const LEAST_RECORDS: number = 4 * ROUND_RECORDS;

/** Bytes of an engine's name, with zeros behind it. */
export const NAME_SIZE: number = MAX_NAME_LENGTH;
/** Where the names of the queue's engines are, one after the other. */
export const NAMES_AT = 64;
/** Bytes before the records. */
export const HEAD_SIZE: number = NAMES_AT + MAX_ENGINES * NAME_SIZE;
/** i32: records written, modulo 2^32. */
export const WRITTEN = 0;
/** i32: up to which of them to write. */
export const LIMIT = 1;
/** i32: refused requests written beyond that, modulo 2^32. */
export const REFUSED = 2;
/** i32: up to which of them to write. */
export const REFUSED_LIMIT = 3;

// A record: f64 fields, u32 fields, then header and fixed part.
export const SEQUENCE = 0;
export const TIME = 1;
export const MILLISECONDS = 2;
export const F64_FIELDS = 3;

export const HEAD_LENGTH: number = 2 * F64_FIELDS;
export const READABLE: number = HEAD_LENGTH + 1;
export const WRITABLE: number = HEAD_LENGTH + 2;
/** Kind, then 8 bits of services, then 8 of modeServices. */
export const LAYOUT: number = HEAD_LENGTH + 3;
export const STATUS: number = HEAD_LENGTH + 4;
export const FAULT: number = HEAD_LENGTH + 5;
export const ENGINE: number = HEAD_LENGTH + 6;
export const ROUND: number = HEAD_LENGTH + 7;
export const MODE: number = HEAD_LENGTH + 8;
/** Whether the session was found, and its parameters follow. */
export const SESSION: number = HEAD_LENGTH + 9;
export const PARAMETERS: number = SESSION + 1;

/** The parameters of a session, in the order of OperationParameters. */
export const PARAMETER_COUNT = 10;

export const HEAD: number = 4 * (PARAMETERS + PARAMETER_COUNT);
export const RECORD_SIZE: number = Math.ceil((HEAD + DATA_FIXED_MAX) / 8) * 8;

/** STATUS where there was no byte for one. */
export const NO_STATUS = 0xff;
/** ENGINE where none ran; else the number of its name. */
export const NO_ENGINE = 0xff;
/** ENGINE where it gave another name than it has. */
export const OTHER_ENGINE = 0xfe;
export const MODES: readonly LoggedRequest["mode"][] = [
  "none",
  "session",
  "stateless",
];

export const LAYOUT_KINDS: readonly RequestLayout["kind"][] = [
  "v15",
  "legacy",
  "revision1",
];

/** A request as it was logged. */
export interface LoggedRequest {
  /** Number of the request in its queue, from 1. */
  readonly sequence: number;
  /** When its round started, in milliseconds since the epoch. */
  readonly time: number;
  /** How long its round took, in milliseconds. */
  readonly milliseconds: number;
  /** Requests of that round. */
  readonly round: number;
  /** The layout it was read by. */
  readonly layout: RequestLayout;
  /**
   * Its mode; "none" where it was refused before that was known.
   */
  readonly mode: "none" | "session" | "stateless";
  /** Header and fixed part, as far as they were copied; never a key. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** Bytes of its readable part. */
  readonly readable: number;
  /** Bytes of its writable part. */
  readonly writable: number;
  /** What its session was created from; undefined where there was none. */
  readonly session: OperationParameters | undefined;
  /** VIRTIO_CRYPTO_*; undefined where there was no byte for it. */
  readonly status: number | undefined;
  /** What is wrong with its chain: a value of ChainFault, 0 for nothing. */
  readonly fault: number;
  /** The engine that ran it, of a chain the cipher's; undefined for none. */
  readonly engine: string | undefined;
}

/**
 * Allocates a log.
 *
 * @param records how many requests it holds; rounded up, 1024 at least
 * @returns the log's memory; what is not written is never touched
 */
export function createRequestLog(records: number): SharedArrayBuffer {
  // A power of two, so that an index goes on over 2^32.
  const count = 1 << Math.ceil(Math.log2(Math.max(records, LEAST_RECORDS)));
  return new SharedArrayBuffer(HEAD_SIZE + count * RECORD_SIZE);
}

/**
 * How many records a log has: a power of two.
 *
 * @param buffer the log
 * @returns the number
 */
export function recordsOf(buffer: SharedArrayBuffer): number {
  return Math.floor((buffer.byteLength - HEAD_SIZE) / RECORD_SIZE);
}
