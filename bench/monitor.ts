/**
 * What `serve --monitor` costs while nobody looks, and while somebody does.
 *
 *     deno task bench:monitor [--pairs=N] [--servers=N] [--rounds=N]
 *
 * While nobody looks, the monitor's thread sleeps, and each round of a queue asks
 * whether its requests are to be logged. So queues with a log are compared with
 * queues without, on one thread and in its own time, where no other process is
 * between them; and of many pairs, since it matters where their memory came to
 * lie.
 *
 * Looking is compared with not looking in the same server, in windows next to
 * each other: both have the same process, memory and compiled code. Who looks
 * opens the page's stream and scrapes `/metrics`, in every window anew, and in
 * the window: more than a page that stays open, and a Prometheus that comes
 * every 15 seconds. Where there is `taskset`, the server is held to the last
 * processor, so that what the monitor's thread does is taken from the worker;
 * load and looker share the first one, where the load sleeps while its requests
 * are served.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { Observed } from "../tests/monitor/observed.ts";
import { outputOf } from "../tests/support/server_process.ts";
import { threadMs } from "./support/cpu_clock.ts";
import { LocalDevice } from "./support/local_device.ts";
import { median, medianInterval } from "./support/median.ts";
import { operationOf } from "./support/operations.ts";
import { SocketLoad } from "./support/socket_load.ts";

/** A split ring, all of which is offered at once. */
const ENTRIES = 32_768;
/** Windows of a pair of queues, and their milliseconds. */
const QUEUE_WINDOWS = 15;
const QUEUE_MS = 20;
/** The window of a server, and what is between two: the last one's end. */
const WINDOW_MS = 500;
const REST_MS = 20;
/** Looks before any is measured: code that nobody ran before is compiled. */
const WARM_LOOKS = 6;

const given = parseArgs(Deno.args, {
  string: ["pairs", "servers", "rounds"],
  default: { pairs: "40", servers: "3", rounds: "20" },
});
const operation = operationOf("aes-cbc", 64);

/** Ratios of windows next to each other, of which either comes first. */
async function ratios(
  count: number,
  one: () => Promise<number> | number,
  beside: () => Promise<number> | number,
): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    const first = i % 2 === 0 ? await one() : undefined;
    const other = await beside();
    found.push((first ?? await one()) / other);
  }
  return found;
}

function report(what: string, found: readonly number[]): void {
  const cost = (ratio: number): string => `${(100 * (1 - ratio)).toFixed(2)} %`;
  const [low, high] = medianInterval(found);
  console.log(
    `${what}: costs ${cost(median(found))} (${cost(high)} to ${
      cost(low)
    } at ${`95 %, ${found.length} ratios`})`,
  );
}

/** Requests that a queue serves in a millisecond of this thread. */
function queueRate(device: LocalDevice, depth: number): number {
  const start = threadMs();
  let requests = 0;
  let now = start;
  for (; now - start < QUEUE_MS; now = threadMs()) {
    for (let i = 0; i < 8192; i += depth) device.serve(depth);
    requests += 8192;
  }
  return requests / (now - start);
}

/** Compares queues that keep a log nobody reads with such that keep none. */
async function compareQueues(depth: number): Promise<void> {
  const middles: number[] = [];
  for (let pair = 0; pair < Number(given.pairs); pair++) {
    const devices: LocalDevice[] = [];
    // Neither is always the first to have its memory.
    for (const logging of [pair % 2, 1 - pair % 2]) {
      devices[logging] = new LocalDevice(operation, {
        device: { logRecords: logging === 1 ? 1024 : undefined },
      });
    }
    const [without, logging] = devices as [LocalDevice, LocalDevice];
    const measure = (count: number): Promise<number[]> =>
      ratios(
        count,
        () => queueRate(logging, depth),
        () => queueRate(without, depth),
      );
    await measure(pair === 0 ? 4 * QUEUE_WINDOWS : QUEUE_WINDOWS / 3);
    middles.push(median(await measure(QUEUE_WINDOWS)));
    for (const device of devices) {
      device.verify("a queue");
      device.close();
    }
  }
  report(`Nobody looks, ${depth} in the ring`, middles);
}

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
  for (; now - start < WINDOW_MS; now = performance.now()) {
    load.serveAsleep(ENTRIES - 1);
    requests += ENTRIES - 1;
  }
  return requests * 1e3 / (now - start);
}

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Compares a server that is looked at with itself; whether it was held. */
async function compareLooks(found: number[], looker: Looker): Promise<boolean> {
  await using server = await Observed.start();
  const last = navigator.hardwareConcurrency - 1;
  const pinned = last > 0 && await pin(Deno.pid, 0) &&
    await pin(server.process.pid, last);
  await using load = await SocketLoad.attach(server.socket, operation, {
    entries: ENTRIES,
    signals: true,
  });
  load.verify("a server");
  const unwatched = async (): Promise<number> => {
    await rest(REST_MS);
    return throughput(load);
  };
  const watched = async (): Promise<number> => {
    await rest(REST_MS);
    const looking = looker.look(server.url);
    const rate = throughput(load);
    await looking;
    await looker.look(null);
    return rate;
  };
  await ratios(WARM_LOOKS, watched, unwatched);
  found.push(...await ratios(Number(given.rounds), watched, unwatched));
  return pinned;
}

await compareQueues(1);
await compareQueues(64);
const found: number[] = [];
const looker = new Looker();
let pinned = true;
for (let i = 0; i < Number(given.servers); i++) {
  pinned = await compareLooks(found, looker) && pinned;
}
looker.close();
report(
  pinned
    ? "Somebody looks, server on a processor of its own"
    : "Somebody looks, threads where the system put them",
  found,
);
