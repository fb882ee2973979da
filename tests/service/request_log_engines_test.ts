import { assertEquals } from "@std/assert";
import { defineEngine } from "../../engine.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import type { EngineChoice } from "../../device/engine/definition.ts";
import { ENGINE_NAMES } from "../../device/engine/engines.ts";
import { RequestLogReader } from "../../device/service/request_log_reader.ts";
import { ENGINES } from "../engine/engines.ts";
import { TestDevice } from "../support/device.ts";

const LONGEST_NAME = "an-engine-of-thirty-two-letters1";
const SOURCE = new Uint8Array(32);
const IV = new Uint8Array(16);

const HASH: SessionOptions = { service: "hash", algorithm: "sha256" };

function cipher(algorithm: "aes-cbc" | "aes-ctr" | "aes-ecb"): SessionOptions {
  const key = new Uint8Array(16);
  return { service: "cipher", algorithm, key, direction: "encrypt" };
}

/** An engine that serves one cipher. */
function own(name: string, algorithm: "aes-ctr" | "aes-ecb"): EngineChoice {
  const prepare = () => ({
    run: ({ source }: { source: Uint8Array }) => source.slice(),
  });
  return defineEngine({ name, algorithms: { [algorithm]: { prepare } } });
}

/** The engine that the log names, by round and request. */
function logged(
  engines: readonly EngineChoice[],
  rounds: readonly (readonly SessionOptions[])[],
): (string | undefined)[][] {
  const device = new TestDevice({
    device: { engines, logRecords: 1024 },
    ring: { size: 256 },
    memorySize: 1 << 20,
  });
  const log = new RequestLogReader(device.core.logs[0]!);
  log.request(1 << 20);
  return rounds.map((sessions) => {
    device.send(...sessions.map((session) => {
      const iv = "algorithm" in session && session.algorithm !== "aes-ecb" &&
          session.service === "cipher"
        ? IV
        : new Uint8Array(0);
      return device.request(device.create(session), { source: SOURCE, iv });
    }));
    const names: (string | undefined)[] = [];
    log.read(1 << 20, ({ engine }) => names.push(engine));
    return names;
  });
}

Deno.test("engines of one's own are logged by their names, each request by the one that ran it", () => {
  const engines = [
    own("mine", "aes-ctr"),
    own(LONGEST_NAME, "aes-ecb"),
    "noble",
  ] as const;
  const [ctr, ecb] = [cipher("aes-ctr"), cipher("aes-ecb")];
  assertEquals(logged(engines, [[ctr, ecb, HASH], [HASH, ctr, ecb]]), [
    ["mine", LONGEST_NAME, "noble"],
    ["noble", "mine", LONGEST_NAME],
  ]);
});

Deno.test({
  name: "with several engines each request is logged by the one that ran it",
  ignore: !("libcrypto" in ENGINES && "ipsec-mb" in ENGINES),
  fn() {
    const cbc = cipher("aes-cbc");
    assertEquals(logged(ENGINE_NAMES, [[cbc], new Array(8).fill(cbc), [cbc]]), [
      ["libcrypto"],
      new Array(8).fill("ipsec-mb"),
      ["libcrypto"],
    ]);
  },
});
