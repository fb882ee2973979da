/**
 * Makes a case that fails smaller, as long as it still fails.
 *
 * @module
 */

import type { FuzzCase } from "./case.ts";

/** Runs a case; tells what went wrong, undefined for nothing. */
export type Runner = (fuzzCase: FuzzCase) => Promise<string | undefined>;

/** What a case came to. */
export interface Shrunk {
  readonly fuzzCase: FuzzCase;
  readonly found: string;
  /** How many smaller cases were tried. */
  readonly tried: number;
}

type Plain = null | boolean | number | string | readonly Plain[] | {
  readonly [key: string]: Plain;
};

/** Fields that say what an operation is. */
const FIXED: ReadonlySet<string> = new Set(["op", "form", "style"]);
/** Fields that an operation need not have. */
const OPTIONAL: ReadonlySet<string> = new Set([
  "words",
  "extra",
  "patches",
  "high",
  "idXor",
  "sealed",
  "chain",
  "first",
  "claims",
]);

/**
 * Shrinks a case.
 *
 * @param fuzzCase the case
 * @param found what it finds
 * @param run runs a candidate
 * @param limitMs when to be content with what there is, in milliseconds
 * @returns the smallest case that was found
 */
export async function shrink(
  fuzzCase: FuzzCase,
  found: string,
  run: Runner,
  limitMs: number,
): Promise<Shrunk> {
  const until = performance.now() + limitMs;
  let best = { fuzzCase, found, tried: 0 };
  const attempt = async (candidate: FuzzCase): Promise<boolean> => {
    if (performance.now() > until) return false;
    best = { ...best, tried: best.tried + 1 };
    const again = await run(candidate);
    if (again === undefined || !isLike(again, found)) return false;
    best = { ...best, fuzzCase: candidate, found: again };
    return true;
  };
  await dropOperations(() => best.fuzzCase, attempt);
  for (let smaller = true; smaller && performance.now() < until;) {
    smaller = await simplifyValues(() => best.fuzzCase, attempt);
    if (await dropOperations(() => best.fuzzCase, attempt)) smaller = true;
  }
  return best;
}

/** Whether two findings may be the same: an exception is no wrong answer. */
function isLike(one: string, other: string): boolean {
  const thrown = (text: string) => / threw (.*)/.exec(text)?.[1];
  return thrown(one) === thrown(other);
}

type Attempt = (candidate: FuzzCase) => Promise<boolean>;

/** Leaves out runs of operations, the longest first. */
async function dropOperations(
  current: () => FuzzCase,
  attempt: Attempt,
): Promise<boolean> {
  let dropped = false;
  for (let size = current().operations.length; size >= 1; size >>= 1) {
    for (let at = 0; at < current().operations.length;) {
      const { operations } = current();
      const candidate = {
        ...current(),
        operations: operations.toSpliced(at, size),
      } as FuzzCase;
      if (await attempt(candidate)) dropped = true;
      else at += size;
    }
  }
  return dropped;
}

/** Makes values smaller, one at a time. */
async function simplifyValues(
  current: () => FuzzCase,
  attempt: Attempt,
): Promise<boolean> {
  let simplified = false;
  for (let at = 0; at < current().operations.length; at++) {
    // A change makes other places: they are looked for anew each time.
    for (let place = 0;; place++) {
      const { operations } = current();
      const candidates = simplerAt(operations[at] as unknown as Plain, place);
      if (candidates === undefined) break;
      for (const operation of candidates) {
        const candidate = {
          ...current(),
          operations: operations.with(at, operation as never),
        } as FuzzCase;
        if (!await attempt(candidate)) continue;
        simplified = true;
        break;
      }
    }
  }
  return simplified;
}

/** Simpler values for the numbered place; undefined where there is none. */
function simplerAt(value: Plain, place: number): Plain[] | undefined {
  let count = 0;
  const visit = (part: Plain, key: string): Plain[] | undefined => {
    if (count++ === place) {
      return FIXED.has(key) ? [] : simplerValues(part, key);
    }
    if (Array.isArray(part)) {
      for (const [i, item] of part.entries()) {
        const found = visit(item, key);
        if (found !== undefined) return found.map((v) => part.with(i, v));
      }
    } else if (typeof part === "object" && part !== null) {
      for (const [name, item] of Object.entries(part)) {
        const found = visit(item, name);
        if (found !== undefined) {
          return found.map((v) => ({ ...part, [name]: v }));
        }
      }
    }
    return undefined;
  };
  return visit(value, "");
}

function simplerValues(value: Plain, key: string): Plain[] {
  if (typeof value === "number") {
    const candidates = [0, 1, value >> 1, value - 1];
    return candidates.filter((v) => v >= 0 && v < value);
  }
  if (typeof value === "boolean") return value ? [false] : [];
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    return [[], ...value.map((_, i) => value.toSpliced(i, 1))];
  }
  if (typeof value === "object" && value !== null) {
    const mayGo = (name: string) =>
      OPTIONAL.has(name) || key === "fields" ||
      (key === "patches" && name !== "at");
    return Object.keys(value).filter(mayGo).map((name) => {
      const { [name]: _, ...rest } = value as { [name: string]: Plain };
      return rest;
    });
  }
  return [];
}
