/**
 * What is checked of a job before the library gets it.
 *
 * @module
 */

import { hasSize } from "../algorithm.ts";
import type { Context, Job } from "../engine.ts";
import { HALF } from "./native_memory.ts";
import { IMB_CIPHER_CNTR, type Recipe } from "./recipe.ts";

// Imported constants are cells to the compiler, a module's own are numbers.
const TWO_32 = HALF;
const CNTR = IMB_CIPHER_CNTR;

/**
 * Whether a job has the lengths that its algorithm takes, and room for its
 * result. Callers have checked them; native code still takes nothing on trust.
 *
 * @param job the job
 * @param context its context
 * @returns true when it has
 */
export function hasLegalLengths(job: Job, context: Context): boolean {
  const { algorithm, direction } = context;
  const { destination, ivLength, resultLength } = job;
  const decrypts = direction === "decrypt";
  let { length } = job.source;
  let result = resultLength;
  if (algorithm.kind === "cipher") {
    result = length;
  } else if (algorithm.kind === "aead") {
    if (decrypts) length -= resultLength;
    result = decrypts ? length : length + resultLength;
  }
  return length >= algorithm.minimum &&
    (algorithm.block === 1 || length % algorithm.block === 0) &&
    destination.length >= result &&
    (algorithm.iv.max === 0 || hasSize(algorithm.iv, ivLength)) &&
    (algorithm.result.max === 0 || hasSize(algorithm.result, resultLength));
}

/**
 * Bytes of the text of a job: its source without the tag behind it.
 *
 * @param job a job of legal lengths
 * @param context its context
 * @returns number of bytes
 */
export function textLength(
  job: Job,
  context: { readonly isAead: boolean; readonly decrypts: boolean },
): number {
  return context.isAead && context.decrypts
    ? job.source.length - job.resultLength
    : job.source.length;
}

/**
 * Whether the library runs a job.
 *
 * @param recipe how it is asked
 * @param job a job of legal lengths
 * @param length bytes of the job's text
 * @returns true when it does
 */
export function libraryTakes(
  recipe: Recipe,
  job: Job,
  length: number,
): boolean {
  if (
    length === 0 || length > recipe.most || job.aad.length > recipe.mostAad ||
    (recipe.digest > 0 && job.resultLength > recipe.digest)
  ) return false;
  if (recipe.mostIv === 0) return true;
  if (job.ivLength < recipe.leastIv || job.ivLength > recipe.mostIv) {
    return false;
  }
  if (recipe.cipher !== CNTR) return true;
  return !counterWraps(job.ivWords[3]!, length);
}

/**
 * Whether a counter's low 32 bits wrap, which are all that the library counts
 * in: the counter here has 128.
 *
 * @param word the counter's last word as it is read from memory
 * @param length bytes to be ciphered
 * @returns true when they do
 */
export function counterWraps(word: number, length: number): boolean {
  const counter = (word & 0xff) * 0x100_0000 + ((word & 0xff00) << 8) +
    (word >>> 8 & 0xff00) + (word >>> 24);
  return counter + (length >> 4) + 1 >= TWO_32;
}
