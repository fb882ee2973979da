/**
 * Cases of messages: wrong ones, leaking ones, and good ones in an order that
 * backends did not expect.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConnectionClosedError,
  RequestRefusedError,
} from "../../../device/driver/vhost_user_channel.ts";
import type { VhostUserFrontend } from "../../../device/driver/vhost_user_frontend.ts";
import { encodeMessage } from "../../../device/vhost_user/encode.ts";
import {
  encodeU64,
  encodeVringAddr,
  encodeVringState,
} from "../../../device/vhost_user/payload.ts";
import * as p from "../../../device/vhost_user/protocol.ts";
import { requestRule } from "../../../device/vhost_user/requests.ts";
import { CRYPTODEV_PROTOCOL_FEATURES } from "../../server/guest.ts";
import { CBC_INFO } from "../../server/guest_session.ts";
import {
  assertClosed,
  assertRefused,
  connect,
  WITHOUT_ACK,
} from "../../server/raw_frontend.ts";
import { sleep } from "../../server/test_server.ts";
import { type Case, frontendCases, type FrontendSays } from "../case.ts";
import type { HostileServer } from "../hostile_server.ts";

const NOTHING = new Uint8Array();
const ALL_ONES = (1n << 64n) - 1n;

/** A case that needs no ring: it is run once, with split rings. */
function message(
  sends: string,
  verdict: "PASS" | "REJECT",
  run: (server: HostileServer) => Promise<void>,
): FrontendSays {
  return { sends, verdict, ring: "split", run };
}

/** A case of a frontend that negotiated everything, and hangs up in the end. */
function negotiated(
  sends: string,
  verdict: "PASS" | "REJECT",
  run: (frontend: VhostUserFrontend, server: HostileServer) => Promise<void>,
  protocolFeatures?: bigint,
): FrontendSays {
  return message(sends, verdict, async (server) => {
    await using frontend = await server.negotiated(protocolFeatures);
    await run(frontend, server);
  });
}

/** The size of a request's payload that is right. */
function payloadSize(request: number): number {
  const { sizes } = requestRule(request)!;
  return "least" in sizes ? sizes.least : sizes[0]!;
}

/** Checks that a server holds no more descriptors than before. */
async function keepsFds(
  server: HostileServer,
  run: () => Promise<void>,
): Promise<void> {
  const before = await server.footprint();
  await run();
  // Waits until they are closed, and fails where they are not.
  await server.footprint(before.fds);
}

const REQUESTS = Array.from({ length: 45 }, (_, i) => i + 1);

/** How often what could leak is sent. */
const OFTEN = 1000;

/** Sends a request that is refused, many times, several under way at once. */
async function refusedOften(
  frontend: VhostUserFrontend,
  request: number,
  payload: Uint8Array,
  fds: readonly number[],
): Promise<void> {
  for (let i = 0; i < OFTEN; i++) {
    await assertRejects(
      () => frontend.channel.set(request, payload, fds),
      RequestRefusedError,
    );
  }
}

const FDS: readonly FrontendSays[] = [
  message("8 descriptors with every message", "REJECT", async (server) => {
    await keepsFds(server, async () => {
      for (const request of REQUESTS) {
        await using frontend = await server.negotiated();
        const fds = Array.from({ length: 8 }, () => frontend.eventfd());
        const payload = new Uint8Array(payloadSize(request));
        await frontend.send(request, payload, fds);
        await assertRejects(() => frontend.receive(), ConnectionClosedError);
      }
    });
  }),
  message(`8 descriptors with a refused table, ${OFTEN} times`, "REJECT", (
    server,
  ) =>
    keepsFds(server, async () => {
      await using frontend = await server.negotiated();
      const fds = Array.from({ length: 8 }, () => frontend.eventfd());
      const payload = new Uint8Array(p.MEM_TABLE_HEADER_SIZE);
      await refusedOften(frontend, p.VHOST_USER_SET_MEM_TABLE, payload, fds);
    })),
  message(`a new call, kick and error descriptor ${OFTEN} times`, "PASS", (
    server,
  ) =>
    keepsFds(server, async () => {
      await using frontend = await server.negotiated();
      const fd = frontend.eventfd();
      for (let i = 0; i < OFTEN; i++) {
        await frontend.setVringCall(0, fd);
        await frontend.setVringErr(0, fd);
        await frontend.setVringKick(0, fd);
      }
    })),
  message(
    `descriptors for rings that are not there, ${OFTEN} times`,
    "REJECT",
    (
      server,
    ) =>
      keepsFds(server, async () => {
        await using frontend = await server.negotiated();
        const fd = frontend.eventfd();
        const payload = encodeU64(200n);
        await refusedOften(frontend, p.VHOST_USER_SET_VRING_CALL, payload, [
          fd,
        ]);
      }),
  ),
  message(
    "9, 16 and 32 descriptors",
    "REJECT",
    (server) =>
      keepsFds(server, async () => {
        for (const count of [9, 16, 32]) {
          await using frontend = await server.negotiated();
          const fds = Array.from({ length: count }, () => frontend.eventfd());
          await frontend.send(
            p.VHOST_USER_SET_MEM_TABLE,
            new Uint8Array(8),
            fds,
          );
          await assertRejects(() => frontend.receive(), ConnectionClosedError);
        }
      }),
  ),
];

const LOG: readonly FrontendSays[] = [
  negotiated("with an acknowledgement", "REJECT", async (frontend) => {
    const fd = frontend.eventfd();
    await assertRefused(
      frontend,
      () => frontend.channel.set(p.VHOST_USER_SET_LOG_BASE, logBase(), [fd]),
    );
    await assertRefused(
      frontend,
      () => frontend.channel.set(p.VHOST_USER_SET_LOG_FD, NOTHING, [fd]),
    );
  }),
  negotiated("without an acknowledgement", "REJECT", async (
    frontend,
    server,
  ) => {
    const fd = frontend.eventfd();
    await frontend.send(p.VHOST_USER_SET_LOG_BASE, logBase(), [fd]);
    await assertClosed(frontend, server.spare);
  }, WITHOUT_ACK),
];

/** A dirty log of 2^64 - 1 bytes at offset 1. */
function logBase(): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, ALL_ONES, true);
  view.setBigUint64(8, 1n, true);
  return new Uint8Array(view.buffer);
}

/** Messages that name a ring by 32 bits. */
const STATES = [
  p.VHOST_USER_SET_VRING_NUM,
  p.VHOST_USER_SET_VRING_BASE,
  p.VHOST_USER_GET_VRING_BASE,
  p.VHOST_USER_SET_VRING_ENABLE,
];

/** Messages that name a ring by 8 bits of 64, and bring a descriptor. */
const NOTIFIERS = [
  p.VHOST_USER_SET_VRING_KICK,
  p.VHOST_USER_SET_VRING_CALL,
  p.VHOST_USER_SET_VRING_ERR,
];

const INDICES = [3, 255, 999, 0xffff, 0x1_0000, 0x1_0001, 0xffff_ffff].map(
  (index) =>
    negotiated(`ring ${index} of 3`, "REJECT", async (frontend) => {
      const { channel } = frontend;
      for (const request of STATES) {
        const payload = encodeVringState({ index, num: 1 });
        await assertRefused(frontend, () => channel.set(request, payload));
      }
      const address = encodeVringAddr({
        index,
        flags: 0,
        descriptor: 0,
        used: 0,
        available: 0,
      });
      await assertRefused(
        frontend,
        () => channel.set(p.VHOST_USER_SET_VRING_ADDR, address),
      );
      // Bit 8 says that no descriptor comes.
      const fds = (index & p.VRING_NOFD_MASK) === 0 ? [frontend.eventfd()] : [];
      for (const request of NOTIFIERS) {
        await assertRefused(
          frontend,
          () => channel.set(request, encodeU64(BigInt(index)), fds),
        );
      }
    }),
);

const INFLIGHT: readonly FrontendSays[] = [
  message(
    `GET_INFLIGHT_FD ${OFTEN} times`,
    "REJECT",
    (server) =>
      keepsFds(server, async () => {
        await using frontend = await server.negotiated();
        const payload = new Uint8Array(24).fill(0xff);
        await refusedOften(
          frontend,
          p.VHOST_USER_GET_INFLIGHT_FD,
          payload,
          [],
        );
      }),
  ),
  message(`SET_INFLIGHT_FD with its descriptor ${OFTEN} times`, "REJECT", (
    server,
  ) =>
    keepsFds(server, async () => {
      await using frontend = await server.negotiated();
      const payload = new Uint8Array(24).fill(0xff);
      const fd = frontend.eventfd();
      await refusedOften(
        frontend,
        p.VHOST_USER_SET_INFLIGHT_FD,
        payload,
        [fd],
      );
    })),
];

/** Key lengths of a session message, cipher's and MAC's. */
const KEY_LENGTHS: readonly (readonly [cipher: number, mac: number])[] = [
  [65, 0],
  [0xffff_ffff, 0],
  [16, 513],
  [16, 0xffff_ffff],
  [0xffff_ffff, 0xffff_ffff],
];

const KEYS = ([632, 1072] as const).flatMap((size) =>
  KEY_LENGTHS.map(([keyLength, authKeyLength]) =>
    negotiated(
      `keys of ${keyLength} and ${authKeyLength} bytes in a message of ${size}`,
      "REJECT",
      async (frontend) => {
        const key = new Uint8Array(64).fill(1);
        for (const opType of [1, 2]) {
          const info = {
            ...CBC_INFO,
            opType,
            keyLength,
            authKeyLength,
            hashAlgo: 4,
            hashMode: 2,
            chainOrder: 2,
            hashResultLength: 32,
          };
          const id = await frontend.createCryptoSession(info, key, key, size);
          assert(id < 0n, `Session ${id}`);
        }
        const good = key.subarray(0, 16);
        const id = await frontend.createCryptoSession(
          CBC_INFO,
          good,
          key,
          size,
        );
        assert(id >= 0n, `Refused: ${id}`);
        await frontend.closeCryptoSession(id);
      },
      CRYPTODEV_PROTOCOL_FEATURES,
    )
  )
);

/** A message one of whose fields is not what it should be. */
function altered(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

/** Bytes that are no message. */
const WRONG:
  readonly (readonly [sends: string, () => Uint8Array<ArrayBuffer>])[] = [
    ...[0, 2, 3].map((version) =>
      [
        `version ${version}`,
        () => encodeMessage(1, version, NOTHING),
      ] as const
    ),
    ["the reply flag on a request", () => encodeMessage(1, 5, NOTHING)],
    ["a reserved flag", () => encodeMessage(1, 0x11, NOTHING)],
    ...[0, 46, 0x8000_0000, 0xffff_ffff].map((request) =>
      [
        `request ${request}`,
        () => encodeMessage(request, 1, NOTHING),
      ] as const
    ),
    [
      "a payload where there is none",
      () => encodeMessage(1, 1, new Uint8Array(8)),
    ],
    ["no payload where there is one", () => encodeMessage(2, 1, NOTHING)],
    [
      "a payload of 4 bytes for 8",
      () => encodeMessage(2, 1, new Uint8Array(4)),
    ],
    [
      "a payload that is said to have 4 GiB",
      () => altered(encodeMessage(2, 1, new Uint8Array(8)), 8, 0xffff_ffff),
    ],
    [
      "more memory regions than bytes",
      () => altered(encodeMessage(5, 1, new Uint8Array(40)), 12, 2),
    ],
    [
      "2^32 - 1 memory regions",
      () => altered(encodeMessage(5, 1, new Uint8Array(40)), 12, 0xffff_ffff),
    ],
    [
      "more configuration space than bytes",
      () => altered(encodeMessage(24, 1, new Uint8Array(16)), 16, 5),
    ],
    [
      "a session message of neither size",
      () => encodeMessage(26, 1, new Uint8Array(700)),
    ],
  ];

const GET_FEATURES = encodeMessage(1, 1, NOTHING);
const SET_FEATURES = encodeMessage(2, 1, encodeU64(0n));

const PROTOCOL: readonly FrontendSays[] = [
  ...WRONG.map(([sends, bytes]) =>
    negotiated(sends, "REJECT", async (frontend, server) => {
      await frontend.channel.sendBytes(bytes());
      await assertClosed(frontend, server.spare);
    })
  ),
  negotiated("a message in two halves, cut anywhere", "PASS", async (
    frontend,
  ) => {
    for (let at = 1; at < SET_FEATURES.length; at++) {
      await frontend.channel.sendBytes(SET_FEATURES.slice(0, at));
      await sleep(1);
      await frontend.channel.sendBytes(SET_FEATURES.slice(at));
      await frontend.getFeatures();
    }
  }),
  negotiated("100 messages at once", "PASS", async (frontend) => {
    const many = new Uint8Array(new ArrayBuffer(100 * GET_FEATURES.length));
    for (let i = 0; i < 100; i++) {
      many.set(GET_FEATURES, i * GET_FEATURES.length);
    }
    await frontend.channel.sendBytes(many);
    for (let i = 0; i < 100; i++) {
      assertEquals((await frontend.receive()).request, 1);
    }
  }),
  message("a hang-up in the middle of a message, at each byte", "REJECT", (
    server,
  ) =>
    keepsFds(server, async () => {
      for (let at = 1; at < SET_FEATURES.length; at++) {
        const frontend = await server.connect();
        const fd = frontend.eventfd();
        await frontend.channel.sendBytes(SET_FEATURES.slice(0, at), [fd]);
        await frontend.close();
      }
    })),
  negotiated("descriptors in the middle of a message", "REJECT", async (
    frontend,
    server,
  ) => {
    const fd = frontend.eventfd();
    await frontend.channel.sendBytes(SET_FEATURES.slice(0, 5));
    await sleep(5);
    await frontend.channel.sendBytes(SET_FEATURES.slice(5), [fd]);
    await assertClosed(frontend, server.spare);
  }),
  message("second clients, while the first one goes on", "REJECT", async (
    server,
  ) => {
    {
      // The guest that stays there is probed afterwards.
      await using second = await connect(server.paths.split);
      await assertRejects(() => second.receive(), ConnectionClosedError);
    }
    await using first = await server.negotiated();
    for (let i = 0; i < 5; i++) {
      await using second = await server.connect();
      await assertRejects(() => second.receive(), ConnectionClosedError);
      await first.getFeatures();
    }
  }),
];

/** The cases. */
export const MESSAGE_CASES: readonly Case[] = [
  ...frontendCases("CVE-2019-14818", FDS),
  ...frontendCases("CVE-2020-10722", LOG),
  ...frontendCases("CVE-2020-10723", INDICES),
  ...frontendCases("CVE-2020-10726", INFLIGHT),
  ...frontendCases("CVE-2020-10724", KEYS),
  ...frontendCases("Protocol", PROTOCOL),
];
