/**
 * Makes an engine that serves some algorithms into one that serves all, so
 * that every test can run with it.
 *
 * @module
 */

import type { Algorithm, Direction } from "../../device/engine/algorithm.ts";
import type {
  Context,
  Engine,
  Job,
  JobMemory,
} from "../../device/engine/engine.ts";
import { NobleEngine } from "../../device/engine/noble.ts";

/** A context of one of the two engines. */
class WholeContext implements Context {
  readonly engine: Engine;
  readonly group: number;
  readonly inner: Context;

  constructor(engine: Engine, group: number, inner: Context) {
    this.engine = engine;
    this.group = group;
    this.inner = inner;
  }

  get algorithm(): Algorithm {
    return this.inner.algorithm;
  }

  get direction(): Direction {
    return this.inner.direction;
  }

  wipe(): void {
    this.inner.wipe();
  }
}

/** An engine, and the portable one for what the first does not serve. */
export class WholeEngine implements Engine {
  readonly name: string;
  readonly #first: Engine;
  readonly #rest = new NobleEngine();
  /** Groups of the portable engine, numbered behind those of the first. */
  readonly #restGroups = new Map<number, number>();

  /** @param first the engine under test */
  constructor(first: Engine) {
    this.#first = first;
    this.name = first.name;
  }

  get groups(): number {
    return this.#first.groups + this.#restGroups.size;
  }

  serves(algorithm: Algorithm, keyLength?: number): boolean {
    return this.#first.serves(algorithm, keyLength) ||
      this.#rest.serves(algorithm, keyLength);
  }

  prepare(algorithm: Algorithm, direction: Direction, key: Uint8Array) {
    // Of what neither serves, the first has to say so.
    const size = this.#rest.serves(algorithm, key.length)
      ? key.length
      : undefined;
    const first = this.#first.serves(algorithm, size) ||
      !this.#rest.serves(algorithm, size);
    const engine = first ? this.#first : this.#rest;
    const inner = engine.prepare(algorithm, direction, key);
    let { group } = inner;
    if (!first) {
      const groups = this.#restGroups;
      if (!groups.has(group)) groups.set(group, groups.size);
      group = this.#first.groups + groups.get(group)!;
    }
    return new WholeContext(this, group, inner);
  }

  run(
    jobs: readonly Job[],
    count: number,
    on: JobMemory,
    abandoned: () => boolean,
  ): void {
    const own = jobs.slice(0, count).map((job) => job.context);
    for (const job of jobs.slice(0, count)) {
      if (job.context instanceof WholeContext) job.context = job.context.inner;
    }
    const { context } = jobs[0]!;
    // The jobs of a batch are of one group, and so of one engine.
    const rest = context?.engine === this.#rest;
    (rest ? this.#rest : this.#first).run(jobs, count, on, abandoned);
    own.forEach((context, i) => jobs[i]!.context = context);
  }

  wipe(): void {
    this.#first.wipe();
    this.#rest.wipe();
  }
}
