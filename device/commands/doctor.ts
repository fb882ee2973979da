/**
 * The `doctor` command: what this machine has, what a device here would offer,
 * and what to install or to change.
 *
 * @module
 */

import type { Engine, EngineName } from "../engine/engine.ts";
import { ENGINE_NAMES, openEngines } from "../engine/engines.ts";
import { SERVICE_ALGORITHMS } from "../service/algorithms.ts";
import { SERVICE_NAMES } from "../spec/names.ts";
import { type Check, checks, ffiPermitted } from "./doctor/checks.ts";
import { manualPage } from "./manual.ts";
import { DOCTOR_MANUAL } from "./manuals/doctor.ts";
import { readArguments } from "./usage.ts";

/** An algorithm that would be offered, and who has it. */
interface Offer {
  readonly service: string;
  readonly algorithm: string;
  readonly engines: readonly EngineName[];
}

/** What the command found: what it prints with --json. */
interface Findings {
  /** Whether `serve` would work. */
  readonly serves: boolean;
  readonly checks: readonly Check[];
  /** Engines that can be used. */
  readonly engines: readonly EngineName[];
  readonly offers: readonly Offer[];
}

/** The engines that can be loaded here, each by itself. */
function loadable(): ReadonlyMap<EngineName, Engine> {
  const found = new Map<EngineName, Engine>();
  for (const name of ENGINE_NAMES) {
    if (name !== "noble" && !ffiPermitted()) continue;
    try {
      found.set(name, openEngines([name])[0]!);
    } catch {
      // The checks tell why.
    }
  }
  return found;
}

function find(): Findings {
  const engines = loadable();
  const found = checks(engines);
  const offers = SERVICE_ALGORITHMS.flatMap((algorithms, service) =>
    algorithms.map(([, algorithm]): Offer => ({
      service: SERVICE_NAMES[service]!,
      algorithm: algorithm.name,
      engines: [...engines].filter(([, engine]) => engine.serves(algorithm))
        .map(([name]) => name),
    }))
  ).filter((offer) => offer.engines.length > 0);
  return {
    serves: found.every(({ state }) => state !== "wrong"),
    checks: found,
    engines: [...engines.keys()],
    offers,
  };
}

function lines({ serves, checks, engines, offers }: Findings): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const mark = (name: EngineName, offer: Offer) =>
    (offer.engines.includes(name) ? "x" : "-").padEnd(name.length);
  return [
    ...checks.flatMap(({ state, name, found, advice }) => [
      `${state.padEnd(5)}  ${name.padEnd(width)}  ${found}`,
      ...(advice === undefined ? [] : [`${" ".repeat(width + 7)}  ${advice}`]),
    ]),
    "",
    `Offered by --engine=auto, and the engines that have it:`,
    `  service  ${"algorithm".padEnd(18)}  ${engines.join("  ")}`,
    ...offers.map((offer) =>
      `  ${offer.service.padEnd(7)}  ${offer.algorithm.padEnd(18)}  ${
        engines.map((name) => mark(name, offer)).join("  ")
      }`.trimEnd()
    ),
    "",
    serves ? "A device can be served here" : "No device can be served here",
  ];
}

/**
 * Looks at the machine, and tells.
 *
 * @param args the arguments behind the command's name
 * @returns the process's exit status: 0 when a device can be served here
 * @throws {UsageError} The arguments are wrong
 */
export function doctor(args: readonly string[]): number {
  const given = readArguments(args, DOCTOR_MANUAL.options);
  if (given.has("help")) {
    console.log(manualPage(DOCTOR_MANUAL));
    return 0;
  }
  const findings = find();
  console.log(
    given.has("json")
      ? JSON.stringify(findings, undefined, 2)
      : lines(findings).join("\n"),
  );
  return findings.serves ? 0 : 1;
}
