/**
 * A device's queues over memory that is known byte by byte. Everything a
 * driver can put there may be put there; what the device makes of it is
 * compared with the model, byte by byte.
 *
 * @module
 */

import { RoundResult } from "../../../device/service/round.ts";
import {
  DATA_QUEUES,
  type FuzzDevice,
  type MachineSetup,
  type ServedQueue,
} from "./device.ts";
import { whileFlipping } from "./flipper.ts";
import { type FuzzMemory, type Range, REGIONS } from "./memory.ts";
import type { ModelChain } from "./model/chain.ts";
import { judgeControl } from "./model/control_request.ts";
import { judgeData, type Work } from "./model/data_request.ts";
import { outcomeOf } from "./model/outcome.ts";
import { ERR, type ModelSession, OK, type Rules } from "./model/rules.ts";
import { PackedFuzzRing } from "./packed_ring.ts";
import type { FuzzRing, FuzzRingOptions } from "./ring.ts";
import { SplitFuzzRing } from "./split_ring.ts";

/** Rounds after which a queue has to be done, whatever a guest does. */
const MOST_ROUNDS = 500;
/** Most pairs of ranges that are compared. */
const MOST_PAIRS = 10_000_000;

/** All bits but those of a packed descriptor that say whose it is. */
const NOT_AVAILABILITY = ~0x8080_0000;

/** A device that did something wrong. */
export class Finding extends Error {
  /** The name of the class. */
  override readonly name = "Finding";
}

/** What is expected of one chain. */
type Verdict =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "work"; readonly work: Work }
  | { readonly kind: "control" };

/** A machine. Its memory, rings and sessions can be made new. */
export class Machine {
  readonly setup: MachineSetup;
  readonly memory: FuzzMemory;
  readonly rings: readonly FuzzRing[];
  readonly rules: Rules;
  /** Sessions in the order of their creation, by id, dead ones too. */
  readonly created: bigint[] = [];
  readonly #device: FuzzDevice;
  readonly #live = new Map<bigint, ModelSession>();
  readonly #free: number;
  #at = 0;
  #high = 0;
  #runs = 0;

  /**
   * @param setup how it is made
   * @param device a device that was made for such a setup; nobody else uses it
   */
  constructor(setup: MachineSetup, device: FuzzDevice) {
    this.setup = setup;
    this.#device = device;
    this.memory = device.memory;
    this.rules = device.rules;
    const options: FuzzRingOptions = {
      size: setup.ringSize,
      notification: setup.eventIndex ? "event-index" : "flags",
      indirect: setup.indirect,
      start: setup.start,
      stride: setup.stride | 1,
    };
    const Ring = setup.ring === "packed" ? PackedFuzzRing : SplitFuzzRing;
    const rings: FuzzRing[] = [];
    let at = REGIONS[0]![0];
    for (let i = 0; i <= DATA_QUEUES; i++) {
      const ring = new Ring(this.memory, at, options);
      rings.push(ring);
      at = ring.end;
    }
    this.rings = rings;
    this.#free = at;
    this.reset();
  }

  /** Makes memory and rings new, and ends all sessions. */
  reset(): void {
    this.memory.reset();
    this.#at = this.#free;
    this.#high = REGIONS[2]![0];
    this.clearSessions();
    this.created.length = 0;
    this.rings.forEach((_, queue) => this.restart(queue, true));
  }

  /** Ends all sessions, as a reset of the device does. */
  clearSessions(): void {
    this.#device.endSessions();
    this.#live.clear();
  }

  /**
   * Stops a ring and starts it again.
   *
   * @param queue number of the queue
   * @param anew whether the ring begins anew
   */
  restart(queue: number, anew: boolean): void {
    const ring = this.rings[queue]!;
    this.#device.queues[queue]!.stop();
    if (anew) ring.reset();
    this.#device.queues[queue]!.start(ring);
  }

  /**
   * Finds room for a buffer.
   *
   * @param length bytes
   * @param gap bytes before it
   * @param high in the region apart, where there is room
   * @returns its guest address; undefined where there is none
   */
  place(length: number, gap: number, high: boolean): number | undefined {
    const [base, size] = REGIONS[2]!;
    if (high && this.#high + gap + length <= base + size) {
      this.#high += gap + length;
      return this.#high - length;
    }
    const [second, secondSize] = REGIONS[1]!;
    if (this.#at + gap + length > second + secondSize) return undefined;
    this.#at += gap + length;
    return this.#at - length;
  }

  /** Takes back what was placed since a mark, or all. */
  unplace(mark?: readonly [number, number]): void {
    [this.#at, this.#high] = mark ?? [this.#free, REGIONS[2]![0]];
  }

  /** Where the next buffers go. */
  get mark(): readonly [number, number] {
    return [this.#at, this.#high];
  }

  /**
   * What a data request asks for, as things are.
   *
   * @param readable its readable part
   * @param writable bytes of its writable part
   * @returns the status it gets, or its work
   */
  judge(readable: Uint8Array, writable: number): number | Work {
    return judgeData(this.rules, this.#find, {
      length: readable.length,
      slice: (at, length) => readable.slice(at, at + length),
    }, writable);
  }

  readonly #find = (low: number, high: number) =>
    this.#live.get(BigInt(high) << 32n | BigInt(low));

  /**
   * Lets the device serve a queue until it has nothing to do, and compares.
   *
   * @param queue number of the queue
   * @throws {Finding} The device did something wrong
   */
  run(queue: number): void {
    const ring = this.rings[queue]!;
    const served = this.#device.queues[queue]!;
    const { chains, broken } = ring.pending();
    const overlap = this.#overlap(chains, queue === DATA_QUEUES);
    const verdicts = overlap === "none"
      ? chains.map((chain) => this.#verdict(queue, chain))
      : [];
    const results = this.#runAll(served, overlap === "rings");
    if (overlap === "rings") {
      this.#afterScribbling();
      return;
    }
    if ((results.at(-1) === RoundResult.BROKEN) !== broken) {
      throw new Finding(
        broken
          ? "the ring is broken, and is served on"
          : "the ring is good, and taken for broken",
      );
    }
    chains.forEach((chain, i) => this.#check(ring, chain, verdicts[i], i));
    this.#checkSignal(ring, chains.length, results);
    ring.settle();
    const difference = this.memory.difference();
    if (difference !== undefined) throw new Finding(difference);
    // What is in another ring still has its buffers.
    if (this.rings.every((other) => other.pending().chains.length === 0)) {
      this.unplace();
    }
    if (broken || ring.stuck) {
      this.restart(queue, true);
    } else if (this.#runs++ % 2 === 0) {
      if (served.arm()) throw new Finding("more came, where nothing came");
      ring.settle();
      const armed = this.memory.difference();
      if (armed !== undefined) throw new Finding(`arming: ${armed}`);
    }
  }

  /**
   * Lets the device serve a queue while a second processor of the guest
   * changes a word. What comes of it depends on the moment: only that nothing
   * else is written, and nothing thrown. Everything is new afterwards.
   *
   * @param queue number of the queue
   * @param address guest address of the word, in the first region
   * @param mask what is changed in it
   * @param rounds how often what is in the ring is offered again
   */
  race(queue: number, address: number, mask: number, rounds: number): void {
    const ring = this.rings[queue]!;
    const served = this.#device.queues[queue]!;
    // What the index names besides is not foreseen.
    if (ring.parts.slice(1).some((part) => meet(part, [address, 4]))) return;
    const heads = ring.pending().chains.map(({ id }) => id);
    const { words, at } = this.memory.word(address);
    const one = words[at]!;
    // What was used once must not be made available again by the change alone.
    const other = one ^
      (this.setup.ring === "packed" ? mask & NOT_AVAILABILITY : mask);
    const read = this.rings.flatMap(({ parts }) => parts);
    const writable = [one, other].flatMap((value) => {
      const bytes = new Uint8Array(Int32Array.of(value).buffer);
      this.memory.expect(address & ~3, bytes);
      const { chains } = ring.pending();
      for (const { tables } of chains) {
        // A table that loops has more than a call takes arguments.
        for (const table of tables) read.push(table);
      }
      return chains.flatMap((chain) => chain.writable);
    });
    // A table that loops has more buffers than can be compared with all.
    if (
      writable.length * read.length > MOST_PAIRS ||
      writable.some((w) => read.some((r) => meet(w, r)))
    ) {
      this.reset();
      return;
    }
    whileFlipping(words, at, [one, other], () => {
      for (let i = 0; i < rounds; i++) {
        if (i > 0) ring.repeat(heads);
        if (this.#runAll(served, true).at(-1) === RoundResult.BROKEN) return;
      }
    });
    for (const [start, length] of [...writable, ...ring.parts]) {
      this.memory.adopt(start, length);
    }
    this.memory.adopt(address & ~3, 4);
    const difference = this.memory.difference();
    if (difference !== undefined) throw new Finding(`racing: ${difference}`);
    this.reset();
  }

  #runAll(served: ServedQueue, bounded: boolean): number[] {
    const results: number[] = [];
    for (;;) {
      const result = served.run();
      if (result === RoundResult.IDLE) return results;
      results.push(result);
      if (result === RoundResult.BROKEN) return results;
      if (results.length >= MOST_ROUNDS) {
        if (bounded) return results;
        throw new Finding(`${MOST_ROUNDS} rounds, and no end`);
      }
    }
  }

  #checkSignal(
    ring: FuzzRing,
    count: number,
    results: readonly number[],
  ): void {
    if (count === 0) return;
    // One that is not needed is legal.
    if (ring.signals(count) && !results.includes(RoundResult.SIGNAL)) {
      throw new Finding(`${count} chains were returned without a signal`);
    }
  }

  /** What the device was made to write over its own rings says nothing. */
  #afterScribbling(): void {
    if (this.memory.marginsDiffer()) {
      throw new Finding("the device wrote outside of guest memory");
    }
    this.reset();
  }

  /** Whether what may be written is something that is read besides. */
  #overlap(
    chains: readonly ModelChain[],
    control: boolean,
  ): "none" | "data" | "rings" {
    // A control request that overwrites itself may become another one.
    const data = control ? "rings" : "data";
    const writable = chains.flatMap((chain) => chain.writable);
    const parts = this.rings.flatMap((ring) => ring.parts);
    const tables = chains.flatMap((chain) => chain.tables);
    // A table in a ring may be read after that ring's first answers are in it.
    if (
      chains.length > 1 && tables.length * parts.length <= MOST_PAIRS &&
      tables.some((table) => parts.some((part) => meet(table, part)))
    ) return "rings";
    const read = [...parts, ...tables];
    // As in a race: then nothing is said of what is in memory.
    if (writable.length * read.length > MOST_PAIRS) return "rings";
    if (writable.some((w) => read.some((r) => meet(w, r)))) return "rings";
    const readable = chains.flatMap((chain) => chain.readable);
    if (writable.some((w) => readable.some((r) => meet(w, r)))) return data;
    const sorted = writable.toSorted(([a], [b]) => a - b);
    return sorted.some((w, i) => i > 0 && meet(w, sorted[i - 1]!))
      ? data
      : "none";
  }

  #verdict(queue: number, chain: ModelChain): Verdict {
    if (queue === DATA_QUEUES) return { kind: "control" };
    if (chain.broken) return { kind: "status", status: ERR };
    const readable = {
      length: chain.readableLength,
      slice: (at: number, length: number) => chain.slice(at, length),
    };
    const judged = judgeData(
      this.rules,
      this.#find,
      readable,
      chain.writableLength,
    );
    return typeof judged === "number"
      ? { kind: "status", status: judged }
      : { kind: "work", work: judged };
  }

  /** Expects what a chain leaves behind. */
  #check(
    ring: FuzzRing,
    chain: ModelChain,
    verdict: Verdict | undefined,
    index: number,
  ): void {
    if (verdict === undefined) {
      // Of buffers that overlap only their bounds are known.
      ring.complete(chain, chain.statusAt < 0 ? 0 : chain.writableLength);
      for (const [at, length] of chain.writable) this.memory.adopt(at, length);
      return;
    }
    if (verdict.kind === "control") {
      ring.complete(chain, this.#checkControl(chain));
      return;
    }
    if (chain.statusAt < 0) {
      ring.complete(chain, 0);
      return;
    }
    let { status } = verdict.kind === "status" ? verdict : { status: OK };
    const [actual] = this.memory.actual(chain.statusAt, 1);
    if (verdict.kind === "work") {
      const { algorithm } = verdict.work;
      const outcome = actual === OK || algorithm.service === 3
        ? outcomeOf(
          verdict.work,
          (at, length) => chain.written(at, length),
        )
        : { status: OK, writes: [] };
      if (outcome === undefined) {
        throw new Finding(`chain ${index}: wrong result of ${algorithm.name}`);
      }
      status = outcome.status;
      for (const { at, bytes } of outcome.writes) chain.expect(at, bytes);
    }
    if (actual !== status) {
      const what = verdict.kind === "work"
        ? ` of ${verdict.work.algorithm.name}`
        : "";
      throw new Finding(
        `chain ${index}: status ${actual}${what}, and not ${status}`,
      );
    }
    this.memory.expect(chain.statusAt, Uint8Array.of(status));
    ring.complete(chain, chain.writableLength);
  }

  /** Expects what a control request leaves behind; returns used.len. */
  #checkControl(chain: ModelChain): number {
    if (chain.broken) {
      // Which of its buffers take the answer is the device's choice.
      for (const [at, length] of chain.writable) this.memory.adopt(at, length);
      const length = chain.statusAt < 0 ? 0 : answerLength(chain);
      return length;
    }
    const verdict = judgeControl(
      this.rules,
      this.#find,
      this.#live.size,
      chain.slice(0, Math.min(chain.readableLength, 4096)),
      chain.writableLength,
    );
    const { status, answer } = verdict;
    if (verdict.ends !== undefined) {
      const [low, high] = verdict.ends;
      this.#live.delete(BigInt(high) << 32n | BigInt(low));
    }
    if (answer === "none") return 0;
    if (answer === "destroy") {
      const bytes = chain.writableLength < 8
        ? Uint8Array.of(status)
        : Uint8Array.of(status, 0, 0, 0, 0, 0, 0, 0);
      chain.expect(0, bytes);
      return bytes.length;
    }
    const bytes = new Uint8Array(16);
    if (verdict.creates !== undefined) {
      bytes.set(chain.written(0, 8));
      this.#register(new DataView(bytes.buffer), verdict.creates);
    }
    bytes[8] = status;
    chain.expect(0, bytes);
    return 16;
  }

  #register(answer: DataView, session: ModelSession): void {
    const id = answer.getBigUint64(0, true);
    const slot = id & 0xffff_ffffn;
    const generation = id >> 32n;
    const { generations } = this.#device;
    // No id is given out twice, bit 63 is never set.
    if (
      generation <= (generations.get(slot) ?? 0n) || generation >> 31n !== 0n ||
      slot >= BigInt(this.setup.maxSessions)
    ) throw new Finding(`a session was created with id 0x${id.toString(16)}`);
    generations.set(slot, generation);
    this.#live.set(id, session);
    this.created.push(id);
  }
}

/** used.len of a broken control chain: the form that fits its last buffer. */
function answerLength(chain: ModelChain): number {
  const mapped = chain.writable.reduce((sum, [, length]) => sum + length, 0);
  const room = mapped === chain.writableLength
    ? mapped
    : chain.writable.at(-1)![1];
  return room >= 16 ? 16 : room >= 8 ? 8 : 1;
}

function meet([a, aLength]: Range, [b, bLength]: Range): boolean {
  return a < b + bLength && b < a + aLength;
}
