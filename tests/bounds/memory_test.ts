import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import type { Session } from "../../device/driver/session.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { connect } from "../server/raw_frontend.ts";
import { Guest } from "../server/guest.ts";
import { freshPath, until } from "../server/test_server.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";

const MIB = 1 << 20;

// What SECURITY.md states of each part.
const SESSION_BYTES = 1280;
const CONTEXT_BYTES = 64 * 1024;
/** Per queue, besides two times max_size: what the collector leaves for later. */
const QUEUE_BYTES = 80 * MIB;

const QUEUES = 2;
const SESSIONS = 128;
const MAX_SIZE = 8 * MIB;

/** Memory of the process's own, in bytes: what it shares is the guest's. */
async function ownMemory(server: CliProcess): Promise<number> {
  const status = await outputOf("cat", `/proc/${server.pid}/status`);
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? NaN);
}

/** Sessions of what has the largest contexts, used on every queue. */
async function fillContexts(driver: CryptoDriver): Promise<void> {
  const sessions: Session[] = [];
  const data = new Uint8Array(256);
  while (sessions.length < SESSIONS) {
    const session = await driver.createSession({
      service: "aead",
      algorithm: "aes-gcm",
      direction: "encrypt",
      key: new Uint8Array(32),
    });
    sessions.push(session);
    for (let queue = 0; queue < QUEUES; queue++) {
      // Bursts and ivs that are J0 make each engine prepare its own.
      for (const length of [12, 16]) {
        const iv = new Uint8Array(length);
        await Promise.all(
          [1, 2, 3].map(() => session.run({ data, iv, queue })),
        );
      }
    }
  }
  const refused = await driver.createSession({
    service: "hash",
    algorithm: "sha1",
  }).then(() => undefined, (error) => error);
  assert(refused instanceof CryptoStatusError, "the table is full");
  await sessions[0]!.destroy();
}

Deno.test("a guest makes the server hold no more memory than is stated", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([
    `--socket-path=${path}`,
    `--queues=${QUEUES}`,
    `--max-sessions=${SESSIONS}`,
    `--max-size=${MAX_SIZE}`,
  ]);
  const transport = await VhostUserTransport.connect(path, {
    memory: [{ guestAddress: 0x4000_0000, size: 64 * MIB }],
  });
  await using driver = await CryptoDriver.attach(transport);
  const before = await ownMemory(server);
  await fillContexts(driver);
  const chain = await driver.createSession({
    service: "chain",
    cipher: {
      algorithm: "aes-cbc",
      key: new Uint8Array(16),
      direction: "encrypt",
    },
    hash: { algorithm: "hmac-sha256", key: new Uint8Array(32) },
    order: "cipher-then-hash",
  });
  let most = 0;
  let going = true;
  const watching = (async () => {
    while (going) {
      most = Math.max(most, await ownMemory(server));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  // Source and result together are as long as can be.
  const data = new Uint8Array(MAX_SIZE / 2 - 4096);
  const iv = new Uint8Array(16);
  for (let n = 0; n < 8; n++) {
    await Promise.all(
      Array.from(
        { length: QUEUES },
        (_, queue) => chain.run({ data, iv, queue }),
      ),
    );
  }
  going = false;
  await watching;
  const bound = SESSIONS * SESSION_BYTES +
    QUEUES * (SESSIONS * CONTEXT_BYTES + 2 * MAX_SIZE + QUEUE_BYTES);
  assert(
    most - before <= bound,
    `${(most - before) / MIB} MiB, and the bound is ${bound / MIB}`,
  );
});

Deno.test("those who are turned away leave nothing behind, and do not disturb who is there", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  await using guest = await Guest.connect(path);
  const session = await guest.session();
  const queue = await guest.start(0);
  await queue.run(session, 20);
  const before = await server.openFds();
  const load = queue.load(session);
  for (let i = 0; i < 200; i++) {
    const second = await connect(path);
    await second.close();
  }
  await load.progress(20);
  await load.end();
  await until("all to be turned away", async () => {
    return await server.openFds() <= before;
  });
  assertEquals(queue.outstanding, 0);
});
