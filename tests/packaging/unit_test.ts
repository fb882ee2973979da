import { assert, assertEquals, assertMatch } from "@std/assert";
import { statPath } from "../../device/host/file.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { closeFd } from "../../device/vhost_user/socket.ts";
import { Guest } from "../server/guest.ts";
import { freshPath } from "../server/test_server.ts";
import { listening } from "../support/handed_down.ts";
import { CommandProcess, outputOf, ROOT } from "../support/server_process.ts";
import { commandOf, sandboxOf, TREE } from "./sandbox.ts";
import { allowedCalls, compileFilter } from "./system_call_filter.ts";
import { parseUnit, type Section } from "./unit_file.ts";

const UNITS = `${ROOT}packaging/systemd/`;
const SERVICE = `${UNITS}virtio-crypto@.service`;
const SOCKET = `${UNITS}virtio-crypto@.socket`;

/** What "systemd-analyze security" may find at most: 0 is best, 10 worst. */
const MOST_EXPOSURE = 0.5;

async function service(): Promise<Section> {
  return parseUnit(await Deno.readTextFile(SERVICE)).get("Service")!;
}

/** A folder for DENO_DIR as an installation fills it. */
async function filledCache(): Promise<string> {
  const { denoDir } = JSON.parse(await outputOf("deno", "info", "--json"));
  return denoDir;
}

/** Runs a program; returns whether it succeeded, and all that it wrote. */
async function judged(
  program: string,
  ...args: string[]
): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Starts the unit's command in the unit's sandbox, over a socket. */
async function startUnit(fd: number): Promise<CommandProcess> {
  const unit = await service();
  const filter = await compileFilter(unit);
  // systemd hands sockets down from 3 on.
  const atThree = [
    "bash",
    "-c",
    `exec 3<&${fd}; exec "$@"`,
    "bash",
  ];
  const activated = ["--setenv", "LISTEN_PID", "1", "--setenv", "LISTEN_FDS"];
  try {
    return await new CommandProcess([
      ...atThree,
      ...sandboxOf(unit, await filledCache(), filter),
      ...activated,
      "1",
      ...commandOf(unit),
    ]).ready();
  } finally {
    closeFd(filter);
  }
}

Deno.test("systemd finds nothing wrong with the units", async () => {
  const { success, text } = await judged(
    "systemd-analyze",
    "verify",
    "--man=no",
    SERVICE,
    SOCKET,
  );
  assertEquals([success, text], [true, ""]);
});

Deno.test("systemd finds the service hardened", async () => {
  const { success, text } = await judged(
    "systemd-analyze",
    "security",
    "--offline=true",
    "--no-pager",
    `--threshold=${10 * MOST_EXPOSURE}`,
    SERVICE,
  );
  assert(success, text);
});

Deno.test("the service allows no call that reaches beyond the process", async () => {
  const calls = await allowedCalls(await service());
  for (
    const call of [
      "ptrace",
      "process_vm_readv",
      "mount",
      "unshare",
      "setns",
      "bpf",
      "perf_event_open",
      "io_uring_setup",
      "keyctl",
      "userfaultfd",
      "setuid",
      "chown",
      "kill",
      "fork",
      "init_module",
      "reboot",
    ]
  ) assert(!calls.has(call), call);
});

Deno.test("the service runs serve with the permissions of the README, each as narrow as works", async () => {
  const [program, ...words] = commandOf(await service());
  assertEquals(program, "/usr/bin/deno");
  assertEquals(words.filter((word) => word.startsWith("--allow")), [
    "--allow-ffi",
    `--allow-read=${TREE}/device,${TREE}/workers`,
    "--allow-env=LISTEN_PID,LISTEN_FDS",
  ]);
  assertEquals(words.slice(-2), [`${TREE}/device/cli.ts`, "serve"]);
});

Deno.test("the service serves a guest in its sandbox, and ends by SIGTERM", async () => {
  const path = freshPath();
  const fd = listening(path);
  const server = await startUnit(fd);
  closeFd(fd);
  try {
    assertMatch(server.stdout, /^Serving on file descriptor 3\n$/);
    for (const mode of ["cryptodev", "device"] as const) {
      await using guest = await Guest.connect(path, { mode });
      const control = mode === "device" ? await guest.start(2) : undefined;
      const session = await guest.session(undefined, control);
      for (const index of [0, 1]) {
        const queue = await guest.start(index);
        await queue.run(session, 200);
        await queue.stop();
      }
    }
    assertEquals(server.stderr, "");
    const child = (await server.children())[0]!;
    Deno.kill(child, "SIGTERM");
    const { code, signal } = await server.ended(3000);
    assertEquals([code, signal], [0, null]);
    assert(statPath(path) !== undefined, "the socket is systemd's");
  } finally {
    await server[Symbol.asyncDispose]();
    libc().unlink(cString(path));
  }
});

Deno.test("what the filter does not allow ends a process in the sandbox", async () => {
  const unit = await service();
  const cache = await filledCache();
  // SIGSYS, as a shell has it.
  const killed = 128 + 31;
  for (
    const [program, code] of [
      [["true"], 0],
      [["unshare", "--mount", "true"], killed],
      [["bash", "-c", "exec 5<>/dev/tcp/127.0.0.1/1"], killed],
      [["chown", "0", "/tmp"], killed],
    ] as const
  ) {
    const filter = await compileFilter(unit);
    const sandbox = sandboxOf(unit, cache, filter);
    await using process = new CommandProcess([...sandbox, ...program]);
    closeFd(filter);
    assertEquals((await process.ended()).code, code, program.join(" "));
  }
});
