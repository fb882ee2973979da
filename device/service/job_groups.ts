/**
 * Which jobs of a round go to an engine together: those of the same engine,
 * algorithm, direction and key size, wherever they stand in the round.
 *
 * @module
 */

import type { Job, JobMemory, Runner } from "../engine/engine.ts";
import type { Entry } from "./entry.ts";

/** The groups of a round's jobs. */
export class JobGroups {
  readonly #runners: readonly Runner[];
  /** First and last entry of each group, groups numbered over all engines. */
  readonly #first: Int16Array;
  readonly #last: Int16Array;
  /** The groups that occur in the round, in the order of their first entry. */
  readonly #present: Int16Array;
  #count = 0;
  readonly #jobs: Job[] = [];

  /** @param runners what runs the jobs */
  constructor(runners: readonly Runner[]) {
    this.#runners = runners;
    const groups = runners.reduce((sum, runner) => sum + runner.groups, 0);
    this.#first = new Int16Array(groups).fill(-1);
    this.#last = new Int16Array(groups).fill(-1);
    this.#present = new Int16Array(groups);
  }

  /**
   * Puts an entry into the group of its job.
   *
   * @param entries the round's entries
   * @param index which of them
   */
  add(entries: readonly Entry[], index: number): void {
    const entry = entries[index]!;
    entry.next = -1;
    const group = this.#groupOf(entry.job);
    const last = this.#last[group]!;
    if (last < 0) {
      this.#first[group] = index;
      this.#present[this.#count++] = group;
    } else {
      entries[last]!.next = index;
    }
    this.#last[group] = index;
  }

  /**
   * Hands each group to its engine, and forgets them.
   *
   * @param entries the round's entries
   * @param memory the memory they work on
   * @param abandoned asked by engines whether to give a job up that is alone
   */
  run(
    entries: readonly Entry[],
    memory: JobMemory,
    abandoned: () => boolean,
  ): void {
    for (let g = 0; g < this.#count; g++) {
      const group = this.#present[g]!;
      let count = 0;
      for (let i = this.#first[group]!; i >= 0; i = entries[i]!.next) {
        this.#jobs[count++] = entries[i]!.job;
      }
      this.#first[group] = -1;
      this.#last[group] = -1;
      const { engine } = this.#jobs[0]!.context!;
      engine.run(this.#jobs, count, memory, abandoned);
    }
    this.#count = 0;
  }

  #groupOf(job: Job): number {
    const { engine, group } = job.context!;
    let base = 0;
    for (const candidate of this.#runners) {
      if (candidate === engine) break;
      base += candidate.groups;
    }
    return base + group;
  }
}
