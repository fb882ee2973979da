/**
 * What the monitor costs: throughput of a queue with `serve --monitor` while
 * nobody looks and while somebody does, beside that without, in turn.
 *
 *     deno task bench:monitor [--pairs=N] [--rounds=N] [--window-ms=N]
 *
 * Looking is compared with not looking in the same server, in windows next to
 * each other: each ratio has the same process, memory and compiled code on both
 * sides. With a monitor is compared with without in pairs of servers. No two
 * processes are alike, so a pair counts once, by its middle ratio.
 *
 * Who looks opens the page's stream and scrapes `/metrics`, in every window
 * anew, and in the window: more than a page that stays open, and a Prometheus
 * that comes every 15 seconds. Where there is `taskset`, both servers are held
 * to the last processor, so that what the monitor's thread does is taken from
 * the worker; load and looker share the first one, where the load sleeps while
 * its requests are served.
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
/** Milliseconds between two windows: what the last one left is done then. */
const REST_MS = 20;
/** Milliseconds that each server serves before it is measured. */
const WARM_MS = 1500;

const given = parseArgs(Deno.args, {
  string: ["pairs", "rounds", "window-ms"],
  default: { pairs: "12", rounds: "8", "window-ms": "500" },
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
function throughput(load: SocketLoad, milliseconds = windowMs): number {
  const start = performance.now();
  let requests = 0;
  let now = start;
  for (; now - start < milliseconds; now = performance.now()) {
    load.serveAsleep(ENTRIES - 1);
    requests += ENTRIES - 1;
  }
  return requests * 1e3 / (now - start);
}

const CASES = ["no monitor", "nobody looks", "somebody looks"] as const;
type Case = typeof CASES[number];

/** The orders in which a round can have them. */
const ORDERS: readonly (readonly Case[])[] = [
  ["no monitor", "nobody looks", "somebody looks"],
  ["somebody looks", "nobody looks", "no monitor"],
  ["nobody looks", "somebody looks", "no monitor"],
  ["no monitor", "somebody looks", "nobody looks"],
];

/** Requests a second of each round, by case. */
type Rates = Readonly<Record<Case, number[]>>;

const operation = operationOf("aes-cbc", 64);

/** Holds everything to a processor; false where that cannot be done. */
async function pinAll(servers: readonly Observed[]): Promise<boolean> {
  const last = navigator.hardwareConcurrency - 1;
  if (last < 1 || !await pin(Deno.pid, 0)) return false;
  const pinned = await Promise.all(
    servers.map(({ process }) => pin(process.pid, last)),
  );
  return pinned.every((one) => one);
}

/** Measures a server with a monitor beside one without. */
async function measurePair(looker: Looker): Promise<[Rates, boolean]> {
  await using without = await Observed.start({ monitor: false });
  await using monitored = await Observed.start();
  const pinned = await pinAll([without, monitored]);
  const attach = ({ socket }: Observed): Promise<SocketLoad> =>
    SocketLoad.attach(socket, operation, { entries: ENTRIES, signals: true });
  await using plainLoad = await attach(without);
  await using monitoredLoad = await attach(monitored);
  const measure = async (which: Case): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    if (which === "no monitor") return throughput(plainLoad);
    if (which === "nobody looks") return throughput(monitoredLoad);
    const looking = looker.look(monitored.url);
    const rate = throughput(monitoredLoad);
    await looking;
    await looker.look(null);
    return rate;
  };
  throughput(plainLoad, WARM_MS);
  throughput(monitoredLoad, WARM_MS);
  // Code that nobody ran before is compiled, on the worker's processor.
  for (const which of CASES) await measure(which);
  await measure("somebody looks");
  plainLoad.verify("without a monitor");
  monitoredLoad.verify("with a monitor");
  const rates: Rates = {
    "no monitor": [],
    "nobody looks": [],
    "somebody looks": [],
  };
  for (let round = 0; round < rounds; round++) {
    for (const which of ORDERS[round % ORDERS.length]!) {
      rates[which].push(await measure(which));
    }
  }
  return [rates, pinned];
}

/** What one case costs beside another in each round, as a part of it. */
function costs(rates: Rates, which: Case, beside: Case): number[] {
  return rates[which].map((rate, i) => 1 - rate / rates[beside][i]!);
}

function report(what: string, values: readonly number[]): void {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  const [low, high] = medianInterval(values);
  console.log(
    `${what}: ${percent(median(values))} (${percent(low)} to ${
      percent(high)
    } at 95 %, ${values.length} values)`,
  );
}

const looker = new Looker();
const measured: Rates[] = [];
let pinned = true;
for (let i = 0; i < pairs; i++) {
  const [rates, held] = await measurePair(looker);
  measured.push(rates);
  pinned &&= held;
}
looker.close();

console.log(
  pinned
    ? "Servers on the last processor, load and looker on the first"
    : "Threads ran where the system put them",
);
const plain = median(measured.flatMap((rates) => rates["no monitor"]));
console.log(
  `aes-cbc 64 B: ${
    (plain / 1e3).toFixed(0)
  } thousand requests a second; ${`${pairs} pairs of servers, ${rounds} rounds of ${windowMs} ms each`}`,
);
report(
  "A monitor costs while nobody looks, by pairs of servers",
  measured.map((rates) => median(costs(rates, "nobody looks", "no monitor"))),
);
report(
  "To be looked at costs, by rounds in the same server",
  measured.flatMap((rates) => costs(rates, "somebody looks", "nobody looks")),
);
report(
  "A monitor costs while somebody looks, by pairs of servers",
  measured.map((rates) => median(costs(rates, "somebody looks", "no monitor"))),
);
