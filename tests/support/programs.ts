/**
 * Programs in processes of their own.
 *
 * @module
 */

/** What a program left behind. */
export interface ProgramOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface ProgramOptions {
  /** Flags of `deno run`: permissions, most of all. */
  readonly flags?: readonly string[];
  /** Arguments of the program. */
  readonly args?: readonly string[];
  /** Text for its standard input; none when left out. */
  readonly input?: string;
  /** Variables of the environment, beside those there are. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The project's folder. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** How long a program may take, in milliseconds, on a machine that is busy. */
const LIMIT_MS = 120_000;

/**
 * Runs a TypeScript program to its end, with the permissions given and no
 * others.
 *
 * @param program its path or URL; "-" for what `input` holds
 * @param options how it is run
 * @returns what it left behind
 */
export async function runProgram(
  program: string,
  options: ProgramOptions = {},
): Promise<ProgramOutcome> {
  const { flags = [], args = [], input = "", env = {} } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...flags, program, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
