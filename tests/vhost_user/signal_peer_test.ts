import { assertEquals } from "@std/assert";
import { createEventfd, signalPeer } from "../../device/host/eventfd.ts";
import { libc } from "../../device/host/libc.ts";

Deno.test("signalling a peer's blocking eventfd whose counter is full does not block", () => {
  const fd = libc().eventfd(0, 0);
  assertEquals(libc().eventfd_write(fd, 0xffff_ffff_ffff_fffen), 0);
  assertEquals(signalPeer(fd), false);
  libc().close(fd);
});

Deno.test("signalling a peer's eventfd signals it", () => {
  const fd = createEventfd();
  assertEquals(signalPeer(fd), true);
  libc().close(fd);
});
