/**
 * What sessions cost: 64 active of more and more, and all of them at random.
 *
 * @module
 */

import { interleave } from "../support/interleave.ts";
import { LocalDevice, type SessionId } from "../support/local_device.ts";
import { operationOf, sizeName } from "../support/operations.ts";
import { flat, type Line, printTable } from "./result.ts";

const ACTIVE = 64;
const COUNTS = [ACTIVE, 1000, 10_000, 100_000];
const MOST = 100_000;
/**
 * Choices made before: after them the same ones come again. So few that they
 * leave the keys their place in the processor's last cache.
 */
const CHOICES = 1 << 19;
/** Requests after which nearly each session has had one. */
const WARM_UP = 8 * MOST;

/** As many sessions as are active, from all over those that there are. */
function spread({ sessions }: LocalDevice): SessionId[] {
  return Array.from(
    { length: ACTIVE },
    (_, i) => sessions[Math.floor(i * sessions.length / ACTIVE)]!,
  );
}

/** A device of which some sessions are active, spread over all of them. */
function someActive(size: number, sessions: number): LocalDevice {
  const device = new LocalDevice(operationOf("aes-cbc", size), {
    slots: ACTIVE,
    sessions,
  });
  spread(device).forEach(({ low, high }, slot) => {
    device.load.setSession(slot, low, high);
  });
  device.verify(`${sessions} sessions`);
  return device;
}

/** Requests of any of some sessions. The choice is made before: it is the driver's. */
function randomly(
  device: LocalDevice,
  sessions: readonly SessionId[],
): () => void {
  const choice = new Int32Array(2 * CHOICES);
  // xorshift32 (Marsaglia, 2003)
  let state = 0x2545f491;
  for (let i = 0; i < choice.length; i += 2) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const { low, high } = sessions[(state >>> 0) % sessions.length]!;
    choice[i] = low;
    choice[i + 1] = high;
  }
  let next = 0;
  return () => {
    for (let slot = 0; slot < ACTIVE; slot++, next += 2) {
      if (next === choice.length) next = 0;
      device.load.setSession(slot, choice[next]!, choice[next + 1]!);
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
        timings,
        1.1,
      ),
    );
  }).every(Boolean);
}

/** @returns whether sessions at random cost no more than they may */
export function randomSessions(): boolean {
  return ([[64, 2], [4096, 1.1]] as const).map(([size, atMost]) => {
    const lines: Line[] = [];
    const few = new LocalDevice(operationOf("aes-cbc", size), {
      slots: ACTIVE,
      sessions: MOST,
    });
    // The driver's part is in both times.
    const runFew = randomly(few, spread(few));
    const device = new LocalDevice(operationOf("aes-cbc", size), {
      slots: ACTIVE,
      sessions: MOST,
    });
    const run = randomly(device, device.sessions);
    const before = Deno.memoryUsage().rss;
    for (let done = 0; done < WARM_UP; done += ACTIVE) run();
    const grown = Deno.memoryUsage().rss - before;
    device.load.check(`random sessions, ${size} B`);
    const [some, random] = interleave([
      { requests: ACTIVE, run: runFew },
      { requests: ACTIVE, run },
    ]);
    lines.push({
      what: `${MOST} at random: ${
        megabytes(device.queue.keyBytes)
      } of keys, resident memory grew ${megabytes(grown)}`,
      measured: `${random!.median.toFixed(0)} ns, ${ACTIVE} of them ${
        some!.median.toFixed(0)
      } ns`,
      value: random!.ratio,
      atMost,
    });
    device.close();
    few.close();
    return printTable(`Sessions at random, ${sizeName(size)}`, lines);
  }).every(Boolean);
}
