/**
 * A thread that runs a primitive for some time: what threads gain by themselves.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { multiBufferPrimitive } from "../primitives/multi_buffer.ts";
import { operationOf } from "../support/operations.ts";

/** What a thread is asked for. */
export interface PrimitiveTask {
  /** Bytes of a request. */
  readonly size: number;
  /** Requests of a turn. */
  readonly count: number;
  /** For how long, in milliseconds. */
  readonly ms: number;
}

self.onmessage = ({ data }: MessageEvent<PrimitiveTask>): void => {
  const { size, count, ms } = data;
  const primitive = multiBufferPrimitive(operationOf("aes-cbc", size), count);
  if (primitive === undefined) {
    self.postMessage(NaN);
    return;
  }
  let turns = 0;
  const start = performance.now();
  let now = start;
  for (; now - start < ms; now = performance.now()) {
    for (let i = 0; i < 50; i++) primitive.run();
    turns += 50;
  }
  self.postMessage(turns * count * 1e3 / (now - start));
};
