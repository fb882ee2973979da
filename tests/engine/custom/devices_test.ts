import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CryptoDriver } from "../../../device/driver/driver.ts";
import { CryptoStatusError } from "../../../device/driver/errors.ts";
import { defineEngine, EngineError, importEngine } from "../../../engine.ts";
import { VhostUserTransport } from "../../../device/driver/vhost_user_transport.ts";
import {
  type EngineChoice,
  engineSources,
} from "../../../device/engine/definition.ts";
import { openEngines } from "../../../device/engine/engines.ts";
import { InProcessDevice } from "../../../device/in_process.ts";
import { WholeEngine } from "../whole_engine.ts";
import { freshPath, TestServer } from "../../server/test_server.ts";
import { CliProcess } from "../../support/server_process.ts";

const FAULTY = import.meta.resolve("./faulty_engine.ts");
const NODE = import.meta.resolve("../../../examples/node_engine.ts");

/** An engine whose AES-CTR is the complement: it cannot be mistaken. */
const complement = defineEngine({
  name: "complement",
  algorithms: {
    "aes-ctr": {
      keyLengths: [16],
      prepare: () => ({ run: ({ source }) => source.map((byte) => ~byte) }),
    },
  },
});

const CTR = {
  service: "cipher",
  algorithm: "aes-ctr",
  key: new Uint8Array(16),
  direction: "encrypt",
} as const;
const ZEROS = { iv: new Uint8Array(16), data: new Uint8Array(4) };
/** The start of AES-128 of zeros under a key of zeros, and AES-256's. */
const AES_128 = "66e94bd4";
const AES_256 = "dc95c078";

async function ctr(driver: CryptoDriver, keyLength: number): Promise<string> {
  const key = new Uint8Array(keyLength);
  const session = await driver.createSession({ ...CTR, key });
  return (await session.run(ZEROS)).toHex();
}

Deno.test("an engine of one's own is preferred to those behind it, for what it serves", async () => {
  for (
    const [engines, expected] of [
      [[complement, "noble"], ["ffffffff", AES_256]],
      [["noble", complement], [AES_128, AES_256]],
    ] as [EngineChoice[], string[]][]
  ) {
    const device = new InProcessDevice({ engines, workers: 0 });
    await using driver = await CryptoDriver.attach(device);
    assertEquals([await ctr(driver, 16), await ctr(driver, 32)], expected);
  }
});

Deno.test("a device of one's own engine alone advertises what that serves, and no more", async () => {
  const device = new InProcessDevice({ engines: [complement], workers: 0 });
  assertEquals(device.engines, ["complement"]);
  await using driver = await CryptoDriver.attach(device);
  const { config } = driver;
  assertEquals(config!.cryptoServices, 0b0001);
  assertEquals(config!.cipherAlgoL, 1 << 4);
  assertEquals(await ctr(driver, 16), "ffffffff");
  const refused = await assertRejects(() => ctr(driver, 32), CryptoStatusError);
  assertEquals(refused.statusName, "ERR");
});

Deno.test("an engine of one's own takes its part in chains", async () => {
  await using driver = await CryptoDriver.attach(
    new InProcessDevice({ engines: [complement, "noble"], workers: 0 }),
  );
  const session = await driver.createSession({
    service: "chain",
    cipher: CTR,
    hash: { algorithm: "sha256" },
    order: "cipher-then-hash",
  });
  const { data, digest } = await session.run(ZEROS);
  assertEquals(data.toHex(), "ffffffff");
  const hash = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  assertEquals(digest, await hash.run({ data }));
});

Deno.test("an engine of one's own may implement the interface itself", async () => {
  const raw = { name: "raw", open: () => new WholeEngine(complement.open()) };
  const device = new InProcessDevice({ engines: [raw], workers: 0 });
  await using driver = await CryptoDriver.attach(device);
  assertEquals(await ctr(driver, 16), "ffffffff");
});

Deno.test("workers import an engine of one's own", async () => {
  const device = new InProcessDevice({
    engines: [await importEngine(NODE), "noble"],
    queues: 2,
  });
  assertEquals(device.engines, ["node", "noble"]);
  await using driver = await CryptoDriver.attach(device);
  for (const queue of [0, 1]) {
    const session = await driver.createSession({
      service: "hash",
      algorithm: "sha256",
      queue,
    });
    const digest = await session.run({ data: new TextEncoder().encode("abc") });
    assertEquals(digest.toHex().slice(0, 8), "ba7816bf");
  }
});

Deno.test("a fault of one's own engine fails the request in a worker, which serves on", async () => {
  await using driver = await CryptoDriver.attach(
    new InProcessDevice({
      engines: [await importEngine(FAULTY), "noble"],
      queues: 1,
    }),
  );
  const session = await driver.createSession(CTR);
  const run = (first: number) =>
    session.run({ iv: ZEROS.iv, data: Uint8Array.of(first, 0) });
  for (const first of [1, 2, 3, 4, 5]) {
    await assertRejects(() => run(first), CryptoStatusError);
  }
  assertEquals([...await run(0)], [1, 1]);
});

Deno.test("a server's workers import an engine of one's own", async () => {
  await using server = new TestServer({
    engines: [await importEngine(FAULTY)],
  });
  await using driver = await CryptoDriver.attach(
    await VhostUserTransport.connect(server.path),
  );
  assertEquals(await ctr(driver, 16), "01010101");
});

Deno.test("an engine that no module is known of cannot be used in workers", () => {
  const engines = [complement];
  for (
    const make of [
      () => new InProcessDevice({ engines }),
      () => new TestServer({ engines }),
      () => engineSources(engines),
    ]
  ) {
    assertThrows(
      make,
      TypeError,
      "Cannot use the engine complement in workers: import it by importEngine",
    );
  }
});

Deno.test("a module that is no engine's is refused when it is imported", async () => {
  for (
    const [url, name, says] of [
      [FAULTY, "nothing", "it has no name and open()"],
      [FAULTY, "none", "there is no such export"],
      ["data:text/javascript,throw new Error('Not this')", "x", "Not this"],
      ["file:///nonexistent/engine.ts", "x", "/nonexistent/engine.ts"],
    ] as const
  ) await assertRejects(() => importEngine(url, name), EngineError, says);
  await assertRejects(() => importEngine(FAULTY, "auto"), TypeError, "auto");
  await assertRejects(
    () => importEngine("./engine.ts"),
    TypeError,
    `Cannot import an engine from "./engine.ts": an absolute URL is needed`,
  );
});

Deno.test("an engine that cannot be made is an error of the device", async () => {
  const closed = await importEngine(FAULTY, "closed");
  const error = assertThrows(
    () => new InProcessDevice({ engines: [closed, "noble"] }),
    EngineError,
    "Cannot make the engine closed: Not today",
  );
  assertEquals((error.cause as Error).message, "Not today");
  assertThrows(() => openEngines([]), RangeError, "without an engine");
  assertThrows(
    () => openEngines(new Array(17).fill(complement)),
    RangeError,
    "16 is the most",
  );
  // Its definition has a name, but what it makes has none that can be shown.
  const engine = Object.create(complement.open(), { name: { value: "a\n" } });
  assertThrows(
    () => openEngines([{ name: "fine", open: () => engine }]),
    EngineError,
    "is no name of an engine",
  );
});

Deno.test("serve takes an engine of one's own, before what --engine names", async () => {
  const path = freshPath();
  await using _server = await CliProcess.serve([
    `--socket-path=${path}`,
    "--engine-module=tests/engine/custom/faulty_engine.ts",
    "--engine=noble",
  ]);
  await using driver = await CryptoDriver.attach(
    await VhostUserTransport.connect(path),
  );
  assertEquals(await ctr(driver, 16), "01010101");
  assertEquals(driver.offers("hash", "sha256"), true);
});
