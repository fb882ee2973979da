/**
 * Cases of services that a device does not offer, by option and by
 * negotiation.
 *
 * @module
 */

import {
  createSessionRequest,
  destroySessionRequest,
} from "../../../device/driver/control_requests.ts";
import {
  SERVICE_NUMBERS,
  type ServiceName,
} from "../../../device/spec/services.ts";
import { le32 } from "../../support/bytes.ts";
import {
  type Case,
  deviceCases,
  type DeviceSays,
  frontendCases,
} from "../case.ts";
import { CONTROL } from "../carrier.ts";
import { ERR, NOTSUPP, OK } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import { featuresOf } from "../hostile_server.ts";
import {
  good,
  type Kind,
  KINDS,
  kindsOf,
  MODES,
  parametersOf,
} from "../requests.ts";

const ROW = "QEMU, service not offered";

/** A creation and a destruction by the opcodes of a kind's service. */
async function refusesSession(guest: HostileGuest, kind: Kind): Promise<void> {
  const parameters = parametersOf(kind);
  await guest.send(
    createSessionRequest("legacy", parameters, 0),
    { used: 16, writes: [[0, le32(0, 0, NOTSUPP, 0)]] },
    "direct",
    CONTROL,
  );
  // Of a chain the service is offered, and only its MAC is not.
  if (kind === "chain") return;
  for (const id of guest.sessions.values()) {
    await guest.send(
      destroySessionRequest("v15", parameters.service, id),
      { used: 8, writes: [[0, le32(NOTSUPP, 0)]] },
      "direct",
      CONTROL,
    );
  }
}

/** Requests of a kind, with the ids of sessions that there are. */
async function refusesRequests(
  guest: HostileGuest,
  kind: Kind,
): Promise<void> {
  await guest.send(good(kind, "stateless"), { status: NOTSUPP });
  for (const id of guest.sessions.values()) {
    // A chain's request does not name its MAC: there the session is wrong.
    const status = kind === "chain" ? ERR : NOTSUPP;
    await guest.send(good(kind, "session", id), { status });
  }
}

const ONE_SERVICE = (Object.keys(SERVICE_NUMBERS) as ServiceName[]).map(
  (service): DeviceSays => ({
    sends: `every opcode to a device that offers ${service} only`,
    verdict: "REJECT",
    services: [service],
    async run(guest) {
      const offered = kindsOf([service]);
      for (const kind of KINDS) {
        if (offered.includes(kind)) {
          for (const mode of MODES) {
            await guest.exchange([guest.sendable(guest.good(kind, mode))]);
          }
          await guest.destroySession(kind, await guest.createSession(kind));
        } else {
          await refusesSession(guest, kind);
          // What could not be created answers no request either.
          if (kind !== "chain" || service === "cipher") {
            await refusesRequests(guest, kind);
          }
        }
      }
    },
  }),
);

/** VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE. */
const CIPHER_SESSION_MODE = 1n << 1n;

const ONE_MODE = frontendCases(ROW, [{
  sends: "session mode of every service where only CIPHER's was negotiated",
  verdict: "REJECT",
  async run(server, kind) {
    const features = featuresOf(kind) | 1n << 30n | CIPHER_SESSION_MODE;
    const guest = await server.guest(kind, { features });
    try {
      for (const each of KINDS) {
        const session = guest.sessions.get(each);
        const request = good(each, "v15 session", session);
        const offered = each === "cipher" || each === "stream" ||
          each === "chain";
        await guest.exchange([
          offered ? guest.sendable(request) : {
            buffers: guest.buffers(request),
            expected: { status: ERR },
          },
        ]);
        await guest.send(good(each, "session", session, { flag: 0 }), {
          status: ERR,
        });
        // The keys come along: no session is needed, and no bit of it.
        await guest.send(good(each, "stateless"), {
          status: OK,
          writes: good(each, "stateless").writes,
        });
      }
    } finally {
      await guest.carrier.close();
    }
  },
}]);

/** The cases. */
export const SERVICE_CASES: readonly Case[] = [
  ...deviceCases(ROW, ONE_SERVICE),
  ...ONE_MODE,
];
