// What the driver's builders lay out is read back, in every layout: their
// offsets are written apart from the device's.

import { assertEquals, assertThrows } from "@std/assert";
import {
  createSessionRequest,
  destroySessionRequest,
} from "../../device/driver/control_requests.ts";
import {
  type DataParameters,
  dataRequest,
} from "../../device/driver/data_requests.ts";
import type { DataLayout, Layout } from "../../device/driver/requests.ts";
import {
  type ChainSessionOptions,
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import {
  type Negotiated,
  parseControlRequest,
  parseDataRequest,
  RequestFormatError,
} from "../../spec.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";

const random = new Random(41);
const KEY = random.bytes(16);
const ID = 0x7_0000_0003n;

const SESSIONS: readonly (SessionOptions | ChainSessionOptions)[] = [
  { service: "cipher", algorithm: "aes-cbc", key: KEY, direction: "decrypt" },
  { service: "hash", algorithm: "sha512", resultLength: 20 },
  { service: "mac", algorithm: "hmac-sha1", key: random.bytes(99) },
  { service: "aead", algorithm: "aes-gcm", key: KEY, direction: "encrypt" },
  {
    service: "chain",
    cipher: { algorithm: "aes-ctr", key: KEY, direction: "encrypt" },
    hash: { algorithm: "hmac-sha256", key: random.bytes(40) },
    order: "cipher-then-hash",
  },
];

/** What is negotiated for each layout. */
const NEGOTIATED: Readonly<Record<DataLayout, Negotiated>> = {
  legacy: {},
  v15: { spec: "v15", features: 0b11110n },
  revision1: { spec: "1.4", features: 1n },
  "revision1-stateless": { spec: "1.4", features: 0b11111n },
};

function dataOf(
  parameters: SessionParameters,
  stateless: boolean,
): DataParameters {
  const chain = parameters.opType === 2;
  const { service, algorithm, op, resultLength } = parameters;
  return {
    opcode: service << 8 | (op === 2 ? 1 : 0),
    algorithm,
    sessionId: stateless ? 0n : ID,
    iv: random.bytes([16, 0, 0, 12][service]!),
    source: random.bytes(64),
    aad: random.bytes(chain || service === 3 ? 21 : 0),
    destinationLength: service === 1 || service === 2
      ? 0
      : service === 3
      ? 80
      : 64,
    resultLength,
    ...(chain
      ? {
        chain: {
          cipherStart: 4,
          cipherLength: 60,
          hashStart: 1,
          hashLength: 63,
        },
      }
      : {}),
    ...(stateless ? { stateless: parameters } : {}),
  };
}

for (const layout of ["legacy", "v15", "revision1"] as readonly Layout[]) {
  Deno.test(`what a driver asks the control queue for is read back, ${layout}`, () => {
    const negotiated = NEGOTIATED[layout];
    for (const options of SESSIONS) {
      const parameters = sessionParameters(options);
      const create = createSessionRequest(layout, parameters, 1, 0);
      const created = parseControlRequest(
        concat(...create.readable),
        negotiated,
      );
      assertEquals(created, {
        kind: "create",
        parameters,
        queueId: layout === "revision1" ? 0 : 1,
      });
      const { service } = parameters;
      const destroy = destroySessionRequest(layout, service, ID);
      assertEquals(
        parseControlRequest(concat(...destroy.readable), negotiated),
        { kind: "destroy", service, sessionId: ID },
      );
    }
  });
}

for (const layout of Object.keys(NEGOTIATED) as DataLayout[]) {
  const modes = layout === "v15" || layout === "revision1-stateless"
    ? [false, true]
    : [false];
  for (const stateless of modes) {
    const mode = stateless ? "with keys in it" : "of a session";
    Deno.test(`what a driver asks a data queue for is read back, ${layout}, ${mode}`, () => {
      for (const options of SESSIONS) {
        const parameters = sessionParameters(options);
        const asked = dataOf(parameters, stateless);
        const bytes = concat(...dataRequest(layout, asked).readable);
        const parsed = parseDataRequest(bytes, NEGOTIATED[layout]);
        assertEquals(parsed.opcode, asked.opcode);
        assertEquals(parsed.service, parameters.service);
        assertEquals(parsed.sessionId, stateless ? undefined : ID);
        assertEquals(parsed.opType, parameters.opType);
        assertEquals(parsed.iv, asked.iv);
        assertEquals(parsed.ivLength, asked.iv.length);
        assertEquals(parsed.source, asked.source);
        assertEquals(parsed.aad, asked.aad);
        assertEquals(parsed.destinationLength, asked.destinationLength);
        assertEquals(parsed.chain, asked.chain);
        assertEquals(parsed.excess, 0);
        assertEquals(parsed.parameters, stateless ? parameters : undefined);
        if (parameters.service === 3) {
          assertEquals(parsed.tagLength, layout === "legacy" ? undefined : 16);
        } else if (parameters.service > 0 || parameters.opType === 2) {
          assertEquals(parsed.resultLength, parameters.resultLength);
        }
      }
    });
  }
}

Deno.test("the full form of an AEAD's iv is told by the length", () => {
  const aead = dataOf(sessionParameters(SESSIONS[3]!), false);
  const [fixed, iv, ...rest] = dataRequest("v15", aead).readable;
  const full = concat(fixed!, iv!, Uint8Array.of(9, 9, 9, 9), ...rest);
  const { iv: field, ivLength, source, excess } = parseDataRequest(
    full,
    NEGOTIATED.v15,
  );
  assertEquals([ivLength, excess], [12, 0]);
  assertEquals(field, concat(iv!, Uint8Array.of(9, 9, 9, 9)));
  assertEquals(source, aead.source);
});

Deno.test("bytes that nothing names are excess in the legacy layout, and an error elsewhere", () => {
  const cipher = dataOf(sessionParameters(SESSIONS[0]!), false);
  const longer = (layout: DataLayout) =>
    concat(...dataRequest(layout, cipher).readable, new Uint8Array(3));
  assertEquals(parseDataRequest(longer("legacy")).excess, 3);
  const error = assertThrows(
    () => parseDataRequest(longer("v15"), NEGOTIATED.v15),
    RequestFormatError,
    "its lengths name",
  );
  assertEquals(error.status, 1);
});

Deno.test("what is no request is an error with the status that the device answers", () => {
  const cipher = dataOf(sessionParameters(SESSIONS[0]!), false);
  const data = concat(...dataRequest("v15", cipher).readable);
  const create = concat(
    ...createSessionRequest("v15", sessionParameters(SESSIONS[0]!), 0, 0)
      .readable,
  );
  const flagged = data.slice();
  flagged[16] = 7;
  for (
    const [bytes, parse, status, says] of [
      [data.slice(0, 23), parseDataRequest, 1, "its header has 24"],
      [data.slice(0, 30), parseDataRequest, 1, "fixed part"],
      [data.slice(0, -1), parseDataRequest, 1, "its lengths name"],
      [flagged, parseDataRequest, 1, "flag"],
      [new Uint8Array(100).fill(9), parseDataRequest, 3, "opcode"],
      [create.slice(0, 15), parseControlRequest, 1, "length"],
      [create.slice(0, 40), parseControlRequest, 1, "length"],
      [create.slice(0, -1), parseControlRequest, 1, "keys have 16"],
      [new Uint8Array(100).fill(9), parseControlRequest, 3, "opcode"],
    ] as const
  ) {
    const error = assertThrows(
      () => parse(bytes, NEGOTIATED.v15),
      RequestFormatError,
      says,
    );
    assertEquals(error.status, status, error.message);
  }
  assertThrows(
    () => parseDataRequest(data, { ...NEGOTIATED.v15, services: 0b1110 }),
    RequestFormatError,
    "VIRTIO_CRYPTO_NOTSUPP",
  );
});
