/**
 * What the hostile cases are: data, for whoever runs them on a carrier.
 *
 * @module
 */

import type { ServiceName } from "../../device/spec/services.ts";
import type { SocketCarrier } from "./carrier.ts";
import { ERR, type Expected, type Sent } from "./expected.ts";
import type { HostileGuest } from "./hostile_guest.ts";
import type { HostileServer } from "./hostile_server.ts";
import type { Good, Request } from "./requests.ts";
import type { RingKind } from "./ring.ts";

/** What carries the rings. */
export type CarrierName = "in process" | "vhost-user";

/** What carries the rings, both. */
export const CARRIERS: readonly CarrierName[] = ["in process", "vhost-user"];

/** What every case says of itself. */
interface CaseBase {
  /** Id of its row in the record. */
  readonly row: string;
  /** What is sent. */
  readonly sends: string;
  /** PASS: it is served; REJECT: it is refused. */
  readonly verdict: "PASS" | "REJECT";
  /** The kind of ring it is about; both when left out. */
  readonly ring?: RingKind | undefined;
}

/** A case about what a guest can do: it runs on any carrier. */
export interface GuestCase extends CaseBase {
  readonly on: "guest";
  /**
   * Sends it, and checks what comes back.
   *
   * @param guest a guest, which is probed afterwards
   */
  run(guest: HostileGuest): Promise<void>;
}

/** A case about what a frontend can do: it runs on the socket only. */
export interface FrontendCase extends CaseBase {
  readonly on: "frontend";
  /**
   * Sends it, and checks what comes back.
   *
   * @param server a server whose socket has no frontend, and which is probed
   * afterwards
   * @param kind the kind of ring to negotiate
   */
  run(server: HostileServer, kind: RingKind): Promise<void>;
}

/**
 * A case about a device that offers some services only, which is made for it:
 * it runs on any carrier.
 */
export interface DeviceCase extends CaseBase {
  readonly on: "device";
  /** The services that the device offers. */
  readonly services: readonly ServiceName[];
  /**
   * Sends it, and checks what comes back.
   *
   * @param guest a guest of the device, which is probed afterwards
   */
  run(guest: HostileGuest): Promise<void>;
}

/** A case. */
export type Case = GuestCase | FrontendCase | DeviceCase;

/** What is left to say of a guest's case. */
export type GuestSays = Omit<GuestCase, "row" | "on">;
/** What is left to say of a frontend's case. */
export type FrontendSays = Omit<FrontendCase, "row" | "on">;
/** What is left to say of a case with a device of its own. */
export type DeviceSays = Omit<DeviceCase, "row" | "on">;

/** Cases of a row that a guest sends. */
export function guestCases(row: string, cases: readonly GuestSays[]): Case[] {
  return cases.map((each) => ({ ...each, row, on: "guest" }));
}

/** Cases of a row that a frontend sends. */
export function frontendCases(
  row: string,
  cases: readonly FrontendSays[],
): Case[] {
  return cases.map((each) => ({ ...each, row, on: "frontend" }));
}

/** Cases of a row that have devices of their own. */
export function deviceCases(row: string, cases: readonly DeviceSays[]): Case[] {
  return cases.map((each) => ({ ...each, row, on: "device" }));
}

const STYLES: readonly NonNullable<Sent["style"]>[] = ["direct", "indirect"];

/**
 * A request that is refused by a status, as a direct chain and as a table.
 *
 * @param sends what is sent
 * @param request makes it
 * @param status the status
 */
export function refused(
  sends: string,
  request: (guest: HostileGuest) => Request,
  status: number = ERR,
): GuestSays {
  return answered(sends, "REJECT", request, { status });
}

/**
 * A request that gets a certain answer, as a direct chain and as a table.
 *
 * @param sends what is sent
 * @param verdict what the answer is
 * @param request makes it
 * @param expected the answer
 */
export function answered(
  sends: string,
  verdict: "PASS" | "REJECT",
  request: (guest: HostileGuest) => Request,
  expected: Expected,
): GuestSays {
  return {
    sends,
    verdict,
    async run(guest) {
      await guest.exchange(STYLES.map((style) => ({
        buffers: guest.buffers(request(guest)),
        style,
        expected,
      })));
    },
  };
}

/**
 * A request that is served, as a direct chain and as a table.
 *
 * @param sends what is sent
 * @param request makes it
 */
export function served(
  sends: string,
  request: (guest: HostileGuest) => Good,
): GuestSays {
  return {
    sends,
    verdict: "PASS",
    async run(guest) {
      await guest.exchange(
        STYLES.map((style) => guest.sendable(request(guest), style)),
      );
    },
  };
}

/** A guest of a case's own, on the socket. */
export interface SocketGuest {
  readonly guest: HostileGuest;
  readonly carrier: SocketCarrier;
}
