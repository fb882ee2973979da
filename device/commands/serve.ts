/**
 * The `serve` command: the vhost-user backend as a program, by the conventions
 * of QEMU's document ("Backend program conventions").
 *
 * @module
 */

import { type EngineModule, importEngine } from "../engine/definition.ts";
import type { EngineName } from "../engine/engine.ts";
import { ENGINE_NAMES } from "../engine/engines.ts";
import { activatedFds } from "../host/activation.ts";
import { consoleLog, type Log, LOG_LEVELS } from "../log.ts";
import {
  type DeviceOptions,
  MAX_DATA_QUEUES,
  MAX_MAX_SIZE,
} from "../service/device_core.ts";
import { ROUND_REQUESTS } from "../service/round.ts";
import { MAX_LIMIT } from "../service/throttle.ts";
import { MAX_SESSIONS } from "../session/table.ts";
import { SPEC_NAMES } from "../spec/request_layout.ts";
import { VhostUserServer } from "../vhost_user/server.ts";
import { manualPage } from "./manual.ts";
import { SERVE_MANUAL } from "./manuals/serve.ts";
import {
  logRecords,
  monitorOption,
  mustObserve,
  type Observation,
} from "./observation.ts";
import type { Observed, Observers } from "./observers.ts";
import { servicesOption } from "./services_option.ts";
import {
  type Arguments,
  integerOption,
  readArguments,
  UsageError,
  wordOption,
} from "./usage.ts";

/**
 * What --print-capabilities prints (QEMU, "Backend program conventions"). The
 * schema knows no features of the type "crypto"; libvirt fails on some types
 * without the list.
 */
const CAPABILITIES = { type: "crypto", features: [] };

/** How long a stop may take before the process ends without it. */
const STOP_MS = 1000;

/** What the options say, besides where to serve. */
function deviceOptions(given: Arguments): DeviceOptions & { log: Log } {
  const engine =
    wordOption<EngineName | "auto">("engine", given.one("engine"), [
      "auto",
      ...ENGINE_NAMES,
    ]) ?? "auto";
  const integer = (name: string, min: number, max: number) =>
    integerOption(name, given.one(name), min, max);
  return {
    queues: integer("queues", 1, MAX_DATA_QUEUES),
    engines: engine === "auto" ? ENGINE_NAMES : [engine],
    spec: wordOption("spec", given.one("spec"), SPEC_NAMES),
    services: servicesOption(given.one("services")),
    pollUs: integer("poll-us", 0, 1_000_000),
    limitOps: integer("limit-ops", 1, MAX_LIMIT),
    limitBytes: integer("limit-bytes", 1, MAX_LIMIT),
    maxSessions: integer("max-sessions", 1, MAX_SESSIONS),
    maxContexts: integer("max-contexts", ROUND_REQUESTS, MAX_SESSIONS),
    maxSize: integer("max-size", 1, MAX_MAX_SIZE),
    log: consoleLog(wordOption("log", given.one("log"), LOG_LEVELS) ?? "info"),
  };
}

/** Where to serve: paths, or descriptors that were handed down. */
interface Sockets {
  readonly paths: readonly string[];
  readonly fds: readonly number[];
}

function sockets(given: Arguments): Sockets {
  const paths = given.all("socket-path");
  const fd = integerOption("fd", given.one("fd"), 0, 1 << 20);
  if (paths.length > 0 && fd !== undefined) {
    throw new UsageError("Cannot use --fd and --socket-path together");
  }
  if (new Set(paths).size < paths.length) {
    throw new UsageError("Cannot use the same --socket-path twice");
  }
  if (paths.length > 0) return { paths, fds: [] };
  const fds = fd === undefined ? activatedFds() : [fd];
  if (fds.length === 0) {
    throw new UsageError(
      "Cannot serve without --socket-path or --fd, or sockets that systemd hands down",
    );
  }
  return { paths, fds };
}

/** An engine of one's own, by its URL or by a path as a shell means it. */
function ownEngine(module: string): Promise<EngineModule> {
  if (URL.canParse(module)) return importEngine(module);
  const here = `file://${encodeURI(Deno.cwd())}/`;
  return importEngine(new URL(encodeURI(module), here));
}

/** What the line that says "ready" names. */
function placesOf({ paths, fds }: Sockets): string {
  if (paths.length > 0) return paths.join(" ");
  return fds.length === 1
    ? `file descriptor ${fds[0]}`
    : `file descriptors ${fds.join(" ")}`;
}

/** Starts who looks. Without any, what they are made of is not loaded. */
async function observe(
  observation: Observation,
  observed: Observed,
): Promise<Observers | undefined> {
  const { monitor, trace } = observation;
  if (monitor === undefined && trace === undefined) return undefined;
  const { Observers } = await import("./observers.ts");
  return new Observers(observation, observed);
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
  // Whatever else is there: management software asks so before it knows more.
  if (args.includes("--print-capabilities")) {
    console.log(JSON.stringify(CAPABILITIES, undefined, 2));
    return 0;
  }
  const given = readArguments(args, SERVE_MANUAL.options);
  if (given.has("help")) {
    console.log(manualPage(SERVE_MANUAL));
    return 0;
  }
  const options = deviceOptions(given);
  const places = sockets(given);
  const observation: Observation = {
    monitor: monitorOption(given.one("monitor")),
    trace: given.one("trace"),
  };
  mustObserve(observation);
  const own = await Promise.all(given.all("engine-module").map(ownEngine));
  const engines = [...own, ...options.engines ?? []];
  const started = Date.now();
  const server = VhostUserServer.listen({
    ...options,
    engines,
    logRecords: logRecords(observation),
    ...(places.paths.length > 0
      ? { socketPaths: places.paths }
      : { fd: places.fds }),
  });
  let observers: Observers | undefined;
  try {
    observers = await observe(observation, {
      server,
      description: {
        started,
        engine: given.one("engine") ?? "auto",
        spec: options.spec ?? "v15",
      },
      log: options.log,
    });
  } catch (error) {
    await server.close();
    throw error;
  }
  const stop = (): void => {
    setTimeout(() => Deno.exit(0), STOP_MS);
    server.close();
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
  console.log(`Serving on ${placesOf(places)}`);
  await server.finished;
  await observers?.close();
  return 0;
}
