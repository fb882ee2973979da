import { assert, assertEquals, assertMatch } from "@std/assert";
import { Guest } from "../server/guest.ts";
import { freshPath } from "../server/test_server.ts";
import { statPath } from "../../device/host/file.ts";
import { closeFd } from "../../device/vhost_user/socket.ts";
import { VhostUserChannel } from "../../device/driver/vhost_user_channel.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import { inheritedPair } from "../support/handed_down.ts";
import { CommandProcess, ROOT } from "../support/server_process.ts";

const FOLDER = `${ROOT}packaging/vhost-user/`;
const PROGRAM = `${FOLDER}vhost-user-crypto`;

/** Starts the backend program as management software does. */
function backend(...args: string[]): CommandProcess {
  return new CommandProcess([PROGRAM, ...args], { VIRTIO_CRYPTO_TREE: ROOT });
}

Deno.test("the descriptor is what QEMU's schema has for a backend", async () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json"));
  assertEquals(names.length, 1);
  assertMatch(names[0]!, /^\d\d-/, "two digits give its place");
  const descriptor = JSON.parse(await Deno.readTextFile(FOLDER + names[0]));
  assertEquals(
    Object.keys(descriptor).toSorted(),
    ["binary", "description", "tags", "type"],
  );
  assertEquals(descriptor.type, "crypto");
  assertEquals(descriptor.binary, "/usr/libexec/vhost-user-crypto");
  assert(descriptor.binary.endsWith(PROGRAM.slice(FOLDER.length - 1)));
  for (const tag of descriptor.tags) assertEquals(typeof tag, "string");
});

Deno.test("the backend program prints its capabilities", async () => {
  await using program = backend("--print-capabilities");
  const { code, stdout, stderr } = await program.ended();
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(stdout).type, "crypto");
});

Deno.test("the backend program serves at a path, and SIGTERM ends it", async () => {
  const path = freshPath();
  await using program = await backend(`--socket-path=${path}`).ready();
  await using guest = await Guest.connect(path);
  const queue = await guest.start(0);
  await queue.run(await guest.session(), 10);
  program.kill("SIGTERM");
  const { code, signal } = await program.ended(3000);
  assertEquals([code, signal, statPath(path)], [0, null, undefined]);
});

Deno.test("the backend program serves a connection that it was handed", async () => {
  const [ours, theirs] = inheritedPair();
  await using program = await backend(`--fd=${theirs}`).ready();
  closeFd(theirs);
  const frontend = new VhostUserFrontend(new VhostUserChannel(ours));
  await using guest = await Guest.over(frontend);
  const queue = await guest.start(0);
  await queue.run(await guest.session(), 10);
  program.kill("SIGTERM");
  assertEquals((await program.ended(3000)).code, 0);
});
