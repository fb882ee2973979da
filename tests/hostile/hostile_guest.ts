/**
 * A guest that does what it must not: chains of any shape in two data queues
 * and a control queue, with every byte of its memory watched, and secrets of
 * another session around.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  createSessionRequest,
  destroySessionRequest,
} from "../../device/driver/control_requests.ts";
import { concat } from "../engine/guest.ts";
import { type Carrier, CONTROL, DATA_QUEUES, type Event } from "./carrier.ts";
import { type Answer, type Expected, OK, type Sent } from "./expected.ts";
import { GuestBuffers } from "./guest_buffers.ts";
import {
  type Good,
  good,
  type Kind,
  KINDS,
  type Mode,
  parametersOf,
  type Request,
  writableLength,
  type Write,
} from "./requests.ts";
import {
  type Buffer,
  type HostileRing,
  layRing,
  PackedHostileRing,
  type Range,
  RING_ROOM,
  type RingKind,
  SplitHostileRing,
  startable,
} from "./ring.ts";
import { NEEDLES, SECRET_SESSION, secretRequest } from "./secret.ts";
import { WedgedError } from "./verdict.ts";

/** How long an answer may take, in milliseconds, before its queue hangs. */
const ANSWER_MS = 10_000;

/** A queue and its ring. */
interface Queue {
  readonly index: number;
  readonly at: number;
  ring: SplitHostileRing | PackedHostileRing;
  /** The device serves it. */
  up: boolean;
}

/** A hostile guest. */
export class HostileGuest extends GuestBuffers {
  readonly carrier: Carrier;
  readonly kind: RingKind;
  readonly #sessions = new Map<Kind, bigint>();
  readonly #queues: readonly Queue[];
  readonly #kinds: readonly Kind[];
  /** The other session; undefined where the device has no such service. */
  #secret: bigint | undefined;
  #probes = 0;

  private constructor(
    carrier: Carrier,
    kind: RingKind,
    kinds: readonly Kind[],
  ) {
    super(carrier.memory, (CONTROL + 1) * RING_ROOM);
    this.carrier = carrier;
    this.kind = kind;
    this.#kinds = kinds;
    const start = this.memory.regions[0]!.guestAddress;
    this.#queues = Array.from({ length: CONTROL + 1 }, (_, index): Queue => {
      const at = start + index * RING_ROOM;
      return { index, at, ring: layRing(kind, this.memory, at), up: false };
    });
  }

  /**
   * Starts all queues, and plants sessions: one of each kind, and one whose
   * key and data nobody may see.
   *
   * @param carrier the device
   * @param kind the rings'
   * @param kinds what the device offers
   * @returns the guest
   */
  static async open(
    carrier: Carrier,
    kind: RingKind,
    kinds: readonly Kind[] = KINDS,
  ): Promise<HostileGuest> {
    const guest = new HostileGuest(carrier, kind, kinds);
    await guest.revive();
    return guest;
  }

  /** Starts all queues, and creates all sessions anew. */
  async revive(): Promise<void> {
    for (const { index } of this.#queues) await this.restart(index);
    for (const kind of this.#kinds) {
      this.#sessions.set(kind, await this.createSession(kind));
    }
    if (!this.#kinds.includes("open")) return;
    this.#secret = await this.#create(SECRET_SESSION);
  }

  /** A session of each kind. */
  get sessions(): ReadonlyMap<Kind, bigint> {
    return this.#sessions;
  }

  /** The ring of a queue. */
  ring(index = 0): SplitHostileRing | PackedHostileRing {
    return this.#queues[index]!.ring;
  }

  /** The ring of a data queue, which is a split one. */
  get split(): SplitHostileRing {
    const ring = this.ring();
    if (ring instanceof SplitHostileRing) return ring;
    throw new TypeError("The ring is not a split one");
  }

  /** The ring of a data queue, which is a packed one. */
  get packed(): PackedHostileRing {
    const ring = this.ring();
    if (ring instanceof PackedHostileRing) return ring;
    throw new TypeError("The ring is not a packed one");
  }

  /**
   * Lays a ring out anew, and has it started.
   *
   * @param index number of the queue
   */
  async restart(index = 0): Promise<void> {
    const queue = this.#queues[index]!;
    queue.ring = layRing(this.kind, this.memory, queue.at);
    this.image.take([[queue.at, RING_ROOM]]);
    queue.up = await this.carrier.start(
      index,
      startable(this.memory, queue.ring),
    );
    if (!queue.up) throw new Error(`Queue ${index} did not start`);
  }

  /** A good request of a kind, of this guest's session. */
  good(
    kind: Kind,
    mode: Mode = "session",
    changes: Parameters<typeof good>[3] = {},
  ): Good {
    return good(kind, mode, this.sessions.get(kind), changes);
  }

  /**
   * A good request in two buffers: what makes it fail is not in it. The second
   * ends with the status.
   */
  twoBuffers(): { readonly header: Buffer; readonly status: Buffer } {
    const request = this.good("cipher");
    return {
      header: this.readable(concat(...request.readable)),
      status: this.writable(writableLength(request)),
    };
  }

  /** A good request, as it is sent. */
  sendable(request: Good, style: Sent["style"] = "direct"): Sent {
    return {
      buffers: this.buffers(request),
      style,
      expected: { status: OK, writes: request.writes },
    };
  }

  /**
   * Sends chains to a queue at once, and checks all that comes back: their
   * order, lengths, what was written, and that nothing else was.
   *
   * @param chains the chains
   * @param index number of the queue
   * @returns what came back
   */
  async exchange(chains: readonly Sent[], index = 0): Promise<Answer[]> {
    const ring = this.ring(index);
    const ids = chains.map(({ buffers, style = "direct" }) =>
      style === "direct" ? ring.addDirect(buffers) : ring.addIndirect(
        this.place(16 * buffers.length, 16),
        buffers,
      )
    );
    this.publish(index);
    const answers = await this.answers(ids, chains, index);
    this.done(index);
    return answers;
  }

  /** Nothing is outstanding: descriptors and buffers are free again. */
  done(index = 0): void {
    this.ring(index).release();
    this.clear();
  }

  /** {@linkcode exchange} of one good request's bytes, refused or not. */
  async send(
    request: Request,
    expected: Expected,
    style: Sent["style"] = "direct",
    index = 0,
  ): Promise<Answer> {
    const buffers = this.buffers(request);
    const [answer] = await this.exchange([{ buffers, style, expected }], index);
    return answer!;
  }

  /** Makes what a ring holds available, and kicks. */
  publish(index = 0): void {
    const { ring } = this.#queues[index]!;
    this.takeLaid();
    this.image.take([[ring.addresses.descriptor, ring.lengths.descriptor]]);
    ring.publish();
    this.image.take([[ring.addresses.available, ring.lengths.available]]);
    this.carrier.kick(index);
  }

  /**
   * Waits for answers, and checks them.
   *
   * @param ids the chains' ids, in the order of the ring
   * @param chains the chains
   * @param index number of the queue
   * @returns what came back
   */
  async answers(
    ids: readonly number[],
    chains: readonly Pick<Sent, "buffers" | "expected">[],
    index = 0,
  ): Promise<Answer[]> {
    const used = await this.used(ids.length, index);
    assertEquals(used.map(({ id }) => id), ids, "Not in the ring's order");
    const answers = chains.map((chain, i): Answer => {
      const { length } = used[i]!;
      const wanted = this.expect(chain);
      if (wanted !== undefined) assertEquals(length, wanted, "used.len");
      const inMemory = chain.buffers.filter(({ address, writable }) =>
        writable && this.memory.find(address) >= 0
      );
      return {
        used: length,
        written: concat(
          ...inMemory.map(({ address, length }) =>
            this.bytes(address, length).slice()
          ),
        ),
      };
    });
    this.check();
    return answers;
  }

  /**
   * Expects what the device writes for a chain.
   *
   * @param chain the chain
   * @returns its used length; undefined where it may be any
   */
  expect(
    { buffers, expected }: Pick<Sent, "buffers" | "expected">,
  ): number | undefined {
    const writable = buffers.filter((buffer) => buffer.writable);
    if (expected.any) {
      this.image.take(writable.map(rangeOf));
      return undefined;
    }
    const total = writable.reduce((sum, { length }) => sum + length, 0);
    for (const write of expected.writes ?? []) this.#expect(writable, write);
    if (expected.status !== undefined) {
      this.#expect(writable, [total - 1, Uint8Array.of(expected.status)]);
    }
    return expected.used ?? total;
  }

  /**
   * Waits until chains have come back.
   *
   * @param count how many
   * @param index number of the queue
   * @returns the used elements
   * @throws {WedgedError} They did not
   */
  async used(
    count: number,
    index = 0,
  ): Promise<ReturnType<HostileRing["takeUsed"]>> {
    const { ring } = this.#queues[index]!;
    const used = ring.takeUsed();
    while (used.length < count) {
      const event = await this.carrier.wait(index, ANSWER_MS);
      used.push(...ring.takeUsed());
      if (used.length >= count) break;
      if (event === "signalled") continue;
      throw new WedgedError(
        `Queue ${index} is ${event}: ${used.length} of ${count} came back`,
      );
    }
    return used;
  }

  /**
   * Publishes what breaks a ring, and waits until it is broken. The ring is
   * laid out and started again afterwards.
   *
   * @param index number of the queue
   * @param served requests that came before
   */
  async breaks(index = 0, served = 0): Promise<void> {
    this.publish(index);
    let event: Event;
    // A ring that was just started signals once, whatever it holds.
    do event = await this.carrier.wait(index, ANSWER_MS); while (
      event === "signalled"
    );
    if (event !== "broken") {
      throw new WedgedError(`Queue ${index} is ${event}, not broken`);
    }
    assertEquals(this.ring(index).takeUsed().length, served);
    this.check();
    await this.restart(index);
    this.clear();
  }

  /** Checks the memory in use, but for what the device may write at any time. */
  check(): void {
    this.image.check(this.#deviceWrites(), this.window);
  }

  /**
   * Checks that the other data queue serves, that nothing has been written
   * late, and that the other session's secrets are nowhere. Every fourth time
   * they pass the first queue's worker as well.
   */
  async probe(): Promise<void> {
    await this.serves(1);
    if (this.#probes++ % 4 === 0) await this.serves(0);
    this.check();
    this.image.checkAbsent(NEEDLES, this.window);
  }

  /** Checks that all queues serve, and all of memory. */
  async settle(): Promise<void> {
    for (let index = 0; index < DATA_QUEUES; index++) await this.serves(index);
    const kind = this.#kinds[0]!;
    await this.destroySession(kind, await this.createSession(kind));
    this.image.check(this.#deviceWrites());
    this.image.checkAbsent(NEEDLES);
  }

  /**
   * Lets a ring and the buffers of now change at any time, until
   * {@linkcode reclaim}.
   *
   * @param index number of the queue
   */
  holdRing(index = 0): void {
    this.hold([this.#queues[index]!.at, RING_ROOM]);
  }

  /**
   * Lays out a ring that was held, and all else as it was in the beginning.
   * What memory held has only to be no secret.
   *
   * @param index number of the queue
   */
  async reclaim(index = 0): Promise<void> {
    this.image.checkAbsent(NEEDLES);
    await this.restart(index);
    this.reset();
    await this.settle();
  }

  /** Creates a session of a kind. */
  createSession(kind: Kind): Promise<bigint> {
    return this.#create(parametersOf(kind));
  }

  /** Destroys a session, and checks the status. */
  async destroySession(
    kind: Kind,
    id: bigint,
    status: number = OK,
  ): Promise<void> {
    const { service } = parametersOf(kind);
    const answer = new Uint8Array(8);
    answer[0] = status;
    await this.send(
      destroySessionRequest("v15", service, id),
      { writes: [[0, answer]], used: 8 },
      "direct",
      CONTROL,
    );
  }

  async #create(
    parameters: Parameters<typeof createSessionRequest>[1],
  ): Promise<bigint> {
    const { used, written } = await this.send(
      createSessionRequest("legacy", parameters, 0),
      { any: true },
      "direct",
      CONTROL,
    );
    const view = new DataView(written.buffer);
    assertEquals([used, view.getUint32(8, true)], [16, OK], "No session");
    return view.getBigUint64(0, true);
  }

  /**
   * Checks that a data queue serves: it opens what the other session sealed,
   * whose data so pass its worker's memory, where the device can.
   *
   * @param index number of the queue
   */
  async serves(index: number): Promise<void> {
    const { writes, ...request } = this.#secret === undefined
      ? this.good(this.#kinds[0]!)
      : secretRequest(this.#secret);
    await this.send(request, { status: OK, writes }, "direct", index);
  }

  #deviceWrites(): Range[] {
    return [
      ...this.#queues.flatMap(({ ring }) => ring.deviceWrites),
      ...this.held,
    ];
  }

  /** Expects bytes at an offset of a writable part. */
  #expect(writable: readonly Buffer[], [offset, bytes]: Write): void {
    let at = 0;
    for (const { address, length } of writable) {
      const from = Math.max(0, at - offset);
      const to = Math.min(bytes.length, at + length - offset);
      if (from < to) {
        this.image.expect(
          address + offset + from - at,
          bytes.subarray(from, to),
        );
      }
      at += length;
    }
  }
}

function rangeOf({ address, length }: Buffer): Range {
  return [address, length];
}
