/**
 * Cases of rings that are started, stopped, disabled and reset by messages, in
 * orders that backends did not expect.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  encodeVringAddr,
  encodeVringState,
} from "../../../device/vhost_user/payload.ts";
import * as p from "../../../device/vhost_user/protocol.ts";
import { signalEventfd } from "../../../device/host/eventfd.ts";
import { assertRefused } from "../../server/raw_frontend.ts";
import { NEXT } from "../../support/guest_ring.ts";
import type { SocketCarrier } from "../carrier.ts";
import { type Case, frontendCases, type FrontendSays } from "../case.ts";
import { ERR } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import { startable } from "../ring.ts";

/** How long nothing may happen, in milliseconds, for nothing to happen. */
const SILENT_MS = 20;

/** A case of a guest of its own, which is served in the end. */
function state(
  sends: string,
  verdict: "PASS" | "REJECT",
  run: (guest: HostileGuest, carrier: SocketCarrier) => Promise<void>,
  ring?: FrontendSays["ring"],
): FrontendSays {
  return {
    sends,
    verdict,
    ring,
    async run(server, kind) {
      const guest = await server.guest(kind);
      try {
        await run(guest, guest.carrier as SocketCarrier);
        await guest.settle();
      } finally {
        await guest.carrier.close();
      }
    },
  };
}

/** Publishes a good request that nobody may take. */
async function untouched(
  guest: HostileGuest,
  carrier: SocketCarrier,
): Promise<void> {
  const sent = guest.sendable(guest.good("cipher"));
  // What a stop owes the driver is no answer.
  while (await carrier.wait(0, SILENT_MS) === "signalled");
  guest.ring().addDirect(sent.buffers);
  guest.publish();
  assertEquals(await carrier.wait(0, SILENT_MS), "silent");
  guest.check();
}

/** Waits until the one request that was published has come back. */
async function served(guest: HostileGuest): Promise<void> {
  assertEquals((await guest.used(1)).map(({ length }) => length), [49]);
}

const SIZES = [32769, 65535, 65536, 0xffff_ffff];

/** A ring of a size, started and kicked. */
function sized(
  size: number,
  ring: FrontendSays["ring"],
  verdict: "PASS" | "REJECT" = "REJECT",
): FrontendSays {
  return state(`a ring of ${size} entries`, verdict, async (guest, carrier) => {
    const given = startable(guest.memory, guest.ring(), { size });
    assertEquals(await carrier.start(0, given), verdict === "PASS");
    carrier.kick(0);
    await guest.restart();
  }, ring);
}

const RING_SIZES: readonly FrontendSays[] = [
  state("a ring of 0 entries", "REJECT", async (guest, carrier) => {
    const given = startable(guest.memory, guest.ring(), { size: 0 });
    // Not a ring yet: it may get its size later.
    await carrier.start(0, given);
    await untouched(guest, carrier);
    await guest.restart();
    guest.done();
  }),
  ...SIZES.map((size) => sized(size, undefined)),
  ...[3, 5, 127].map((size) => sized(size, "split")),
  ...[1, 3, 124].map((size) => sized(size, "packed", "PASS")),
];

/** The messages that set a ring up, by name. */
type Step = "num" | "base" | "addr" | "kick" | "call" | "enable";

/** Orders of them in which the ring is not set up when it is kicked. */
const ORDERS: readonly (readonly Step[])[] = [
  ["kick", "enable", "num", "base", "call", "addr"],
  ["enable", "kick", "num", "base", "call", "addr"],
  ["num", "base", "enable", "kick", "call", "addr"],
  ["call", "kick", "num", "addr", "base", "enable"],
  ["call", "kick", "base", "addr", "enable", "num"],
];

const ORDER_CASES: readonly FrontendSays[] = [
  ...ORDERS.map((order) =>
    state(`kicks between ${order.join(", ")}`, "REJECT", async (
      guest,
      carrier,
    ) => {
      const { frontend } = carrier;
      await guest.restart();
      const { kick, call } = carrier.fds(0);
      // Nothing of it is known afterwards, and no session either.
      await frontend.resetDevice();
      const ring = startable(guest.memory, guest.ring());
      const { size: num, base, userAddresses } = ring;
      const steps: Record<Step, () => Promise<void>> = {
        num: () => frontend.setVringNum(0, num),
        base: () => frontend.setVringBase(0, base),
        addr: () =>
          frontend.setVringAddr({ index: 0, flags: 0, ...userAddresses }),
        kick: () => frontend.setVringKick(0, kick),
        call: () => frontend.setVringCall(0, call),
        enable: () => frontend.setVringEnable(0, true),
      };
      const sent = guest.sendable(guest.good("hash", "stateless"));
      const id = guest.ring().addDirect(sent.buffers);
      guest.publish();
      for (const step of order) {
        assertEquals(guest.ring().takeUsed(), []);
        guest.check();
        signalEventfd(kick);
        await steps[step]();
      }
      await guest.answers([id], [sent]);
      guest.done();
      await guest.revive();
    })
  ),
  state("a kick before the memory table", "REJECT", async (guest, carrier) => {
    const { frontend } = carrier;
    const { regions } = frontend.shared;
    for (const region of regions) await frontend.remMemReg(region);
    carrier.kick(0);
    const { kick } = carrier.fds(0);
    await frontend.setVringKick(0, kick);
    signalEventfd(kick);
    for (const region of regions) {
      await frontend.addMemReg(region, [region.fd]);
    }
    for (const index of [0, 1, 2]) await guest.restart(index);
  }),
];

const STATES: readonly FrontendSays[] = [
  state(
    "rings that start over from 0, as a guest's reboot has it",
    "PASS",
    async (
      guest,
    ) => {
      for (let i = 0; i < 10; i++) {
        await guest.exchange(
          Array.from({ length: 7 }, () => guest.sendable(guest.good("mac"))),
        );
        await guest.restart();
      }
      await guest.revive();
    },
  ),
  state(
    "a ring that goes on from its base, its used index in memory",
    "PASS",
    async (
      guest,
      { frontend },
    ) => {
      for (let i = 0; i < 10; i++) {
        await guest.exchange([guest.sendable(guest.good("mac"))]);
        const base = await frontend.getVringBase(0);
        await frontend.setVringBase(0, base);
        const { kick } = (guest.carrier as SocketCarrier).fds(0);
        await frontend.setVringKick(0, kick);
      }
    },
  ),
  state("kicks of a disabled ring", "REJECT", async (guest, carrier) => {
    await carrier.frontend.setVringEnable(0, false);
    await untouched(guest, carrier);
    await carrier.frontend.setVringEnable(0, true);
    await served(guest);
    await guest.restart();
    guest.done();
  }),
  {
    sends: "SET_PROTOCOL_FEATURES without GET_PROTOCOL_FEATURES",
    verdict: "PASS",
    ring: "split",
    async run(server) {
      await using frontend = await server.connect();
      await frontend.setOwner();
      const ack = 1n << BigInt(p.VHOST_USER_PROTOCOL_F_REPLY_ACK);
      await frontend.setProtocolFeatures(ack);
      await frontend.setFeatures(1n << 30n);
      await frontend.getFeatures();
    },
  },
  {
    sends: "protocol features that are not offered",
    verdict: "REJECT",
    ring: "split",
    async run(server) {
      await using frontend = await server.negotiated();
      for (let bit = 0n; bit < 64n; bit++) {
        const features = 1n << bit;
        if ((await frontend.getProtocolFeatures() & features) !== 0n) continue;
        await assertRefused(
          frontend,
          () => frontend.setProtocolFeatures(features),
        );
      }
    },
  },
];

const RESETS: readonly FrontendSays[] = [
  state("a request behind a stop", "REJECT", async (guest, carrier) => {
    const base = await carrier.frontend.getVringBase(0);
    await untouched(guest, carrier);
    await carrier.frontend.setVringBase(0, base);
    await carrier.frontend.setVringKick(0, carrier.fds(0).kick);
    await served(guest);
    await guest.restart();
    guest.done();
  }),
  state("a request behind a reset", "REJECT", async (guest, carrier) => {
    await carrier.frontend.resetDevice();
    await untouched(guest, carrier);
    guest.done();
    await guest.revive();
  }),
  state("a request behind status 0", "REJECT", async (guest, carrier) => {
    await carrier.frontend.setStatus(0);
    await untouched(guest, carrier);
    guest.done();
    await guest.revive();
  }),
];

/** VHOST_F_LOG_ALL. */
const LOG_ALL = 1n << BigInt(p.VHOST_F_LOG_ALL);

/** Has a ring started whose writes are to be logged, and sends what is wrong. */
async function logged(
  guest: HostileGuest,
  { frontend }: SocketCarrier,
): Promise<void> {
  await assertRefused(
    frontend,
    () => frontend.setFeatures(frontend.features | LOG_ALL),
  );
  await guest.restart();
  const { userAddresses } = startable(guest.memory, guest.ring());
  const flags = 1 << p.VHOST_VRING_F_LOG;
  for (const log of [BigInt(guest.area), (1n << 64n) - 1n]) {
    const payload = encodeVringAddr({ index: 0, flags, ...userAddresses });
    new DataView(payload.buffer).setBigUint64(32, log, true);
    await frontend.channel.set(p.VHOST_USER_SET_VRING_ADDR, payload);
  }
}

const LOGGED: readonly FrontendSays[] = [
  state("a circular chain", "REJECT", async (guest, carrier) => {
    await logged(guest, carrier);
    guest.split.addRaw([guest.area, 4096, NEXT, 1], [
      guest.area,
      4096,
      NEXT,
      0,
    ]);
    await guest.breaks();
  }, "split"),
  state("a list without an end", "REJECT", async (guest, carrier) => {
    await logged(guest, carrier);
    guest.packed.addRaw(
      ...Array.from({ length: 125 }, () => [guest.area, 4096, NEXT] as const),
    );
    await guest.breaks();
  }, "packed"),
  state("descriptors of wrong lengths", "REJECT", async (guest, carrier) => {
    await logged(guest, carrier);
    for (const length of [0xffff_ffff, 2 ** 31, 2 << 20]) {
      for (const writable of [false, true]) {
        const { header, status } = guest.twoBuffers();
        const most = Math.min(length + status.length, 0xffff_ffff);
        const used = writable ? most : status.length;
        await guest.exchange([{
          buffers: [header, { address: guest.area, length, writable }, status],
          expected: { status: ERR, used },
        }]);
      }
    }
  }),
  state("good requests", "PASS", async (guest, carrier) => {
    await logged(guest, carrier);
    await guest.exchange([guest.sendable(guest.good("chain"))]);
  }),
];

/** A base that no ring of the kind has. */
const BASES: readonly FrontendSays[] = [
  state("bases that no ring can have", "REJECT", async (guest, carrier) => {
    const { frontend } = carrier;
    const { kick, err } = carrier.fds(0);
    for (const num of [125, 0x7fff, 0x1_0000, 0x7fff_7fff, 0xffff_ffff]) {
      await frontend.getVringBase(0);
      const payload = encodeVringState({ index: 0, num });
      await frontend.channel.set(p.VHOST_USER_SET_VRING_BASE, payload);
      await frontend.setVringKick(0, kick);
      const [broken] = await frontend.waitReadable([err], 5000);
      assertEquals(broken, err, `base ${num}`);
      await guest.restart();
    }
    await guest.revive();
  }, "packed"),
];

/** The cases. */
export const RING_STATE_CASES: readonly Case[] = [
  ...frontendCases("DPDK, ring not set up", ORDER_CASES),
  ...frontendCases("CVE-2017-17381", RING_SIZES),
  ...frontendCases("CVE-2019-9547, CVE-2019-14835", LOGGED),
  ...frontendCases("virtio-queue, indices and resets", [...RESETS, ...BASES]),
  ...frontendCases("vhost crates, ring states", STATES),
];
