import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError } from "../../device/driver/vhost_user_channel.ts";
import { SocketError } from "../../device/vhost_user/listener.ts";
import { encodeMessage } from "../../device/vhost_user/encode.ts";
import { openFds } from "../vhost_user/bytes.ts";
import { Guest } from "./guest.ts";
import { encryption } from "./guest_session.ts";
import { connect } from "./raw_frontend.ts";
import { freshPath, noMoreFdsThan, sleep, TestServer } from "./test_server.ts";

Deno.test("a second frontend is turned away while the first works on", async () => {
  await using server = new TestServer();
  await using guest = await Guest.connect(server.path);
  const load = (await guest.start(0)).load(await guest.session());
  for (let i = 0; i < 10; i++) {
    await using second = await connect(server.path);
    await assertRejects(() => second.receive(), ConnectionClosedError);
    await load.progress(10);
  }
  await load.end();
  await guest.frontend.getFeatures();
});

Deno.test("a frontend that closes and reconnects at once is served, 200 times", async () => {
  await using server = new TestServer();
  for (let i = 0; i < 200; i++) {
    const frontend = await connect(server.path);
    await frontend.getFeatures();
    await frontend.close();
  }
});

Deno.test("a guest under load that reconnects at once is served, and leaves nothing", async () => {
  await using server = new TestServer({ queues: 2 });
  const before = await server.openFds();
  for (let i = 0; i < 20; i++) {
    const guest = await Guest.connect(server.path);
    const session = await guest.session();
    for (const index of [0, 1]) {
      const queue = await guest.start(index);
      await queue.run(session, 4, 4);
      for (let n = 0; n < 32; n++) queue.add(session);
      queue.publish();
    }
    // Without a word, in the middle of it.
    await guest.frontend.close();
  }
  await noMoreFdsThan(before);
});

Deno.test("a session of one connection is none of the next", async () => {
  await using server = new TestServer();
  const ids: bigint[] = [];
  for (let i = 0; i < 3; i++) {
    await using guest = await Guest.connect(server.path);
    const queue = await guest.start(0);
    for (const id of ids) {
      const bytes = encryption(id, new Uint8Array(16));
      assertEquals((await queue.exchange(bytes, 17)).at(-1), 4, "INVSESS");
      await assertRejects(() => guest.frontend.closeCryptoSession(id));
    }
    const session = await guest.session();
    assertEquals(ids.includes(session.id), false, "no id comes twice");
    await queue.run(session, 3);
    ids.push(session.id);
  }
});

Deno.test("sockets are devices of their own", async () => {
  const paths = [freshPath(), freshPath(), freshPath()];
  await using server = new TestServer({ socketPaths: paths });
  await using first = await Guest.connect(paths[0]!);
  await using second = await Guest.connect(paths[1]!, { mode: "device" });
  const session = await first.session();
  const queue = await first.start(0);
  const control = await second.start(1);
  const other = await second.start(0);
  const bytes = encryption(session.id, new Uint8Array(16));
  assertEquals((await other.exchange(bytes, 17)).at(-1), 4, "INVSESS");
  const theirs = await second.session(undefined, control);
  await Promise.all([queue.run(session, 100), other.run(theirs, 100)]);
  assertEquals(server.server.statistics.length, 3);
});

Deno.test("a hostile frontend of one socket does not disturb another", async () => {
  const paths = [freshPath(), freshPath()];
  await using _server = new TestServer({ socketPaths: paths });
  await using guest = await Guest.connect(paths[0]!);
  const load = (await guest.start(0)).load(await guest.session());
  for (let i = 0; i < 8; i++) {
    const hostile = await Guest.connect(paths[1]!);
    const queue = await hostile.start(0);
    queue.breakRing();
    await hostile.frontend.setVringNum(99, 1).catch(() => {});
    await hostile.frontend.channel.sendBytes(
      encodeMessage(0xbad, 1, new Uint8Array()),
    );
    await hostile.frontend.close();
    await load.progress(10);
  }
  await load.end();
});

Deno.test("a server that stops under load, in the middle of messages, gives all back", async () => {
  const before = openFds();
  for (let i = 0; i < 5; i++) {
    const server = new TestServer({ queues: 2 });
    const guest = await Guest.connect(server.path);
    const session = await guest.session();
    const queues = [await guest.start(0), await guest.start(1)];
    const loads = queues.map((queue) => queue.load(session));
    for (const load of loads) await load.progress(5);
    const { frontend } = guest;
    const messages = [
      frontend.setVringKick(0, queues[0]!.fds.kick),
      frontend.setMemTable(frontend.shared.regions),
      frontend.setVringKick(1, queues[1]!.fds.kick),
      frontend.getVringBase(0),
    ].map((message) => message.catch(() => {}));
    await sleep(i);
    await server[Symbol.asyncDispose]();
    await Promise.all(messages);
    await Promise.all(loads.map((load) => load.halt()));
    await frontend.close();
    // Nothing is left to be stopped, and its descriptors are others' by now.
    await server.server.close();
  }
  await noMoreFdsThan(before);
});

Deno.test("a server that cannot have all its sockets has none", async () => {
  const before = openFds();
  const good = freshPath();
  const socketPaths = [good, "/nonexistent/x.sock"];
  await assertRejects(
    async () => await new TestServer({ socketPaths }).server.finished,
    SocketError,
    "/nonexistent/x.sock",
  );
  await assertRejects(() => connect(good, 20), SocketError);
  await noMoreFdsThan(before);
});
