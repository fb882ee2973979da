/**
 * Writes the trace of a server's requests into a file.
 *
 * @module
 */

import type { Log } from "../log.ts";
import type { LoggedRequest } from "../service/request_log.ts";
import type { TraceHead } from "./format.ts";
import { TraceLines } from "./lines.ts";

/** Bytes that wait to be written at most; requests wait in their logs then. */
const WAITING_BYTES = 4 << 20;

/** A line of a request has no more. */
const LINE_BYTES = 1500;

const ENCODER = new TextEncoder();

/**
 * A trace. It takes requests faster than the file does, up to a bound, and
 * writes with one call at a time.
 */
export class TraceWriter {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #log: Log;
  readonly #text = new TraceLines();
  #lines: string[] = [];
  #writing: Promise<void> | undefined;
  #failed = false;
  #lost = 0;
  #written = 0;

  /**
   * Makes the file, or empties the one there is.
   *
   * @param path where
   * @param head whose requests follow
   * @param log where to tell that the file takes no more
   * @throws {Error} The file cannot be made
   */
  constructor(path: string, head: TraceHead, log: Log) {
    this.#path = path;
    this.#log = log;
    try {
      this.#file = Deno.openSync(path, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
    } catch (error) {
      throw new Error(`Cannot write the trace to ${path}: ${reason(error)}`, {
        cause: error,
      });
    }
    this.#add(JSON.stringify(head));
  }

  /** Whether it takes no more for now. */
  get full(): boolean {
    return this.#lines.length * LINE_BYTES >= WAITING_BYTES;
  }

  /** Takes a request. */
  request(logged: LoggedRequest, device: number, queue: number): void {
    this.#written++;
    this.#add(this.#text.request(logged, device, queue));
  }

  /** Is told of requests that could not be read in time. */
  lost(count: number, device: number, queue: number): void {
    this.#lost += count;
    this.#add(JSON.stringify({ lost: count, device, queue }));
  }

  /**
   * Writes what waits.
   *
   * @returns when it is written
   */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /**
   * Writes what waits, and closes the file.
   *
   * @returns when it is closed
   */
  async close(): Promise<void> {
    await this.flush();
    this.#file.close();
    if (this.#lost > 0) {
      this.#log.warn(
        `The trace has ${this.#written} requests; ${this.#lost} were lost, as they came faster than it is written`,
      );
    }
  }

  #add(line: string): void {
    if (this.#failed) return;
    this.#lines.push(`${line}\n`);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      // What is added in this turn of the event loop goes with it.
      await Promise.resolve();
      while (this.#lines.length > 0) {
        const bytes = ENCODER.encode(this.#lines.join(""));
        this.#lines = [];
        for (let at = 0; at < bytes.length;) {
          at += await this.#file.write(bytes.subarray(at));
        }
      }
    } catch (error) {
      this.#failed = true;
      this.#lines = [];
      this.#log.error(
        `The trace ends: Cannot write to ${this.#path}: ${reason(error)}`,
      );
    } finally {
      this.#writing = undefined;
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
