/**
 * The command line in a process of its own.
 *
 * @module
 */

/** How a process is started. */
export interface ProcessOptions {
  /** Permissions; those of the README when left out. */
  readonly permissions?: readonly string[];
  /** What is run in its place, with the process as its arguments. */
  readonly wrapper?: readonly string[];
  /** The command line's path or URL; that of this project when left out. */
  readonly program?: string;
  /** Variables of its environment, besides NO_COLOR. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a process left behind. */
export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the sources lie, with a slash at its end. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** How long a command that ends by itself may take, in milliseconds. */
const LIMIT_MS = 10_000;

/** The command line as a command. */
function commandLine(
  args: readonly string[],
  options: ProcessOptions,
): readonly string[] {
  const {
    permissions = ["--allow-ffi", "--allow-read"],
    wrapper = [],
    program = `${ROOT}device/cli.ts`,
  } = options;
  return [
    ...wrapper,
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...permissions,
    program,
    ...args,
  ];
}

function spawn(
  [program, ...rest]: readonly string[],
  env: ProcessOptions["env"] = {},
): Deno.ChildProcess {
  return new Deno.Command(program!, {
    args: rest,
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** A process, ended at the end of its block. */
export class CommandProcess implements AsyncDisposable {
  /** What it wrote so far. */
  stdout = "";
  stderr = "";
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  /**
   * @param command program and arguments
   * @param env variables of its environment, besides NO_COLOR
   */
  constructor(command: readonly string[], env?: ProcessOptions["env"]) {
    this.#child = spawn(command, env);
    this.pid = this.#child.pid;
    const read = async (
      stream: ReadableStream<Uint8Array>,
      add: (text: string) => void,
    ) => {
      const decoder = new TextDecoder();
      for await (const bytes of stream) {
        add(decoder.decode(bytes, { stream: true }));
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      }
    };
    this.#read = Promise.all([
      read(this.#child.stdout, (text) => this.stdout += text),
      read(this.#child.stderr, (text) => this.stderr += text),
    ]).finally(() => {
      this.#ended = true;
      this.#changed.resolve();
    });
  }

  /**
   * Waits until it says that it serves.
   *
   * @returns itself
   */
  async ready(): Promise<this> {
    while (!this.stdout.includes("\n")) {
      if (this.#ended) throw new Error(`The server ended: ${this.stderr}`);
      await this.#changed.promise;
    }
    return this;
  }

  /** @param signal the signal to send */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /**
   * Waits until it has ended.
   *
   * @param limitMs when it is killed instead, in milliseconds
   * @returns what it left behind; a signal where it was killed
   */
  async ended(limitMs = LIMIT_MS): Promise<Outcome> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), limitMs);
    try {
      const { code, signal } = await this.#child.status;
      await this.#read;
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The processor time that it has used.
   *
   * @returns ticks of 10 ms
   */
  async ticks(): Promise<number> {
    const stat = await outputOf("cat", `/proc/${this.pid}/stat`);
    // Behind the name in parentheses: state is field 3, utime 14, stime 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  }

  /** @returns the numbers of the processes that it started itself */
  async children(): Promise<number[]> {
    const path = `/proc/${this.pid}/task/${this.pid}/children`;
    return (await outputOf("cat", path)).split(" ").filter((n) => n !== "")
      .map(Number);
  }

  /** @returns how many descriptors it has open */
  async openFds(): Promise<number> {
    const names = await outputOf("ls", `/proc/${this.pid}/fd`);
    return names.trim().split("\n").length;
  }

  /** @returns its mappings, one a line */
  async mappings(): Promise<string[]> {
    return (await outputOf("cat", `/proc/${this.pid}/maps`)).split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      try {
        // So that it takes its sockets with it.
        this.#child.kill("SIGTERM");
      } catch {
        // It ended just now.
      }
    }
    await this.ended(3000);
  }
}

/** A command of the command line, ended at the end of its block. */
export class CliProcess extends CommandProcess {
  /**
   * @param args what follows cli.ts
   * @param options how it is started
   */
  constructor(args: readonly string[], options: ProcessOptions = {}) {
    super(commandLine(args, options), options.env);
  }

  /**
   * Starts a server and waits until it says that it serves.
   *
   * @param args what follows `cli.ts serve`
   * @param options how it is started
   * @returns the server
   */
  static async serve(
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<CliProcess> {
    return await CliProcess.start(["serve", ...args], options);
  }

  /**
   * Starts a program and waits until it has written a line.
   *
   * @param args its arguments
   * @param options how it is started
   * @returns the program
   */
  static async start(
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<CliProcess> {
    return await new CliProcess(args, options).ready() as CliProcess;
  }
}

/**
 * Runs a command to its end.
 *
 * @param args what follows cli.ts
 * @param options how it is started
 * @returns what it left behind
 */
export async function runCli(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Outcome> {
  await using process = new CliProcess(args, options);
  return await process.ended();
}

/**
 * Runs a program and returns what it prints.
 *
 * @param program its name
 * @param args its arguments
 * @returns its standard output
 */
export async function outputOf(
  program: string,
  ...args: string[]
): Promise<string> {
  const command = new Deno.Command(program, { args, stderr: "null" });
  const { stdout } = await command.output();
  return new TextDecoder().decode(stdout);
}
