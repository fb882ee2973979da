import { assertEquals, assertMatch } from "@std/assert";
import { VhostUserChannel } from "../../device/driver/vhost_user_channel.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { statPath } from "../../device/host/file.ts";
import { closeFd } from "../../device/vhost_user/socket.ts";
import { Guest } from "../server/guest.ts";
import { connect } from "../server/raw_frontend.ts";
import { freshPath, TestServer } from "../server/test_server.ts";
import { socketPair } from "../vhost_user/bytes.ts";
import { inheritedPair, listening } from "../support/handed_down.ts";
import { CliProcess } from "../support/server_process.ts";

Deno.test("a listening socket that was handed down is served, and stays where it is", async () => {
  const path = freshPath();
  const fd = listening(path);
  {
    await using server = new TestServer({ fd });
    for (let i = 0; i < 3; i++) {
      await using guest = await Guest.connect(path);
      const queue = await guest.start(0);
      await queue.run(await guest.session(), 10);
    }
    assertEquals(server.paths, []);
  }
  assertEquals(statPath(path) === undefined, false, "it is not the server's");
  libc().unlink(cString(path));
});

Deno.test("a connected socket that was handed down is served until it is closed", async () => {
  const [ours, theirs] = socketPair();
  await using server = new TestServer({ fd: theirs });
  const guest = await Guest.over(
    new VhostUserFrontend(new VhostUserChannel(ours)),
  );
  const queue = await guest.start(0);
  await queue.run(await guest.session(), 10);
  await guest.frontend.close();
  await server.server.finished;
});

Deno.test("--fd serves an inherited listening socket until SIGTERM", async () => {
  const path = freshPath();
  const fd = listening(path);
  await using server = await CliProcess.serve([`--fd=${fd}`]);
  closeFd(fd);
  assertMatch(server.stdout, new RegExp(`^Serving on [^\\n]*${fd}\\n$`));
  for (let i = 0; i < 2; i++) {
    await using frontend = await connect(path);
    await frontend.getFeatures();
  }
  server.kill("SIGTERM");
  assertEquals((await server.ended(3000)).code, 0);
  libc().unlink(cString(path));
});

Deno.test("--fd serves an inherited connection, and ends with it", async () => {
  const [ours, theirs] = inheritedPair();
  await using server = await CliProcess.serve([`--fd=${theirs}`]);
  closeFd(theirs);
  // The child has inherited this end as well, so it is shut down and not only
  // closed.
  const frontend = new VhostUserFrontend(new VhostUserChannel(ours));
  await frontend.getFeatures();
  libc().shutdown(ours, 2);
  await frontend.close();
  const outcome = await server.ended(3000);
  assertEquals([outcome.code, outcome.signal], [0, null]);
});
