/**
 * What a second data queue on a second core gains, beside what a second
 * process gains `openssl speed`, in the same run.
 *
 * @module
 */

import { median } from "../support/median.ts";
import { opensslSpeed } from "../support/openssl_speed.ts";
import { operationOf, sizeName } from "../support/operations.ts";
import { SocketDevice } from "../support/socket_device.ts";
import type { PrimitiveTask } from "./primitive_worker.ts";
import { type Line, printTable } from "./result.ts";

/** Of split rings: refilled when half is done, so the driver sleeps mostly. */
const ENTRIES = 32_768;
/** Bytes of buffers: they stay in a core's second-level cache, as openssl's. */
const WORKING_SET = 512 * 1024;
const TURNS = 7;
/** How long a turn is, in milliseconds. */
const TURN = 300;

/** Threads that run the multi-buffer library, and nothing else. */
class Library {
  readonly #threads = Array.from(
    { length: 2 },
    () =>
      new Worker(new URL("./primitive_worker.ts", import.meta.url), {
        type: "module",
      }),
  );

  /** Requests a second of `count` threads together; NaN without the library. */
  async speed(count: number, task: PrimitiveTask): Promise<number> {
    const rates = await Promise.all(
      this.#threads.slice(0, count).map((thread) => {
        const { promise, resolve } = Promise.withResolvers<number>();
        thread.onmessage = ({ data }) => resolve(data);
        thread.postMessage(task);
        return promise;
      }),
    );
    return rates.reduce((a, b) => a + b, 0);
  }

  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread.terminate();
  }
}

/** @returns whether the gain is at least nearly that of openssl */
export async function workers(): Promise<boolean> {
  const lines: Line[] = [];
  using library = new Library();
  for (const size of [64, 1024, 16384]) {
    const operation = operationOf("aes-cbc", size);
    const slots = Math.min(64, WORKING_SET / (2 * size));
    const options = { entries: ENTRIES, signals: true, slots };
    await using one = await SocketDevice.start(operation, options);
    await using two = await SocketDevice.start(operation, {
      ...options,
      queues: 2,
    });
    const rates: Record<string, number[]> = {
      one: [],
      two: [],
      o1: [],
      o2: [],
      l1: [],
      l2: [],
    };
    const task = { size, count: slots, ms: TURN };
    for (const device of [one, two]) device.serveSteadily(TURN);
    one.verify("one queue");
    two.verify("two queues");
    for (let turn = 0; turn < TURNS; turn++) {
      rates.o1!.push(await opensslSpeed("aes-128-cbc", size, 1) ?? NaN);
      rates.one!.push(one.serveSteadily(TURN));
      rates.o2!.push(await opensslSpeed("aes-128-cbc", size, 2) ?? NaN);
      rates.two!.push(two.serveSteadily(TURN));
      // Not judged: how much of a loss is the machine's.
      rates.l1!.push(await library.speed(1, task));
      rates.l2!.push(await library.speed(2, task));
    }
    const gain = median(rates.two!) / median(rates.one!);
    const opensslGain = median(rates.o2!) / median(rates.o1!);
    const libraryGain = median(rates.l2!) / median(rates.l1!);
    lines.push({
      what: sizeName(size),
      measured: `gain ${gain.toFixed(2)}, openssl's ${
        opensslGain.toFixed(2)
      }, the multi-buffer library's own ${libraryGain.toFixed(2)}`,
      value: gain / opensslGain,
      atLeast: 0.95,
    });
  }
  return printTable("Two queues on two cores", lines);
}
