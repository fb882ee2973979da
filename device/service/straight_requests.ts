/**
 * Plain ciphers in session mode whose chains are straight ones: judged field by
 * field where they lie, and ciphered from place to place. They are what real
 * drivers send most, and this is the shortest way for them.
 *
 * A request that is not good and ordinary in every respect is given back, and
 * served as any other: nothing is refused here.
 *
 * @module
 */

import { type InPlaceCipher, MOST_IN_PLACE } from "../engine/engine.ts";
import { guestAddresses } from "../host/guest_addresses.ts";
import type { GuestMemory } from "../memory/guest_memory.ts";
import type { KeyCache, SessionKind } from "../session/key_cache.ts";
import {
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_ENCRYPT,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import { CIPHER_PARA, OP_HEADER, SYM_TAIL } from "../spec/data_structures.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { DeviceRing } from "../virtqueue/ring.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { StraightChains } from "../virtqueue/straight_chains.ts";
import { CHAIN_WORDS, ChainField } from "../virtqueue/straight_row.ts";
import { algorithmOf } from "./algorithms.ts";
import type { Capabilities } from "./capabilities.ts";
import { counterRow, UNKNOWN_ROW } from "./counter_rows.ts";
import type { QueueCounters } from "./counters.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const OK = VIRTIO_CRYPTO_OK;
const ERR = VIRTIO_CRYPTO_ERR;
const SESSION_MODE = VIRTIO_CRYPTO_FLAG_SESSION_MODE;
const SYM_OP_CIPHER = VIRTIO_CRYPTO_SYM_OP_CIPHER;
const ROW = CHAIN_WORDS;
const {
  ID: ROW_ID,
  HEADER: ROW_HEADER,
  SESSION_LOW: ROW_LOW,
  SESSION_HIGH: ROW_HIGH,
  IV: ROW_IV,
  IV_LOW: ROW_IV_LOW,
  IV_HIGH: ROW_IV_HIGH,
  SOURCE_LOW: ROW_SOURCE_LOW,
  SOURCE_HIGH: ROW_SOURCE_HIGH,
  SOURCE_LENGTH: ROW_SOURCE_LENGTH,
  DESTINATION_LOW: ROW_DESTINATION_LOW,
  DESTINATION_HIGH: ROW_DESTINATION_HIGH,
  DESTINATION_LENGTH: ROW_DESTINATION_LENGTH,
  STATUS: ROW_STATUS,
  STATUS_WINDOW: ROW_STATUS_WINDOW,
  VIEWS: ROW_VIEWS,
} = ChainField;

/** Header and fixed part, padded, as without REVISION_1. */
const HEADER = OP_HEADER.size + CIPHER_PARA.size + SYM_TAIL.size;

// Indices of 32-bit words, from the header's start.
const OPCODE = OP_HEADER.at.opcode / 4;
const SESSION_ID = OP_HEADER.at.session_id / 4;
const FLAG = OP_HEADER.at.flag / 4;
const PARA = OP_HEADER.size / 4;
const IV_LEN = PARA + CIPHER_PARA.at.iv_len / 4;
const SRC_DATA_LEN = PARA + CIPHER_PARA.at.src_data_len / 4;
const DST_DATA_LEN = PARA + CIPHER_PARA.at.dst_data_len / 4;
const OP_TYPE = PARA + CIPHER_PARA.size / 4 + SYM_TAIL.at.op_type / 4;

/** Bytes of the longest source of a request that is alone. */
const MOST_ALONE = 65536;

/** Bytes of the sources that every cipher takes in a batch. */
const LEAST_BATCH = 512 * 1024;

/** Bits of an address within a page. */
const PAGE = 4095;

/** Up to this many bytes it is served as those of a batch: a call's cost counts. */
const SHORT_ALONE = 128;

/** The one length of iv that is known here, in bytes. */
const IV = 16;

/** What sessions of the same algorithm, direction and key size have in common. */
export interface StraightKind extends SessionKind {
  /** Opcode of their requests. */
  readonly opcode: number;
  /** Bits of a length that are not whole blocks. */
  readonly partOfBlock: number;
  /** Where their requests are counted. */
  readonly row: number;
}

/**
 * The kind of a session.
 *
 * @param parameters what it was created from
 * @param capabilities what the thread's engines serve
 * @returns its kind, or undefined where its requests are not served here
 */
export function straightKind(
  parameters: OperationParameters,
  capabilities: Capabilities,
): StraightKind | undefined {
  const algorithm = algorithmOf(parameters.service, parameters.algorithm);
  const cipher = capabilities.inPlace(parameters, false);
  if (
    cipher === undefined || algorithm === undefined ||
    algorithm.iv.min !== IV || algorithm.iv.max !== IV
  ) return undefined;
  return {
    cipher,
    cipherAlone: capabilities.inPlace(parameters, true),
    opcode: parameters.op === VIRTIO_CRYPTO_OP_DECRYPT
      ? VIRTIO_CRYPTO_CIPHER_DECRYPT
      : VIRTIO_CRYPTO_CIPHER_ENCRYPT,
    partOfBlock: algorithm.block - 1,
    row: counterRow(parameters),
  };
}

/** The straight requests of one queue. */
export class StraightRequests {
  readonly #chains = new StraightChains(
    MOST_IN_PLACE,
    HEADER,
    SESSION_ID,
    IV,
  );
  readonly #keys: KeyCache<StraightKind>;
  /** What runs the batch. */
  #cipher: InPlaceCipher | undefined;
  readonly #counters: QueueCounters;
  readonly #maxSize: number;
  #memory: GuestMemory | undefined;
  /** Where the batch is counted: a group is of one algorithm. */
  #row = UNKNOWN_ROW;
  /** The session of the batch's last request, and its kind. */
  #low = 0;
  #high = 0;
  #kind: StraightKind | undefined;

  /**
   * @param keys the thread's expanded keys
   * @param counters where to count
   * @param maxSize largest content of a request in bytes
   */
  constructor(
    keys: KeyCache<StraightKind>,
    counters: QueueCounters,
    maxSize: number,
  ) {
    this.#keys = keys;
    this.#counters = counters;
    this.#maxSize = maxSize;
  }

  /** Bytes of what {@linkcode run} answered. */
  bytes = 0;

  /**
   * Serves the straight requests that are next in the ring, up to the first
   * other one. Their used elements are put and not yet published.
   *
   * @param ring the queue's ring
   * @param layout the layout of its requests
   * @param memory the guest's memory
   * @returns number of requests answered
   */
  run(
    ring: DeviceRing,
    layout: RequestLayout,
    memory: GuestMemory,
  ): number {
    if (layout.kind === "revision1" || layout.modeServices !== 0) return 0;
    const chains = this.#chains;
    if (memory !== this.#memory) {
      this.#memory = memory;
      chains.bind(memory, guestAddresses(memory).halves);
    }
    chains.begin();
    ring.lookStraight(chains);
    const found = chains.count;
    if (found === 0) return 0;
    // In v15 the flag says that there is a session (0 with a legacy driver).
    const anyFlag = layout.kind === "legacy";
    const alone = found === 1 && !chains.more;
    this.#keys.begin();
    // What is known of each session is a few places in memory that the
    // processor may not have at hand: it is asked for of all at once.
    if (chains.several) this.#keys.touch(chains.rows, ROW_LOW, ROW, found);
    const { rows } = chains;
    const alike = found > 1 &&
      ((rows[ROW_SOURCE_LOW]! ^ rows[ROW + ROW_SOURCE_LOW]!) & PAGE) === 0;
    let count = 0;
    let work = 0;
    for (let row = 0; count < found; count++, row += ROW) {
      work += rows[row + ROW_SOURCE_LENGTH]!;
      if (
        work > LEAST_BATCH && count > 0 && work > this.#cipher!.batchBytes
      ) break;
      if (!this.#add(row, anyFlag, alone, alike, memory)) break;
    }
    if (count === 0) return 0;
    ring.takeStraight(count);
    return this.#answer(ring, memory, count);
  }

  /**
   * Judges a chain, and takes it into the batch.
   *
   * @param row where its row begins: 0 is the first of the batch
   * @param anyFlag whether `flag` says nothing
   * @param alone whether there is no other
   * @param alike whether the first two sources are at one offset in a page: then
   * all are, mostly
   * @param memory the guest's memory
   * @returns false where it is not served here, or not in this batch
   */
  #add(
    row: number,
    anyFlag: boolean,
    alone: boolean,
    alike: boolean,
    memory: GuestMemory,
  ): boolean {
    const chains = this.#chains;
    const { rows } = chains;
    const views = rows[row + ROW_VIEWS]!;
    const isNear = views === chains.views;
    const words = isNear ? chains.words : memory.views[views & 0xffff]!;
    const at = rows[row + ROW_HEADER]!;
    const opcode = words[at + OPCODE]!;
    const low = rows[row + ROW_LOW]!;
    const high = rows[row + ROW_HIGH]!;
    if (!anyFlag && words[at + FLAG]! > SESSION_MODE) return false;
    const keys = this.#keys;
    // Found live after the whole batch was offered: once is enough.
    if (low !== this.#low || high !== this.#high || row === 0) {
      const found = keys.find(low >>> 0, high >>> 0, row === 0);
      if (found < 0) return false;
      this.#low = low;
      this.#high = high;
      this.#kind = keys.kind(found);
    }
    const kind = this.#kind!;
    const length = rows[row + ROW_SOURCE_LENGTH]!;
    const isLong = alone && length > SHORT_ALONE;
    const cipher = isLong ? kind.cipherAlone : kind.cipher;
    const written = rows[row + ROW_DESTINATION_LENGTH]!;
    if (
      cipher === undefined || (row > 0 && cipher !== this.#cipher) ||
      opcode !== kind.opcode ||
      words[at + OP_TYPE] !== SYM_OP_CIPHER || words[at + IV_LEN] !== IV ||
      words[at + SRC_DATA_LEN] !== length ||
      words[at + DST_DATA_LEN] !== written ||
      length > written || length < 1 ||
      (alone
        ? length > MOST_ALONE
        : length > cipher.mostAlike && (alike || length > cipher.most)) ||
      (length & kind.partOfBlock) !== 0 || IV + length + written > this.#maxSize
    ) return false;
    const key = isLong ? keys.keyAlone(low) : keys.key(low);
    if (key < 0) return false;
    if (row === 0) {
      this.#row = kind.row;
      this.#cipher = cipher;
      cipher.begin();
    }
    return cipher.add(
      key,
      length,
      rows[row + ROW_SOURCE_LOW]!,
      rows[row + ROW_SOURCE_HIGH]!,
      rows[row + ROW_DESTINATION_LOW]!,
      rows[row + ROW_DESTINATION_HIGH]!,
      rows[row + ROW_IV_LOW]!,
      rows[row + ROW_IV_HIGH]!,
      isNear ? words : memory.views[views >>> 16]!,
      rows[row + ROW_IV]!,
    );
  }

  /** Runs the batch, writes the statuses and puts the used elements. */
  #answer(ring: DeviceRing, memory: GuestMemory, count: number): number {
    const chains = this.#chains;
    const done = this.#cipher!.finish();
    const { rows } = chains;
    let window = rows[ROW_STATUS_WINDOW]!;
    let bytes = memory.bytes[window]!;
    let good = 0;
    let total = 0;
    let goodTotal = 0;
    for (let slot = 0, row = 0; slot < count; slot++, row += ROW) {
      const status = done[slot] === 1 ? OK : ERR;
      const written = rows[row + ROW_DESTINATION_LENGTH]!;
      const own = rows[row + ROW_STATUS_WINDOW]!;
      if (own !== window) {
        window = own;
        bytes = memory.bytes[own]!;
      }
      bytes[rows[row + ROW_STATUS]!] = status;
      ring.putStraight(rows[row + ROW_ID]!, written + 1);
      const size = HEADER + IV + rows[row + ROW_SOURCE_LENGTH]! + written + 1;
      total += size;
      if (status === OK) {
        good++;
        goodTotal += size;
      } else this.#counters.request(this.#row, status, size);
    }
    this.bytes = total;
    if (good > 0) this.#counters.served(this.#row, good, goodTotal);
    return count;
  }
}
