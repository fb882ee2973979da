/**
 * A frontend under load that a test kills: connects to the socket that is its
 * argument, says so when requests are being answered, and never ends.
 *
 * @module
 */

import { Guest } from "./guest.ts";

if (import.meta.main) {
  const guest = await Guest.connect(Deno.args[0]!);
  const session = await guest.session();
  const queues = [await guest.start(0), await guest.start(1)];
  const loads = queues.map((queue) => queue.load(session, 32));
  for (const load of loads) await load.progress(50);
  console.log("loaded");
  await new Promise(() => {});
}
