// The program under test as a process: started on a socket, and ended by SIGTERM.

import { assert, assertEquals } from "@std/assert";
import { collect, exists } from "./packages.ts";

const CLI = new URL("../../device/cli.ts", import.meta.url).pathname;

/** No server lives longer, whatever becomes of the test that started it. */
const LIFETIME_SECONDS = 600;
const START_MS = 30_000;
/** How long it may take to end, after SIGTERM, before it is killed (which its exit code then shows). */
const END_SECONDS = 10;

export class Server {
  #stderr = "";
  readonly #streams: Promise<unknown>;
  readonly #status: Promise<Deno.CommandStatus>;
  #ended = false;

  private constructor(
    readonly socketPath: string,
    private readonly process: Deno.ChildProcess,
    lines: string[],
  ) {
    this.#status = process.status.finally(() => this.#ended = true);
    this.#streams = Promise.all([
      collect(process.stderr, (text) => this.#stderr += text),
      collect(process.stdout, (text) => {
        lines.push(...text.split("\n").filter((line) => line !== ""));
      }),
    ]);
  }

  /** Starts the server and waits for the line that says it is ready. */
  static async start(socketPath: string, queues: number): Promise<Server> {
    const process = new Deno.Command("timeout", {
      args: [
        "--foreground",
        `--kill-after=${END_SECONDS}`,
        `${LIFETIME_SECONDS}`,
        Deno.execPath(),
        "run",
        "--no-prompt",
        "--allow-ffi",
        "--allow-read",
        CLI,
        "serve",
        `--socket-path=${socketPath}`,
        `--queues=${queues}`,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const lines: string[] = [];
    const server = new Server(socketPath, process, lines);
    for (const end = Date.now() + START_MS; lines.length === 0;) {
      if (server.#ended || Date.now() > end) {
        await server.kill();
        throw new Error(`Cannot start the server\n${server.tail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (!lines[0]!.includes(socketPath)) {
      await server.kill();
      throw new Error(`Cannot find ${socketPath} in "${lines[0]}"`);
    }
    return server;
  }

  /** Whether it still runs. */
  get alive(): boolean {
    return !this.#ended;
  }

  /** Whether the process maps a guest's memory. */
  holdsGuestMemory(): boolean {
    // The process that was started is `timeout`; the server is its child.
    const { pid } = this.process;
    const child = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return Deno.readTextFileSync(`/proc/${child.trim()}/maps`)
      .includes("/memfd:memory-backend-memfd");
  }

  /** Waits until it does not. */
  async releasesGuestMemory(): Promise<void> {
    for (const end = Date.now() + 5_000; this.holdsGuestMemory();) {
      assert(Date.now() < end, "the server still maps a guest's memory");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the server by SIGTERM, which must end it well: promptly, with 0, leaving neither socket nor complaint. */
  async stop(): Promise<void> {
    assert(this.alive, "the server ended before it was told to");
    this.process.kill("SIGTERM");
    const status = await this.#status;
    await this.#streams;
    assertEquals(status.code, 0);
    assert(!exists(this.socketPath), "the server left its socket");
    const complaints = this.#stderr.split("\n").filter((line) =>
      /\b(error|panic\w*|uncaught|fatal)\b/i.test(line)
    );
    assertEquals(complaints, []);
  }

  /** Ends the server, whatever state it is in. */
  async kill(): Promise<void> {
    if (!this.#ended) this.process.kill("SIGTERM");
    await this.#status;
    await this.#streams;
  }

  /** The end of what it printed to its stderr, for a report of a failure. */
  tail(): string {
    return `--- server's stderr\n${
      this.#stderr.trimEnd().split("\n").slice(-30).join("\n")
    }`;
  }
}
