import { assert, assertEquals } from "@std/assert";
import { statPath } from "../../device/host/file.ts";
import { Guest } from "../server/guest.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends a server with status 0, and its sockets are gone`, async () => {
    const paths = [freshPath(), freshPath()];
    await using server = await CliProcess.serve(
      paths.map((path) => `--socket-path=${path}`),
    );
    server.kill(signal);
    const outcome = await server.ended(3000);
    assertEquals([outcome.code, outcome.signal], [0, null]);
    assertEquals(outcome.stderr, "");
    for (const path of paths) assertEquals(statPath(path), undefined);
  });

  Deno.test(`${signal} ends a server with a frontend under load`, async () => {
    const path = freshPath();
    await using server = await CliProcess.serve([`--socket-path=${path}`]);
    await using guest = await Guest.connect(path);
    const session = await guest.session();
    const queues = [await guest.start(0), await guest.start(1)];
    const loads = queues.map((queue) => queue.load(session));
    for (const load of loads) await load.progress(20);
    server.kill(signal);
    // A second one, as of an impatient user, changes nothing.
    server.kill(signal);
    const outcome = await server.ended(3000);
    assertEquals([outcome.code, outcome.signal], [0, null]);
    assertEquals(outcome.stderr, "");
    assertEquals(statPath(path), undefined);
    for (const load of loads) await load.halt();
  });
}

Deno.test("SIGTERM ends a server in the middle of a large request", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  await using guest = await Guest.connect(path, {
    memory: [{ guestAddress: 0, size: 64 << 20 }],
  });
  const session = await guest.session();
  const queue = await guest.start(0);
  queue.sizes = [4 << 20];
  for (let i = 0; i < 4; i++) assert(queue.add(session));
  queue.publish();
  server.kill("SIGTERM");
  const outcome = await server.ended(3000);
  assertEquals([outcome.code, outcome.signal], [0, null]);
  assertEquals(statPath(path), undefined);
});
