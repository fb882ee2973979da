import { assertEquals } from "@std/assert";
import { POLLIN } from "../../device/host/poll.ts";
import { createEventfd } from "../../device/host/eventfd.ts";
import type { ControlQueue } from "../../device/service/control_queue.ts";
import type { RequestLayout } from "../../device/spec/request_layout.ts";
import { ControlRing } from "../../device/vhost_user/served_ring.ts";
import { closeFd } from "../../device/vhost_user/socket.ts";
import type { RingSetup } from "../../device/virtqueue/ring.ts";

/** A control queue that serves well at first. */
class FailingQueue {
  running = false;
  readonly broken = undefined;
  readonly counters = { kick() {} };
  fails = false;

  start(): void {
    this.running = true;
  }

  stop(): number {
    this.running = false;
    return 7;
  }

  run(): number {
    if (this.fails) throw new RangeError("Cannot go on");
    return 0;
  }

  arm(): boolean {
    return false;
  }
}

Deno.test("a control queue that throws is broken, and its server goes on", async () => {
  const queue = new FailingQueue();
  const told: string[] = [];
  const ring = new ControlRing(
    queue as unknown as ControlQueue,
    (reason) => told.push(reason),
  );
  const kick = createEventfd();
  await ring.start({} as RingSetup, {} as RequestLayout, { kick, call: -1 });
  assertEquals([ring.kickFd, told], [kick, []]);
  queue.fails = true;
  ring.kicked(POLLIN);
  assertEquals(told, [
    "It was not served to the end: RangeError: Cannot go on",
  ]);
  // It is not looked at any more, and can be stopped and started again.
  assertEquals(ring.kickFd, -1);
  assertEquals(await ring.stop(), 7);
  queue.fails = false;
  await ring.start({} as RingSetup, {} as RequestLayout, { kick, call: -1 });
  assertEquals([ring.kickFd, told.length], [kick, 1]);
  closeFd(kick);
});
