/**
 * What the `doctor` command looks at: whether a device could be served here,
 * and how well.
 *
 * @module
 */

import { ALGORITHMS } from "../../engine/algorithm.ts";
import type { Engine } from "../../engine/engine.ts";
import { IpsecMbEngine } from "../../engine/ipsec_mb.ts";
import { RECIPES } from "../../engine/ipsec_mb/recipes.ts";
import { Provider } from "../../engine/libcrypto/provider.ts";
import { createEventfd } from "../../host/eventfd.ts";
import { cString, libc } from "../../host/libc.ts";
import { libcrypto } from "../../host/libcrypto.ts";
import {
  ipsecMbVersion,
  libcryptoVersion,
  type SystemFacts,
  systemFacts,
} from "../../host/system.ts";
import { missingForWorkers } from "../../../workers/permission.ts";

/** What came out of looking at one thing. */
export interface Check {
  /** What was looked at. */
  readonly name: string;
  /**
   * "ok"; "note": a device can be served, but not as well as it might be;
   * "wrong": none can be served.
   */
  readonly state: "ok" | "note" | "wrong";
  /** What was found. */
  readonly found: string;
  /** What to install or to change; undefined where nothing is. */
  readonly advice?: string;
}

/** Descriptors that a device with some queues and memory regions has open. */
const FEW_DESCRIPTORS = 256;

/** The first glibc with all that is called here. */
const LEAST_LIBC = [2, 28] as const;

/** The first Deno that all tests pass on: major and minor version. */
const LEAST_DENO = [2, 9] as const;

const granted = (descriptor: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(descriptor).state === "granted";

/** Whether FFI is permitted; nobody is asked. */
export const ffiPermitted = (): boolean => granted({ name: "ffi" });

/** Whether a version like 2.36 is some major and minor one or newer. */
function isAtLeast(
  version: string,
  [leastMajor, leastMinor]: readonly [number, number],
): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > leastMajor || major === leastMajor && minor >= leastMinor;
}

/** Looks at what needs no permission. */
function runtimeChecks(): Check[] {
  const { os, arch, env } = Deno.build;
  const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  const fits = os === "linux" && little && env === "gnu";
  const tested = isAtLeast(Deno.version.deno, LEAST_DENO);
  return [
    {
      name: "Deno",
      state: tested ? "ok" : "note",
      found: `${Deno.version.deno}, V8 ${Deno.version.v8}`,
      ...(tested ? {} : {
        advice: `tested is Deno ${
          LEAST_DENO.join(".")
        } and newer: deno upgrade, or npx -y deno`,
      }),
    },
    {
      name: "platform",
      state: fits ? "ok" : "wrong",
      found: Deno.build.target,
      ...(fits ? {} : {
        advice:
          `a server needs Linux with glibc on a 64-bit little-endian machine, not ${os} on ${arch}`,
      }),
    },
    {
      name: "processors",
      state: navigator.hardwareConcurrency > 1 ? "ok" : "note",
      found: String(navigator.hardwareConcurrency),
      ...(navigator.hardwareConcurrency > 1
        ? {}
        : { advice: "data queues are served one after the other: --queues=1" }),
    },
  ];
}

function permissionChecks(): Check[] {
  const missing = missingForWorkers();
  const activation = granted({ name: "env", variable: "LISTEN_FDS" }) &&
    granted({ name: "env", variable: "LISTEN_PID" });
  return [
    {
      name: "--allow-ffi",
      state: ffiPermitted() ? "ok" : "wrong",
      found: ffiPermitted() ? "granted" : "missing",
      ...(ffiPermitted() ? {} : {
        advice:
          "run with --allow-ffi, of everything: pointers need that; what of the system needs it was not looked at",
      }),
    },
    {
      name: "--allow-read",
      state: missing === undefined ? "ok" : "wrong",
      found: missing === undefined
        ? "granted for the workers' modules"
        : `missing for workers: ${missing}`,
      ...(missing === undefined ? {} : { advice: `run with ${missing}` }),
    },
    {
      name: "--allow-env",
      state: activation ? "ok" : "note",
      found: activation
        ? "granted for socket activation"
        : "missing for LISTEN_PID and LISTEN_FDS",
      ...(activation ? {} : {
        advice: "only for socket activation: --allow-env=LISTEN_PID,LISTEN_FDS",
      }),
    },
  ];
}

function libcCheck({ libc: version }: SystemFacts): Check {
  const good = isAtLeast(version, LEAST_LIBC);
  return {
    name: "C library",
    state: good ? "ok" : "wrong",
    found: `glibc ${version}`,
    ...(good ? {} : { advice: `glibc ${LEAST_LIBC.join(".")} is needed` }),
  };
}

function descriptorCheck({ descriptors }: SystemFacts): Check {
  const { soft, hard } = descriptors;
  const good = soft >= FEW_DESCRIPTORS;
  return {
    name: "descriptors",
    state: good ? "ok" : "note",
    found: `${soft}, at most ${hard}`,
    ...(good ? {} : {
      advice:
        `four a queue and one a memory region are needed: ulimit -n ${FEW_DESCRIPTORS}`,
    }),
  };
}

function hugePageCheck({ hugePages }: SystemFacts): Check {
  const { total, free, kibibytes } = hugePages;
  return {
    name: "huge pages",
    state: total > 0 ? "ok" : "note",
    found: total > 0
      ? `${free} of ${total} free, ${kibibytes} KiB each`
      : "none",
    ...(total > 0 ? {} : {
      advice:
        "guests' memory may be in them, and need not: sysctl vm.nr_hugepages=N",
    }),
  };
}

/** A file descriptor that the system can make, or not. */
function descriptorKind(
  name: string,
  state: "note" | "wrong",
  make: () => number,
): Check {
  let fd = -1;
  try {
    fd = make();
  } catch {
    // It is told below.
  }
  if (fd >= 0) libc().close(fd);
  return {
    name,
    state: fd >= 0 ? "ok" : state,
    found: fd >= 0 ? "works" : "is refused",
    ...(fd >= 0 ? {} : { advice: `let the sandbox permit ${name}` }),
  };
}

function libcryptoCheck(engine: Engine | undefined): Check {
  const name = "libcrypto";
  try {
    const version = libcryptoVersion();
    if (engine === undefined) throw new Error("its self-check failed");
    const { legacy } = new Provider(libcrypto());
    return {
      name,
      state: legacy ? "ok" : "note",
      found: `${version}, ${legacy ? "with" : "without"} the legacy provider, ${
        servedBy(engine)
      } algorithms passed the self-check`,
      ...(legacy ? {} : {
        advice:
          "arc4 and single DES come from it: apt-get install openssl-provider-legacy, where that is a package of its own",
      }),
    };
  } catch (error) {
    return {
      name,
      state: "note",
      found: reasonOf(error),
      advice: "apt-get install libssl3 (libssl3t64 from Debian 13 on)",
    };
  }
}

function ipsecMbCheck(engine: Engine | undefined): Check {
  const name = "ipsec-mb";
  try {
    const version = ipsecMbVersion();
    if (engine === undefined) throw new Error(`${version} cannot be used`);
    const served = servedBy(engine);
    const width = engine instanceof IpsecMbEngine
      ? `, lanes in registers of ${engine.processor.registers} bits`
      : "";
    return {
      name,
      state: served === RECIPES.size ? "ok" : "note",
      found:
        `${version}${width}, ${served} of ${RECIPES.size} algorithms passed the self-check`,
    };
  } catch (error) {
    return {
      name,
      state: "note",
      found: reasonOf(error),
      advice: "apt-get install libipsec-mb1, of version 1.3 or newer",
    };
  }
}

function servedBy(engine: Engine): number {
  return Object.values(ALGORITHMS).filter((a) => engine.serves(a)).length;
}

/**
 * An error in half a sentence.
 *
 * @param error what was thrown
 * @returns its message, on one line
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0]!;
}

/**
 * Looks at everything. No permission is asked for.
 *
 * @param engines the engines that can be loaded, by name
 * @returns what was found
 */
export function checks(engines: ReadonlyMap<string, Engine>): readonly Check[] {
  const found = [...runtimeChecks(), ...permissionChecks()];
  if (!ffiPermitted()) return found;
  try {
    const facts = systemFacts();
    found.push(
      { name: "kernel", state: "ok", found: `Linux ${facts.kernel}` },
      libcCheck(facts),
      descriptorCheck(facts),
      descriptorKind("eventfd", "wrong", createEventfd),
      // Only the built-in driver makes such.
      descriptorKind(
        "memfd",
        "note",
        () => libc().memfd_create(cString("doctor"), 0),
      ),
      hugePageCheck(facts),
    );
  } catch (error) {
    found.push({
      name: "C library",
      state: "wrong",
      found: reasonOf(error),
      advice: "a server needs Linux with glibc 2.28 or newer",
    });
    return found;
  }
  return [
    ...found,
    libcryptoCheck(engines.get("libcrypto")),
    ipsecMbCheck(engines.get("ipsec-mb")),
  ];
}
