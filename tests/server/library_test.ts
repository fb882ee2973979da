import { assertEquals, assertThrows } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { FileType, statPath } from "../../device/host/file.ts";
import { SocketError } from "../../device/vhost_user/listener.ts";
import {
  type ServerEvents,
  VhostUserServer,
} from "../../device/vhost_user/server.ts";
import { Guest } from "./guest.ts";
import { connect } from "./raw_frontend.ts";
import { freshPath, until } from "./test_server.ts";

/** Keeps what a server tells. */
function recorder(): { events: ServerEvents; told: string[] } {
  const told: string[] = [];
  return {
    told,
    events: {
      connected: (socket) => told.push(`connected ${socket}`),
      disconnected: (socket) => told.push(`disconnected ${socket}`),
      queueFailed: (socket, queue, reason) =>
        told.push(`queue ${queue} of ${socket} failed: ${reason}`),
    },
  };
}

Deno.test("a program serves from listen until close", async () => {
  const socketPath = freshPath();
  const server = VhostUserServer.listen({ socketPath, queues: 1 });
  let finished = false;
  server.finished.then(() => finished = true);
  const driver = await CryptoDriver.attach(
    await VhostUserTransport.connect(socketPath),
  );
  const session = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  assertEquals((await session.run({ data: new Uint8Array(3) })).length, 32);
  assertEquals(server.statistics[0]![0]!.requests, 1);
  await driver.close();
  assertEquals(finished, false);
  await Promise.all([server.close(), server.close()]);
  assertEquals(finished, true);
  assertEquals(statPath(socketPath), undefined);
});

Deno.test("a program is told of frontends that come and go, by socket", async () => {
  const { events, told } = recorder();
  const socketPaths = [freshPath(), freshPath()];
  const server = VhostUserServer.listen({ socketPaths, queues: 1, events });
  const frontend = await connect(socketPaths[1]!);
  await frontend.getFeatures();
  assertEquals(told, ["connected 1"]);
  await frontend.close();
  await until("the frontend to be gone", () => told.length === 2);
  const other = await connect(socketPaths[0]!);
  await other.getFeatures();
  await server.close();
  await other.close();
  assertEquals(told, [
    "connected 1",
    "disconnected 1",
    "connected 0",
    "disconnected 0",
  ]);
});

Deno.test("a program is told of a queue that is broken, and the server goes on", async () => {
  const { events, told } = recorder();
  const socketPath = freshPath();
  await using _server = VhostUserServer.listen({
    socketPath,
    queues: 1,
    events,
  });
  await using guest = await Guest.connect(socketPath);
  const queue = await guest.start(0);
  queue.breakRing();
  await until(
    "the queue to fail",
    () => told.some((line) => line.startsWith("queue 0 of 0 failed: ")),
  );
  await guest.frontend.getFeatures();
});

Deno.test("a handler that throws ends no connection, and is logged", async () => {
  const socketPath = freshPath();
  const log: string[] = [];
  const write = (message: string) => {
    log.push(message);
  };
  await using _server = VhostUserServer.listen({
    socketPath,
    queues: 1,
    log: { error: write, warn: write, info() {}, debug() {} },
    events: {
      connected() {
        throw new Error("My own mistake");
      },
    },
  });
  await using frontend = await connect(socketPath);
  await frontend.getFeatures();
  assertEquals(log, [
    "A handler of the server's events threw: Error: My own mistake",
  ]);
});

Deno.test("what cannot be served is an error of its own class, and leaves nothing", () => {
  const socketPath = freshPath();
  assertThrows(() => VhostUserServer.listen({}), TypeError, "either socket");
  assertThrows(
    () => VhostUserServer.listen({ socketPath, fd: 3 }),
    TypeError,
    "either socket",
  );
  assertThrows(
    () => VhostUserServer.listen({ socketPath, queues: 0 }),
    RangeError,
    "queues 0",
  );
  assertThrows(
    () => VhostUserServer.listen({ socketPath: "/nonexistent/a.sock" }),
    SocketError,
    "/nonexistent/a.sock",
  );
  assertEquals(statPath(socketPath)?.type === FileType.SOCKET, false);
});

Deno.test({
  name: "a server whose workers may not be loaded is an error before it is one",
  permissions: { ffi: true, read: false },
  fn() {
    assertThrows(
      () => VhostUserServer.listen({ socketPath: freshPath() }),
      Deno.errors.NotCapable,
      "that needs --allow-read=",
    );
  },
});
