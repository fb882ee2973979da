/**
 * Runs the record against an engine: each row a test, on every carrier and kind
 * of ring that its cases are for.
 *
 * @module
 */

import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import type { EngineName } from "../../device/engine/engine.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import { libc } from "../../device/host/libc.ts";
import { InProcessCarrier } from "./carrier.ts";
import { type CarrierName, CARRIERS, type Case } from "./case.ts";
import { CASES } from "./cases.ts";
import { HostileGuest } from "./hostile_guest.ts";
import { featuresOf, HostileServer } from "./hostile_server.ts";
import { RECORD } from "./record.ts";
import { RING_KINDS, type RingKind } from "./ring.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** The engines that the record is run against. */
export const ENGINES = [...ENGINE_NAMES, "auto"] as const;

/** One of them. */
export type HostileEngine = typeof ENGINES[number];

/** Memory that a server may have more after everything than before, in KiB. */
const MOST_GROWTH_KIB = 128 << 10;

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

  async close(): Promise<void> {
    for (const guest of this.#guests.values()) await guest.carrier.close();
    await this.#server?.[Symbol.asyncDispose]();
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

/** Whether a case is about a carrier and a kind of ring. */
export function isFor(
  { on, ring }: Case,
  carrier: CarrierName,
  kind: RingKind,
): boolean {
  return (on === "guest" || carrier === "vhost-user") &&
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
  Deno.test.afterAll(async () => {
    await stage.close();
    const { PASS, REJECT, WEDGED, FAIL } = stage.counts;
    console.log(
      `The record on ${engine}: ${PASS} PASS, ${REJECT} REJECT, ${WEDGED} WEDGED, ${FAIL} FAIL`,
    );
  });
}
