/**
 * What sessions cost: 64 active of more and more, and all of them at random.
 *
 * @module
 */

import { interleave } from "../support/interleave.ts";
import { LocalDevice } from "../support/local_device.ts";
import { operationOf, sizeName } from "../support/operations.ts";
import { flat, type Line, printTable } from "./result.ts";

const ACTIVE = 64;
const COUNTS = [ACTIVE, 1000, 10_000, 100_000];
const MOST = 100_000;
/** Contexts for every session, and the default of `maxContexts`. */
const CONTEXTS = [131_072, 1024];
/** Requests after which nearly each session has had one. */
const WARM_UP = 8 * MOST;

/** A device of which some sessions are active, spread over all of them. */
function someActive(size: number, sessions: number): LocalDevice {
  const device = new LocalDevice(operationOf("aes-cbc", size), {
    slots: ACTIVE,
    sessions,
  });
  for (let slot = 0; slot < ACTIVE; slot++) {
    const index = Math.floor(slot * sessions / ACTIVE);
    const { low, high } = device.sessions[index]!;
    device.load.setSession(slot, low, high);
  }
  device.verify(`${sessions} sessions`);
  return device;
}

/** Requests of sessions at random, with no work but that of the choice. */
function randomly(device: LocalDevice): () => void {
  const lows = Int32Array.from(device.sessions, ({ low }) => low);
  const highs = Int32Array.from(device.sessions, ({ high }) => high);
  // xorshift32 (Marsaglia, 2003)
  let state = 0x2545f491;
  return () => {
    for (let slot = 0; slot < ACTIVE; slot++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const index = (state >>> 0) % lows.length;
      device.load.setSession(slot, lows[index]!, highs[index]!);
    }
    device.serve(ACTIVE);
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** @returns whether the cost is flat over the number of sessions */
export function activeSessions(): boolean {
  return [64, 4096].map((size) => {
    const devices = COUNTS.map((count) => someActive(size, count));
    const timings = interleave(devices.map((device) => ({
      requests: ACTIVE,
      run: () => device.serve(ACTIVE),
    })));
    for (const device of devices) device.close();
    return printTable(
      `${ACTIVE} active sessions of N, ${sizeName(size)}`,
      flat(
        COUNTS.map((count) => `N = ${count}`),
        timings.map(({ median }) => median),
        1.1,
      ),
    );
  }).every(Boolean);
}

/** @returns whether sessions at random cost no more than they may */
export function randomSessions(): boolean {
  return ([[64, 2], [4096, 1.1]] as const).map(([size, atMost]) => {
    const lines: Line[] = [];
    const few = someActive(size, MOST);
    for (const maxContexts of CONTEXTS) {
      const device = new LocalDevice(operationOf("aes-cbc", size), {
        slots: ACTIVE,
        sessions: MOST,
        device: { maxContexts },
      });
      const run = randomly(device);
      const before = Deno.memoryUsage().rss;
      for (let done = 0; done < WARM_UP; done += ACTIVE) run();
      const grown = Deno.memoryUsage().rss - before;
      device.load.check(`random sessions, ${size} B`);
      const [some, random] = interleave([
        { requests: ACTIVE, run: () => few.serve(ACTIVE) },
        { requests: ACTIVE, run },
      ]);
      lines.push({
        what:
          `${MOST} at random, ${maxContexts} contexts at most: ${device.queue.contexts} kept, resident memory grew ${
            megabytes(grown)
          }`,
        measured: `${random!.median.toFixed(0)} ns, ${ACTIVE} of them ${
          some!.median.toFixed(0)
        } ns`,
        value: random!.median / some!.median,
        atMost,
      });
      device.close();
    }
    few.close();
    return printTable(`Sessions at random, ${sizeName(size)}`, lines);
  }).every(Boolean);
}
