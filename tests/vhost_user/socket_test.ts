import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  createEventfd,
  drainEventfd,
  isNotifier,
  signalEventfd,
} from "../../device/host/eventfd.ts";
import { statPath } from "../../device/host/file.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { POLLIN, pollNow } from "../../device/host/poll.ts";
import {
  connectUnix,
  listenUnix,
  SocketError,
  socketRole,
  UnixListener,
} from "../../device/vhost_user/listener.ts";
import {
  FramingError,
  MessageParser,
} from "../../device/vhost_user/message.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { closeFd, closeFds, SocketIo } from "../../device/vhost_user/socket.ts";
import {
  joined,
  memfd,
  openFds,
  payloadOf,
  requestOf,
  socketPair,
  socketPath,
} from "./bytes.ts";

const io = new SocketIo();

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** Receives where something must be there. */
function receiveData(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
): { length: number; fds: readonly number[] } {
  const got = io.receive(fd, buffer);
  if (got.kind !== "data") throw new Error(`Cannot receive: ${got.kind}`);
  return got;
}

/** Runs a test and compares the number of descriptors before and after. */
function leakFree(name: string, test: () => void): void {
  Deno.test(name, () => {
    const before = openFds();
    test();
    assertEquals(openFds(), before, "no descriptor is left");
  });
}

function withPair(use: (a: number, b: number) => void): void {
  const pair = socketPair();
  try {
    use(...pair);
  } finally {
    closeFds(pair);
  }
}

leakFree("bytes that were sent are received", () => {
  withPair((a, b) => {
    const buffer = bytes(16);
    assertEquals(io.receive(b, buffer), { kind: "idle" });
    assertEquals(io.send(a, Uint8Array.of(1, 2, 3)), "sent");
    assertEquals(io.receive(b, buffer), { kind: "data", length: 3, fds: [] });
    assertEquals([...buffer.subarray(0, 4)], [1, 2, 3, 0]);
    assertEquals(io.receive(b, buffer), { kind: "idle" });
  });
});

leakFree("no more is received than the buffer holds", () => {
  withPair((a, b) => {
    io.send(a, Uint8Array.of(1, 2, 3, 4, 5));
    const all = bytes(8);
    assertEquals(io.receive(b, all.subarray(2, 4)).kind, "data");
    assertEquals([...all], [0, 0, 1, 2, 0, 0, 0, 0]);
  });
});

leakFree(
  "descriptors arrive as new ones of the same files, close-on-exec",
  () => {
    withPair((a, b) => {
      const files = [memfd(4096), memfd(8192)];
      assertEquals(io.send(a, Uint8Array.of(9), files), "sent");
      const got = receiveData(b, bytes(1));
      assertEquals(got.fds.length, 2);
      libc().pwrite(files[1]!, Uint8Array.of(77), 1n, 0n);
      const read = bytes(1);
      libc().pread(got.fds[1]!, read, 1n, 0n);
      assertEquals(read[0], 77);
      closeFds([...files, ...got.fds]);
    });
  },
);

leakFree("32 descriptors are received, so that too many can be refused", () => {
  withPair((a, b) => {
    const file = memfd(1);
    io.send(a, Uint8Array.of(1), new Array(32).fill(file));
    const got = receiveData(b, bytes(1));
    assertEquals(got.fds.length, 32);
    closeFds([file, ...got.fds]);
    assertThrows(
      () => io.send(a, Uint8Array.of(1), new Array(33).fill(file)),
      RangeError,
    );
  });
});

leakFree(
  "descriptors beyond 32 are reported as truncated, and none stays open",
  () => {
    withPair((a, b) => {
      const file = memfd(1);
      sendFds(a, new Array(100).fill(file));
      assertEquals(io.receive(b, bytes(1)), { kind: "truncated" });
      closeFd(file);
    });
  },
);

/** Sends one byte and more descriptors than SocketIo would. */
function sendFds(fd: number, fds: number[]): void {
  const at = (buffer: ArrayBufferLike) =>
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(buffer)));
  const data = bytes(1);
  const iov = BigUint64Array.of(at(data.buffer), 1n);
  const control = new DataView(new ArrayBuffer(16 + 4 * fds.length));
  control.setBigUint64(0, BigInt(control.byteLength), true);
  control.setUint32(8, 1, true);
  control.setUint32(12, 1, true);
  fds.forEach((each, i) => control.setInt32(16 + 4 * i, each, true));
  const header = new BigUint64Array(7);
  header[2] = at(iov.buffer);
  header[3] = 1n;
  header[4] = at(control.buffer);
  header[5] = BigInt(control.byteLength);
  assertEquals(libc().sendmsg(fd, header, 0x4000), 1);
}

leakFree("a peer that hung up is seen after what it had sent", () => {
  withPair((a, b) => {
    io.send(a, Uint8Array.of(1));
    libc().shutdown(a, 2);
    assertEquals(io.receive(b, bytes(8)).kind, "data");
    assertEquals(io.receive(b, bytes(8)), { kind: "closed" });
  });
});

leakFree(
  "sending to a peer that is gone is broken and raises no signal",
  () => {
    const [a, b] = socketPair();
    closeFd(b);
    assertEquals(io.send(a, Uint8Array.of(1)), "broken");
    assertEquals(io.receive(a, bytes(1)), { kind: "closed" });
    closeFd(a);
  },
);

leakFree("a peer that closed with something unread is closed", () => {
  const [a, b] = socketPair();
  io.send(a, Uint8Array.of(1));
  closeFd(b);
  assertEquals(io.receive(a, bytes(1)), { kind: "closed" });
  closeFd(a);
});

leakFree(
  "a peer that does not read makes sending full, and reading makes room",
  () => {
    withPair((a, b) => {
      const message = requestOf(1, payloadOf(1072));
      let count = 0;
      while (io.send(a, message) === "sent") count++;
      assert(count > 50);
      assertEquals(io.send(a, message), "full");
      const buffer = bytes(message.length);
      for (let i = 0; i < count; i++) {
        const got = receiveData(b, buffer);
        assertEquals(got.length, message.length, "no part of one was sent");
      }
      assertEquals(io.receive(b, buffer), { kind: "idle" });
      assertEquals(io.send(a, message), "sent");
    });
  },
);

leakFree(
  "messages and descriptors glued together in the socket stay apart",
  () => {
    withPair((a, b) => {
      const first = requestOf(p.VHOST_USER_SET_VRING_NUM, payloadOf(8));
      const kick = requestOf(p.VHOST_USER_SET_VRING_KICK, payloadOf(8));
      const files = [memfd(1), memfd(1)];
      io.send(a, joined(first, first));
      io.send(a, kick, [files[0]!]);
      io.send(a, joined(kick, first), [files[1]!]);
      const parser = new MessageParser();
      const got: [number, number][] = [];
      while (true) {
        const received = io.receive(b, parser.space);
        if (received.kind !== "data") break;
        const message = parser.received(received.length, received.fds);
        if (message === undefined) continue;
        if (message instanceof FramingError) throw message;
        got.push([message.request, message.fds.length]);
        closeFds(message.fds);
      }
      assertEquals(got, [[8, 0], [8, 0], [12, 1], [12, 1], [8, 0]]);
      closeFds(files);
    });
  },
);

leakFree(
  "survives CVE-2019-14818: 8 descriptors on a message, thousands of times",
  () => {
    const file = memfd(1);
    const eight: number[] = new Array(8).fill(file);
    for (let i = 0; i < 2000; i++) {
      const request = 1 + i % 45;
      withPair((a, b) => {
        io.send(a, requestOf(request), eight);
        const parser = new MessageParser();
        const got = receiveData(b, parser.space);
        const result = parser.received(got.length, got.fds);
        if (result !== undefined && "fds" in result) closeFds(result.fds);
        closeFds(parser.abandon());
      });
    }
    closeFd(file);
  },
);

leakFree(
  "a frontend connects to a listening socket, and closing removes it",
  () => {
    const path = socketPath();
    const listener = listenUnix(path);
    assertEquals(listener.path, path);
    assertEquals(pollNow(listener.fd, POLLIN), 0);
    assertEquals(listener.accept(), undefined);
    const client = connectUnix(path);
    assertEquals(pollNow(listener.fd, POLLIN), POLLIN);
    const server = listener.accept()!;
    io.send(client, Uint8Array.of(4));
    assertEquals(io.receive(server, bytes(1)).kind, "data");
    assertEquals(socketRole(listener.fd), "listening");
    assertEquals(socketRole(server), "connected");
    closeFds([client, server]);
    listener.close();
    listener.close();
    assertEquals(statPath(path), undefined);
  },
);

leakFree("a socket that nobody listens on any more is replaced", () => {
  const path = socketPath();
  const dead = listenUnix(path);
  // As after a kill: the descriptor is gone and the path is not.
  closeFd(dead.fd);
  assert(statPath(path) !== undefined);
  const listener = listenUnix(path);
  closeFd(connectUnix(path));
  listener.close();
});

leakFree("a live server's socket is never replaced", () => {
  const path = socketPath();
  const live = listenUnix(path);
  assertThrows(() => listenUnix(path), SocketError, "another server");
  closeFd(connectUnix(path));
  live.close();
});

leakFree("a live server with a full backlog keeps its socket", () => {
  const path = socketPath();
  const live = listenUnix(path);
  const clients: number[] = [];
  try {
    while (clients.length < 100) clients.push(connectUnix(path));
  } catch (error) {
    assertInstanceOf(error, SocketError);
  }
  assert(clients.length < 100);
  assertThrows(() => listenUnix(path), SocketError, "another server");
  assert(statPath(path) !== undefined);
  closeFds(clients);
  live.close();
});

leakFree("what is not a socket is never removed", () => {
  assertThrows(() => listenUnix("/tmp"), SocketError, "not a socket");
  const path = socketPath();
  // A symbolic link to a stale socket is not followed either.
  const target = socketPath();
  closeFd(listenUnix(target).fd);
  const library = Deno.dlopen("libc.so.6", {
    symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  });
  library.symbols.symlink(cString(target), cString(path));
  library.close();
  assertThrows(() => listenUnix(path), SocketError, "not a socket");
  for (const each of [path, target]) libc().unlink(cString(each));
});

leakFree("closing does not remove what somebody else bound meanwhile", () => {
  const path = socketPath();
  const first = listenUnix(path);
  libc().unlink(cString(path));
  const second = listenUnix(path);
  first.close();
  closeFd(connectUnix(path));
  second.close();
  assertEquals(statPath(path), undefined);
});

leakFree("a path is at most 107 bytes", () => {
  const fits = `/tmp/${"x".repeat(90)}${crypto.randomUUID().slice(0, 12)}`;
  assertEquals(fits.length, 107);
  const listener = listenUnix(fits);
  closeFd(connectUnix(fits));
  listener.close();
  assertThrows(() => listenUnix(fits + "y"), SocketError, "108 bytes");
  assertThrows(() => listenUnix("/tmp/" + "é".repeat(52)), SocketError, "109");
  assertThrows(() => listenUnix(""), SocketError, "empty");
  assertThrows(() => listenUnix("/tmp/a\0b"), TypeError, "NUL");
});

leakFree("a path in no directory says so", () => {
  assertThrows(
    () => listenUnix("/tmp/no-such-directory/socket"),
    SocketError,
    "Cannot bind a socket to /tmp/no-such-directory/socket",
  );
  assertThrows(() => connectUnix(socketPath()), SocketError, "Cannot connect");
});

leakFree(
  "a listening socket that was handed down is served and not unlinked",
  () => {
    const path = socketPath();
    const own = listenUnix(path);
    const handed = new UnixListener(libc().dup(own.fd));
    const client = connectUnix(path);
    closeFds([client, handed.accept()!]);
    handed.close();
    assert(statPath(path) !== undefined);
    own.close();
  },
);

leakFree("what is not a UNIX stream socket cannot be served", () => {
  const eventfd = createEventfd();
  const udp = libc().socket(2, 2, 0);
  const datagram = libc().socket(1, 2, 0);
  for (const fd of [eventfd, udp, datagram, -1, 4000]) {
    assertThrows(() => socketRole(fd), SocketError, "not a UNIX stream socket");
  }
  closeFds([eventfd, udp, datagram]);
});

leakFree("an eventfd is signalled, seen and emptied", () => {
  const fd = createEventfd();
  assertEquals(drainEventfd(fd), false);
  assert(signalEventfd(fd) && signalEventfd(fd));
  assertEquals(pollNow(fd, POLLIN), POLLIN);
  assertEquals(drainEventfd(fd), true);
  assertEquals(drainEventfd(fd), false);
  assertEquals(pollNow(fd, POLLIN), 0);
  closeFd(fd);
  assertEquals(signalEventfd(fd), false);
});

leakFree("a peer's blocking eventfd is emptied without blocking", () => {
  const fd = libc().eventfd(0, 0);
  assertEquals(drainEventfd(fd), false);
  signalEventfd(fd);
  assertEquals(drainEventfd(fd), true);
  assertEquals(drainEventfd(fd), false);
  closeFd(fd);
});

leakFree(
  "eventfds and pipes carry notifications, files and sockets do not",
  () => {
    const library = Deno.dlopen("libc.so.6", {
      pipe: { parameters: ["buffer"], result: "i32" },
    });
    const pipe = new Int32Array(new ArrayBuffer(8));
    library.symbols.pipe(pipe);
    library.close();
    const [reading, writing] = [pipe[0]!, pipe[1]!];
    assertEquals(isNotifier(reading), true);
    assertEquals(drainEventfd(reading), false);
    assertEquals(signalEventfd(writing), true);
    assertEquals(drainEventfd(reading), true);
    assertEquals(drainEventfd(reading), false);
    const eventfd = createEventfd();
    const file = memfd(1);
    const [a, b] = socketPair();
    assertEquals([eventfd, file, a].map(isNotifier), [true, false, false]);
    closeFds([reading, writing, eventfd, file, a, b]);
  },
);
