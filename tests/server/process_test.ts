import { assert, assertEquals } from "@std/assert";
import { closeFds } from "../../device/vhost_user/socket.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";
import { Guest } from "./guest.ts";
import { connect } from "./raw_frontend.ts";
import { freshPath, pipe, sleep, until } from "./test_server.ts";

/** Processor time of a second: more than this is not idle. */
const IDLE_TICKS = 1;

async function assertIdle(server: CliProcess): Promise<void> {
  // What was begun is ended, and the compiler has done its work.
  await sleep(500);
  const before = await server.ticks();
  await sleep(1000);
  const used = await server.ticks() - before;
  assert(used <= IDLE_TICKS, `${used} ticks of processor time in a second`);
}

Deno.test("a server whose frontend is idle uses no processor time", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  await using guest = await Guest.connect(path, { mode: "device" });
  const control = await guest.start(2);
  const session = await guest.session(undefined, control);
  const queues = [await guest.start(0), await guest.start(1)];
  for (const queue of queues) await queue.run(session, 20);
  await assertIdle(server);
  for (const queue of queues) await queue.run(session, 20);
});

Deno.test("rings that cannot be served, and kicks that were closed, use no processor time", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  await using guest = await Guest.connect(path, { mode: "device" });
  const broken = await guest.start(0);
  broken.breakRing();
  for (const index of [1, 2]) {
    await guest.start(index);
    const [read, write] = pipe();
    await guest.frontend.setVringKick(index, read);
    closeFds([read, write]);
  }
  await assertIdle(server);
});

Deno.test("a server without a descriptor left keeps who connects waiting, idly", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  const limit = (most: number) =>
    outputOf("prlimit", `--pid=${server.pid}`, `--nofile=${most}:1024`);
  await sleep(200);
  // What is open stays open; nothing can be added.
  await limit(3);
  await using frontend = await connect(path);
  const features = frontend.getFeatures();
  features.catch(() => {});
  await assertIdle(server);
  await limit(1024);
  await features;
});

Deno.test("hundreds of connections leave no descriptor and no mapping behind", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  const visit = async (memory: number) => {
    const guest = await Guest.connect(path, {
      memory: Array.from({ length: memory }, (_, i) => ({
        guestAddress: i * (4 << 20),
        size: 2 << 20,
        mmapOffset: i * 0x1000,
      })),
    });
    const queue = await guest.start(0);
    await queue.run(await guest.session(), 2);
    await guest.frontend.close();
  };
  const settled = async () => {
    let fds = 0;
    await until("the connection to end", async () => {
      const mappings = await server.mappings();
      fds = await server.openFds();
      return !mappings.some((line) => line.includes("memfd:guest-memory"));
    });
    return { fds, mappings: (await server.mappings()).length };
  };
  for (let i = 0; i < 20; i++) await visit(1 + i % 4);
  const before = await settled();
  for (let i = 0; i < 200; i++) await visit(1 + i % 4);
  await until("the descriptors to be closed", async () => {
    return await server.openFds() <= before.fds;
  });
  const after = await settled();
  assertEquals(after.fds, before.fds);
  // The runtime's own come and go; two for each connection would be 400.
  assert(
    after.mappings < before.mappings + 60,
    `${after.mappings} mappings after ${before.mappings}`,
  );
});

Deno.test("a frontend that is killed under load leaves nothing behind", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  const visit = async () => {
    await using guest = await Guest.connect(path);
    const queue = await guest.start(0);
    await queue.run(await guest.session(), 5);
  };
  await visit();
  await sleep(200);
  const before = await server.openFds();
  for (let i = 0; i < 2; i++) {
    const frontend = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-ffi",
        "--allow-read",
        new URL("./frontend_program.ts", import.meta.url).pathname,
        path,
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = frontend.stdout.getReader();
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), "loaded\n");
    assert(await server.openFds() > before);
    frontend.kill("SIGKILL");
    await frontend.status;
    await reader.cancel();
    await visit();
  }
  await until("the descriptors to be closed", async () => {
    return await server.openFds() <= before;
  });
  const mappings = await server.mappings();
  assertEquals(mappings.filter((line) => line.includes("memfd:guest")), []);
});
