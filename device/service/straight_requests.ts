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

import {
  type Context,
  type InPlaceRunner,
  MOST_IN_PLACE,
  type Runner,
} from "../engine/engine.ts";
import type { GuestMemory } from "../memory/guest_memory.ts";
import type {
  ContextCache,
  PreparedSession,
} from "../session/context_cache.ts";
import {
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_ENCRYPT,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import { CIPHER_PARA, OP_HEADER, SYM_TAIL } from "../spec/data_structures.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { DeviceRing } from "../virtqueue/ring.ts";
import { StraightChains } from "../virtqueue/straight_chains.ts";
import { counterRow, UNKNOWN_ROW } from "./counter_rows.ts";
import type { QueueCounters } from "./counters.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const OK = VIRTIO_CRYPTO_OK;
const ERR = VIRTIO_CRYPTO_ERR;
const SESSION_MODE = VIRTIO_CRYPTO_FLAG_SESSION_MODE;
const SYM_OP_CIPHER = VIRTIO_CRYPTO_SYM_OP_CIPHER;

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

/** Bytes of the sources of a batch: what takes some hundred microseconds. */
const MOST_BATCH = 512 * 1024;

/** Up to this many bytes it is served as those of a batch: a call's cost counts. */
const SHORT_ALONE = 128;

/** The one length of iv that is known here, in bytes. */
const IV = 16;

/** The straight requests of one queue. */
export class StraightRequests {
  readonly #chains = new StraightChains(MOST_IN_PLACE);
  readonly #sessions: ContextCache;
  readonly #engine: Runner;
  /** What runs the batch. */
  #runner: InPlaceRunner | undefined;
  readonly #counters: QueueCounters;
  readonly #maxSize: number;
  /** Where the batch is counted: a group is of one algorithm. */
  #row = UNKNOWN_ROW;
  /** The session ids of the batch. */
  readonly #lows = new Uint32Array(MOST_IN_PLACE);
  readonly #highs = new Uint32Array(MOST_IN_PLACE);
  /** The session of the batch's last request. */
  #session: PreparedSession | undefined;

  /**
   * @param sessions the thread's prepared sessions
   * @param engine the engine of the sessions' contexts
   * @param counters where to count
   * @param maxSize largest content of a request in bytes
   */
  constructor(
    sessions: ContextCache,
    engine: Runner,
    counters: QueueCounters,
    maxSize: number,
  ) {
    this.#sessions = sessions;
    this.#engine = engine;
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
   * @param window index of the window of that memory they are to be in
   * @returns number of requests answered
   */
  run(
    ring: DeviceRing,
    layout: RequestLayout,
    memory: GuestMemory,
    window: number,
  ): number {
    if (layout.kind === "revision1" || layout.modeServices !== 0) return 0;
    const chains = this.#chains;
    chains.begin(memory, window);
    ring.lookStraight(chains, HEADER);
    const found = chains.count;
    if (found === 0) return 0;
    // In v15 the flag says that there is a session (0 with a legacy driver).
    const anyFlag = layout.kind === "legacy";
    const alone = found === 1 && !chains.more;
    this.#session = undefined;
    this.#readIds(found);
    let group = -1;
    let slot = 0;
    let work = 0;
    for (; slot < found; slot++) {
      work += chains.sourceLength[slot]!;
      if (work > MOST_BATCH && slot > 0) break;
      const added = this.#add(slot, anyFlag, group, alone, memory);
      if (added < 0) break;
      group = added;
    }
    if (slot === 0) return 0;
    ring.takeStraight(slot);
    return this.#answer(ring, memory, slot);
  }

  /**
   * Reads the session ids of a batch. Where they are of several sessions, what
   * is known of those is asked for, of all at once: each is a few places in
   * memory that the processor may not have at hand.
   */
  #readIds(count: number): void {
    const { header, words } = this.#chains;
    const lows = this.#lows;
    const highs = this.#highs;
    let several = 0;
    for (let slot = 0; slot < count; slot++) {
      const at = header[slot]! + SESSION_ID;
      const low = words[at]!;
      lows[slot] = low;
      highs[slot] = words[at + 1]!;
      several |= low ^ lows[0]!;
    }
    if (several !== 0) this.#sessions.touch(lows, count);
  }

  /**
   * Judges the chain in a slot.
   *
   * @param slot its place in the batch
   * @param anyFlag whether `flag` says nothing
   * @param group that of the batch; -1 where it is the first
   * @param alone whether there is no other
   * @param memory the guest's memory
   * @returns its context's group, or -1: it is not served here
   */
  #add(
    slot: number,
    anyFlag: boolean,
    group: number,
    alone: boolean,
    memory: GuestMemory,
  ): number {
    const chains = this.#chains;
    const { words } = chains;
    const at = chains.header[slot]!;
    const opcode = words[at + OPCODE]!;
    const low = this.#lows[slot]!;
    const high = this.#highs[slot]!;
    if (!anyFlag && words[at + FLAG]! > SESSION_MODE) return -1;
    // Found live after the whole batch was offered: once is enough.
    let session = this.#session;
    if (
      session === undefined || session.low !== low || session.high !== high
    ) {
      session = this.#sessions.get(low, high);
      if (session === undefined) return -1;
      this.#session = session;
    }
    if (session.straightOpcode === undefined) this.#prepare(session);
    const length = chains.sourceLength[slot]!;
    const context = alone && length > SHORT_ALONE
      ? this.#contextAlone(session)
      : session.straight;
    if (
      context === undefined || opcode !== session.straightOpcode ||
      (group >= 0 && context.group !== group)
    ) return -1;
    const runner = group < 0 ? context.engine.inPlace! : this.#runner!;
    const written = chains.destinationLength[slot]!;
    if (
      words[at + OP_TYPE] !== SYM_OP_CIPHER || words[at + IV_LEN] !== IV ||
      words[at + SRC_DATA_LEN] !== length ||
      words[at + DST_DATA_LEN] !== written || chains.ivLength[slot] !== IV ||
      length > written || length < 1 ||
      length > (alone ? MOST_ALONE : runner.most) ||
      (length & (session.algorithm.block - 1)) !== 0 ||
      IV + length + written > this.#maxSize
    ) return -1;
    if (group < 0) {
      this.#row = counterRow(session.parameters);
      this.#runner = runner;
      runner.beginInPlace(memory);
    }
    const taken = runner.addInPlace(
      context,
      chains.window,
      chains.source[slot]!,
      chains.destination[slot]!,
      length,
      words,
      chains.iv[slot]!,
    );
    return taken ? context.group : -1;
  }

  /** Finds the contexts to run a session's requests with, if they are run here. */
  #prepare(session: PreparedSession): void {
    const { algorithm, context, parameters } = session;
    session.straightOpcode = parameters.op === VIRTIO_CRYPTO_OP_DECRYPT
      ? VIRTIO_CRYPTO_CIPHER_DECRYPT
      : VIRTIO_CRYPTO_CIPHER_ENCRYPT;
    if (
      parameters.service !== VIRTIO_CRYPTO_SERVICE_CIPHER ||
      parameters.opType !== SYM_OP_CIPHER || algorithm.iv.min !== IV ||
      algorithm.iv.max !== IV
    ) return;
    session.straight = this.#engine.inPlaceContext?.(context, false);
  }

  /** The context for requests of a session that are alone: another engine's, maybe. */
  #contextAlone(session: PreparedSession): Context | undefined {
    if (session.alone === undefined) {
      session.alone = (session.straight &&
        this.#engine.inPlaceContext?.(session.context, true)) ?? null;
    }
    return session.alone ?? undefined;
  }

  /** Runs the batch, writes the statuses and puts the used elements. */
  #answer(ring: DeviceRing, memory: GuestMemory, count: number): number {
    const chains = this.#chains;
    this.#session = undefined;
    const done = this.#runner!.finishInPlace();
    const bytes = memory.bytes[chains.window]!;
    let good = 0;
    let total = 0;
    let goodTotal = 0;
    for (let slot = 0; slot < count; slot++) {
      const status = done[slot] === 1 ? OK : ERR;
      const written = chains.destinationLength[slot]!;
      bytes[chains.status[slot]!] = status;
      ring.putStraight(chains.id[slot]!, written + 1);
      const size = HEADER + IV + chains.sourceLength[slot]! + written + 1;
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
