/**
 * A server in a process of its own that is looked at.
 *
 * @module
 */

import { assert } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import {
  VhostUserTransport,
  type VhostUserTransportOptions,
} from "../../device/driver/vhost_user_transport.ts";
import { freshPath, until } from "../server/test_server.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";

/** What looks at the server. */
export interface ObservedOptions {
  /** Whether there is a monitor; there is when left out. */
  readonly monitor?: boolean;
  /** Whether there is a trace; there is none when left out. */
  readonly trace?: boolean;
  /** What else follows `cli.ts serve`. */
  readonly args?: readonly string[];
}

/** An event of /api/events. */
export interface MonitorEvent {
  readonly name: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** A server, ended at the end of its block. */
export class Observed implements AsyncDisposable {
  readonly process: CliProcess;
  readonly socket: string;
  readonly tracePath: string;
  readonly url: string;

  private constructor(
    process: CliProcess,
    socket: string,
    tracePath: string,
    url: string,
  ) {
    this.process = process;
    this.socket = socket;
    this.tracePath = tracePath;
    this.url = url;
  }

  /** @param options what looks at it */
  static async start(options: ObservedOptions = {}): Promise<Observed> {
    const { monitor = true, trace = false, args = [] } = options;
    const socket = freshPath();
    const tracePath = `${socket}.jsonl`;
    const process = await CliProcess.serve([
      `--socket-path=${socket}`,
      ...(monitor ? ["--monitor=127.0.0.1:0"] : []),
      ...(trace ? [`--trace=${tracePath}`] : []),
      ...args,
    ], {
      permissions: [
        "--allow-ffi",
        "--allow-read",
        ...(monitor ? ["--allow-net=127.0.0.1"] : []),
        ...(trace ? [`--allow-write=${tracePath}`] : []),
      ],
    });
    const monitorUrl = () => /Monitor at (\S+)\//.exec(process.stderr)?.[1];
    if (monitor) {
      await until("the monitor", () => monitorUrl() !== undefined);
    }
    return new Observed(process, socket, tracePath, monitorUrl() ?? "");
  }

  /** @returns a driver that is connected to it */
  async driver(options?: VhostUserTransportOptions): Promise<CryptoDriver> {
    return await CryptoDriver.attach(
      await VhostUserTransport.connect(this.socket, options),
    );
  }

  /** @returns what a path gives, as text */
  async text(path: string): Promise<string> {
    const response = await fetch(`${this.url}${path}`);
    const text = await response.text();
    assert(response.ok, text);
    return text;
  }

  /** @returns the state */
  // deno-lint-ignore no-explicit-any
  async state(): Promise<any> {
    return JSON.parse(await this.text("/api/state"));
  }

  /**
   * Listens to events until its iterator is returned.
   *
   * @param heard called once it is connected
   */
  async *events(heard: () => void = () => {}): AsyncGenerator<MonitorEvent> {
    const gone = new AbortController();
    const response = await fetch(`${this.url}/api/events`, {
      signal: gone.signal,
    });
    const { body } = response;
    assert(response.ok);
    heard();
    try {
      let rest = "";
      for await (
        const text of body!.pipeThrough(new TextDecoderStream())
      ) {
        const events = (rest + text).split("\n\n");
        rest = events.pop()!;
        for (const event of events) {
          const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
          yield { name: name!, data: JSON.parse(data!) };
        }
      }
    } finally {
      gone.abort();
    }
  }

  /** Ends the server in good order. */
  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.process.ended();
  }

  /** @returns the lines of the trace */
  // deno-lint-ignore no-explicit-any
  async lines(): Promise<any[]> {
    const text = await Deno.readTextFile(this.tracePath);
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await outputOf("rm", "-f", this.tracePath);
  }
}
