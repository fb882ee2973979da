import { assertEquals } from "@std/assert";
import { createSessionRequest } from "../../device/driver/control_requests.ts";
import { sessionParameters } from "../../device/driver/session_options.ts";
import { CONTROL_REQUEST_MAX } from "../../device/spec/control_request.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { occurrences } from "../support/sessions.ts";
import { TestControl, TestDevice } from "../support/device.ts";
import { handmade } from "../support/handmade.ts";
import { DATA_FIXED_MAX } from "../../device/spec/data_request.ts";

const KEY = new Random(17).bytes(64).map((b) => b | 1);

/** Runs, and gives every Uint8Array of about some length made meanwhile. */
function capture(length: number, run: () => void): Uint8Array[] {
  const made: Uint8Array[] = [];
  const original = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, given: [number]) {
      const array = new target(...given);
      if (Math.abs(given[0] - length) <= 8) made.push(array);
      return array;
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = original;
  }
  return made;
}

Deno.test("The control queue keeps no byte of a request it has served", () => {
  let control: TestControl | undefined;
  const buffers = capture(CONTROL_REQUEST_MAX, () => {
    control = new TestControl();
  });
  assertEquals(buffers.length, 1);
  const parameters = sessionParameters({
    service: "mac",
    algorithm: "hmac-sha256",
    key: KEY,
  });
  const request = concat(
    ...createSessionRequest("legacy", parameters, 0).readable,
  );
  const wrong = concat(request, KEY);
  for (const bytes of [request, wrong]) {
    control!.send([bytes], [16]);
    assertEquals(buffers[0]!.some((b) => b !== 0), false);
  }
});

Deno.test("A key is in the session table once, and after destruction nowhere", () => {
  const control = new TestControl();
  const table = new Uint8Array(control.core.queueOptions(0).sessions);
  const parameters = sessionParameters({
    service: "mac",
    algorithm: "hmac-sha256",
    key: KEY,
  });
  const { low, high } = control.core.sessions.create(parameters, 0);
  assertEquals(occurrences(table, KEY), 1);
  control.core.sessions.destroy(low, high);
  assertEquals(occurrences(table, KEY.subarray(0, 4)), 0);
  control.core.sessions.create(parameters, 0);
  control.core.sessions.clear();
  assertEquals(occurrences(table, KEY.subarray(0, 4)), 0);
});

Deno.test("A round keeps no byte of a key that a request brought along", () => {
  let device: TestDevice | undefined;
  const buffers = capture(DATA_FIXED_MAX, () => {
    device = new TestDevice();
  });
  const request = handmade("v15", {
    opcode: 0x200,
    flag: 2,
    algorithm: 4,
    key: KEY,
    source: new Uint8Array(4),
    result: 32,
  });
  device!.succeed(request);
  assertEquals(buffers.length >= 1, true);
  for (const buffer of buffers) {
    assertEquals(buffer.some((b, i) => i >= 40 && b === KEY[i - 40]), false);
  }
});
