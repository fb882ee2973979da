/**
 * The end of the request log that the queue's thread writes.
 *
 * @module
 */

import type { SegmentCursor } from "../memory/segments.ts";
import { VIRTIO_CRYPTO_OK } from "../spec/constants.ts";
import { decodeDataRequest } from "../spec/data_decoder.ts";
import {
  DATA_FIXED_MAX,
  DATA_HEADER_SIZE,
  DataRequest,
} from "../spec/data_request.ts";
import { AEAD_PARA, HASH_PARA, OP_HEADER } from "../spec/data_structures.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { type Chain, ChainFault } from "../virtqueue/chain.ts";
import {
  ENGINE,
  FAULT,
  HEAD,
  HEAD_LENGTH,
  HEAD_SIZE,
  LAYOUT,
  LAYOUT_KINDS,
  LIMIT,
  MILLISECONDS,
  MODE,
  NAME_SIZE,
  NAMES_AT,
  NO_ENGINE,
  NO_STATUS,
  OTHER_ENGINE,
  PARAMETERS,
  READABLE,
  RECORD_SIZE,
  recordsOf,
  REFUSED,
  REFUSED_LIMIT,
  ROUND,
  ROUND_RECORDS,
  SEQUENCE,
  SESSION,
  STATUS,
  TIME,
  WRITABLE,
  WRITTEN,
} from "./request_log.ts";

/** Size every fixed part of the legacy layout is padded to. */
const PADDED = DATA_HEADER_SIZE + 48;

/**
 * Bytes by service that hold named fields in the padded layout: what follows
 * them is nothing, or whatever a driver put there that meant another layout.
 */
const NAMED: readonly number[] = [
  PADDED,
  DATA_HEADER_SIZE + HASH_PARA.size,
  DATA_HEADER_SIZE + HASH_PARA.size,
  // Without tag_len and reserved.
  DATA_HEADER_SIZE + AEAD_PARA.at.tag_len,
];

/**
 * The end that the queue's thread writes. The records of a round are filled in
 * place, one an entry of the round, and shown when all are answered.
 */
export class RequestLogWriter {
  /** The words that both ends share, by their numbers in `request_log.ts`. */
  readonly state: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #records: number;
  /** The round's first record, modulo 2^32; good ones are logged below LIMIT. */
  first: number;
  /** How many of the round's first requests to log. */
  #limit = 0;
  /** How many refused ones to log beyond them. */
  #refusedLimit = 0;
  /** How many of those there were. */
  #refused = 0;
  /** The round's layout, and as a record has it. */
  #layout: RequestLayout = { kind: "legacy", services: 0, modeServices: 0 };
  #layoutWord = 0;
  #answered = 0;
  /** What each request of the round has for a session. */
  readonly #sessions: (OperationParameters | undefined)[] = new Array(
    ROUND_RECORDS,
  ).fill(undefined);
  // For a request's header.
  readonly #head = new Uint32Array(DATA_FIXED_MAX / 4);
  readonly #headBytes = new Uint8Array(this.#head.buffer);
  readonly #decoded = new DataRequest();
  readonly #engines: readonly string[];
  #named = false;

  /**
   * @param buffer what {@linkcode createRequestLog} made
   * @param engines names of the engines that requests may be run by
   */
  constructor(buffer: SharedArrayBuffer, engines: readonly string[]) {
    this.#engines = engines;
    this.#records = recordsOf(buffer);
    this.state = new Int32Array(buffer, 0, HEAD_SIZE / 4);
    this.#bytes = new Uint8Array(buffer, HEAD_SIZE);
    const length = this.#records * RECORD_SIZE;
    this.#words = new Uint32Array(buffer, HEAD_SIZE, length / 4);
    this.#numbers = new Float64Array(buffer, HEAD_SIZE, length / 8);
    // Another thread may have written before.
    this.first = this.state[WRITTEN]!;
  }

  /**
   * Starts a round.
   *
   * @param layout the layout of its requests
   * @param answered requests that the queue answered before
   * @returns false where nobody wants to know of it
   */
  begin(layout: RequestLayout, answered: number): boolean {
    const state = this.state;
    const limit = Atomics.load(state, LIMIT) - this.first | 0;
    const refused = Atomics.load(state, REFUSED_LIMIT) - state[REFUSED]! | 0;
    if (limit <= 0 && refused <= 0) return false;
    if (!this.#named) this.#name();
    this.#limit = Math.max(0, Math.min(limit, ROUND_RECORDS));
    // Together no more than a reader takes a running round to write.
    this.#refusedLimit = Math.min(refused, ROUND_RECORDS - this.#limit);
    this.#refused = 0;
    this.#sessions.fill(undefined);
    this.#layout = layout;
    this.#layoutWord = LAYOUT_KINDS.indexOf(layout.kind) |
      layout.services << 8 |
      layout.modeServices << 16;
    this.#answered = answered;
    return true;
  }

  /** Writes the engines' names, which are ASCII. */
  #name(): void {
    this.#named = true;
    const bytes = new Uint8Array(this.state.buffer, 0, HEAD_SIZE);
    bytes.fill(0, NAMES_AT);
    this.#engines.forEach((name, number) => {
      const at = NAMES_AT + number * NAME_SIZE;
      for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
    });
  }

  #header(record: number, length: number, request: DataRequest): void {
    const at = this.#at(record);
    const words = this.#words;
    const copied = headLength(this.#head, length, request);
    words[at + HEAD_LENGTH] = copied;
    words[at + MODE] = request.variableAt === 0
      ? 0
      : request.sessionMode
      ? 1
      : 2;
    words[at + SESSION] = 0;
    const to = at + HEAD / 4;
    const whole = copied >> 2;
    for (let i = 0; i < whole; i++) words[to + i] = this.#head[i]!;
    for (let byte = 4 * whole; byte < copied; byte++) {
      this.#bytes[4 * to + byte] = this.#headBytes[byte]!;
    }
  }

  /**
   * Keeps what the request's session was created from, until its answer.
   *
   * @param entry number of the request in its round
   * @param parameters the session's parameters
   */
  session(entry: number, parameters: OperationParameters): void {
    this.#sessions[entry] = parameters;
  }

  #session(record: number, parameters: OperationParameters): void {
    const at = this.#at(record);
    const words = this.#words;
    words[at + SESSION] = 1;
    words[at + PARAMETERS] = parameters.service;
    words[at + PARAMETERS + 1] = parameters.opType;
    words[at + PARAMETERS + 2] = parameters.algorithm;
    words[at + PARAMETERS + 3] = parameters.op;
    words[at + PARAMETERS + 4] = parameters.keyLength;
    words[at + PARAMETERS + 5] = parameters.chainOrder;
    words[at + PARAMETERS + 6] = parameters.hashMode;
    words[at + PARAMETERS + 7] = parameters.hashAlgorithm;
    words[at + PARAMETERS + 8] = parameters.authKeyLength;
    words[at + PARAMETERS + 9] = parameters.resultLength;
  }

  /**
   * Logs a request's answer.
   *
   * @param entry number of the request in its round
   * @param chain where it lies
   * @param status VIRTIO_CRYPTO_*
   * @param engine what ran it; undefined where nothing did
   * @param cursor over the round's segments
   */
  answer(
    entry: number,
    chain: Chain,
    status: number,
    engine: string | undefined,
    cursor: SegmentCursor,
  ): void {
    let record = entry;
    if (entry >= this.#limit) {
      if (status === VIRTIO_CRYPTO_OK || this.#refused >= this.#refusedLimit) {
        return;
      }
      record = this.#limit + this.#refused++;
    }
    this.#numbers[this.#at(record) / 2 + SEQUENCE] = this.#answered + entry + 1;
    if (chain.fault === ChainFault.NONE) {
      this.#request(entry, record, chain, cursor);
    }
    this.#answer(record, chain, status, engine);
  }

  /**
   * Logs the header of a request, which is read again: nobody has kept it. It
   * is as it was, unless the guest has changed it since.
   */
  #request(
    entry: number,
    record: number,
    chain: Chain,
    cursor: SegmentCursor,
  ): void {
    const length = Math.min(chain.readableLength, DATA_FIXED_MAX);
    cursor.seek(chain.readableFirst);
    cursor.readWords(this.#head, this.#headBytes, length);
    decodeDataRequest(this.#head, 0, length, this.#layout, this.#decoded);
    this.#header(record, length, this.#decoded);
    // Behind a shorter fixed part there may be a key.
    this.#head.fill(0);
    const session = this.#sessions[entry];
    if (session !== undefined) this.#session(record, session);
  }

  #answer(
    record: number,
    chain: Chain,
    status: number,
    engine: string | undefined,
  ): void {
    const at = this.#at(record);
    const words = this.#words;
    words[at + READABLE] = chain.readableLength;
    words[at + WRITABLE] = chain.writableLength;
    words[at + STATUS] = chain.lastWindow < 0 ? NO_STATUS : status;
    words[at + FAULT] = chain.fault;
    words[at + ENGINE] = engine === undefined
      ? NO_ENGINE
      : this.#engineNumber(engine);
    if (chain.fault === ChainFault.NONE) return;
    // Nothing of it was read: what is there is of an earlier request.
    words[at + HEAD_LENGTH] = 0;
    words[at + MODE] = 0;
    words[at + SESSION] = 0;
  }

  /**
   * Shows the round's records.
   *
   * @param count requests that the round answered
   * @param started when it started, by `performance.now()`
   * @param milliseconds how long it took
   */
  publish(count: number, started: number, milliseconds: number): void {
    const first = Math.min(count, this.#limit);
    const records = first + this.#refused;
    const time = performance.timeOrigin + started;
    for (let record = 0; record < records; record++) {
      const at = this.#at(record);
      this.#numbers[at / 2 + TIME] = time;
      this.#numbers[at / 2 + MILLISECONDS] = milliseconds;
      this.#words[at + ROUND] = count;
      this.#words[at + LAYOUT] = this.#layoutWord;
    }
    this.state[REFUSED] = this.state[REFUSED]! + this.#refused | 0;
    this.first = this.first + records | 0;
    Atomics.store(this.state, WRITTEN, this.first);
  }

  #engineNumber(name: string): number {
    const number = this.#engines.indexOf(name);
    return number < 0 ? OTHER_ENGINE : number;
  }

  /** The first word of one of the round's records. */
  #at(record: number): number {
    return (this.first + record & this.#records - 1) * (RECORD_SIZE / 4);
  }
}

/** Bytes of a request's first ones that may be kept: fields, and no key. */
function headLength(
  head: Uint32Array,
  length: number,
  request: DataRequest,
): number {
  const { variableAt, service, opcode } = request;
  let fields = variableAt;
  if (variableAt === 0) {
    // Refused by its header, or too short. Of an opcode that is none nothing
    // says what follows.
    const known = length >= DATA_HEADER_SIZE &&
      head[OP_HEADER.at.opcode / 4] === opcode;
    fields = known ? NAMED[service]! : DATA_HEADER_SIZE;
  } else if (variableAt === PADDED) fields = NAMED[service]!;
  return length < fields ? length : fields;
}
