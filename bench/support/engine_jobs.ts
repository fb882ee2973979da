/**
 * Jobs of one operation for an engine, on shared memory, without a device.
 *
 * @module
 */

import { type Engine, Job, JobOutcome } from "../../device/engine/engine.ts";
import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import { SegmentTable, type Span } from "../../device/memory/segments.ts";
import { LoadMemory, plainRegion } from "./load_memory.ts";
import type { EngineChoice } from "./local_device.ts";
import { checkResult, type Operation } from "./operations.ts";

/** Added between buffers, so that they do not share sets of the cache. */
const STAGGER = 320;

/** An engine, and the name it is asked for by. */
export interface NamedEngine {
  readonly name: EngineChoice;
  readonly engine: Engine;
}

/**
 * The engines whose libraries are there, and all of them as one. Those that
 * are not are named on standard error.
 *
 * @returns the engines
 */
export function availableEngines(): NamedEngine[] {
  const found: NamedEngine[] = [];
  for (const name of ENGINE_NAMES) {
    try {
      found.push({ name, engine: openEngines([name])[0]! });
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error;
      console.error(`Not measured: the engine ${name}. ${error.message}`);
    }
  }
  return [...found, { name: "auto", engine: openEngines(ENGINE_NAMES)[0]! }];
}

function never(): boolean {
  return false;
}

/** Jobs that an engine runs as one batch, each on buffers of its own. */
export class EngineJobs {
  readonly #engine: Engine;
  readonly #operation: Operation;
  readonly #jobs: Job[];
  readonly #memory: LoadMemory;
  readonly #segments: SegmentTable;
  readonly #results: readonly Uint8Array[];

  /**
   * @param engine an engine that serves the operation
   * @param operation the operation
   * @param count number of jobs
   */
  constructor(engine: Engine, operation: Operation, count: number) {
    const { algorithm, direction, expected, iv, key, source } = operation;
    const each = 2 * (source.length + 64 + STAGGER + 128);
    this.#engine = engine;
    this.#operation = operation;
    this.#memory = new LoadMemory([plainRegion(count * each)]);
    this.#segments = new SegmentTable(2 * count);
    const context = engine.prepare(algorithm, direction, key);
    const results: Uint8Array[] = [];
    this.#jobs = Array.from({ length: count }, () => {
      const job = new Job();
      job.context = context;
      job.iv.set(iv);
      job.ivLength = iv.length;
      job.resultLength = operation.resultLength;
      this.#place(job.source, source.length).set(source);
      results.push(this.#place(job.destination, expected.length));
      return job;
    });
    this.#results = results;
  }

  /** Runs all of them. */
  run(): void {
    const jobs = this.#jobs;
    const { length } = jobs;
    for (let i = 0; i < length; i++) jobs[i]!.outcome = JobOutcome.PENDING;
    this.#engine.run(
      jobs,
      length,
      { memory: this.#memory.memory, segments: this.#segments },
      never,
    );
  }

  /**
   * Runs all of them, and throws unless each has the right result.
   *
   * @param what named in the error
   */
  verify(what: string): void {
    this.run();
    this.#jobs.forEach(({ outcome }, i) => {
      if (outcome !== JobOutcome.DONE) {
        throw new Error(`Cannot measure ${what}: outcome ${outcome}`);
      }
      checkResult(what, this.#results[i]!, this.#operation);
    });
  }

  #place(span: Span, length: number): Uint8Array {
    const memory = this.#memory;
    const address = memory.allocate(length + STAGGER);
    span.segment = this.#segments.count;
    span.length = length;
    this.#segments.push(0, memory.memory.offsetIn(0, address), length);
    return memory.bytes(address, length);
  }
}
