// A server's life with its guests: what is checked, in which order, for any frontend. Boots are slow, so that one
// guest serves many checks, each of them a step of the test.

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import * as checks from "./checks.ts";
import { buildInitramfs } from "./initramfs.ts";
import type { Kernel, Qemu } from "./packages.ts";
import { Guest } from "./qemu.ts";
import { Server } from "./server.ts";

/** How the device comes to a guest. */
export interface Frontend {
  qemu: Qemu;
  kernel: Kernel;
  /** QEMU's arguments for a device whose backend listens on a socket. */
  device(socketPath: string): string[];
  /** What the driver must say of the device's configuration, beside the number of queues. */
  config?: RegExp;
  /** The features of the rings that the guest must take, of those there are. */
  ring: readonly checks.RingFeature[];
}

/** The data queues of every device here; the control queue comes after them. */
export const QUEUES = 2;

/** What the steps of one test share. */
interface Stage {
  step(name: string, body: () => void | Promise<void>): Promise<void>;
  server: Server;
  /** Boots one more guest; the one before must have ended. */
  boot(): Promise<Guest>;
}

/** Starts a server, plays the scenario, and checks that nothing of it outlives the guests. */
async function withServer(
  t: Deno.TestContext,
  frontend: Frontend,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "virtio-crypto-guest-" });
  const guests: Guest[] = [];
  let server: Server | undefined;
  let failed = false;
  const step = async (name: string, body: () => void | Promise<void>) => {
    // What comes after a failure could only fail too, slowly; it is shown as ignored.
    const passed = await t.step({
      name,
      ignore: failed,
      fn: async () => {
        try {
          await body();
        } catch (error) {
          const tails = [guests.at(-1)?.tail(), server?.tail()];
          console.log(tails.filter((text) => text !== undefined).join("\n"));
          throw error;
        }
      },
    });
    failed ||= !passed;
  };
  try {
    const initramfs = await buildInitramfs(frontend.kernel, folder);
    const socketPath = join(folder, "device");
    server = await Server.start(socketPath, QUEUES);
    await play({
      step,
      server,
      boot: async () => {
        const own = join(folder, `guest-${guests.length + 1}`);
        await Deno.mkdir(own);
        const guest = await Guest.start({
          qemu: frontend.qemu,
          kernel: frontend.kernel,
          initramfs,
          folder: own,
          device: frontend.device(socketPath),
        });
        guests.push(guest);
        return guest;
      },
    });
    await step("nothing of the guests stays in the server", async () => {
      await server!.releasesGuestMemory();
    });
    await step("SIGTERM ends the server with 0 and no complaint", async () => {
      await server!.stop();
    });
  } finally {
    for (const guest of guests) await guest.end();
    await server?.kill();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Everything that a frontend must show. */
export async function fullScenario(
  t: Deno.TestContext,
  frontend: Frontend,
): Promise<void> {
  await withServer(t, frontend, async ({ step, boot, server }) => {
    let guest!: Guest;
    await step(
      "the guest's driver finds the device and its queues",
      async () => {
        guest = await boot();
        await checks.probe(guest, QUEUES, frontend.config);
        await checks.negotiated(guest, frontend.ring);
      },
    );
    await step("the kernel's self-test of the cipher passes", async () => {
      await checks.selfTest(guest);
    });
    await step("two data queues and a control queue are set up", async () => {
      await checks.queuesAreSetUp(guest, QUEUES);
      assert(server.holdsGuestMemory(), "the server maps no guest's memory");
    });
    await step("the vectors of SP 800-38A come out in the guest", async () => {
      await checks.publishedVectors(guest);
    });
    await step(
      "key sizes, lengths, page offsets and pieces agree with the kernel's ciphers",
      async () => await checks.allCases(guest),
    );
    await step("a table of 4035 descriptors is served", async () => {
      await checks.longestRequest(guest);
    });
    await step("four processes work at the same time", async () => {
      await checks.atTheSameTime(guest, 4);
    });
    await step("the driver is removed and loaded again", async () => {
      await checks.reload(guest, QUEUES);
    });
    await step("a session survives stop and cont amid work", async () => {
      await checks.stopAndContinue(guest, 5);
    });
    await step("the guest is reset amid work and works again", async () => {
      await checks.startSoak(guest);
      await guest.qmp("system_reset");
      await guest.booted(2);
      await checks.worksFromProbe(guest, QUEUES);
    });
    await step("the guest reboots itself and works again", async () => {
      await guest.tell("reboot -f");
      await guest.booted(3);
      await checks.worksFromProbe(guest, QUEUES);
    });
    await step(
      "QEMU is killed amid work and the next one is served",
      async () => {
        checks.consoleIsClean(guest);
        await checks.startSoak(guest);
        await guest.end();
        guest = await boot();
        await checks.worksFromProbe(guest, QUEUES);
        await checks.queuesAreSetUp(guest, QUEUES);
      },
    );
    await step("a longer table is refused and the queue goes on", async () => {
      await checks.tooLongRequest(guest);
    });
    await step("the guest's kernel complains of nothing", () => {
      checks.consoleIsClean(guest);
    });
    await step("QEMU quits in order", async () => {
      assertEquals(await guest.quit(), 0);
    });
  });
}

/** What another version of a frontend must show: sessions, requests, and these surviving a stop. */
export async function shortScenario(
  t: Deno.TestContext,
  frontend: Frontend,
): Promise<void> {
  await withServer(t, frontend, async ({ step, boot }) => {
    let guest!: Guest;
    await step("the guest probes and its self-test passes", async () => {
      guest = await boot();
      await checks.worksFromProbe(guest, QUEUES);
      await checks.negotiated(guest, frontend.ring);
      await checks.queuesAreSetUp(guest, QUEUES);
    });
    await step("all requests agree with the kernel's ciphers", async () => {
      await checks.allCases(guest);
    });
    await step("a session survives stop and cont amid work", async () => {
      await checks.stopAndContinue(guest, 3);
    });
    await step("QEMU quits in order", async () => {
      checks.consoleIsClean(guest);
      assertEquals(await guest.quit(), 0);
    });
  });
}

/** Probe and self-test alone: for kernels that keep such drivers from user space. */
export async function probeScenario(
  t: Deno.TestContext,
  frontend: Frontend,
): Promise<void> {
  await withServer(t, frontend, async ({ step, boot }) => {
    let guest!: Guest;
    await step("the guest probes and its self-test passes", async () => {
      guest = await boot();
      await checks.probe(guest, QUEUES, frontend.config);
      await checks.negotiated(guest, frontend.ring);
      await checks.selfTest(guest);
      await checks.queuesAreSetUp(guest, QUEUES);
      checks.consoleIsClean(guest);
    });
    await step("QEMU quits in order", async () => {
      assertEquals(await guest.quit(), 0);
    });
  });
}

/** Says what a run does not cover; returns whether there is anything to say, for a test's `ignore`. */
export function notCovered(what: string, why: string | undefined): boolean {
  if (why !== undefined) {
    console.log(`guest tests: not covered: ${what}: ${why}`);
  }
  return why !== undefined;
}
