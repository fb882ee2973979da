/**
 * Middles of measured numbers, and how sure they are.
 *
 * @module
 */

/** Standard deviations of a normal distribution around 95 % of it. */
const Z = 1.96;

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Where the median of what was sampled lies, at 95 % (the order statistics of
 * a binomial distribution, which know nothing of how values are distributed).
 *
 * @param values the sample, of six or more
 * @returns the interval's ends
 */
export function medianInterval(
  values: readonly number[],
): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const { length } = sorted;
  const reach = Z * Math.sqrt(length) / 2;
  const low = Math.max(0, Math.floor(length / 2 - reach));
  return [sorted[low]!, sorted[length - 1 - low]!];
}
