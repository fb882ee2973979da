/**
 * The options of a run.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { EngineName } from "../../device/engine/engine.ts";
import { openEngines } from "../../device/engine/engines.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import { type RunOptions, TARGETS } from "./case.ts";

/** Options of the command. */
export interface FuzzOptions extends RunOptions {
  /** 0 for no end. */
  readonly seconds: number;
  readonly jobs: number;
  /** Folder of the corpus; undefined for none. */
  readonly corpus: string | undefined;
  /** A file to replay. */
  readonly replay: string | undefined;
  /** Where coverage is kept; undefined: it is not measured. */
  readonly coverage: string | undefined;
}

/** What is printed for --help. */
export const USAGE = `deno task fuzz [OPTIONS]

  --seed=N            where the cases come from; printed at the start
  --seconds=N         how long; 0 without end (60)
  --target=NAME,...   requests, rings, sessions, messages (all)
  --engine=NAME,...   noble, libcrypto, ipsec-mb, auto (all there are)
  --ring=NAME,...     split, packed (both)
  --jobs=N            processes side by side (1)
  --case=FILE         run one case and end
  --corpus=DIR        cases to begin with (tests/fuzz/corpus); empty for none
  --coverage[=DIR]    print what of device/ was reached (coverage/)`;

const RINGS = ["split", "packed"] as const;
const ENGINES = ["noble", "libcrypto", "ipsec-mb", "auto"] as const;
const CORPUS = new URL("./corpus", import.meta.url).pathname;

function names<T extends string>(
  option: string,
  value: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (value === undefined) return all;
  const chosen = value.split(",");
  for (const name of chosen) {
    if (!(all as readonly string[]).includes(name)) {
      throw new RangeError(
        `Cannot fuzz --${option}=${name}: there are ${all.join(", ")}`,
      );
    }
  }
  return chosen as T[];
}

function number(
  option: string,
  value: string | undefined,
  standard: number,
): number {
  if (value === undefined) return standard;
  if (!/^\d+$/.test(value)) {
    throw new RangeError(`Cannot use --${option}=${value}: it is no number`);
  }
  return Number(value);
}

/** Engines that can be loaded; says of the others that they are not covered. */
function loadable(
  engines: readonly (EngineName | "auto")[],
): (EngineName | "auto")[] {
  return engines.filter((name) => {
    if (name === "auto") return true;
    try {
      openEngines([name]);
      return true;
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error;
      console.log(`Not covered: the engine ${name}: ${error.message}`);
      return false;
    }
  });
}

/**
 * Reads the options.
 *
 * @param args the command's arguments
 * @returns the options; undefined where only help is asked for
 * @throws {RangeError} An option is unknown, or has a value it cannot have
 */
export function readOptions(args: readonly string[]): FuzzOptions | undefined {
  const strings = [
    "seed",
    "seconds",
    "target",
    "engine",
    "ring",
    "jobs",
    "case",
    "corpus",
    "coverage",
  ] as const;
  const parsed = parseArgs([...args], {
    string: [...strings],
    boolean: ["help"],
    unknown: (name: string) => {
      throw new RangeError(`Cannot use ${name}: see --help`);
    },
  });
  if (parsed.help) return undefined;
  const { corpus = CORPUS, coverage } = parsed;
  return {
    seed: number("seed", parsed.seed, Date.now() % 1_000_000_000) >>> 0,
    seconds: number("seconds", parsed.seconds, 60),
    targets: names("target", parsed.target, TARGETS),
    engines: loadable(names("engine", parsed.engine, ENGINES)),
    rings: names("ring", parsed.ring, RINGS),
    jobs: Math.max(1, number("jobs", parsed.jobs, 1)),
    corpus: corpus === "" ? undefined : corpus,
    replay: parsed.case,
    coverage: coverage === "" ? "coverage" : coverage,
  };
}
