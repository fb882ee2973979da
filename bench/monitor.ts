/**
 * What the monitor costs: throughput of a queue of a server with `--monitor`
 * while nobody looks, beside that of a server without; and while somebody
 * looks, beside that while nobody does.
 *
 *     deno task bench:monitor [--pairs=N] [--rounds=N] [--window-ms=N]
 *
 * Looking is compared with not looking in the same server, in windows next to
 * each other: both have the same process, memory and compiled code. For the
 * other comparison pairs of servers are started, each of which is attached to
 * three times, since throughput depends on where memory came to lie. No two
 * processes are alike: a pair counts once, by the middle of its ratios.
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
/** Milliseconds that a server serves before it is measured, and a new load. */
const WARM_MS = 1200;
const WARM_AGAIN_MS = 100;
/** How often both servers of a pair are attached to. */
const ATTACHMENTS = 3;

const given = parseArgs(Deno.args, {
  string: ["pairs", "rounds", "window-ms"],
  default: { pairs: "12", rounds: "4", "window-ms": "500" },
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
function throughput(load: SocketLoad, milliseconds: number): number {
  const start = performance.now();
  let requests = 0;
  let now = start;
  for (; now - start < milliseconds; now = performance.now()) {
    load.serveAsleep(ENTRIES - 1);
    requests += ENTRIES - 1;
  }
  return requests * 1e3 / (now - start);
}

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

/**
 * Ratios of throughput in windows next to each other. Which comes first
 * changes.
 */
async function ratios(
  count: number,
  one: () => Promise<number> | number,
  beside: () => Promise<number> | number,
): Promise<number[]> {
  const found: number[] = [];
  const measure = async (which: typeof one): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    return await which();
  };
  for (let i = 0; i < count; i++) {
    const first = i % 2 === 0 ? await measure(one) : undefined;
    const other = await measure(beside);
    found.push((first ?? await measure(one)) / other);
  }
  return found;
}

function attach({ socket }: Observed): Promise<SocketLoad> {
  return SocketLoad.attach(socket, operation, {
    entries: ENTRIES,
    signals: true,
  });
}

/** Compares a server with a monitor that nobody looks at with one without. */
async function unwatched(
  monitored: Observed,
  without: Observed,
): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < ATTACHMENTS; i++) {
    await using load = await attach(monitored);
    await using plainLoad = await attach(without);
    for (const one of [plainLoad, load]) {
      throughput(one, i === 0 ? WARM_MS : WARM_AGAIN_MS);
      one.verify("a server");
    }
    found.push(
      ...await ratios(
        rounds,
        () => throughput(load, windowMs / 2),
        () => throughput(plainLoad, windowMs / 2),
      ),
    );
  }
  return found;
}

/** Compares a server that is looked at with itself. */
async function watched(
  monitored: Observed,
  looker: Looker,
): Promise<number[]> {
  await using load = await attach(monitored);
  const look = async (): Promise<number> => {
    const looking = looker.look(monitored.url);
    const rate = throughput(load, windowMs);
    await looking;
    await looker.look(null);
    return rate;
  };
  // Code that nobody ran before is compiled, on the worker's processor.
  for (let i = 0; i < 2; i++) await look();
  return await ratios(rounds, look, () => throughput(load, windowMs));
}

/** Measures a pair of servers. */
async function measurePair(looker: Looker, order: number): Promise<void> {
  const servers: Observed[] = [];
  await using stack = new AsyncDisposableStack();
  for (const monitor of order % 2 === 0 ? [false, true] : [true, false]) {
    servers[Number(monitor)] = stack.use(await Observed.start({ monitor }));
  }
  const [without, monitored] = servers as [Observed, Observed];
  pinned = await pinAll(servers) && pinned;
  unwatchedRatios.push(median(await unwatched(monitored, without)));
  watchedRatios.push(...await watched(monitored, looker));
}

function report(what: string, found: readonly number[]): void {
  const cost = (ratio: number): string => `${(100 * (1 - ratio)).toFixed(2)} %`;
  const [low, high] = medianInterval(found);
  console.log(
    `${what}: ${cost(median(found))} (${cost(high)} to ${
      cost(low)
    } at 95 %, ${`${found.length} ratios`})`,
  );
}

/** Middles of pairs of servers. */
const unwatchedRatios: number[] = [];
/** Of all servers. */
const watchedRatios: number[] = [];
let pinned = true;

const looker = new Looker();
for (let i = 0; i < pairs; i++) await measurePair(looker, i);
looker.close();

console.log(
  `aes-cbc 64 B, ${pairs} pairs of servers; ${
    pinned
      ? "servers on the last processor, load and looker on the first"
      : "threads ran where the system put them"
  }`,
);
report("Nobody looks, beside no monitor", unwatchedRatios);
report("Somebody looks, beside nobody looks", watchedRatios);
