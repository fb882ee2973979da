/**
 * The `decode` command: shows what is in a request, where, and what the device
 * would say to it. For people who write drivers.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { ENGINE_NAMES, openEngines } from "../engine/engines.ts";
import { Capabilities } from "../service/capabilities.ts";
import { MAX_DATA_QUEUES, MAX_MAX_SIZE } from "../service/device_core.ts";
import { VIRTIO_CRYPTO_OK } from "../spec/constants.ts";
import { CTRL_HEADER } from "../spec/control_structures.ts";
import { nameOf } from "../spec/names.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { askDevice, canAsk } from "./decode/ask.ts";
import { decodeControl } from "./decode/control_view.ts";
import { decodeData } from "../explain/data_view.ts";
import type { Decoded, Surroundings } from "../explain/decoded.ts";
import { requestFrom } from "./decode/input.ts";
import {
  LAYOUT_NAMES,
  type LayoutName,
  type Reading,
  readingsFor,
} from "../explain/reading.ts";
import {
  isGood,
  readingLines,
  reportLines,
  type Verdict,
  verdictOf,
} from "./decode/report.ts";
import { servicesOption } from "./decode/services_option.ts";
import { sessionOption } from "./decode/session_option.ts";
import { tracedReport } from "./decode/traced.ts";
import { once } from "./options.ts";
import { integerOption, UsageError, wordOption } from "./usage.ts";

const USAGE =
  `usage: deno run [--allow-read] device/cli.ts decode [OPTIONS] [FILE|-]

Shows the fields of one control or data request, and what the device would
answer. FILE, or standard input, holds the device-readable part of the request:
as bytes, or as a dump (plain hex with or without 0x, xxd, hexdump -C; lines
that start with # are comments). No byte of a key is ever shown.

  --layout=NAME          ${LAYOUT_NAMES.join(", ")}; all are tried when left out
  --queue=NAME           control or data; by the opcode when left out
  --session-mode=LIST    v15: services whose SESSION_MODE was negotiated, as in
                         cipher,hash,mac,aead; or all, none (all)
  --stateless-mode=LIST  1.4: services whose STATELESS_MODE was negotiated
                         (none and all are tried)
  --session=NAME         the session of a data request in session mode: an
                         algorithm (aes-cbc), or a chain (aes-cbc+hmac-sha256,
                         the one that comes first before the +); then
                         ,encrypt (the standard) or ,decrypt, and ,tag=N
  --writable=N           bytes of the writable part (what the request needs)
  --queues=N             data queues of the device, 1 to ${MAX_DATA_QUEUES} (2)
  --max-size=BYTES       largest content of a request (16777216)
  --trace=FILE           a request of a trace, in place of all the above: what
                         serve --trace wrote; needs --line
  --line=N               the line of the trace
  --help                 this text

Exit status: 0 the device would serve it, 3 it would refuse it, 2 the command
line is wrong, 1 the file cannot be read.`;

/** Exit status where the device would refuse the request. */
const REFUSED = 3;

const STRINGS = [
  "layout",
  "queue",
  "session-mode",
  "stateless-mode",
  "session",
  "writable",
  "queues",
  "max-size",
  "trace",
  "line",
] as const;

const QUEUE_NAMES = ["control", "data"] as const;
type QueueName = (typeof QUEUE_NAMES)[number];

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
interface Settings {
  readonly help: boolean;
  readonly file: string;
  readonly layout: LayoutName | undefined;
  readonly queue: QueueName | undefined;
  readonly modes: number | undefined;
  readonly session: OperationParameters | undefined;
  readonly writable: number | undefined;
  readonly queues: number;
  readonly maxSize: number;
  readonly traced: { readonly file: string; readonly line: number } | undefined;
}

function parse(args: readonly string[]): Settings {
  const { _: rest, help, ...strings } = parseArgs([...args], {
    string: [...STRINGS, "_"],
    boolean: ["help"],
    collect: STRINGS,
    unknown: (arg: string) => {
      if (arg === "-" || !arg.startsWith("-")) return true;
      throw new UsageError(`Cannot understand "${arg}"`);
    },
  });
  const given = once(STRINGS, strings);
  const files = rest.map(String);
  if (files.length > 1) {
    throw new UsageError(`Cannot decode ${files.length} files at a time`);
  }
  const layout = wordOption("layout", given.layout, LAYOUT_NAMES);
  return {
    help,
    traced: tracedOption(given, files.length),
    file: files[0] ?? "-",
    layout,
    queue: wordOption("queue", given.queue, QUEUE_NAMES),
    modes: modesOf(layout, given["session-mode"], given["stateless-mode"]),
    session: given.session === undefined
      ? undefined
      : sessionOption(given.session),
    writable: integerOption("writable", given.writable, 0, MAX_MAX_SIZE),
    queues: integerOption("queues", given.queues, 1, MAX_DATA_QUEUES) ?? 2,
    maxSize: integerOption("max-size", given["max-size"], 1, MAX_MAX_SIZE) ??
      16 << 20,
  };
}

/** A request of a trace: nothing else has to be told of it. */
function tracedOption(
  given: Readonly<Partial<Record<(typeof STRINGS)[number], string>>>,
  files: number,
): Settings["traced"] {
  const { trace: file, line: text, ...others } = given;
  const line = integerOption("line", text, 1, Number.MAX_SAFE_INTEGER);
  if (file === undefined) {
    if (line !== undefined) {
      throw new UsageError("Cannot use --line without --trace");
    }
    return undefined;
  }
  const [other] = Object.keys(others);
  if (other !== undefined || files > 0) {
    throw new UsageError(
      `Cannot use --trace together with ${
        other === undefined ? "a file" : `--${other}`
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
    return servicesOption(option, text);
  }
  return undefined;
}

/** The queue a request is for, by its opcode. */
function queueOf(bytes: Uint8Array<ArrayBuffer>): QueueName {
  if (bytes.length < CTRL_HEADER.size) return "data";
  const opcode = new DataView(bytes.buffer).getUint32(0, true);
  return nameOf("controlOpcode", opcode) === undefined ? "data" : "control";
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

/** A reading that was tried. */
interface Tried {
  readonly decoded: Decoded;
  readonly verdict: Verdict;
}

/** How well a reading fits, for the best one to be shown. */
function score({ decoded, verdict }: Tried): number {
  return (isGood(verdict) ? 2 : 0) + (decoded.exact ? 1 : 0);
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
    io.print(USAGE);
    return 0;
  }
  if (settings.traced !== undefined) {
    const { file, line } = settings.traced;
    const { lines, served } = await tracedReport(file, line);
    for (const text of lines) io.print(text);
    return served ? 0 : REFUSED;
  }
  const capabilities = new Capabilities(openEngines(ENGINE_NAMES));
  const { session, maxSize, queues, writable } = settings;
  if (
    session !== undefined &&
    (capabilities.checkOffered(session) !== VIRTIO_CRYPTO_OK ||
      capabilities.checkValues(session, maxSize) !== VIRTIO_CRYPTO_OK)
  ) {
    throw new UsageError("Cannot use --session: the device refuses such a one");
  }
  const bytes = requestFrom(await read(settings.file, io));
  const around = { capabilities, queues, maxSize, writable, session };
  const queue = settings.queue ?? queueOf(bytes);
  const readings = readingsFor(
    capabilities.services,
    settings.layout,
    settings.modes,
  );
  const tried: Tried[] = [];
  for (const reading of readings) {
    tried.push(await tryReading(bytes, reading, queue, around));
  }
  const best = tried.reduce((a, b) => score(b) > score(a) ? b : a);
  if (tried.length > 1) {
    for (const line of readingLines(tried)) io.print(line);
    io.print("");
  }
  for (const line of reportLines(best.decoded, best.verdict)) io.print(line);
  return isGood(best.verdict) ? 0 : REFUSED;
}

async function tryReading(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  queue: QueueName,
  around: Surroundings,
): Promise<Tried> {
  const decoded = (queue === "data" ? decodeData : decodeControl)(
    bytes,
    reading,
    around,
  );
  const asked = canAsk(decoded);
  const { queues, maxSize } = around;
  const answer = asked
    ? await askDevice({ bytes, decoded, queues, maxSize })
    : undefined;
  return { decoded, verdict: verdictOf(decoded, asked, answer) };
}
