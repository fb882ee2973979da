/**
 * A filter of system calls as systemd makes it of a unit, by libseccomp.
 *
 * @module
 */

import { cString, libc } from "../../device/host/libc.ts";
import { outputOf } from "../support/server_process.ts";
import type { Section } from "./unit_file.ts";

const KILL_PROCESS = 0x8000_0000;
const ALLOW = 0x7fff_0000;
/** SCMP_ACT_ERRNO(ENOSYS): how systemd answers clone3 to RestrictNamespaces. */
const NO_SUCH_CALL = 0x0005_0000 | 38;

const AF_UNIX = 1n;

/** SCMP_CMP_EQ */
const EQUAL = 4;
// struct scmp_arg_cmp: arg (u32), op (u32), datum_a (u64), datum_b (u64)
const ARG_CMP_SIZE = 24;

const SYMBOLS = {
  // scmp_filter_ctx seccomp_init(uint32_t def_action)
  seccomp_init: { parameters: ["u32"], result: "pointer" },
  // int seccomp_syscall_resolve_name(const char *name)
  seccomp_syscall_resolve_name: { parameters: ["buffer"], result: "i32" },
  // int seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action,
  //   int syscall, unsigned int arg_cnt, const struct scmp_arg_cmp *args)
  seccomp_rule_add_array: {
    parameters: ["pointer", "u32", "i32", "u32", "buffer"],
    result: "i32",
  },
  // int seccomp_export_bpf(const scmp_filter_ctx ctx, int fd)
  seccomp_export_bpf: { parameters: ["pointer", "i32"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence), of the C library
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // void seccomp_release(scmp_filter_ctx ctx)
  seccomp_release: { parameters: ["pointer"], result: "void" },
} as const;

const seccomp = Deno.dlopen("libseccomp.so.2", SYMBOLS).symbols;

/** The calls that a name stands for: one, or those of a set of systemd's. */
async function callsOf(name: string): Promise<readonly string[]> {
  if (!name.startsWith("@")) return [name];
  const text = await outputOf("systemd-analyze", "syscall-filter", name);
  const members = text.split("\n").filter((line) => /^ {4}[a-z_@]/.test(line))
    .map((line) => line.trim());
  if (members.length === 0) throw new Error(`Cannot expand ${name}`);
  return (await Promise.all(members.map(callsOf))).flat();
}

/**
 * The system calls that a unit allows.
 *
 * @param service its section [Service]
 * @returns their names
 */
export async function allowedCalls(
  service: Section,
): Promise<ReadonlySet<string>> {
  const names = (service.get("SystemCallFilter") ?? []).join(" ").split(" ");
  return new Set((await Promise.all(names.map(callsOf))).flat());
}

/**
 * Compiles a unit's filter. What it does not allow ends the process, where
 * systemd would let the call fail: so nothing that is refused goes unseen.
 *
 * @param service its section [Service]
 * @returns a file of the program, which child processes inherit
 */
export async function compileFilter(service: Section): Promise<number> {
  const context = seccomp.seccomp_init(KILL_PROCESS);
  const unixOnly = service.get("RestrictAddressFamilies")?.join() === "AF_UNIX";
  const noNamespaces = service.get("RestrictNamespaces")?.join() === "yes";
  const family = new DataView(new ArrayBuffer(ARG_CMP_SIZE));
  family.setUint32(4, EQUAL, true);
  family.setBigUint64(8, AF_UNIX, true);
  for (const name of await allowedCalls(service)) {
    const number = seccomp.seccomp_syscall_resolve_name(cString(name));
    // Another architecture's, or newer than the library.
    if (number < 0) continue;
    const restricted = unixOnly && name === "socket";
    const action = noNamespaces && name === "clone3" ? NO_SUCH_CALL : ALLOW;
    const failed = seccomp.seccomp_rule_add_array(
      context,
      action,
      number,
      restricted ? 1 : 0,
      family,
    );
    if (failed !== 0) throw new Error(`Cannot allow ${name}: ${failed}`);
  }
  const fd = libc().memfd_create(cString("filter"), 0);
  if (seccomp.seccomp_export_bpf(context, fd) !== 0) {
    throw new Error("Cannot export the filter");
  }
  seccomp.lseek(fd, 0n, 0);
  seccomp.seccomp_release(context);
  return fd;
}
