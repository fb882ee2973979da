/**
 * The sandbox that a packaged unit asks systemd for, made by bubblewrap where
 * systemd is not what runs the machine.
 *
 * @module
 */

import { ROOT } from "../support/server_process.ts";
import type { Section } from "./unit_file.ts";

/** Where the units have the tree. */
export const TREE = "/opt/virtio-crypto";

/** Settings, and what bubblewrap calls them. */
const NAMESPACES: Readonly<Record<string, readonly string[]>> = {
  PrivateNetwork: ["--unshare-net"],
  PrivateIPC: ["--unshare-ipc"],
  PrivateUsers: ["--unshare-user", "--uid", "61184", "--gid", "61184"],
  ProtectHostname: ["--unshare-uts"],
  ProtectControlGroups: ["--unshare-cgroup-try"],
  ProtectProc: ["--unshare-pid"],
  PrivateTmp: ["--tmpfs", "/tmp", "--tmpfs", "/var/tmp"],
  PrivateDevices: ["--dev", "/dev"],
  CapabilityBoundingSet: ["--cap-drop", "ALL"],
};

/** Folders of the system that a service sees, and none can write. */
const SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/sbin", "/etc"];

/**
 * The command of a unit.
 *
 * @param service its section [Service]
 * @returns program and arguments, without what comes from the environment file
 */
export function commandOf(service: Section): readonly string[] {
  const command = service.get("ExecStart")?.[0]?.split(" ") ?? [];
  return command.filter((word) => !word.startsWith("$"));
}

/**
 * What is put before a unit's command to run it in its sandbox.
 *
 * @param service its section [Service]
 * @param cache the folder that is its DENO_DIR
 * @param filter a descriptor with its filter of system calls
 * @returns program and arguments
 */
export function sandboxOf(
  service: Section,
  cache: string,
  filter: number,
): readonly string[] {
  if (service.get("ProtectSystem")?.[0] !== "strict") {
    throw new Error("Cannot make the sandbox of a unit that can write to /usr");
  }
  const settings = Object.entries(NAMESPACES).flatMap(([name, args]) =>
    service.has(name) ? args : []
  );
  const environment = (service.get("Environment") ?? []).flatMap((text) => {
    const at = text.indexOf("=");
    return ["--setenv", text.slice(0, at), text.slice(at + 1)];
  });
  const sources = ["device", "workers", "mod.ts", "deno.json", "deno.lock"];
  return [
    "prlimit",
    `--nofile=${service.get("LimitNOFILE")?.[0]}`,
    `--core=${service.get("LimitCORE")?.[0]}`,
    "bwrap",
    "--die-with-parent",
    "--new-session",
    // Or a process of bubblewrap's own would have to obey the filter.
    "--as-pid-1",
    ...SYSTEM.flatMap((path) => ["--ro-bind-try", path, path]),
    "--proc",
    "/proc",
    ...settings,
    ...sources.flatMap((name) => [
      "--ro-bind",
      ROOT + name,
      `${TREE}/${name}`,
    ]),
    "--ro-bind",
    cache,
    `${TREE}/cache`,
    "--remount-ro",
    "/",
    "--chdir",
    "/",
    "--clearenv",
    "--setenv",
    "PATH",
    "/usr/bin:/bin",
    ...environment,
    "--seccomp",
    String(filter),
  ];
}
