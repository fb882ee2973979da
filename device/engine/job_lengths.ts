/**
 * The lengths of a job, looked at again: where an engine works by address, what
 * they say is written.
 *
 * @module
 */

import { hasSize } from "./algorithm.ts";
import type { Context, Job } from "./engine.ts";

/**
 * Bytes of the result of a job whose lengths its algorithm takes. Callers have
 * checked them; a tag of no bytes, say, is still not taken on trust.
 *
 * @param job the job
 * @param context its context
 * @returns number of bytes, or -1 where a length is not legal or the
 * destination is too short
 */
export function resultSize(job: Job, context: Context): number {
  const { algorithm, direction } = context;
  const { destination, ivLength, resultLength } = job;
  let { length } = job.source;
  let result = resultLength;
  switch (algorithm.kind) {
    case "cipher":
      result = length;
      break;
    case "aead":
      if (direction === "decrypt") length -= resultLength;
      result = direction === "decrypt" ? length : length + resultLength;
      break;
  }
  return length >= algorithm.minimum && length % algorithm.block === 0 &&
      destination.length >= result &&
      (algorithm.iv.max === 0 || hasSize(algorithm.iv, ivLength)) &&
      (algorithm.result.max === 0 || hasSize(algorithm.result, resultLength))
    ? result
    : -1;
}
