/**
 * The `decode` command: shows what is in a request, where, and what the device
 * would say to it. For people who write drivers.
 *
 * @module
 */

import { MAX_DATA_QUEUES, MAX_MAX_SIZE } from "../service/device_core.ts";
import {
  type Circumstances,
  explain,
  type QueueName,
  RefusedSessionError,
} from "./decode/explain.ts";
import { requestFrom } from "./decode/input.ts";
import { LAYOUT_NAMES, type LayoutName } from "../explain/reading.ts";
import { isGood, readingLines, reportLines } from "./decode/report.ts";
import { modesOption, servicesOption } from "./services_option.ts";
import { sessionOption } from "./decode/session_option.ts";
import { tracedReport } from "./decode/traced.ts";
import { manualPage } from "./manual.ts";
import { DECODE_MANUAL } from "./manuals/decode.ts";
import {
  type Arguments,
  integerOption,
  readArguments,
  UsageError,
  wordOption,
} from "./usage.ts";

/** Exit status where the device would refuse the request. */
const REFUSED = 3;

const QUEUE_NAMES: readonly QueueName[] = ["control", "data"];

/** Where the command reads from and writes to. */
export interface DecodeIo {
  /** Reads a file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Reads standard input to its end. */
  readInput(): Promise<Uint8Array>;
  /** Writes a line. */
  print(line: string): void;
}

const CONSOLE: DecodeIo = {
  readFile: (path) => Deno.readFile(path),
  readInput: async () =>
    new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer()),
  print: (line) => console.log(line),
};

/** What the arguments say. */
interface Settings extends Circumstances {
  readonly help: boolean;
  readonly file: string;
  readonly traced: { readonly file: string; readonly line: number } | undefined;
}

function parse(args: readonly string[]): Settings {
  const given = readArguments(args, DECODE_MANUAL.options, true);
  const files = given.rest;
  if (files.length > 1) {
    throw new UsageError(`Cannot decode ${files.length} files at a time`);
  }
  const layout = wordOption("layout", given.one("layout"), LAYOUT_NAMES);
  const session = given.one("session");
  const integer = (name: string, min: number, max: number) =>
    integerOption(name, given.one(name), min, max);
  return {
    help: given.has("help"),
    traced: tracedOption(given, files.length),
    file: files[0] ?? "-",
    layout,
    queue: wordOption("queue", given.one("queue"), QUEUE_NAMES),
    modes: modesOf(
      layout,
      given.one("session-mode"),
      given.one("stateless-mode"),
    ),
    session: session === undefined ? undefined : sessionOption(session),
    services: servicesOption(given.one("services")),
    writable: integer("writable", 0, MAX_MAX_SIZE),
    queues: integer("queues", 1, MAX_DATA_QUEUES) ?? 2,
    maxSize: integer("max-size", 1, MAX_MAX_SIZE) ?? 16 << 20,
  };
}

/** A request of a trace: nothing else has to be told of it. */
function tracedOption(given: Arguments, files: number): Settings["traced"] {
  const file = given.one("trace");
  const line = integerOption(
    "line",
    given.one("line"),
    1,
    Number.MAX_SAFE_INTEGER,
  );
  if (file === undefined) {
    if (line !== undefined) {
      throw new UsageError("Cannot use --line without --trace");
    }
    return undefined;
  }
  const other = DECODE_MANUAL.options.find(({ name, value }) =>
    value !== undefined && name !== "trace" && name !== "line" &&
    given.one(name) !== undefined
  );
  if (other !== undefined || files > 0) {
    throw new UsageError(
      `Cannot use --trace together with ${
        other === undefined ? "a file" : `--${other.name}`
      }`,
    );
  }
  if (line === undefined) {
    throw new UsageError("Cannot use --trace without --line");
  }
  return { file, line };
}

/** The services whose mode feature was negotiated, where that was told. */
function modesOf(
  layout: LayoutName | undefined,
  sessionMode: string | undefined,
  statelessMode: string | undefined,
): number | undefined {
  for (
    const [option, text, needs] of [
      ["session-mode", sessionMode, "v15"],
      ["stateless-mode", statelessMode, "1.4"],
    ] as const
  ) {
    if (text === undefined) continue;
    if (layout !== needs) {
      throw new UsageError(
        `Cannot use --${option} without --layout=${needs}`,
      );
    }
    return modesOption(option, text);
  }
  return undefined;
}

async function read(file: string, io: DecodeIo): Promise<Uint8Array> {
  if (file === "-") return await io.readInput();
  try {
    return await io.readFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${file}: ${reason}`, { cause: error });
  }
}

/**
 * Decodes a request.
 *
 * @param args the arguments behind the command's name
 * @param io where to read from and write to; the console when left out
 * @returns the process's exit status
 * @throws {UsageError} The arguments are wrong
 * @throws {Error} The request cannot be read
 */
export async function decode(
  args: readonly string[],
  io: DecodeIo = CONSOLE,
): Promise<number> {
  const settings = parse(args);
  if (settings.help) {
    io.print(manualPage(DECODE_MANUAL));
    return 0;
  }
  if (settings.traced !== undefined) {
    const { file, line } = settings.traced;
    const { lines, served } = await tracedReport(file, line);
    for (const text of lines) io.print(text);
    return served ? 0 : REFUSED;
  }
  const bytes = requestFrom(await read(settings.file, io));
  const { tried, best } = await explain(bytes, settings).catch((error) => {
    throw error instanceof RefusedSessionError
      ? new UsageError("Cannot use --session: the device refuses such a one")
      : error;
  });
  if (tried.length > 1) {
    for (const line of readingLines(tried)) io.print(line);
    io.print("");
  }
  for (const line of reportLines(best.decoded, best.verdict)) io.print(line);
  return isGood(best.verdict) ? 0 : REFUSED;
}
