/**
 * The process that `garbage.ts` watches: requests by the hundred thousand on
 * one thread, between two collections that are asked for.
 *
 *     deno run --v8-flags=--trace-gc,--expose-gc … ENGINE ALGORITHM SIZE DEPTH FORMAT COUNT
 *
 * @module
 */

import { Session as Inspector } from "node:inspector";
import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import { type EngineChoice, LocalDevice } from "./local_device.ts";
import { operationOf } from "./operations.ts";

/** Where objects were made: so many bytes in a function. */
interface AllocationSite {
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly AllocationSite[];
}

/** Requests that are sampled for where garbage comes from. */
const SAMPLED = 200_000;
/** Bytes between samples, on average. */
const INTERVAL = 512;
/** What is less than this, in bytes a request, is the sampling's own. */
const LEAST = 0.5;

const [engine, name, size, depth, format, count] = Deno.args as [
  EngineChoice,
  AlgorithmName,
  string,
  string,
  "split" | "packed",
  string,
];
const { gc } = globalThis as unknown as { gc(): void };
const at = Number(depth);
const device = new LocalDevice(operationOf(name, Number(size)), {
  engine,
  format,
});

function serve(requests: number): void {
  for (let done = 0; done < requests; done += at) device.serve(at);
}

device.verify(name);
serve(Number(count) / 5);
device.verify(name);
gc();
serve(Number(count));
gc();
device.verify(name);

const inspector = new Inspector();
inspector.connect();
const post = (method: string, parameters?: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    inspector.post(method, parameters, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
await post("HeapProfiler.enable");
await post("HeapProfiler.startSampling", {
  samplingInterval: INTERVAL,
  includeObjectsCollectedByMinorGC: true,
  includeObjectsCollectedByMajorGC: true,
});
serve(SAMPLED);
const { profile } = await post("HeapProfiler.stopSampling") as {
  profile: { head: AllocationSite };
};
const sites = new Map<string, number>();
function add(site: AllocationSite, caller: string): void {
  const { functionName, lineNumber, url } = site.callFrame;
  const place = url.replace(/^.*\/(device|workers|bench)\//, "$1/");
  const here = `${functionName || "?"} ${place}:${lineNumber + 1}`;
  if (site.selfSize > 0 && /^(device|bench)\//.test(place)) {
    const key = `${here} < ${caller}`;
    sites.set(key, (sites.get(key) ?? 0) + site.selfSize);
  }
  for (const child of site.children) add(child, here);
}
add(profile.head, "");
inspector.disconnect();
for (const [site, bytes] of [...sites].sort((a, b) => b[1] - a[1])) {
  if (bytes / SAMPLED >= LEAST) {
    console.log(`site ${(bytes / SAMPLED).toFixed(1)} ${site}`);
  }
}
device.close();
