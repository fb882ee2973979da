/**
 * The end of the request log that the main thread reads.
 *
 * @module
 */

import type { OperationParameters } from "../spec/session_parameters.ts";
import {
  ENGINE,
  FAULT,
  HEAD,
  HEAD_LENGTH,
  HEAD_SIZE,
  LAYOUT,
  LAYOUT_KINDS,
  LIMIT,
  type LoggedRequest,
  MILLISECONDS,
  MODE,
  MODES,
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

/** The end that the main thread reads. There is one. */
export class RequestLogReader {
  readonly #state: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #head: Uint8Array<SharedArrayBuffer>;
  /** Names of engines that were read, by number. */
  readonly #names: string[] = [];
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
    this.#head = new Uint8Array(buffer, 0, HEAD_SIZE);
    this.#next = Atomics.load(this.#state, WRITTEN);
  }

  /**
   * Has requests logged from the queue's next round on.
   *
   * @param requests how many at most, below 2^30; 0 for none
   * @param refused how many at most that get another status than OK, beyond
   * those; none when left out
   */
  request(requests: number, refused = 0): void {
    const state = this.#state;
    const written = Atomics.load(state, WRITTEN);
    Atomics.store(
      state,
      REFUSED_LIMIT,
      Atomics.load(state, REFUSED) + refused | 0,
    );
    Atomics.store(state, LIMIT, written + requests | 0);
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
    // A worker that took another's place has written its own.
    this.#names.length = 0;
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
      engine: this.#engine(words[ENGINE]!),
    };
  }

  #engine(number: number): string | undefined {
    if (number === NO_ENGINE) return undefined;
    if (number === OTHER_ENGINE) return "other";
    const known = this.#names[number];
    if (known !== undefined) return known;
    const at = NAMES_AT + number * NAME_SIZE;
    const bytes = this.#head.slice(at, at + NAME_SIZE);
    const end = bytes.indexOf(0);
    const name = String.fromCharCode(
      ...end < 0 ? bytes : bytes.subarray(0, end),
    );
    return this.#names[number] = name;
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
