import { assert, assertEquals } from "@std/assert";
import { statPath } from "../../device/host/file.ts";
import { CBC_INFO } from "../server/guest_session.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";
import {
  LEGACY_FEATURES,
  SurvivingGuest,
  SurvivingLoad,
  V15_FEATURES,
} from "./surviving_guest.ts";

const OK = 0;
const INVSESS = 4;

const KEY = Uint8Array.from({ length: 16 }, (_, i) => 7 * i + 1);
const OTHER_KEY = Uint8Array.from({ length: 16 }, (_, i) => 11 * i + 3);

async function killed(server: CliProcess): Promise<void> {
  server.kill("SIGKILL");
  assertEquals((await server.ended()).signal, "SIGKILL");
}

Deno.test("a server is killed under load, and the next one completes every request once, in order", async () => {
  const path = freshPath();
  await using guest = new SurvivingGuest(2, V15_FEATURES);
  let load = new SurvivingLoad(guest, (queue) => queue.add(KEY) >= 0);
  const returned = guest.queues.map(() => 0);
  const check = (load: SurvivingLoad) =>
    load.returned.forEach((list, index) => {
      // None is missing, none came twice: their numbers are 0, 1, 2, …
      for (const { number, status, right } of list) {
        assertEquals(number, returned[index]!++);
        assertEquals([status, right], [OK, true], `request ${number}`);
      }
    });
  for (let crash = 0; crash < 4; crash++) {
    await using server = await CliProcess.serve([`--socket-path=${path}`]);
    await guest.connect(path);
    await load.progress(200);
    await killed(server);
    // The socket of a killed server stays, and the next one replaces it.
    assert(statPath(path) !== undefined);
    await load.end();
    check(load);
    // What was completed is known by now, and there is something left to do.
    assert(guest.queues.every((queue) => queue.outstanding > 0));
    load = new SurvivingLoad(guest, (queue) => queue.add(KEY) >= 0);
  }
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  await guest.connect(path);
  await load.progress(50);
  await load.end();
  check(load);
  for (const queue of guest.queues) {
    for (const { number, status, right } of await queue.drain()) {
      assertEquals(number, returned[queue.index]!++);
      assertEquals([status, right], [OK, true]);
    }
  }
  server.kill("SIGTERM");
  assertEquals((await server.ended()).code, 0);
  assertEquals(statPath(path), undefined, "the socket");
});

Deno.test("sessions of a killed server are not those of the next one, and new ones serve", async () => {
  const path = freshPath();
  await using guest = new SurvivingGuest(1, LEGACY_FEATURES);
  const [queue] = guest.queues;
  const create = (key: Uint8Array) =>
    guest.frontend.createCryptoSession(CBC_INFO, key);
  let old: bigint;
  let completed: number;
  {
    await using server = await CliProcess.serve([`--socket-path=${path}`]);
    await guest.connect(path);
    old = await create(KEY);
    const load = new SurvivingLoad(guest, (queue) => queue.add(KEY, old) >= 0);
    await load.progress(100);
    await killed(server);
    await load.end();
    const [returned] = load.returned;
    completed = returned!.length;
    for (const { status, right } of returned!) {
      assertEquals([status, right], [OK, true]);
    }
  }
  const left = queue!.outstanding;
  assert(left > 0);
  await using _server = await CliProcess.serve([`--socket-path=${path}`]);
  await guest.connect(path);
  // All that is left is of the old session, whose key is gone.
  const late = await queue!.drain();
  assertEquals(late.length, left);
  assertEquals(late[0]!.number, completed);
  // What the killed server computed and did not show may be there.
  for (const { status } of late) assertEquals(status, INVSESS);
  // Whoever makes as many sessions as before gets others.
  const fresh = await create(OTHER_KEY);
  assert(fresh !== old);
  for (let i = 0; i < 8; i++) assert(await create(OTHER_KEY) !== old);
  queue!.add(KEY, old);
  queue!.add(OTHER_KEY, fresh);
  queue!.add(KEY, old);
  queue!.publish();
  assertEquals(
    (await queue!.drain()).map(({ status, right }) => [status, right]),
    [[INVSESS, false], [OK, true], [INVSESS, false]],
  );
});

Deno.test("a killed server leaves nothing behind but its socket", async () => {
  const path = freshPath();
  await using guest = new SurvivingGuest(1, LEGACY_FEATURES);
  const server = await CliProcess.serve([`--socket-path=${path}`]);
  await guest.connect(path);
  const id = await guest.frontend.createCryptoSession(CBC_INFO, KEY);
  const load = new SurvivingLoad(guest, (queue) => queue.add(KEY, id) >= 0);
  await load.progress(20);
  const shared = async () =>
    (await outputOf("ls", "/dev/shm")).trim().split("\n").filter((name) =>
      name.includes("virtio")
    );
  assertEquals(await shared(), []);
  await killed(server);
  await load.end();
  assertEquals(await shared(), []);
  // Its memory was the frontend's, which goes with it; of its own it had none.
  const next = await CliProcess.serve([`--socket-path=${path}`]);
  next.kill("SIGTERM");
  assertEquals((await next.ended()).code, 0);
  assertEquals(statPath(path), undefined);
});
