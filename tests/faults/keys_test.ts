import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { encodeMessage } from "../../device/vhost_user/encode.ts";
import { encodeCryptoSessionCreate } from "../../device/vhost_user/crypto_session.ts";
import {
  CRYPTO_SESSION_SIZE_NEW,
  CRYPTO_SESSION_SIZE_OLD,
  FLAG_VERSION,
  VHOST_USER_CREATE_CRYPTO_SESSION,
} from "../../device/vhost_user/protocol.ts";
import { Guest } from "../server/guest.ts";
import { CBC_INFO } from "../server/guest_session.ts";
import { freshPath, sleep, until } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";
import { engineNames } from "./engine_names.ts";
import { useKeys } from "./key_load.ts";
import { type KeyFinding, MarkedKeys } from "./marked_keys.ts";

/** When every copy has to be gone, in milliseconds; most often it is at once. */
const LIMIT_MS = 2000;

/** Both that QEMU has sent. */
const MESSAGE_SIZES = [
  CRYPTO_SESSION_SIZE_OLD,
  CRYPTO_SESSION_SIZE_NEW,
] as const;

interface Stage {
  readonly path: string;
  readonly server: CliProcess;
  readonly keys: MarkedKeys;
}

async function serve(engine: string, ...more: string[]): Promise<Stage> {
  const path = freshPath();
  const server = await CliProcess.serve([
    `--socket-path=${path}`,
    `--engine=${engine}`,
    "--log=debug",
    ...more,
  ]);
  return { path, server, keys: new MarkedKeys() };
}

/** The keys are there: what does not find them now proves nothing later. */
async function assertFound(
  { server, keys }: Stage,
  least: number,
): Promise<void> {
  const { findings } = await keys.search(server.pid);
  const found = new Set(findings.map(({ key }) => key));
  assert(found.size >= least, `Only ${found.size} parts of keys were found`);
}

/** Parts of keys were left in the server. */
class KeysLeft extends Error {
  constructor(readonly findings: readonly KeyFinding[], when: string) {
    super(`${when}: ${Deno.inspect(findings.slice(0, 10))}`);
  }
}

/** Keys whose parts do not count; set while a test runs again. */
let counts: (finding: KeyFinding) => boolean = () => true;

/**
 * Registers a test that is done again where parts of keys were left, with a
 * server of its own. The runtime may write a register to memory that it does
 * not clear (SECURITY.md, "Keys"): such a part is left by chance, and is not the
 * part of the same key twice.
 */
function test(name: string, body: () => Promise<void>): void {
  Deno.test(name, async () => {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof KeysLeft)) throw error;
      const left = new Set(error.findings.map(({ key }) => key));
      counts = ({ key }) => left.has(key);
      try {
        await body();
      } finally {
        counts = () => true;
      }
    }
  });
}

/** Waits until no part of a key is in the server any more, nor in its log. */
async function assertGone(
  { server, keys }: Stage,
  when: string,
): Promise<void> {
  let findings: KeyFinding[] = [];
  const deadline = performance.now() + LIMIT_MS;
  do {
    await sleep(50);
    ({ findings } = await keys.search(server.pid));
    findings = findings.filter(counts);
  } while (findings.length > 0 && performance.now() < deadline);
  if (findings.length > 0) throw new KeysLeft(findings, when);
  assertEquals(keys.inText(server.stderr + server.stdout), [], when);
  keys.forget();
}

for (const engine of engineNames()) {
  test(`${engine}: no part of a key is left in the server after its session was destroyed, after a reset, and after the frontend hung up`, async () => {
    const stage = await serve(engine);
    await using _server = stage.server;
    const visit = async (
      end: (
        transport: VhostUserTransport,
        sessions: readonly { destroy(): Promise<void> }[],
      ) => Promise<void>,
      when: string,
      every: number,
    ) => {
      const transport = await VhostUserTransport.connect(stage.path);
      try {
        const driver = await CryptoDriver.attach(transport);
        const sessions = await useKeys(driver, stage.keys, every);
        assert(sessions.length > 10, `${sessions.length} sessions`);
        await assertFound(stage, sessions.length);
        await end(transport, sessions);
        await assertGone(stage, when);
      } finally {
        await transport.close();
      }
    };
    await visit(
      async (_, sessions) => {
        for (const session of sessions) await session.destroy();
      },
      "destroyed",
      1,
    );
    await visit(({ frontend }) => frontend.resetDevice(), "reset", 3);
    await visit((transport) => transport.close(), "hung up", 3);
  });

  test(`${engine}: no part of a key is left in the server after a request that brought it along`, async () => {
    const stage = await serve(engine);
    await using _server = stage.server;
    await using driver = await CryptoDriver.attach(
      await VhostUserTransport.connect(stage.path, {
        features: 1n << 32n | 1n << 28n | 1n << 29n | 0b11110n,
      }),
    );
    const iv = new Uint8Array(16);
    for (let i = 0; i < 20; i++) {
      const queue = i % 2;
      const of = (length: number) => stage.keys.make(length, `request ${i}`);
      for (const length of [64, 100_000]) {
        const data = new Uint8Array(length - length % 16);
        await Promise.all([
          driver.run({
            service: "cipher",
            algorithm: "aes-cbc",
            direction: "encrypt",
            key: of(16),
            iv,
            data,
            queue,
          }),
          driver.run({
            service: "mac",
            algorithm: "hmac-sha1",
            key: of(200),
            data,
            queue,
          }),
          // The tag is wrong.
          driver.run({
            service: "aead",
            algorithm: "aes-gcm",
            direction: "decrypt",
            key: of(32),
            iv: iv.subarray(0, 12),
            data,
            queue,
          }).catch((error: unknown) => {
            assert(error instanceof CryptoStatusError);
          }),
        ]);
      }
    }
    await assertGone(stage, "answered");
  });
}

test("no part of a key is left in the server after its session message was refused, or its session closed", async () => {
  const stage = await serve("auto");
  await using _server = stage.server;
  const { keys } = stage;
  await using guest = await Guest.connect(stage.path);
  const { frontend } = guest;
  const queue = await guest.start(0);
  const ids: bigint[] = [];
  for (const size of MESSAGE_SIZES) {
    const create = (change: Partial<typeof CBC_INFO>, authKey?: Uint8Array) =>
      frontend.createCryptoSession(
        { ...CBC_INFO, ...change },
        keys.make(32, `message of ${size}`),
        authKey,
        size,
      );
    const id = await create({});
    assert(id >= 0n);
    ids.push(id);
    ids.push(
      await create({
        opType: 2 as never,
        hashAlgo: 4 as never,
        hashResultLength: 32 as never,
        authKeyLength: 64 as never,
        hashMode: 2 as never,
        chainOrder: 2 as never,
      }, keys.make(64, "MAC of a chain")),
    );
    for (
      const wrong of [
        { keyLength: 31 },
        { keyLength: 65 },
        { cipherAlgo: 99 },
        { direction: 3 },
      ]
    ) assert(await create(wrong as never) < 0n);
  }
  for (const id of ids) {
    queue.addRaw(new Uint8Array(new BigInt64Array([0n, id, 0n]).buffer), 1);
  }
  queue.publish();
  await queue.drain();
  await assertFound(stage, 2);
  for (const id of ids) {
    if (id >= 0n) await frontend.closeCryptoSession(id);
  }
  await assertGone(stage, "closed");
});

test("no part of a key is left in the server after a session message that broke off", async () => {
  const stage = await serve("noble");
  await using _server = stage.server;
  const { keys, server } = stage;
  for (const size of MESSAGE_SIZES) {
    const guest = await Guest.connect(stage.path);
    const payload = encodeCryptoSessionCreate(
      CBC_INFO,
      keys.make(64, "half a message"),
      keys.make(512, "half a message"),
      size,
    );
    const message = encodeMessage(
      VHOST_USER_CREATE_CRYPTO_SESSION,
      FLAG_VERSION,
      payload,
    );
    const { channel } = guest.frontend;
    await channel.sendBytes(message.slice(0, message.length - 1));
    await until("the server to read it", async () => {
      return (await keys.search(server.pid)).findings.length > 0;
    });
    await guest.frontend.close();
    await assertGone(stage, "broke off");
  }
});

test("no part of a key is left in the server after its control request was refused", async () => {
  const stage = await serve("auto", "--max-sessions=1");
  await using _server = stage.server;
  const { keys } = stage;
  await using guest = await Guest.connect(stage.path, { mode: "device" });
  const control = await guest.start(2);
  const first = keys.make(16, "the first");
  await control.createSession(first);
  await assertFound(stage, 1);
  // There is room for one.
  for (let i = 0; i < 10; i++) {
    const refused = await control.createSession(keys.make(16, "no room"))
      .then(() => false, () => true);
    assert(refused);
  }
  for (const length of [15, 17, 64, 700, 5000]) {
    const bytes = new Uint8Array(16 + 56 + length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x02, true); // CIPHER_CREATE_SESSION
    view.setUint32(16, CBC_INFO.cipherAlgo, true);
    view.setUint32(20, length, true);
    view.setUint32(24, 1, true); // encrypt
    view.setUint32(16 + 48, 1, true); // op_type: CIPHER
    bytes.set(keys.make(length, "of a bad length"), 16 + 56);
    await control.exchange(bytes, 16);
  }
  await guest.frontend.resetDevice();
  await assertGone(stage, "refused");
});
