/**
 * The package in a registry of this machine, and programs that import it from
 * there with a cache that has never seen it.
 *
 * @module
 */

import { outputOf } from "../support/server_process.ts";
import {
  type ProgramOptions,
  type ProgramOutcome,
  runProgram,
} from "../support/programs.ts";

/** Where Deno keeps what it loaded: packages of npm are shared with tests. */
function denoDirectory(): string {
  return Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
}

/** The import map of a registry that cannot be reached here. */
const IMPORT_MAP = JSON.stringify({
  imports: {
    "jsr:@std/cli@^1.0.0/parse-args": JSON.parse(
      Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)),
    ).imports["@std/cli/parse-args"],
  },
});

/** The package, served over HTTP. */
export class Registry implements AsyncDisposable {
  /** The package's URL, with a slash at its end. */
  readonly url: string;
  /** The flag that permits importing from it, as jsr.io is permitted. */
  readonly allowImport: string;
  /** A cache without the package. */
  readonly cache: string;
  readonly #server: Deno.ChildProcess;

  private constructor(url: string, cache: string, server: Deno.ChildProcess) {
    this.url = url;
    this.allowImport = `--allow-import=${new URL(url).host}`;
    this.cache = cache;
    this.#server = server;
  }

  /** Starts serving, with a cache of its own. */
  static async start(): Promise<Registry> {
    const cache = (await outputOf("mktemp", "-d")).trim();
    await outputOf("ln", "-s", `${denoDirectory()}/npm`, `${cache}/npm`);
    const server = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-net=127.0.0.1",
        "--allow-read",
        new URL("package_server.ts", import.meta.url).pathname,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let url = "";
    for await (
      const text of server.stdout.pipeThrough(new TextDecoderStream())
    ) {
      url += text;
      if (url.endsWith("\n")) break;
    }
    return new Registry(url.trim(), cache, server);
  }

  /**
   * The flags of a program that imports the package: none but what jsr.io needs
   * no flag for.
   */
  get flags(): readonly string[] {
    return [
      "--no-config",
      "--no-lock",
      `--import-map=data:application/json,${IMPORT_MAP}`,
      this.allowImport,
    ];
  }

  /** The environment of such a program. */
  get env(): Readonly<Record<string, string>> {
    return { DENO_DIR: this.cache };
  }

  /**
   * Runs a program of the registry's user.
   *
   * @param program its text, with `PACKAGE/` for the package's URL; or the path
   * of a module of the package
   * @param options as of any program
   * @returns what it left behind
   */
  run(program: string, options: ProgramOptions = {}): Promise<ProgramOutcome> {
    const module = program.endsWith(".ts");
    return runProgram(module ? this.url + program : "-", {
      ...options,
      flags: [...this.flags, ...options.flags ?? []],
      input: module ? "" : program.replaceAll("PACKAGE/", this.url),
      env: this.env,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill("SIGTERM");
    await this.#server.status;
    await outputOf("rm", "-r", this.cache);
  }
}
