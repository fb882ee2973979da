/**
 * Fuzzing of the device as sequences of operations: data requests, rings,
 * sessions and vhost-user messages, each against a model of the rules.
 *
 *     deno task fuzz [--seconds=N] [--seed=N] [--jobs=N] …
 *
 * The cases are run by processes of their own, so that one which hangs or dies
 * is a finding too. What was found is written to a file and made smaller.
 *
 * @module
 */

import {
  formatCase,
  type FuzzCase,
  makeCase,
  parseCase,
  readCorpus,
  runCase,
} from "./case.ts";
import { endFlipper } from "./guest/flipper.ts";
import {
  FOUND,
  type JobFinding,
  type JobOptions,
  type JobState,
  readState,
} from "./job.ts";
import { type FuzzOptions, readOptions, USAGE } from "./options.ts";
import { Progress } from "./progress.ts";
import { stopServers } from "./messages/run.ts";
import { shrink } from "./shrink.ts";

/** After how long a case is looked at closer, in milliseconds. */
const SLOW_MS = 8_000;
/** Processor time that a slow case may use before it counts as hanging, in s. */
const HANG_CPU_S = 5;
/** How long a case may take in any case, and a job to its first one, in ms. */
const HANG_MS = 300_000;
/** How long the replay of a case that hangs is waited for, in milliseconds. */
const REPLAY_MS = 10_000;
/** How long what hangs or dies is made smaller, in milliseconds. */
const SHRINK_MS = 60_000;
/** What separates the seeds of jobs. */
const SEED_STEP = 0x9e37_79b1;

const PERMISSIONS = [
  "--allow-ffi",
  "--allow-read",
  "--allow-write",
  "--allow-run",
];

function deno(args: readonly string[], stdout: "piped" | "inherit") {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
    stdout,
    stderr: "inherit",
  });
}

function script(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

/** Processor time that a process has used, in seconds. */
function cpuSeconds(pid: number): number {
  const { stdout } = new Deno.Command("cat", {
    args: [`/proc/${pid}/stat`],
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(stdout);
  // Behind the name in parentheses: state is field 3, utime 14, stime 15.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A process that runs cases. */
class Job {
  readonly options: JobOptions;
  readonly process: Deno.ChildProcess;
  readonly output: Promise<Deno.CommandOutput>;
  /** Whether it was ended by {@linkcode watch}. */
  hung = false;
  #ended = false;
  #index: number | undefined;
  #since = performance.now();
  /** Processor time it had used when its case turned out slow, in seconds. */
  #cpuBefore: number | undefined;

  constructor(options: JobOptions, coverage: string | undefined) {
    this.options = options;
    this.process = deno([
      "run",
      ...PERMISSIONS,
      ...(coverage === undefined ? [] : [`--coverage=${coverage}`]),
      script("./job.ts"),
      JSON.stringify(options),
    ], "piped").spawn();
    this.output = this.process.output();
    this.output.then(() => this.#ended = true);
  }

  get state(): JobState | undefined {
    return readState(this.options.state);
  }

  /** Ends it when it has stood at one case for too long. */
  watch(): void {
    const { state } = this;
    if (state?.index !== this.#index || state?.shrinking) {
      this.#index = state?.index;
      this.#since = performance.now();
    }
    const waited = performance.now() - this.#since;
    if (this.#ended || waited < SLOW_MS) {
      this.#cpuBefore = undefined;
      return;
    }
    // On a busy machine much time may pass in which it did nothing.
    const cpu = cpuSeconds(this.process.pid);
    this.#cpuBefore ??= cpu;
    const spins = state !== undefined && cpu - this.#cpuBefore > HANG_CPU_S;
    if (!spins && waited < HANG_MS) return;
    this.hung = true;
    this.kill();
  }

  kill(): void {
    if (!this.#ended) this.process.kill("SIGKILL");
  }
}

/** Replays a case in a process of its own. */
async function replayApart(fuzzCase: FuzzCase): Promise<string | undefined> {
  const file = Deno.makeTempFileSync({ suffix: ".json" });
  try {
    Deno.writeTextFileSync(file, formatCase(fuzzCase));
    const process = deno(
      ["run", ...PERMISSIONS, script("./main.ts"), `--case=${file}`],
      "piped",
    ).spawn();
    const timer = setTimeout(() => process.kill("SIGKILL"), REPLAY_MS);
    const { signal, code } = await process.output();
    clearTimeout(timer);
    return signal === null && code < 2 ? undefined : "it hangs or dies";
  } finally {
    Deno.removeSync(file);
  }
}

/** The case that a process was at which was killed, or died. */
async function deadlyCase(job: Job, found: string): Promise<JobFinding> {
  const { options } = job;
  const corpus = options.corpus === undefined
    ? []
    : [...readCorpus(options.corpus).values()];
  const index = job.state?.index ?? 0;
  const fuzzCase = makeCase(options, corpus, index);
  if (await replayApart(fuzzCase) === undefined) {
    return { index, found, fuzzCase, tried: -1 };
  }
  const shrunk = await shrink(fuzzCase, found, replayApart, SHRINK_MS);
  return { ...shrunk, found, index };
}

function report(job: Job, finding: JobFinding): void {
  const { seed } = job.options;
  const { index, found, fuzzCase, tried } = finding;
  const file = `fuzz-${fuzzCase.target}-${seed}-${index}.json`;
  Deno.writeTextFileSync(file, formatCase(fuzzCase, found));
  console.log(`Found by case ${index} of seed ${seed}: ${found}`);
  console.log(
    tried < 0
      ? `It fails only after the cases before it: repeat with --seed=${seed}`
      : `${fuzzCase.operations.length} operations are left of it, after ${tried} smaller ones`,
  );
  console.log(`Replay it with: deno task fuzz --case=${file}`);
}

async function replay(file: string): Promise<number> {
  const found = await runCase(parseCase(Deno.readTextFileSync(file)));
  endFlipper();
  await stopServers().catch(() => {});
  console.log(found ?? "Nothing was found");
  return found === undefined ? 0 : 1;
}

/** Waits until all jobs have ended well, or one has not. */
function firstFailure(jobs: readonly Job[]): Promise<Job | undefined> {
  return new Promise((resolve) => {
    const ends = jobs.map(async (job) => {
      if ((await job.output).code !== 0) resolve(job);
    });
    Promise.all(ends).then(() => resolve(undefined));
  });
}

/** What a job has come to that did not end well. */
async function findingOf(job: Job): Promise<JobFinding> {
  const { code, signal, stdout } = await job.output;
  if (code === FOUND) return JSON.parse(new TextDecoder().decode(stdout));
  return await deadlyCase(
    job,
    job.hung
      ? "a case does not end"
      : `the process died: ${signal ?? `status ${code}`}`,
  );
}

function startJobs(options: FuzzOptions, folder: string): Job[] {
  const { seed, seconds, targets, engines, rings, corpus } = options;
  const until = seconds === 0 ? null : Date.now() + 1000 * seconds;
  return Array.from({ length: options.jobs }, (_, i) =>
    new Job({
      seed: (seed + i * SEED_STEP) >>> 0,
      targets,
      engines,
      rings,
      corpus,
      until,
      state: `${folder}/${i}`,
    }, options.coverage));
}

async function fuzz(options: FuzzOptions): Promise<number> {
  const { seed, seconds, targets, engines, rings } = options;
  const end = seconds === 0 ? "without end" : `${seconds} s`;
  const what = [targets, engines, rings].map((names) => names.join(", "));
  console.log(`Seed ${seed}, ${end}: ${what.join("; ")}`);
  const folder = Deno.makeTempDirSync({ prefix: "virtio-crypto-fuzz-" });
  const jobs = startJobs(options, folder);
  const progress = new Progress();
  const total = () =>
    jobs.reduce((sum, job) => sum + (job.state?.executions ?? 0), 0);
  const tick = setInterval(() => {
    progress.second(total(), jobs.length);
    for (const job of jobs) job.watch();
  }, 1000);
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    for (const job of jobs) job.kill();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const job = await firstFailure(jobs);
    clearInterval(tick);
    progress.end();
    const found = job !== undefined && !interrupted;
    console.log(
      `${total()} executions in ${progress.seconds.toFixed(1)} s${
        found ? "" : ", nothing was found"
      }`,
    );
    if (!found) return 0;
    for (const other of jobs) other.kill();
    report(job, await findingOf(job));
    return 1;
  } finally {
    clearInterval(tick);
    Deno.removeSignalListener("SIGINT", interrupt);
    for (const job of jobs) job.kill();
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Prints what of device/ was reached. */
async function printCoverage(folder: string): Promise<void> {
  const device = new URL("../../device/", import.meta.url).href;
  await deno(["coverage", `--include=^${device}`, folder], "inherit").spawn()
    .status;
}

if (import.meta.main) {
  let options: FuzzOptions | undefined;
  try {
    options = readOptions(Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(2);
  }
  if (options === undefined) {
    console.log(USAGE);
  } else if (options.replay !== undefined) {
    Deno.exit(await replay(options.replay));
  } else {
    const status = await fuzz(options);
    if (options.coverage !== undefined) await printCoverage(options.coverage);
    Deno.exit(status);
  }
}
