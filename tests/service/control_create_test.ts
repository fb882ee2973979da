import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createSessionRequest } from "../../device/driver/control_requests.ts";
import {
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { le32, zeros } from "../support/bytes.ts";
import { ERR, NOTSUPP, TestControl } from "../support/device.ts";
import { FILL } from "../support/guest_queue.ts";

const KEY = new Random(16).bytes(32);

const SERVICES: Record<string, SessionOptions> = {
  CIPHER: {
    service: "cipher",
    algorithm: "aes-cbc",
    key: KEY,
    direction: "encrypt",
  },
  HASH: { service: "hash", algorithm: "sha256" },
  MAC: { service: "mac", algorithm: "hmac-sha256", key: KEY },
  AEAD: {
    service: "aead",
    algorithm: "aes-gcm",
    key: KEY,
    direction: "decrypt",
  },
};

/** A creation's whole request. */
function request(
  layout: "legacy" | "v15",
  parameters: SessionParameters,
  queueId = 0,
): Uint8Array<ArrayBuffer> {
  return concat(...createSessionRequest(layout, parameters, queueId).readable);
}

/** What a failed creation answers. */
function failed(status: number): { used: number; bytes: Uint8Array } {
  return { used: 16, bytes: le32(0, 0, status, 0) };
}

/** Creates and returns the id's halves. */
function created(control: TestControl, bytes: Uint8Array): [number, number] {
  const { used, bytes: answer } = control.send([bytes], [16]);
  const view = new DataView(answer.slice().buffer);
  assertEquals([used, view.getUint32(8, true), view.getUint32(12, true)], [
    16,
    0,
    0,
  ]);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

for (const [name, options] of Object.entries(SERVICES)) {
  const parameters = sessionParameters(options);
  for (const layout of ["legacy", "v15"] as const) {
    Deno.test(`A ${layout} ${name} creation answers an id of slot and generation`, () => {
      const control = new TestControl();
      const [low, high] = created(control, request(layout, parameters));
      assert(low < 4096);
      assert(high >= 1 && high <= 0x4000_0000);
      assertEquals(control.core.sessions.size, 1);
    });

    Deno.test(`A ${layout} ${name} creation answers at every writable size`, () => {
      for (let size = 0; size <= 20; size++) {
        const control = new TestControl();
        const { used, bytes } = control.send(
          [request(layout, parameters)],
          size === 0 ? [] : [size],
        );
        // Without room for the id there is no session.
        assertEquals(used, size < 16 ? 0 : 16, `${size} writable bytes`);
        assertEquals(control.core.sessions.size, size < 16 ? 0 : 1);
        const rest = bytes.subarray(size < 16 ? 0 : 16);
        assertEquals(rest.every((b) => b === FILL), true);
      }
    });

    Deno.test(`A ${layout} ${name} creation works byte by byte`, () => {
      const control = new TestControl({}, { size: 256 });
      const bytes = request(layout, parameters);
      const { used, bytes: answer } = control.send(
        Array.from(bytes, (b) => Uint8Array.of(b)),
        new Array(18).fill(1),
      );
      assertEquals(used, 16);
      assertEquals(answer.subarray(8, 16), le32(0, 0));
      assertEquals(answer.subarray(16), Uint8Array.of(FILL, FILL));
    });

    Deno.test(`A ${layout} ${name} creation one byte too short or too long is ERR`, () => {
      const control = new TestControl();
      const bytes = request(layout, parameters);
      const longer = concat(bytes, zeros(1));
      assertEquals(control.send([longer], [16]), failed(ERR));
      assertEquals(control.send([bytes.slice(0, -1)], [16]), failed(ERR));
      assertEquals(control.core.sessions.size, 0);
    });
  }

  Deno.test(`A ${name} creation for a data queue that is not there is ERR`, () => {
    const control = new TestControl({ queues: 3 });
    for (const queueId of [3, 4, 0x1_0000, 0xffff_ffff]) {
      const bytes = request("legacy", parameters, queueId);
      assertEquals(control.send([bytes], [16]), failed(ERR));
    }
    created(control, request("legacy", parameters, 2));
    assertEquals(control.core.sessions.size, 1);
  });

  Deno.test(`A ${name} creation of an unknown algorithm is NOTSUPP, whatever else is wrong`, () => {
    const control = new TestControl();
    for (const algorithm of [0, 24, 31, 32, 40, 63, 64, 256, 0xffff_ffff]) {
      const bad = { ...parameters, algorithm, op: 7, resultLength: 0 };
      const bytes = concat(request("v15", bad, 999), zeros(3));
      assertEquals(control.send([bytes], [16]), failed(NOTSUPP));
    }
    assertEquals(control.core.sessions.size, 0);
  });
}

Deno.test("A CIPHER creation of another op_type is NOTSUPP", () => {
  const control = new TestControl();
  const parameters = sessionParameters(SERVICES["CIPHER"]!);
  for (const opType of [0, 3, 0x101, 0xffff_ffff]) {
    const bytes = request("legacy", { ...parameters, opType });
    assertEquals(control.send([bytes], [16]), failed(NOTSUPP));
  }
});

Deno.test("A creation whose op is not 1 or 2 is ERR where there is one", () => {
  const control = new TestControl();
  for (const name of ["CIPHER", "AEAD"]) {
    const parameters = sessionParameters(SERVICES[name]!);
    for (const op of [0, 3, 0x101, 0xffff_ffff]) {
      const bytes = request("v15", { ...parameters, op });
      assertEquals(control.send([bytes], [16]), failed(ERR));
    }
    created(control, request("v15", { ...parameters, op: 1 }));
    created(control, request("v15", { ...parameters, op: 2 }));
  }
});

Deno.test("A creation with a key length that the algorithm does not have is ERR", () => {
  const legal: Record<string, (length: number) => boolean> = {
    CIPHER: (n) => n === 16 || n === 24 || n === 32,
    MAC: (n) => n >= 1 && n <= 512,
    AEAD: (n) => n === 16 || n === 24 || n === 32,
  };
  const control = new TestControl();
  for (const [name, isLegal] of Object.entries(legal)) {
    const parameters = sessionParameters(SERVICES[name]!);
    for (const keyLength of [0, 1, 15, 16, 17, 24, 32, 33, 64, 512, 513]) {
      const key = new Random(keyLength).bytes(keyLength);
      const bytes = request("legacy", { ...parameters, keyLength, key });
      if (isLegal(keyLength)) created(control, bytes);
      else assertEquals(control.send([bytes], [16]), failed(ERR));
    }
    // Lengths that the request does not have.
    for (const keyLength of [0xffff_ffff, 0xffff_ffc8, 0x8000_0000]) {
      const bytes = request("legacy", { ...parameters, keyLength });
      assertEquals(control.send([bytes], [16]), failed(ERR));
    }
  }
});

Deno.test("A creation with a hash_result_len or tag_len that cannot be given is ERR", () => {
  const control = new TestControl({ maxSize: 1000 });
  const limits: [string, number[], number[]][] = [
    ["HASH", [1, 31, 32], [0, 33, 0xffff_ffff]],
    ["MAC", [1, 32], [0, 33, 0xffff_ffff]],
    ["AEAD", [4, 8, 12, 13, 14, 15, 16], [0, 1, 3, 5, 7, 9, 11, 17, 2 ** 31]],
  ];
  for (const [name, good, bad] of limits) {
    const parameters = sessionParameters(SERVICES[name]!);
    for (const resultLength of good) {
      created(control, request("v15", { ...parameters, resultLength }));
    }
    for (const resultLength of bad) {
      const bytes = request("v15", { ...parameters, resultLength });
      assertEquals(control.send([bytes], [16]), failed(ERR));
    }
  }
  const shake = (resultLength: number) =>
    request(
      "v15",
      sessionParameters({
        service: "hash",
        algorithm: "shake128",
        resultLength,
      }),
    );
  created(control, shake(1000));
  assertEquals(control.send([shake(1001)], [16]), failed(ERR));
});

Deno.test("A creation finds a full table with ERR, and room after a destruction", () => {
  const control = new TestControl({ maxSessions: 3 });
  const bytes = request("legacy", sessionParameters(SERVICES["HASH"]!));
  const ids = [0, 1, 2].map(() => created(control, bytes));
  assertEquals(new Set(ids.map(([low]) => low)).size, 3);
  assertEquals(control.send([bytes], [16]), failed(ERR));
  const [low, high] = ids[1]!;
  control.core.sessions.destroy(low, high);
  assertEquals(created(control, bytes), [low, high + 1]);
  assertEquals(control.send([bytes], [16]), failed(ERR));
});

Deno.test("A creation's algo and flag in the header say nothing", () => {
  const control = new TestControl();
  for (const options of Object.values(SERVICES)) {
    const bytes = request("v15", sessionParameters(options));
    bytes.set(le32(0xffff_ffff, 0xffff_ffff), 4);
    created(control, bytes);
  }
});

Deno.test("Creations of one round get an answer each, in order", () => {
  const control = new TestControl({}, { size: 256 });
  const bytes = request("v15", sessionParameters(SERVICES["HASH"]!));
  for (let i = 0; i < 100; i++) {
    control.guest.offer({ readable: [bytes], writable: [16] });
  }
  control.guest.watch();
  while (control.queue.run() !== 0);
  const answers = control.guest.answers();
  assertEquals(answers.length, 100);
  const ids = answers.map((a) =>
    new DataView(a.result.slice().buffer).getUint32(0, true)
  );
  assertEquals(new Set(ids).size, 100);
});

Deno.test("Another device's first session has another id", () => {
  const parameters = sessionParameters(SERVICES.CIPHER!);
  const first = () => created(new TestControl(), request("v15", parameters));
  // By chance they are the same once in 2^30.
  assertNotEquals(first(), first());
});
