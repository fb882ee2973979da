import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { VhostUserServer } from "../../device/vhost_user/server.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";
import { freshPath } from "./test_server.ts";

const QUEUES = 100;

/** Threads of a process. */
async function threads(pid: number): Promise<number> {
  const names = await outputOf("ls", `/proc/${pid}/task`);
  return names.trim().split("\n").length;
}

Deno.test("a server of many queues starts few of their workers before they are used", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([
    `--socket-path=${path}`,
    `--queues=${QUEUES}`,
  ]);
  const before = await threads(server.pid);
  assert(before < QUEUES / 2, `${before} threads`);
});

Deno.test("a queue whose worker was not started ahead serves, and all are counted", async () => {
  const socketPath = freshPath();
  await using server = VhostUserServer.listen({
    socketPath,
    queues: 20,
    engines: ["noble"],
  });
  await using driver = await CryptoDriver.attach(
    await VhostUserTransport.connect(socketPath),
    { queueSize: 16 },
  );
  const session = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
    queue: 19,
  });
  assertEquals((await session.run({ data: new Uint8Array(3) })).length, 32);
  const [statistics] = server.statistics;
  assertEquals(
    statistics!.map(({ requests }) => requests),
    Array.from({ length: 20 }, (_, i) => i === 19 ? 1 : 0),
  );
});
