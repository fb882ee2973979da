// A guest under QEMU: started, spoken to by its second serial line and by QMP, and ended, all within given times.

import { join } from "node:path";
import { collect, type Kernel, type Qemu } from "./packages.ts";

export interface GuestOptions {
  qemu: Qemu;
  kernel: Kernel;
  initramfs: string;
  /** A folder for this guest's sockets and its console. */
  folder: string;
  /** QEMU's arguments for the device under test. */
  device: string[];
}

/** What a command in the guest printed, and its exit code. */
export interface Answer {
  code: number;
  output: string;
}

/** No guest lives longer, whatever becomes of the test that started it. */
const LIFETIME_SECONDS = 400;
/** A boot takes about 10 s where nothing else runs. */
const BOOT_MS = 120_000;

interface QmpMessage {
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** A UNIX socket read as lines, in the background, into a list. */
class Lines {
  readonly lines: string[] = [];
  #rest = "";
  readonly #reading: Promise<void>;

  private constructor(private readonly connection: Deno.Conn) {
    this.#reading = this.#read();
  }

  /** Connects as soon as the socket is there. */
  static async connect(path: string, ms: number): Promise<Lines> {
    for (const end = Date.now() + ms;;) {
      try {
        return new Lines(await Deno.connect({ transport: "unix", path }));
      } catch (error) {
        if (Date.now() > end) {
          throw new Error(`Cannot connect to ${path}`, { cause: error });
        }
        await pause(50);
      }
    }
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    while (true) {
      // A connection that QEMU's end resets is at its end like any other.
      const n = await this.connection.read(buffer).catch(() => null);
      if (n === null) return;
      this.#rest += decoder.decode(buffer.subarray(0, n), { stream: true });
      const lines = this.#rest.split("\n");
      this.#rest = lines.pop()!;
      this.lines.push(...lines.map((line) => line.replace(/\r$/, "")));
    }
  }

  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += await this.connection.write(bytes.subarray(at));
    }
  }

  async close(): Promise<void> {
    try {
      this.connection.close();
    } catch { /* Closed by its end */ }
    await this.#reading;
  }
}

export class Guest {
  #shell!: Lines;
  #qmp!: Lines;
  #commands = 0;
  #exit: Deno.CommandStatus | undefined;
  readonly #errors: Promise<void>;
  #errorText = "";
  readonly #status: Promise<void>;

  private constructor(
    private readonly options: GuestOptions,
    private readonly process: Deno.ChildProcess,
  ) {
    this.#status = process.status.then((status) => {
      this.#exit = status;
    });
    this.#errors = collect(process.stderr, (text) => this.#errorText += text);
  }

  /** Starts a guest and waits until its init listens. */
  static async start(options: GuestOptions): Promise<Guest> {
    const { qemu, folder } = options;
    const process = new Deno.Command("timeout", {
      args: [
        "--foreground",
        "--kill-after=5",
        `${LIFETIME_SECONDS}`,
        qemu.command,
        ...qemu.args,
        ...machine(options),
        ...options.device,
      ],
      env: qemu.env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const guest = new Guest(options, process);
    try {
      guest.#qmp = await Lines.connect(join(folder, "qmp"), 20_000);
      guest.#shell = await Lines.connect(join(folder, "shell"), 20_000);
      await guest.qmp("qmp_capabilities");
      await guest.booted(1);
    } catch (error) {
      (error as Error).message += `\n${guest.tail()}`;
      await guest.end();
      throw error;
    }
    return guest;
  }

  /** Waits until `condition` holds; ends early where it no longer can. */
  async #until(
    what: string,
    ms: number,
    condition: () => boolean,
  ): Promise<void> {
    for (const end = Date.now() + ms; !condition(); await pause(20)) {
      if (this.#exit !== undefined) {
        throw new Error(
          `Cannot wait for ${what}: QEMU ended with code ${this.#exit.code}`,
        );
      }
      if (this.console().includes("Kernel panic")) {
        throw new Error(`Cannot wait for ${what}: the guest's kernel panicked`);
      }
      if (Date.now() > end) {
        throw new Error(`Cannot wait longer than ${ms} ms for ${what}`);
      }
    }
  }

  /** Waits for the end of the guest's boot number `count`, counted from 1. */
  async booted(count: number): Promise<void> {
    await this.#until(
      `boot ${count}`,
      BOOT_MS,
      () =>
        this.#shell.lines.filter((line) => line.startsWith("ready ")).length >=
          count,
    );
  }

  /** Runs a shell command, of one line, in the guest. */
  async run(command: string, ms = 60_000): Promise<Answer> {
    const number = ++this.#commands;
    const from = this.#shell.lines.length;
    await this.#shell.send(`${number} ${command}\n`);
    const done = () =>
      this.#shell.lines.findIndex((line, i) =>
        i >= from && line.startsWith(`done ${number} `)
      );
    await this.#until(`the guest's "${command}"`, ms, () => done() >= 0);
    const at = done();
    return {
      code: Number(this.#shell.lines[at]!.split(" ")[2]),
      output: this.#shell.lines.slice(from, at).join("\n").trimEnd(),
    };
  }

  /** Runs a command that must succeed, and returns its output. */
  async output(command: string, ms?: number): Promise<string> {
    const { code, output } = await this.run(command, ms);
    if (code !== 0) {
      throw new Error(
        `Cannot run "${command}" in the guest: code ${code}\n${output}`,
      );
    }
    return output;
  }

  /** Sends a command whose answer will not come, such as a reboot. */
  async tell(command: string): Promise<void> {
    await this.#shell.send(`${++this.#commands} ${command}\n`);
  }

  /** Executes a QMP command and returns its result. */
  async qmp(
    execute: string,
    args: Record<string, unknown> = {},
  ): Promise<unknown> {
    const from = this.#qmp.lines.length;
    await this.#qmp.send(
      JSON.stringify({ execute, arguments: args }) + "\n",
    );
    // Commands are sent one at a time, so that the next answer is this one's.
    let answer: QmpMessage | undefined;
    await this.#until(`QMP's answer to ${execute}`, 30_000, () => {
      answer = this.#qmp.lines.slice(from)
        .map((line) => JSON.parse(line) as QmpMessage)
        .find((message) => "return" in message || "error" in message);
      return answer !== undefined;
    });
    if (answer?.error !== undefined) {
      throw new Error(`Cannot execute QMP ${execute}: ${answer.error.desc}`);
    }
    return answer?.return;
  }

  /** What the guest's kernel has printed so far, over all boots. */
  console(): string {
    try {
      return Deno.readTextFileSync(join(this.options.folder, "console"));
    } catch {
      return "";
    }
  }

  /** The ends of what was printed, for a report of a failure. */
  tail(): string {
    const last = (text: string, count: number) =>
      text.trimEnd().split("\n").slice(-count).join("\n");
    return [
      `--- guest's console, QEMU ${this.options.qemu.version}`,
      last(this.console(), 40),
      "--- guest's last answers",
      last(this.#shell?.lines.join("\n") ?? "", 15),
      "--- QEMU's stderr",
      last(this.#errorText, 15),
    ].join("\n");
  }

  /** Ends QEMU in its own orderly way; returns its exit code. */
  async quit(): Promise<number> {
    await this.qmp("quit");
    for (const end = Date.now() + 20_000; this.#exit === undefined;) {
      if (Date.now() > end) {
        throw new Error("Cannot wait longer than 20 s for QEMU's quit");
      }
      await pause(20);
    }
    await this.end();
    return this.#exit.code;
  }

  /** Ends QEMU at once, as a crash would, and closes everything. */
  async end(): Promise<void> {
    // The process is `timeout`: QEMU itself is known by the file that it wrote.
    if (this.#exit === undefined) {
      try {
        const pid = Deno.readTextFileSync(join(this.options.folder, "pid"));
        Deno.kill(Number(pid), "SIGKILL");
      } catch {
        // It has not written it yet.
        this.process.kill("SIGTERM");
      }
    }
    await this.#status;
    await this.#errors;
    await this.#shell?.close();
    await this.#qmp?.close();
  }
}

/** The machine without the device under test. */
function machine({ kernel, initramfs, folder }: GuestOptions): string[] {
  return [
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-pidfile",
    join(folder, "pid"),
    "-machine",
    "q35,memory-backend=memory",
    // The server maps the guest's memory, which therefore must be shareable.
    "-object",
    "memory-backend-memfd,id=memory,size=512M,share=on",
    "-m",
    "512M",
    "-accel",
    "tcg",
    "-cpu",
    "max",
    "-smp",
    "2",
    "-kernel",
    kernel.image,
    "-initrd",
    initramfs,
    "-append",
    "console=ttyS0 rdinit=/init mitigations=off",
    "-serial",
    `file:${join(folder, "console")}`,
    "-serial",
    `unix:${join(folder, "shell")},server=on,wait=off`,
    "-qmp",
    `unix:${join(folder, "qmp")},server=on,wait=off`,
  ];
}
