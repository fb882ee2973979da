/**
 * Runs the record against an engine: each row a test, on every carrier and kind
 * of ring that its cases are for.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import type { EngineName } from "../../device/engine/engine.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import { libc } from "../../device/host/libc.ts";
import { DATA_QUEUES, InProcessCarrier, SocketCarrier } from "./carrier.ts";
import {
  type CarrierName,
  CARRIERS,
  type Case,
  type DeviceCase,
} from "./case.ts";
import { CASES } from "./cases.ts";
import { RACE_CASES } from "./cases/races.ts";
import { HostileGuest } from "./hostile_guest.ts";
import { openFds } from "../vhost_user/bytes.ts";
import { featuresOf, type Footprint, HostileServer } from "./hostile_server.ts";
import { kindsOf } from "./requests.ts";
import { TestServer } from "../server/test_server.ts";
import { RECORD } from "./record.ts";
import { RING_KINDS, type RingKind } from "./ring.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** The engines that the record is run against. */
export const ENGINES = [...ENGINE_NAMES, "auto"] as const;

/** One of them. */
export type HostileEngine = typeof ENGINES[number];

/** Resident memory that a device may have more after a test, in KiB. */
const MOST_GROWTH_KIB = 96 << 10;

/** How often the test of what a device holds sends its cases. */
const REPETITIONS = 3;

/** Every so many cases are in that test. */
const EVERY = 7;

function enginesOf(engine: HostileEngine): readonly EngineName[] {
  return engine === "auto" ? ENGINE_NAMES : [engine];
}

/** Guests of one engine, made when they are first needed. */
class Stage {
  readonly #engine: HostileEngine;
  readonly #guests = new Map<string, HostileGuest>();
  #server: HostileServer | undefined;
  /** How many cases ended how. */
  readonly counts: Record<Verdict, number> = {
    PASS: 0,
    REJECT: 0,
    WEDGED: 0,
    FAIL: 0,
  };

  constructor(engine: HostileEngine) {
    this.#engine = engine;
  }

  async server(): Promise<HostileServer> {
    return this.#server ??= await HostileServer.start(this.#engine);
  }

  async guest(carrier: CarrierName, kind: RingKind): Promise<HostileGuest> {
    const key = `${carrier} ${kind}`;
    let guest = this.#guests.get(key);
    if (guest === undefined) {
      guest = carrier === "in process"
        ? await HostileGuest.open(
          new InProcessCarrier(enginesOf(this.#engine), featuresOf(kind)),
          kind,
        )
        : await this.#socketGuest(kind);
      this.#guests.set(key, guest);
    }
    return guest;
  }

  async #socketGuest(kind: RingKind): Promise<HostileGuest> {
    const server = await this.server();
    return await server.guest(kind, {}, server.paths[kind]);
  }

  /** Gives up a guest whose state is not known any more. */
  async drop(carrier: CarrierName, kind: RingKind): Promise<void> {
    const key = `${carrier} ${kind}`;
    const guest = this.#guests.get(key);
    this.#guests.delete(key);
    await guest?.carrier.close().catch(() => {});
  }

  /** What the process of a device holds now. */
  async footprint(carrier: CarrierName, mostFds?: number): Promise<Footprint> {
    if (carrier === "vhost-user") {
      return await (await this.server()).footprint(mostFds);
    }
    return { fds: openFds(), memory: Deno.memoryUsage().rss >> 10 };
  }

  async close(): Promise<void> {
    for (const guest of this.#guests.values()) await guest.carrier.close();
    await this.#server?.[Symbol.asyncDispose]();
  }

  /** Runs a case on a device of its own: another one than the stage's. */
  async #runApart(
    { services, run }: DeviceCase,
    carrier: CarrierName,
    kind: RingKind,
  ): Promise<void> {
    const engines = enginesOf(this.#engine);
    const features = featuresOf(kind);
    await using server = carrier === "vhost-user"
      ? new TestServer({ queues: DATA_QUEUES, engines, services })
      : undefined;
    const own = server === undefined
      ? new InProcessCarrier(engines, features, services)
      : await SocketCarrier.connect(server.path, {
        features: features | SOCKET_FEATURES,
      });
    try {
      const guest = await HostileGuest.open(own, kind, kindsOf(services));
      await run(guest);
      await guest.settle();
    } finally {
      await own.close();
    }
  }

  /**
   * Runs a case.
   *
   * @returns what is wrong; undefined where nothing is
   */
  async run(
    each: Case,
    carrier: CarrierName,
    kind: RingKind,
  ): Promise<string | undefined> {
    try {
      const guest = await this.guest(carrier, kind);
      if (each.on === "guest") await each.run(guest);
      else if (each.on === "device") await this.#runApart(each, carrier, kind);
      else await each.run(await this.server(), kind);
      await guest.probe();
      this.counts[each.verdict]++;
      return undefined;
    } catch (error) {
      const verdict = verdictOf(error);
      this.counts[verdict]++;
      await this.drop(carrier, kind);
      const reason = error instanceof Error ? error.stack : String(error);
      return `${verdict}: ${each.sends}\n${reason}`;
    }
  }
}

/** The features of a guest behind a socket. */
const SOCKET_FEATURES = 1n << 30n;

/** Whether a case is about a carrier and a kind of ring. */
export function isFor(
  { on, ring }: Case,
  carrier: CarrierName,
  kind: RingKind,
): boolean {
  return (on !== "frontend" || carrier === "vhost-user") &&
    (ring ?? kind) === kind;
}

/** Whether the machine has an engine; says so where it has not. */
function isThere(engine: HostileEngine): boolean {
  try {
    openEngines(enginesOf(engine));
    return true;
  } catch (error) {
    if (!(error instanceof LibraryError)) throw error;
    console.log(`Not covered: the record on ${engine}. ${error.message}`);
    return false;
  }
}

/** Sends cases again and again, without looking at all of memory each time. */
async function holdsNoMore(stage: Stage, carrier: CarrierName): Promise<void> {
  const send = async () => {
    for (const kind of RING_KINDS) {
      const guest = await stage.guest(carrier, kind);
      // Races start threads in this process, which come and go as they like.
      const cases = CASES.filter((each) =>
        isFor(each, carrier, kind) && !RACE_CASES.includes(each)
      );
      for (let i = 0; i < cases.length; i += EVERY) {
        const each = cases[i]!;
        if (each.on === "guest") await each.run(guest);
      }
      await guest.settle();
    }
  };
  // Once ahead, so that all that is made once is made.
  await send();
  const before = await stage.footprint(carrier);
  for (let i = 1; i < REPETITIONS; i++) await send();
  const after = await stage.footprint(carrier, before.fds);
  assertEquals(after.fds, before.fds, "Descriptors");
  const growth = after.memory - before.memory;
  assert(growth < MOST_GROWTH_KIB, `${growth} KiB more than before`);
}

/**
 * Registers a test for each row of the record.
 *
 * @param engine the engine to run it against
 */
export function survive(engine: HostileEngine): void {
  if (!isThere(engine)) return;
  // Opened here: its loader is not any one test's.
  libc();
  const stage = new Stage(engine);
  // The server and the guests outlive a test: starting them takes longer than
  // all cases of a row.
  const options = { sanitizeOps: false, sanitizeResources: false };
  for (const { id, sends } of RECORD) {
    Deno.test(`${engine} survives ${id}: ${sends}`, options, async (t) => {
      for (const carrier of CARRIERS) {
        for (const kind of RING_KINDS) {
          const cases = CASES.filter((each) =>
            each.row === id && isFor(each, carrier, kind)
          );
          if (cases.length === 0) continue;
          await t.step(`${carrier}, ${kind} rings`, async () => {
            const wrong: string[] = [];
            for (const each of cases) {
              const problem = await stage.run(each, carrier, kind);
              if (problem !== undefined) wrong.push(problem);
            }
            await (await stage.guest(carrier, kind)).settle();
            if (wrong.length > 0) throw new Error(wrong.join("\n\n"));
          });
        }
      }
    });
  }
  Deno.test(
    `${engine} holds no more descriptors and memory after thousands of hostile requests`,
    options,
    async (t) => {
      for (const carrier of CARRIERS) {
        await t.step(carrier, () => holdsNoMore(stage, carrier));
      }
    },
  );
  Deno.test.afterAll(async () => {
    await stage.close();
    const { PASS, REJECT, WEDGED, FAIL } = stage.counts;
    console.log(
      `The record on ${engine}: ${PASS} PASS, ${REJECT} REJECT, ${WEDGED} WEDGED, ${FAIL} FAIL`,
    );
  });
}
