import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "../engine/guest.ts";
import { dataRequest } from "../../device/driver/data_requests.ts";
import {
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import { createSessionRequest } from "../../device/driver/control_requests.ts";
import { explainRequest, RefusedSessionError } from "../../mod.ts";

const KEY = new Uint8Array(16).fill(0xe5);
const SESSION: SessionOptions = {
  service: "cipher",
  algorithm: "aes-cbc",
  key: KEY,
  direction: "encrypt",
};

function encryption(length: number): Uint8Array {
  return concat(
    ...dataRequest("legacy", {
      opcode: 0,
      algorithm: 3,
      sessionId: 1n,
      iv: new Uint8Array(16),
      source: new Uint8Array(length),
      aad: new Uint8Array(0),
      destinationLength: length,
      resultLength: 0,
    }).readable,
  );
}

Deno.test("a good request is explained with the answer OK and its fields", async () => {
  const explanation = await explainRequest(encryption(32), {
    layout: "legacy",
    session: SESSION,
  });
  const { text, ...rest } = explanation;
  assertEquals(rest, {
    status: 0,
    reason: undefined,
    condition: undefined,
    layout: "legacy",
    problems: [],
  });
  assert(/src_data_len +32 \(0x20\)/.test(text), text);
});

Deno.test("a request that the device refuses is explained with status and reason", async () => {
  const { status, reason, problems } = await explainRequest(encryption(20), {
    session: SESSION,
  });
  assertEquals(status, 1);
  assert(reason?.startsWith("src_data_len is 20"), reason);
  assertEquals([problems[0]!.status, problems[0]!.text], [1, reason]);
});

Deno.test("what a request depends on that is not known is said", async () => {
  const { status, condition } = await explainRequest(encryption(32), {
    layout: "legacy",
  });
  assertEquals(status, 0);
  assert(condition?.includes("its session is live"), condition);
});

Deno.test("the layout that fits is found, and told by the driver's name for it", async () => {
  const readable = dataRequest("revision1", {
    opcode: 0x100,
    algorithm: 4,
    sessionId: 1n,
    iv: new Uint8Array(0),
    source: new Uint8Array(5),
    aad: new Uint8Array(0),
    destinationLength: 0,
    resultLength: 32,
  }).readable;
  const bytes = concat(...readable);
  assertEquals((await explainRequest(bytes)).layout, "revision1");
  const { status, layout } = await explainRequest(bytes, {
    layout: "revision1",
    modes: 0,
    session: { service: "hash", algorithm: "sha256" },
  });
  assertEquals([status, layout], [0, "revision1"]);
});

Deno.test("an explanation has no byte of a key", async () => {
  const { readable } = createSessionRequest(
    "legacy",
    sessionParameters(SESSION),
    0,
    0,
  );
  const { status, text } = await explainRequest(concat(...readable));
  assertEquals(status, 0);
  assert(!text.includes("e5"), text);
});

Deno.test("a session that no device makes is refused before its request", async () => {
  await assertRejects(
    () =>
      explainRequest(encryption(16), {
        session: { ...SESSION, key: new Uint8Array(5) },
      }),
    RefusedSessionError,
  );
});
