import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BackendTimeoutError,
  ConnectionClosedError,
  RequestRefusedError,
  UnexpectedReplyError,
  VhostUserChannel,
} from "../../device/driver/vhost_user_channel.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import { drainEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import { FdWaiter, WaiterClosedError } from "../../device/host/fd_waiter.ts";
import { libc } from "../../device/host/libc.ts";
import { POLLIN } from "../../device/host/poll.ts";
import { mapShared } from "../../device/host/shared_mapping.ts";
import {
  answerCryptoSession,
  decodeCryptoSessionCreate,
} from "../../device/vhost_user/crypto_session.ts";
import {
  encodeAck,
  encodeReply,
  encodeU64Reply,
  encodeVringStateReply,
} from "../../device/vhost_user/encode.ts";
import { SocketError } from "../../device/vhost_user/listener.ts";
import { FramingError } from "../../device/vhost_user/message.ts";
import {
  decodeConfig,
  decodeMemReg,
  decodeMemTable,
  decodeU64,
  decodeVringAddr,
  decodeVringFd,
  decodeVringState,
} from "../../device/vhost_user/payload.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { closeFds } from "../../device/vhost_user/socket.ts";
import {
  openFds,
  payloadOf,
  requestOf,
  socketPair,
  socketPath,
} from "./bytes.ts";
import { type Answer, ScriptedPeer } from "./scripted_peer.ts";

const FEATURES = 1n << 32n | 1n << 30n | 1n << 28n;
const PROTOCOL_FEATURES = 0x1_a289n;

function offers(request: number): Answer {
  switch (request) {
    case p.VHOST_USER_GET_FEATURES:
      return encodeU64Reply(request, FEATURES);
    case p.VHOST_USER_GET_PROTOCOL_FEATURES:
      return encodeU64Reply(request, PROTOCOL_FEATURES);
    default:
      return undefined;
  }
}

/** Runs a test with a frontend and a peer, and looks for leaks. */
function withPeer(
  name: string,
  test: (frontend: VhostUserFrontend, peer: ScriptedPeer) => Promise<void>,
  script: (request: number, payload: Uint8Array<ArrayBuffer>) => Answer = () =>
    undefined,
): void {
  Deno.test(name, async () => {
    const before = openFds();
    const path = socketPath();
    const peer = new ScriptedPeer(
      path,
      ({ request, payload }) => script(request, payload) ?? offers(request),
    );
    const frontend = await VhostUserFrontend.connect(path, { timeoutMs: 2000 });
    try {
      await test(frontend, peer);
    } finally {
      await frontend.close();
      await peer.done;
    }
    assertEquals(openFds(), before, "no descriptor is left");
  });
}

withPeer(
  "a frontend negotiates in the order that QEMU does",
  async (f, peer) => {
    assertEquals(
      await f.negotiate({ features: 1n << 32n | 1n << 30n }),
      f.features,
    );
    assertEquals(f.features, 1n << 32n | 1n << 30n);
    assertEquals(f.protocolFeatures, PROTOCOL_FEATURES);
    assertEquals(
      peer.received.map(({ request, needReply }) => [request, needReply]),
      [[1, false], [15, false], [16, false], [3, true], [2, true]],
    );
    assertEquals(decodeU64(peer.last(2)!.payload), f.features);
  },
);

withPeer(
  "without REPLY_ACK nothing asks for an acknowledgement",
  async (f, peer) => {
    await f.negotiate({ protocolFeatures: 1n });
    await f.setVringNum(0, 64);
    await f.getFeatures();
    assert(peer.received.every(({ needReply }) => !needReply));
  },
);

withPeer(
  "a refusal is a typed error and the connection goes on",
  async (f) => {
    await f.negotiate();
    await assertRejects(
      () => f.setVringNum(9, 64),
      RequestRefusedError,
      "VRING_NUM",
    );
    assertEquals(await f.getFeatures(), FEATURES);
  },
  (request) =>
    request === p.VHOST_USER_SET_VRING_NUM
      ? encodeAck(request, false)
      : undefined,
);

withPeer("a ring is started in the order of frontends", async (f, peer) => {
  await f.negotiate();
  const ring = {
    size: 128,
    base: 7,
    userAddresses: { descriptor: 0x1000, available: 0x2000, used: 0x3000 },
  };
  const before = peer.received.length;
  const fds = await f.startRing(2, ring);
  const sent = peer.received.slice(before);
  assertEquals(sent.map(({ request }) => request), [8, 10, 9, 14, 12, 13, 18]);
  assertEquals(decodeVringState(sent[0]!.payload), { index: 2, num: 128 });
  assertEquals(decodeVringState(sent[1]!.payload), { index: 2, num: 7 });
  assertEquals(decodeVringAddr(sent[2]!.payload), {
    index: 2,
    flags: 0,
    ...ring.userAddresses,
  });
  assertEquals(decodeVringState(sent[6]!.payload), { index: 2, num: 1 });
  const kick = decodeVringFd(sent[4]!.payload, sent[4]!.fds);
  const call = decodeVringFd(sent[5]!.payload, sent[5]!.fds);
  assertEquals([kick.index, call.index], [2, 2]);
  signalEventfd(fds.kick);
  assertEquals(drainEventfd(kick.fd!), true);
  // The call wakes whoever waits, while this thread is free for other things.
  const waiting = f.waitReadable([fds.err, fds.call], 2000);
  assertEquals(await f.getFeatures(), FEATURES);
  signalEventfd(call.fd!);
  assertEquals(await waiting, [fds.call]);
  await f.setVringCall(2, undefined);
  assertEquals(decodeU64(peer.last(13)!.payload), 0x102n);
});

withPeer(
  "shared memory reaches the backend by its descriptors",
  async (f, peer) => {
    await f.negotiate();
    const size = 0x20_0000;
    const memory = await f.shareMemory([
      { guestAddress: 0, size },
      { guestAddress: 0x1_0000_0000, size, mmapOffset: 0x3000 },
    ]);
    const { payload, fds } = peer.last(p.VHOST_USER_SET_MEM_TABLE)!;
    const regions = decodeMemTable(payload, fds.length);
    assertEquals(regions.length, 2);
    regions.forEach((region, i) => {
      const { guestAddress, userAddress } = memory.regions[i]!;
      assertEquals([region.guestAddress, region.userAddress], [
        guestAddress,
        userAddress,
      ]);
      assertEquals(memory.find(userAddress), -1, "no guest address");
      assertEquals(memory.findUser(guestAddress, 1), -1, "no user address");
      assertEquals(memory.findUser(userAddress, size), i);
      using theirs = mapShared(fds[i]!, region.mmapOffset, region.size);
      memory.bytes[i]![100] = 55 + i;
      assertEquals(new Uint8Array(theirs.buffer)[theirs.offset + 100], 55 + i);
    });
  },
);

withPeer("a region is added and removed by itself", async (f, peer) => {
  await f.negotiate();
  await f.shareMemory([{ guestAddress: 0, size: 0x1000 }]);
  const region = await f.addMemory({ guestAddress: 0x10_0000, size: 0x2000 });
  const added = peer.last(p.VHOST_USER_ADD_MEM_REG)!;
  assertEquals(added.fds.length, 1);
  const { fd: _fd, mapping: _mapping, ...described } = region;
  assertEquals(decodeMemReg(added.payload), described);
  assertEquals(f.shared.memory.regions.length, 2);
  await f.removeMemory(region);
  const removed = peer.last(p.VHOST_USER_REM_MEM_REG)!;
  assertEquals(removed.fds.length, 0);
  assertEquals(decodeMemReg(removed.payload), described);
  assertEquals(f.shared.memory.regions.length, 1);
  assertEquals(region.mapping.released, true);
});

withPeer(
  "the configuration space is read, and an error has no bytes",
  async (f) => {
    await f.negotiate();
    assertEquals(await f.getConfig(4, 3), Uint8Array.of(4, 5, 6));
    assertEquals(await f.getConfig(250, 3), undefined);
  },
  (request, payload) => {
    if (request !== p.VHOST_USER_GET_CONFIG) return undefined;
    const { offset, data } = decodeConfig(payload);
    if (offset >= 250) return encodeReply(request, new Uint8Array());
    data.forEach((_, i) => data[i] = offset + i);
    return encodeReply(request, payload);
  },
);

withPeer("numbers, bases and statuses are read", async (f, peer) => {
  await f.negotiate();
  assertEquals(await f.getQueueNum(), 3);
  assertEquals(await f.getVringBase(1), 0x8001);
  assertEquals(await f.getMaxMemSlots(), 64);
  await f.setStatus(15);
  assertEquals(decodeU64(peer.last(p.VHOST_USER_SET_STATUS)!.payload), 15n);
  assertEquals(await f.getStatus(), 15);
  await f.resetDevice();
  await f.resetOwner();
  await assertRejects(() => f.getVringBase(2), UnexpectedReplyError, "ring 1");
}, (request) => {
  switch (request) {
    case p.VHOST_USER_GET_QUEUE_NUM:
      return encodeU64Reply(request, 3n);
    case p.VHOST_USER_GET_VRING_BASE:
      return encodeVringStateReply(request, 1, 0x8001);
    case p.VHOST_USER_GET_MAX_MEM_SLOTS:
      return encodeU64Reply(request, 64n);
    case p.VHOST_USER_GET_STATUS:
      return encodeU64Reply(request, 15n);
    default:
      return undefined;
  }
});

for (const size of [632, 1072] as const) {
  withPeer(
    `a session is created by a message of ${size} bytes`,
    async (f, peer) => {
      await f.negotiate();
      const info = {
        cipherAlgo: 3,
        keyLength: 16,
        hashAlgo: 0,
        hashResultLength: 0,
        authKeyLength: 0,
        aadLength: 0,
        opType: 1,
        direction: 1,
        hashMode: 0,
        chainOrder: 0,
      };
      const key = new Uint8Array(16).fill(9);
      const id = await f.createCryptoSession(info, key, undefined, size);
      assertEquals(id, 0x1_0000_0002n);
      const { payload } = peer.last(p.VHOST_USER_CREATE_CRYPTO_SESSION)!;
      assertEquals(payload.length, size);
      const decoded = decodeCryptoSessionCreate(payload);
      assertEquals([decoded.info, decoded.key], [info, key]);
      await f.closeCryptoSession(id);
      assertEquals(
        decodeU64(peer.last(p.VHOST_USER_CLOSE_CRYPTO_SESSION)!.payload),
        id,
      );
    },
    (request, payload) => {
      if (request !== p.VHOST_USER_CREATE_CRYPTO_SESSION) return undefined;
      answerCryptoSession(payload, 0x1_0000_0002n);
      return encodeReply(request, payload);
    },
  );
}

withPeer("several exchanges at once each get their own reply", async (f) => {
  await f.negotiate();
  const results = await Promise.all(
    Array.from(
      { length: 200 },
      (_, i) => i % 2 === 0 ? f.getFeatures() : f.getProtocolFeatures(),
    ),
  );
  results.forEach((value, i) =>
    assertEquals(value, i % 2 === 0 ? FEATURES : PROTOCOL_FEATURES)
  );
});

withPeer("a bad message goes out as it is given", async (f, peer) => {
  await f.send(99, payloadOf(3), [], 2);
  await assertRejects(() => f.receive(), ConnectionClosedError);
  assert(peer.error instanceof FramingError);
});

withPeer("a message in two halves is put together again", async (f, peer) => {
  const message = requestOf(
    p.VHOST_USER_SET_VRING_NUM,
    payloadOf(8, { 0: 4 }),
    9,
  );
  await f.channel.sendBytes(message.slice(0, 5));
  await f.waitReadable([], 20);
  assertEquals(peer.received.length, 0);
  await f.channel.sendBytes(message.slice(5));
  assertEquals((await f.receive()).request, p.VHOST_USER_SET_VRING_NUM);
});

withPeer("a backend that hangs up is a typed error", async (f) => {
  await assertRejects(() => f.getFeatures(), ConnectionClosedError);
  await assertRejects(() => f.getFeatures(), ConnectionClosedError);
}, () => "hang up");

withPeer("a reply to another request is a typed error", async (f) => {
  await assertRejects(() => f.getQueueNum(), UnexpectedReplyError);
}, () => encodeU64Reply(p.VHOST_USER_GET_FEATURES, 0n));

withPeer("a reply of another size is a typed error", async (f) => {
  await assertRejects(() => f.getFeatures(), UnexpectedReplyError, "4 bytes");
}, (request) => encodeReply(request, payloadOf(4)));

withPeer("a backend that does not answer is a typed error", async (f) => {
  await f.send(p.VHOST_USER_GET_FEATURES);
  await assertRejects(() => f.receive(30), BackendTimeoutError, "30 ms");
}, () => "nothing");

Deno.test("a backend that does not read is a typed error", async () => {
  const [a, b] = socketPair();
  const channel = new VhostUserChannel(a, { timeoutMs: 50 });
  await assertRejects(
    async () => {
      while (true) await channel.send(p.VHOST_USER_SET_OWNER);
    },
    BackendTimeoutError,
    "not read",
  );
  await channel.close();
  closeFds([b]);
});

Deno.test("connecting where nobody listens fails when the time is over", async () => {
  await assertRejects(
    () => VhostUserFrontend.connect(socketPath(), { timeoutMs: 50 }),
    SocketError,
  );
});

Deno.test("connecting waits for a backend that is about to start", async () => {
  const path = socketPath();
  const connecting = VhostUserFrontend.connect(path, { timeoutMs: 2000 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const peer = new ScriptedPeer(path);
  const frontend = await connecting;
  assertEquals(await frontend.getFeatures(), 0n);
  await frontend.close();
  await peer.done;
});

Deno.test("closing ends a wait that is under way", async () => {
  const [a, b] = socketPair();
  const frontend = new VhostUserFrontend(new VhostUserChannel(a));
  const receiving = frontend.receive();
  const waiting = frontend.waitReadable([frontend.eventfd()], -1);
  const ended = Promise.all([
    assertRejects(() => receiving, WaiterClosedError),
    assertRejects(() => waiting, WaiterClosedError),
  ]);
  await frontend.close();
  await frontend.close();
  await ended;
  closeFds([b]);
});

Deno.test("a wait that begins as another ends is not missed", async () => {
  const waiter = new FdWaiter();
  const fd = libc().eventfd(0, 0o4000);
  for (let i = 0; i < 500; i++) {
    const first = waiter.wait([fd], POLLIN, 1000);
    signalEventfd(fd);
    assertEquals(await first, [fd]);
    drainEventfd(fd);
    const [second, third] = await Promise.all([
      waiter.wait([fd], POLLIN, 0),
      waiter.wait([], POLLIN, 0),
    ]);
    assertEquals([second, third], [[], []]);
  }
  await waiter.close();
  closeFds([fd]);
});
