/**
 * The log of a queue's requests, in shared memory: the queue's thread writes,
 * the main thread reads. It is a ring of records of a fixed size, of which the
 * oldest is overwritten, and it is written only as far as the reader asked.
 *
 * A record holds the header and the fixed part of a request. No byte of a key
 * and none of the data gets here: they lie behind the fixed part, and where a
 * layout pads it, only its named fields are copied.
 *
 * @module
 */

import { ENGINE_NAMES } from "../engine/engines.ts";
import type { EngineName } from "../engine/engine.ts";
import { DATA_FIXED_MAX, DATA_HEADER_SIZE } from "../spec/data_request.ts";
import type { DataRequest } from "../spec/data_request.ts";
import { AEAD_PARA, HASH_PARA, OP_HEADER } from "../spec/data_structures.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { type Chain, ChainFault } from "../virtqueue/chain.ts";

/** Most records of one round. */
const ROUND_RECORDS = 256;

/** Fewest records of a log: the reader needs room beside the round that runs. */
const LEAST_RECORDS = 4 * ROUND_RECORDS;

/** Bytes before the records. */
const HEAD_SIZE = 64;
/** i32: records written, modulo 2^32. */
const WRITTEN = 0;
/** i32: up to which of them to write. */
const LIMIT = 1;

// A record: f64 fields, u32 fields, then header and fixed part.
const SEQUENCE = 0;
const TIME = 1;
const MILLISECONDS = 2;
const F64_FIELDS = 3;

const HEAD_LENGTH = 2 * F64_FIELDS;
const READABLE = HEAD_LENGTH + 1;
const WRITABLE = HEAD_LENGTH + 2;
/** Kind, then 8 bits of services, then 8 of modeServices. */
const LAYOUT = HEAD_LENGTH + 3;
const STATUS = HEAD_LENGTH + 4;
const FAULT = HEAD_LENGTH + 5;
const ENGINE = HEAD_LENGTH + 6;
const ROUND = HEAD_LENGTH + 7;
const MODE = HEAD_LENGTH + 8;
/** Whether the session was found, and its parameters follow. */
const SESSION = HEAD_LENGTH + 9;
const PARAMETERS = SESSION + 1;

/** The parameters of a session, in the order of OperationParameters. */
const PARAMETER_COUNT = 10;

const HEAD = 4 * (PARAMETERS + PARAMETER_COUNT);
const RECORD_SIZE = Math.ceil((HEAD + DATA_FIXED_MAX) / 8) * 8;

/** STATUS where there was no byte for one. */
const NO_STATUS = 0xff;
/** ENGINE where none ran. */
const NO_ENGINE = 0xff;
const MODES = ["none", "session", "stateless"] as const;

const LAYOUT_KINDS: readonly RequestLayout["kind"][] = [
  "v15",
  "legacy",
  "revision1",
];

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
  readonly engine: EngineName | undefined;
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

function recordsOf(buffer: SharedArrayBuffer): number {
  return Math.floor((buffer.byteLength - HEAD_SIZE) / RECORD_SIZE);
}

/**
 * The end that the queue's thread writes. The records of a round are filled in
 * place, one an entry of the round, and shown when all are answered.
 */
export class RequestLogWriter {
  readonly #state: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #records: number;
  /** The round's first record, modulo 2^32. */
  #first: number;
  /** How many records the round may write. */
  #limit = 0;
  #layout = 0;
  #answered = 0;

  /** @param buffer what {@linkcode createRequestLog} made */
  constructor(buffer: SharedArrayBuffer) {
    this.#records = recordsOf(buffer);
    this.#state = new Int32Array(buffer, 0, HEAD_SIZE / 4);
    this.#bytes = new Uint8Array(buffer, HEAD_SIZE);
    const length = this.#records * RECORD_SIZE;
    this.#words = new Uint32Array(buffer, HEAD_SIZE, length / 4);
    this.#numbers = new Float64Array(buffer, HEAD_SIZE, length / 8);
    // Another thread may have written before.
    this.#first = this.#state[WRITTEN]!;
  }

  /**
   * Starts a round.
   *
   * @param layout the layout of its requests
   * @param answered requests that the queue answered before
   * @returns false where nobody wants to know of it
   */
  begin(layout: RequestLayout, answered: number): boolean {
    const limit = Atomics.load(this.#state, LIMIT) - this.#first | 0;
    if (limit <= 0) return false;
    this.#limit = Math.min(limit, ROUND_RECORDS);
    this.#layout = LAYOUT_KINDS.indexOf(layout.kind) | layout.services << 8 |
      layout.modeServices << 16;
    this.#answered = answered;
    return true;
  }

  /**
   * Logs header and fixed part.
   *
   * @param entry number of the request in its round
   * @param head the first bytes of the readable part, in private memory
   * @param length how many of them there are
   * @param request what they were decoded into
   */
  header(
    entry: number,
    head: DataView,
    length: number,
    request: DataRequest,
  ): void {
    if (entry >= this.#limit) return;
    const at = this.#at(entry);
    const words = this.#words;
    const copied = headLength(head, length, request);
    words[at + HEAD_LENGTH] = copied;
    words[at + MODE] = request.variableAt === 0
      ? 0
      : request.sessionMode
      ? 1
      : 2;
    words[at + SESSION] = 0;
    let to = at + HEAD / 4;
    let from = 0;
    for (; from + 4 <= copied; from += 4) {
      words[to++] = head.getUint32(from, true);
    }
    for (let byte = 4 * to; from < copied; from++) {
      this.#bytes[byte++] = head.getUint8(from);
    }
  }

  /**
   * Logs what the request's session was created from.
   *
   * @param entry number of the request in its round
   * @param parameters the session's parameters
   */
  session(entry: number, parameters: OperationParameters): void {
    if (entry >= this.#limit) return;
    const at = this.#at(entry);
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
   */
  answer(
    entry: number,
    chain: Chain,
    status: number,
    engine: EngineName | undefined,
  ): void {
    if (entry >= this.#limit) return;
    const at = this.#at(entry);
    const words = this.#words;
    words[at + READABLE] = chain.readableLength;
    words[at + WRITABLE] = chain.writableLength;
    words[at + STATUS] = chain.lastWindow < 0 ? NO_STATUS : status;
    words[at + FAULT] = chain.fault;
    words[at + ENGINE] = engine === undefined
      ? NO_ENGINE
      : ENGINE_NAMES.indexOf(engine);
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
    const records = Math.min(count, this.#limit);
    const time = performance.timeOrigin + started;
    for (let entry = 0; entry < records; entry++) {
      const at = this.#at(entry);
      this.#numbers[at / 2 + SEQUENCE] = this.#answered + entry + 1;
      this.#numbers[at / 2 + TIME] = time;
      this.#numbers[at / 2 + MILLISECONDS] = milliseconds;
      this.#words[at + ROUND] = count;
      this.#words[at + LAYOUT] = this.#layout;
    }
    this.#first = this.#first + records | 0;
    Atomics.store(this.#state, WRITTEN, this.#first);
  }

  /** The first word of an entry's record. */
  #at(entry: number): number {
    return (this.#first + entry & this.#records - 1) * (RECORD_SIZE / 4);
  }
}

/** Bytes of a request's first ones that may be kept: fields, and no key. */
function headLength(
  head: DataView,
  length: number,
  request: DataRequest,
): number {
  const { variableAt, service, opcode } = request;
  let fields = variableAt;
  if (variableAt === 0) {
    // Refused by its header, or too short. Of an opcode that is none nothing
    // says what follows.
    const known = length >= DATA_HEADER_SIZE &&
      head.getUint32(OP_HEADER.at.opcode, true) === opcode;
    fields = known ? NAMED[service]! : DATA_HEADER_SIZE;
  } else if (variableAt === PADDED) fields = NAMED[service]!;
  return length < fields ? length : fields;
}

/** The end that the main thread reads. There is one. */
export class RequestLogReader {
  readonly #state: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #records: number;
  readonly #record = new Uint8Array(RECORD_SIZE);
  readonly #words = new Uint32Array(this.#record.buffer);
  readonly #numbers = new Float64Array(this.#record.buffer);
  /** The next record to read, modulo 2^32. */
  #next: number;

  /**
   * Reads from now on.
   *
   * @param buffer a queue's log
   */
  constructor(buffer: SharedArrayBuffer) {
    this.#records = recordsOf(buffer);
    this.#state = new Int32Array(buffer, 0, HEAD_SIZE / 4);
    this.#bytes = new Uint8Array(buffer, HEAD_SIZE);
    this.#next = Atomics.load(this.#state, WRITTEN);
  }

  /**
   * Has requests logged from the queue's next round on.
   *
   * @param requests how many at most, below 2^30; 0 for none
   */
  request(requests: number): void {
    const written = Atomics.load(this.#state, WRITTEN);
    Atomics.store(this.#state, LIMIT, written + requests | 0);
  }

  /** Records that wait to be read, those that were overwritten included. */
  get waiting(): number {
    return Atomics.load(this.#state, WRITTEN) - this.#next >>> 0;
  }

  /** Passes over what waits. */
  skip(): void {
    this.#next = Atomics.load(this.#state, WRITTEN);
  }

  /**
   * Reads what waits, oldest first.
   *
   * @param most how many records to read at most
   * @param visit gets each of them
   * @returns how many were overwritten before they could be read
   */
  read(most: number, visit: (request: LoggedRequest) => void): number {
    let lost = 0;
    for (let n = 0; n < most; n++) {
      lost += this.#passLost();
      if (this.waiting === 0) break;
      const index = this.#next & this.#records - 1;
      this.#record.set(
        this.#bytes.subarray(index * RECORD_SIZE, (index + 1) * RECORD_SIZE),
      );
      const overwritten = this.#passLost();
      lost += overwritten;
      if (overwritten > 0) continue;
      this.#next = this.#next + 1 | 0;
      visit(this.#logged());
    }
    return lost;
  }

  /** Passes over records that are overwritten, or may be by a running round. */
  #passLost(): number {
    const lost = this.waiting - (this.#records - ROUND_RECORDS);
    if (lost <= 0) return 0;
    this.#next = this.#next + lost | 0;
    return lost;
  }

  #logged(): LoggedRequest {
    const words = this.#words;
    const status = words[STATUS]!;
    const layout = words[LAYOUT]!;
    return {
      sequence: this.#numbers[SEQUENCE]!,
      time: this.#numbers[TIME]!,
      milliseconds: this.#numbers[MILLISECONDS]!,
      round: words[ROUND]!,
      layout: {
        kind: LAYOUT_KINDS[layout & 0xff]!,
        services: layout >>> 8 & 0xff,
        modeServices: layout >>> 16 & 0xff,
      },
      mode: MODES[words[MODE]!]!,
      head: this.#record.slice(HEAD, HEAD + words[HEAD_LENGTH]!),
      readable: words[READABLE]!,
      writable: words[WRITABLE]!,
      session: words[SESSION] === 1 ? this.#parameters() : undefined,
      status: status === NO_STATUS ? undefined : status,
      fault: words[FAULT]!,
      engine: ENGINE_NAMES[words[ENGINE]!],
    };
  }

  #parameters(): OperationParameters {
    const words = this.#words;
    return {
      service: words[PARAMETERS]!,
      opType: words[PARAMETERS + 1]!,
      algorithm: words[PARAMETERS + 2]!,
      op: words[PARAMETERS + 3]!,
      keyLength: words[PARAMETERS + 4]!,
      chainOrder: words[PARAMETERS + 5]!,
      hashMode: words[PARAMETERS + 6]!,
      hashAlgorithm: words[PARAMETERS + 7]!,
      authKeyLength: words[PARAMETERS + 8]!,
      resultLength: words[PARAMETERS + 9]!,
    };
  }
}
