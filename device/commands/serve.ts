/**
 * The `serve` command: the vhost-user backend as a program, by the conventions
 * of QEMU's document ("Backend program conventions").
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { type EngineModule, importEngine } from "../engine/definition.ts";
import type { EngineName } from "../engine/engine.ts";
import { ENGINE_NAMES } from "../engine/engines.ts";
import { consoleLog, LOG_LEVELS } from "../log.ts";
import { MAX_DATA_QUEUES, MAX_MAX_SIZE } from "../service/device_core.ts";
import { MAX_SESSIONS } from "../session/table.ts";
import { SPEC_NAMES } from "../spec/request_layout.ts";
import { type ServerOptions, VhostUserServer } from "../vhost_user/server.ts";
import { integerOption, UsageError, wordOption } from "./usage.ts";

const USAGE =
  `usage: deno run --allow-ffi --allow-read device/cli.ts serve [OPTIONS]

  --socket-path=PATH    serve at PATH; given several times: several devices
  --fd=N                serve on a UNIX stream socket that was handed down,
                        listening or connected; not together with --socket-path
  --print-capabilities  print what this backend is, as JSON, and exit
  --queues=N            data queues of a device, 1 to ${MAX_DATA_QUEUES} (2)
  --engine=NAME         auto or ${ENGINE_NAMES.join(", ")} (auto)
  --engine-module=URL   an engine of your own: the URL or path of the module,
                        whose default export it is; given several times, the
                        preferred one first, before what --engine names
  --spec=NAME           the document whose features are offered: ${
    SPEC_NAMES.join(" or ")
  } (v15)
  --poll-us=N           look for work for N microseconds before sleeping (0)
  --max-sessions=N      sessions of a device, 1 to ${MAX_SESSIONS} (4096)
  --max-size=BYTES      largest content of a request (16777216)
  --log=LEVEL           ${LOG_LEVELS.join(", ")} (info)
  --help                this text`;

/** What --print-capabilities prints (QEMU, "Backend program conventions"). */
const CAPABILITIES = { type: "crypto", features: [] };

/** How long a stop may take before the process ends without it. */
const STOP_MS = 1000;

const STRINGS = [
  "fd",
  "queues",
  "engine",
  "spec",
  "poll-us",
  "max-sessions",
  "max-size",
  "log",
] as const;

/** Options that may be given several times. */
const LISTS = ["socket-path", "engine-module"] as const;

/** An engine of one's own, by its URL or by a path as a shell means it. */
function ownEngine(module: string): Promise<EngineModule> {
  if (URL.canParse(module)) return importEngine(module);
  const here = `file://${encodeURI(Deno.cwd())}/`;
  return importEngine(new URL(encodeURI(module), here));
}

function parse(args: readonly string[]): {
  options: ServerOptions;
  engineModules: readonly string[];
  help: boolean;
  capabilities: boolean;
} {
  const given = parseArgs([...args], {
    string: [...STRINGS, ...LISTS],
    boolean: ["help", "print-capabilities"],
    // All of them, or the last one given would silently count.
    collect: [...STRINGS, ...LISTS],
    unknown: (arg: string) => {
      throw new UsageError(`Cannot understand "${arg}"`);
    },
  });
  const one = (name: typeof STRINGS[number]): string | undefined => {
    const [value, ...more] = given[name] as string[];
    if (more.length > 0) {
      throw new UsageError(`Cannot use --${name} more than once`);
    }
    if (value === "") {
      throw new UsageError(`Cannot use --${name} without a value`);
    }
    return value;
  };
  const all = (name: typeof LISTS[number]): string[] => {
    const values = given[name] as string[];
    if (values.includes("")) {
      throw new UsageError(`Cannot use --${name} without a value`);
    }
    return values;
  };
  const level = wordOption("log", one("log"), LOG_LEVELS) ?? "info";
  const engine = wordOption<EngineName | "auto">("engine", one("engine"), [
    "auto",
    ...ENGINE_NAMES,
  ]) ?? "auto";
  return {
    help: given.help,
    capabilities: given["print-capabilities"],
    engineModules: all("engine-module"),
    options: {
      socketPaths: all("socket-path"),
      fd: integerOption("fd", one("fd"), 0, 1 << 20),
      queues: integerOption("queues", one("queues"), 1, MAX_DATA_QUEUES),
      engines: engine === "auto" ? ENGINE_NAMES : [engine],
      spec: wordOption("spec", one("spec"), SPEC_NAMES),
      pollUs: integerOption("poll-us", one("poll-us"), 0, 1_000_000),
      maxSessions: integerOption(
        "max-sessions",
        one("max-sessions"),
        1,
        MAX_SESSIONS,
      ),
      maxSize: integerOption("max-size", one("max-size"), 1, MAX_MAX_SIZE),
      log: consoleLog(level),
    },
  };
}

/**
 * Serves until SIGTERM or SIGINT.
 *
 * @param args the arguments behind the command's name
 * @returns the process's exit status
 * @throws {UsageError} The arguments are wrong
 * @throws {EngineError} The module of an engine cannot be imported
 * @throws {Error} The sockets or devices cannot be made
 */
export async function serve(args: readonly string[]): Promise<number> {
  const { options, engineModules, help, capabilities } = parse(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  if (capabilities) {
    console.log(JSON.stringify(CAPABILITIES, undefined, 2));
    return 0;
  }
  const { socketPaths = [], fd } = options;
  if (socketPaths.length > 0 && fd !== undefined) {
    throw new UsageError("Cannot use --fd and --socket-path together");
  }
  if (socketPaths.length === 0 && fd === undefined) {
    throw new UsageError("Cannot serve without --socket-path or --fd");
  }
  if (new Set(socketPaths).size < socketPaths.length) {
    throw new UsageError("Cannot use the same --socket-path twice");
  }
  const server = VhostUserServer.listen({
    ...options,
    engines: [
      ...await Promise.all(engineModules.map(ownEngine)),
      ...options.engines ?? [],
    ],
  });
  const stop = (): void => {
    setTimeout(() => Deno.exit(0), STOP_MS);
    server.close();
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
  console.log(
    `Serving on ${
      fd === undefined ? socketPaths.join(" ") : `file descriptor ${fd}`
    }`,
  );
  await server.finished;
  return 0;
}
