/**
 * The line that says how far a run is.
 *
 * @module
 */

/** How often the line is written where it cannot be rewritten. */
const PLAIN_EVERY = 10;

/** Writes the line. */
export class Progress {
  readonly #start = performance.now();
  readonly #terminal = Deno.stdout.isTerminal();
  #lines = 0;
  #last = 0;

  /** Seconds since the run began. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /**
   * A second has passed.
   *
   * @param executions operations of all jobs so far
   * @param jobs number of jobs
   */
  second(executions: number, jobs: number): void {
    const rate = executions - this.#last;
    this.#last = executions;
    this.#lines++;
    if (!this.#terminal && this.#lines % PLAIN_EVERY !== 0) return;
    const average = Math.round(executions / this.seconds);
    const line = this.#terminal
      ? `${rate} executions/s`
      : `${average} executions/s`;
    this.#write(
      `${
        this.seconds.toFixed(0)
      } s, ${jobs} jobs, ${executions} executions, ${line}`,
    );
  }

  #write(line: string): void {
    const text = this.#terminal ? `\r\x1b[K${line}` : `${line}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  }

  /** What comes next begins on a line of its own. */
  end(): void {
    if (this.#terminal && this.#lines > 0) console.log();
  }
}
