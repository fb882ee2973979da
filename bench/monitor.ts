/**
 * What the monitor costs: throughput of a queue with `serve --monitor` while
 * nobody looks and while somebody does, beside that without, in turn.
 *
 *     deno task bench:monitor [--pairs=N] [--rounds=N] [--window-ms=N]
 *
 * Servers are started anew some times, since no two processes are quite alike.
 * Who looks reads `/api/events` as the page does, and scrapes `/metrics` once a
 * window. Where there is `taskset`, both servers are held to the last processor,
 * so that what the monitor's thread does is taken from the worker; load and
 * looker share the first one, where the load sleeps while its requests are
 * served.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { Observed } from "../tests/monitor/observed.ts";
import { outputOf } from "../tests/support/server_process.ts";
import { median, medianInterval } from "./support/median.ts";
import { operationOf } from "./support/operations.ts";
import { SocketLoad } from "./support/socket_load.ts";

/** A split ring, all of which is offered at once. */
const ENTRIES = 32_768;
/** Milliseconds that a looker looks before its window. */
const AHEAD_MS = 50;

const given = parseArgs(Deno.args, {
  string: ["pairs", "rounds", "window-ms"],
  default: { pairs: "5", rounds: "6", "window-ms": "1000" },
});
const pairs = Number(given.pairs);
const rounds = Number(given.rounds);
const windowMs = Number(given["window-ms"]);

/** Holds a process to a processor; false where that cannot be done. */
async function pin(pid: number, cpu: number): Promise<boolean> {
  try {
    const set = await outputOf(
      "taskset",
      "--all-tasks",
      "--pid",
      "--cpu-list",
      String(cpu),
      String(pid),
    );
    return set !== "";
  } catch {
    return false;
  }
}

/** A looker in a thread of its own. */
class Looker {
  readonly #worker = new Worker(
    new URL("./support/looker.ts", import.meta.url).href,
    { type: "module" },
  );

  /** Starts or stops looking. */
  async look(url: string | null): Promise<void> {
    const done = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) =>
        data === "done" ? resolve(undefined) : reject(new Error(data));
    });
    this.#worker.postMessage(url);
    await done;
  }

  /** Ends the thread. */
  close(): void {
    this.#worker.terminate();
  }
}

/** Requests a second in one window. */
function throughput(load: SocketLoad): number {
  const start = performance.now();
  let requests = 0;
  let now = start;
  for (; now - start < windowMs; now = performance.now()) {
    load.serveAsleep(ENTRIES - 1);
    requests += ENTRIES - 1;
  }
  return requests * 1e3 / (now - start);
}

const CASES = ["no monitor", "nobody looks", "somebody looks"] as const;
type Case = typeof CASES[number];

const operation = operationOf("aes-cbc", 64);
const rates: Record<Case, number[]> = {
  "no monitor": [],
  "nobody looks": [],
  "somebody looks": [],
};

/** Holds everything to a processor; false where that cannot be done. */
async function pinAll(servers: readonly Observed[]): Promise<boolean> {
  const last = navigator.hardwareConcurrency - 1;
  if (last < 1 || !await pin(Deno.pid, 0)) return false;
  const pinned = await Promise.all(
    servers.map(({ process }) => pin(process.pid, last)),
  );
  return pinned.every((one) => one);
}

/** Measures a server with a monitor beside one without; whether pinned. */
async function pair(looker: Looker): Promise<boolean> {
  await using without = await Observed.start({ monitor: false });
  await using monitored = await Observed.start();
  const pinned = await pinAll([without, monitored]);
  const attach = ({ socket }: Observed): Promise<SocketLoad> =>
    SocketLoad.attach(socket, operation, { entries: ENTRIES, signals: true });
  await using plainLoad = await attach(without);
  await using monitoredLoad = await attach(monitored);
  const measure = async (which: Case): Promise<number> => {
    if (which === "no monitor") return throughput(plainLoad);
    if (which === "nobody looks") return throughput(monitoredLoad);
    await looker.look(monitored.url);
    await new Promise((resolve) => setTimeout(resolve, AHEAD_MS));
    const rate = throughput(monitoredLoad);
    await looker.look(null);
    return rate;
  };
  for (const which of CASES) await measure(which);
  plainLoad.verify("without a monitor");
  monitoredLoad.verify("with a monitor");
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < CASES.length; i++) {
      // Each comes first as often as the others.
      const which = CASES[(i + round) % CASES.length]!;
      rates[which].push(await measure(which));
    }
  }
  return pinned;
}

const looker = new Looker();
let pinned = true;
for (let i = 0; i < pairs; i++) pinned = await pair(looker) && pinned;
looker.close();

/** Says what one case costs beside another, by the rounds' ratios. */
function report(which: Case, beside: Case): void {
  const ratios = rates[which].map((rate, i) => rate / rates[beside][i]!);
  const cost = (ratio: number): string => `${(100 * (1 - ratio)).toFixed(1)} %`;
  const [low, high] = medianInterval(ratios);
  console.log(
    `${which}, beside ${beside}: costs ${cost(median(ratios))} (${
      cost(high)
    } to ${cost(low)} at 95 %)`,
  );
}

console.log(
  pinned
    ? "Servers on the last processor, load and looker on the first"
    : "Threads ran where the system put them",
);
console.log(
  `aes-cbc 64 B: ${
    (median(rates["no monitor"]) / 1e3).toFixed(0)
  } thousand requests a second; ${pairs} pairs of servers, ${rounds} rounds of ${windowMs} ms each`,
);
report("nobody looks", "no monitor");
report("somebody looks", "no monitor");
// Two processes are never quite alike; here they are the same.
report("somebody looks", "nobody looks");
