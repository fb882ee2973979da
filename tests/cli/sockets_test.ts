import { assertEquals, assertMatch } from "@std/assert";
import { FileType, statPath } from "../../device/host/file.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { listenUnix } from "../../device/vhost_user/listener.ts";
import { closeFd } from "../../device/vhost_user/socket.ts";
import { Guest } from "../server/guest.ts";
import { connect } from "../server/raw_frontend.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess, outputOf, runCli } from "../support/server_process.ts";

Deno.test("a server says once, and only once, that it is ready", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  for (let i = 0; i < 3; i++) {
    await using frontend = await connect(path);
    await frontend.getFeatures();
  }
  assertEquals(server.stdout, `Serving on ${path}\n`);
  assertEquals(server.stderr, "");
});

Deno.test("several sockets are served by one process, each as a device", async () => {
  const paths = [freshPath(), freshPath()];
  await using server = await CliProcess.serve([
    ...paths.map((path) => `--socket-path=${path}`),
    "--queues=1",
    "--max-size=4096",
    "--max-sessions=1",
    "--max-contexts=256",
    "--poll-us=10",
    "--engine=noble",
    "--spec=v15",
    "--log=error",
  ]);
  for (const path of paths) assertMatch(server.stdout, new RegExp(path));
  for (const path of paths) {
    await using guest = await Guest.connect(path);
    assertEquals(await guest.frontend.getQueueNum(), 2);
    const queue = await guest.start(0);
    await queue.run(await guest.session(), 10);
    // --max-sessions=1
    let refused = false;
    await guest.session().catch(() => refused = true);
    assertEquals(refused, true);
  }
});

Deno.test("a socket that nobody listens on any more is replaced", async () => {
  const path = freshPath();
  const stale = listenUnix(path);
  closeFd(stale.fd);
  assertEquals(statPath(path)?.type, FileType.SOCKET);
  await using _server = await CliProcess.serve([`--socket-path=${path}`]);
  await using frontend = await connect(path);
  await frontend.getFeatures();
});

Deno.test("a server that was killed is followed by another at the same path", async () => {
  const path = freshPath();
  const first = await CliProcess.serve([`--socket-path=${path}`]);
  first.kill("SIGKILL");
  await first.ended();
  await using _second = await CliProcess.serve([`--socket-path=${path}`]);
  await using frontend = await connect(path);
  await frontend.getFeatures();
});

Deno.test("a live server's socket is left to it", async () => {
  const path = freshPath();
  await using _server = await CliProcess.serve([`--socket-path=${path}`]);
  await using frontend = await connect(path);
  const { code, stdout, stderr } = await runCli([
    "serve",
    `--socket-path=${path}`,
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: Cannot listen on [^\n]*another server[^\n]*\n$/);
  await frontend.getFeatures();
  await frontend.close();
  await using next = await connect(path);
  await next.getFeatures();
});

Deno.test("what is not a socket stays what it is", async () => {
  const path = freshPath();
  await outputOf("mkfifo", path);
  const { code, stderr } = await runCli(["serve", `--socket-path=${path}`]);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot listen on [^\n]*not a socket[^\n]*\n$/);
  assertEquals(statPath(path)?.type, FileType.FIFO);
  libc().unlink(cString(path));
});

Deno.test("one socket that cannot be had is an error for all, and leaves none", async () => {
  const path = freshPath();
  const { code, stdout } = await runCli([
    "serve",
    `--socket-path=${path}`,
    "--socket-path=/nonexistent/other.sock",
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(statPath(path), undefined);
});

Deno.test("a server needs no privilege of the system", async () => {
  const path = freshPath();
  await using _server = await CliProcess.serve([`--socket-path=${path}`], {
    // Of root it leaves the name; for others it changes nothing.
    wrapper: [
      "setpriv",
      "--no-new-privs",
      "--inh-caps=-all",
      ...(await outputOf("id", "-u") === "0\n" ? ["--bounding-set=-all"] : []),
    ],
  });
  await using guest = await Guest.connect(path);
  const queue = await guest.start(0);
  await queue.run(await guest.session(), 10);
});
