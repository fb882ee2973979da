/**
 * One process of a run: it makes cases and runs them until it is ended or one
 * fails. Where it stands it writes to a file, which outlives it.
 *
 * @module
 */

import {
  type FuzzCase,
  makeCase,
  readCorpus,
  runCase,
  type RunOptions,
} from "./case.ts";
import { endFlipper } from "./guest/flipper.ts";
import { messageSetup } from "./messages/generate.ts";
import { startServer, stopServers } from "./messages/run.ts";
import { shrink } from "./shrink.ts";

/** What a job is told. Plain data. */
export interface JobOptions extends RunOptions {
  /** Folder of the corpus; undefined for none. */
  readonly corpus: string | undefined;
  /** When it ends, in milliseconds since 1970; Infinity is null in JSON. */
  readonly until: number | null;
  /** File that says where it stands. */
  readonly state: string;
}

/** Where a job stands. */
export interface JobState {
  /** Number of the case that is run. */
  readonly index: number;
  /** Operations that were run. */
  readonly executions: number;
  /** Whether it is shrinking what it found. */
  readonly shrinking: boolean;
}

/** What a job that found something prints, as JSON. */
export interface JobFinding {
  readonly index: number;
  readonly found: string;
  readonly fuzzCase: FuzzCase;
  /** Smaller cases that were tried; -1: it fails only after those before it. */
  readonly tried: number;
}

/** Status of a job that found something: 1 is that of an exception. */
export const FOUND = 10;

/** Findings that only say that something did not come in time. */
const LATE = /no answer|not answer|in vain|Timeout/;

/** How long a finding is made smaller, in milliseconds. */
const SHRINK_MS = 20_000;

/**
 * Reads where a job stands.
 *
 * @param path the job's file
 * @returns the state; undefined before its first case
 */
export function readState(path: string): JobState | undefined {
  try {
    const bytes = Deno.readFileSync(path);
    if (bytes.length < 24) return undefined;
    const [index, executions, shrinking] = new Float64Array(bytes.buffer);
    return {
      index: index!,
      executions: executions!,
      shrinking: shrinking !== 0,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function runJob(options: JobOptions): Promise<JobFinding | undefined> {
  const corpus = options.corpus === undefined
    ? []
    : [...readCorpus(options.corpus).values()];
  const until = options.until ?? Infinity;
  using file = Deno.openSync(options.state, { write: true, create: true });
  const words = new Float64Array(3);
  const bytes = new Uint8Array(words.buffer);
  const save = () => {
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(bytes);
  };
  if (options.targets.includes("messages")) {
    await startServer(messageSetup(options));
  }
  for (let index = 0; Date.now() < until; index++) {
    words[0] = index;
    save();
    const fuzzCase = makeCase(options, corpus, index);
    const found = await runCase(fuzzCase);
    words[1]! += fuzzCase.operations.length;
    if (found === undefined) continue;
    words[2] = 1;
    save();
    const again = await runCase(fuzzCase);
    if (again === undefined && LATE.test(found)) {
      // A busy machine: another process may have had all the time.
      console.error(`Case ${index} was late once: ${found}`);
      words[2] = 0;
      continue;
    }
    if (again === undefined) return { index, found, fuzzCase, tried: -1 };
    return { index, ...await shrink(fuzzCase, again, runCase, SHRINK_MS) };
  }
  return undefined;
}

if (import.meta.main) {
  const finding = await runJob(JSON.parse(Deno.args[0]!));
  if (finding !== undefined) console.log(JSON.stringify(finding));
  endFlipper();
  await stopServers().catch(() => {});
  Deno.exit(finding === undefined ? 0 : FOUND);
}
