import { assertEquals } from "@std/assert";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { FILL, type GuestRequest } from "../support/guest_queue.ts";
import {
  ERR,
  fieldsOf,
  type Input,
  OK,
  patched,
  TestDevice,
  type TestLayout,
  type TestSession,
} from "../support/device.ts";

const random = new Random(12);
const KEY = random.bytes(16);
const IV = random.bytes(16);
const SOURCE = random.bytes(64);
const LAYOUTS: readonly TestLayout[] = ["legacy", "v15"];
const MAX_SIZE = 4096;

/** A device that takes little, and a session and operation of each service. */
function deviceOf(layout: TestLayout) {
  const device = new TestDevice({ layout, device: { maxSize: MAX_SIZE } });
  const cipher = device.create({
    service: "cipher",
    algorithm: "aes-ctr",
    key: KEY,
    direction: "encrypt",
  });
  const hash = device.create({ service: "hash", algorithm: "sha1" });
  const mac = device.create({
    service: "mac",
    algorithm: "cmac-aes",
    key: KEY,
  });
  const aead = device.create({
    service: "aead",
    algorithm: "aes-gcm",
    key: KEY,
    direction: "encrypt",
  });
  const operations: readonly [TestSession, Input][] = [
    [cipher, { source: SOURCE, iv: IV }],
    [hash, { source: SOURCE }],
    [mac, { source: SOURCE }],
    [aead, { source: SOURCE, iv: IV.subarray(0, 12), aad: IV }],
  ];
  return { device, cipher, hash, mac, aead, operations };
}

/** A request with bytes added to or taken from its readable part. */
function stretched(request: GuestRequest, by: number): GuestRequest {
  const whole = concat(...request.readable);
  const readable = by < 0
    ? [whole.subarray(0, whole.length + by)]
    : [whole, random.bytes(by)];
  return { ...request, readable };
}

for (const layout of LAYOUTS) {
  Deno.test(`A ${layout} request whose readable part is too short is ERR`, () => {
    const { device, operations } = deviceOf(layout);
    for (const [session, input] of operations) {
      const request = device.request(session, input);
      for (const by of [-1, -2, -16, -SOURCE.length]) {
        device.fail(stretched(request, by), ERR, `${session.service} ${by}`);
      }
    }
  });

  Deno.test(
    `A ${layout} request whose readable part is too long is ${
      layout === "v15" ? "ERR" : "served, but for AEAD"
    }`,
    () => {
      const { device, operations } = deviceOf(layout);
      for (const [session, input] of operations) {
        const request = device.request(session, input);
        const expected = device.succeed(request);
        // 4 more would be a GCM iv in its 16-byte form.
        for (const by of [1, 3, 5, 16, 100]) {
          const longer = stretched(request, by);
          if (layout === "legacy" && session.service !== 3) {
            assertEquals(device.succeed(longer), expected);
          } else device.fail(longer, ERR, `${session.service} ${by}`);
        }
      }
    },
  );

  Deno.test(`A ${layout} length of nearly 2^32 is ERR in every field`, () => {
    const { device, operations } = deviceOf(layout);
    for (const [session, input] of operations) {
      const request = device.request(session, input);
      const at = fieldsOf(layout, session.service);
      for (const name of ["iv", "src", "dst", "aad", "result", "tag"]) {
        const field = at[name];
        if (field === undefined) continue;
        const value = new DataView(request.readable[0]!.slice().buffer)
          .getUint32(field, true);
        for (
          const wrong of [
            0xffff_ffff,
            0xffff_fff0,
            0x8000_0000,
            2 ** 32 - SOURCE.length,
            2 ** 31 + value,
            2 ** 32 - 1 - value,
            MAX_SIZE,
            0x1_0000 + value,
          ]
        ) {
          const what = `service ${session.service}, ${name} ${wrong}`;
          device.fail(patched(request, { [field]: wrong }), ERR, what);
        }
      }
      device.succeed(request);
    }
  });

  Deno.test(`${layout} lengths that sum up to a good one modulo 2^32 are ERR`, () => {
    const { device, operations } = deviceOf(layout);
    for (const [session, input] of operations) {
      const request = device.request(session, input);
      const at = fieldsOf(layout, session.service);
      const names = ["iv", "src", "dst", "aad", "result"]
        .filter((name) => at[name] !== undefined);
      const view = new DataView(request.readable[0]!.slice().buffer);
      for (const a of names) {
        for (const b of names) {
          if (a === b) continue;
          const [first, second] = [at[a]!, at[b]!];
          device.fail(
            patched(request, {
              [first]: view.getUint32(first, true) + 0x8000_0000,
              [second]: view.getUint32(second, true) + 0x8000_0000,
            }),
            ERR,
            `service ${session.service}, ${a} and ${b}`,
          );
        }
      }
    }
  });

  Deno.test(`A ${layout} destination below the result is ERR, one above stays as it was`, () => {
    const { device, cipher, aead } = deviceOf(layout);
    for (
      const [session, input, size] of [
        [cipher, { source: SOURCE, iv: IV }, 64],
        [aead, { source: SOURCE, iv: IV.subarray(0, 12) }, 80],
      ] as const
    ) {
      const expected = device.succeed(device.request(session, input));
      for (const destination of [0, 1, size - 16, size - 1]) {
        device.fail(device.request(session, { ...input, destination }), ERR);
        // Not even where the writable part has room for it.
        const request = device.request(session, { ...input, destination });
        device.fail({ ...request, writable: [200] }, ERR);
      }
      for (const destination of [size + 1, size + 16, 300]) {
        const result = device.succeed(
          device.request(session, { ...input, destination }),
        );
        assertEquals(result.subarray(0, size), expected);
        assertEquals(result.subarray(size).every((b) => b === FILL), true);
      }
    }
  });

  Deno.test(`A ${layout} writable part may be longer, and its last byte is the status`, () => {
    const { device, operations } = deviceOf(layout);
    for (const [session, input] of operations) {
      const request = device.request(session, input);
      const expected = device.succeed(request);
      for (const writable of [[expected.length + 1 + 50], [3, 7, 300, 1, 1]]) {
        const result = device.succeed({ ...request, writable });
        assertEquals(result.subarray(0, expected.length), expected);
        const rest = result.subarray(expected.length);
        assertEquals(rest.every((b) => b === FILL), true);
      }
    }
  });

  Deno.test(`A ${layout} writable part shorter than result and status is ERR`, () => {
    const { device, operations } = deviceOf(layout);
    for (const [session, input] of operations) {
      const request = device.request(session, input);
      const size = device.succeed(request).length;
      for (const writable of [[1], [size], [size - 1, 1], [2, 1]]) {
        device.fail({ ...request, writable }, ERR);
      }
      // One byte: the status alone.
      const [answer] = device.send({ ...request, writable: [1] });
      assertEquals([answer!.usedLength, answer!.status], [1, ERR]);
    }
  });

  Deno.test(`${layout} content up to max_size is served and one byte more is ERR`, () => {
    const { device, operations } = deviceOf(layout);
    for (const [session, input] of operations) {
      const size = (length: number) => {
        const iv = input.iv?.length ?? 0;
        const aad = input.aad?.length ?? 0;
        switch (session.service) {
          case 0:
            return iv + 2 * length;
          case 3:
            return iv + aad + 2 * length + 16;
          default:
            return length + session.resultLength;
        }
      };
      let length = 0;
      while (size(length + 1) <= MAX_SIZE) length++;
      const source = random.bytes(length + 1);
      device.succeed(
        device.request(session, { ...input, source: source.subarray(1) }),
      );
      device.fail(device.request(session, { ...input, source }), ERR);
    }
  });

  Deno.test(`A ${layout} destination counts for max_size though the result is short`, () => {
    const { device, cipher } = deviceOf(layout);
    const room = MAX_SIZE - IV.length - SOURCE.length;
    const input = { source: SOURCE, iv: IV };
    device.succeed(device.request(cipher, { ...input, destination: room }));
    device.fail(
      device.request(cipher, { ...input, destination: room + 1 }),
      ERR,
    );
  });

  Deno.test(`A ${layout} HASH or MAC of nothing is that of the empty string`, () => {
    const { device, hash, mac } = deviceOf(layout);
    const none = new Uint8Array(0);
    assertEquals(
      device.succeed(device.request(hash)),
      new Uint8Array(
        reference("sha1", none, { source: none, resultLength: 20 }),
      ),
    );
    assertEquals(
      device.succeed(device.request(mac)),
      new Uint8Array(
        reference("cmac-aes", KEY, { source: none, resultLength: 16 }),
      ),
    );
  });

  Deno.test(`A ${layout} CIPHER request of 0 bytes is OK and writes nothing`, () => {
    const { device } = deviceOf(layout);
    for (const algorithm of ["aes-ecb", "aes-cbc", "aes-ctr"] as const) {
      const session = device.create({
        service: "cipher",
        algorithm,
        key: KEY,
        direction: "decrypt",
      });
      const iv = algorithm === "aes-ecb" ? IV.subarray(16) : IV;
      const request = device.request(session, { iv });
      const [exact] = device.send(request);
      assertEquals([exact!.status, exact!.usedLength], [OK, 1]);
      const [more] = device.send({ ...request, writable: [40, 1] });
      assertEquals([more!.status, more!.usedLength], [OK, 41]);
      assertEquals(more!.result.every((b) => b === FILL), true);
    }
  });
}
