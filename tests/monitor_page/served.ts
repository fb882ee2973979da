/**
 * The command line serving devices and their monitor.
 *
 * @module
 */

import { freshPath } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";

/** Milliseconds within which the monitor's address is told. */
const START_MS = 10_000;

/** A server with a monitor, ended at the end of its block. */
export class Served implements AsyncDisposable {
  readonly #process: CliProcess;
  /** Its sockets. */
  readonly paths: readonly string[];
  /** The address of its page. */
  readonly url: string;

  private constructor(
    process: CliProcess,
    paths: readonly string[],
    url: string,
  ) {
    this.#process = process;
    this.paths = paths;
    this.url = url;
  }

  /**
   * Starts a server.
   *
   * @param devices how many sockets it has
   * @returns the server
   */
  static async start(devices = 1): Promise<Served> {
    const paths = Array.from({ length: devices }, freshPath);
    const process = await CliProcess.serve([
      ...paths.map((path) => `--socket-path=${path}`),
      "--monitor=127.0.0.1:0",
    ], {
      permissions: ["--allow-ffi", "--allow-read", "--allow-net=127.0.0.1"],
    });
    const end = performance.now() + START_MS;
    for (;;) {
      const [url] = /http:\S+/.exec(process.stderr) ?? [];
      if (url !== undefined) return new Served(process, paths, url);
      if (performance.now() > end) {
        throw new Error(`No monitor was told of: ${process.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
