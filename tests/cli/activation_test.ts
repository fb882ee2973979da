import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  activatedFds,
  type ActivationSource,
} from "../../device/host/activation.ts";
import { statPath } from "../../device/host/file.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { Guest } from "../server/guest.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess, runCli } from "../support/server_process.ts";

const PERMISSIONS = [
  "--allow-ffi",
  "--allow-read",
  "--allow-env=LISTEN_PID,LISTEN_FDS",
];

/** What a process of number 100 finds in its environment. */
function source(
  pid: string | undefined,
  fds: string | undefined,
): ActivationSource {
  return {
    pid: 100,
    variable: (name) =>
      ({ LISTEN_PID: pid, LISTEN_FDS: fds } as Record<string, string>)[name],
  };
}

Deno.test("descriptors from 3 on are those that were handed down to this process", () => {
  assertEquals(activatedFds(source("100", "1")), [3]);
  assertEquals(activatedFds(source("100", "3")), [3, 4, 5]);
  assertEquals(activatedFds(source("100", "0")), []);
  assertEquals(activatedFds(source("101", "1")), [], "another's");
  assertEquals(activatedFds(source(undefined, "1")), []);
  assertEquals(activatedFds(source("100", undefined)), []);
});

Deno.test("what is no number in the variables of activation is an error", () => {
  for (const text of ["", "-1", "1x", "0x1", "1e3", " 1", "99999999999"]) {
    for (const given of [source(text, "1"), source("100", text)]) {
      assertThrows(() => activatedFds(given), Error, `=${text}: it is no such`);
    }
  }
});

Deno.test("the environment is not read where that is not permitted", async () => {
  // A shell's number becomes that of what it execs.
  const { code, stderr } = await runCli(["serve"], {
    wrapper: ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh"],
  });
  assertEquals(code, 2);
  assertMatch(stderr, /^error: Cannot serve without [^\n]*\n$/);
});

Deno.test("what was handed down and is no socket is one clear line of error", async () => {
  const { code, stdout, stderr } = await runCli(["serve"], {
    permissions: PERMISSIONS,
    wrapper: [
      "sh",
      "-c",
      'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3</dev/null',
      "sh",
    ],
  });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: Cannot serve on file descriptor 3: [^\n]*\n$/);
});

Deno.test("a path or --fd is taken instead of sockets that were handed down", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`], {
    permissions: PERMISSIONS,
    wrapper: ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=7 exec "$@"', "sh"],
  });
  assertEquals(server.stdout, `Serving on ${path}\n`);
});

Deno.test("several sockets of systemd-socket-activate are served, and stay where they are", async () => {
  const paths = [freshPath(), freshPath()];
  const server = new CliProcess(["serve", "--queues=1"], {
    permissions: PERMISSIONS,
    wrapper: [
      "systemd-socket-activate",
      ...paths.map((path) => `--listen=${path}`),
      "--setenv=NO_COLOR",
    ],
  });
  try {
    // The first who connects starts it.
    for (const path of paths.toReversed()) {
      await using guest = await connectWhenThere(path);
      const queue = await guest.start(0);
      await queue.run(await guest.session(), 20);
    }
    assertMatch(server.stdout, /^Serving on file descriptors 3 4\n$/);
    server.kill("SIGTERM");
    const { code, signal } = await server.ended(3000);
    assertEquals([code, signal], [0, null]);
    for (const path of paths) {
      assertEquals(
        statPath(path) === undefined,
        false,
        "it is not the server's",
      );
    }
  } finally {
    await server[Symbol.asyncDispose]();
    for (const path of paths) libc().unlink(cString(path));
  }
});

/** Connects as soon as there is a socket. */
async function connectWhenThere(path: string): Promise<Guest> {
  for (let i = 0; i < 500 && statPath(path) === undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return await Guest.connect(path);
}
