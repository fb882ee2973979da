import { assertEquals, assertNotEquals } from "@std/assert";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { BADMSG, ERR, TestDevice } from "../support/device.ts";

const random = new Random(43);
const KEY = random.bytes(16);
const SOURCE = random.bytes(50);
const AAD = random.bytes(9);

for (const layout of ["legacy", "v15"] as const) {
  Deno.test(`A ${layout} CCM nonce in a field of 16 bytes starts at iv[1]`, () => {
    const device = new TestDevice({ layout });
    const options = {
      service: "aead",
      algorithm: "aes-ccm",
      key: KEY,
    } as const;
    const encrypt = device.create({ ...options, direction: "encrypt" });
    const decrypt = device.create({ ...options, direction: "decrypt" });
    for (let length = 7; length <= 13; length++) {
      const iv = random.bytes(length);
      const input = { source: SOURCE, iv, aad: AAD };
      const request = device.request(encrypt, input);
      const sealed = device.succeed(request);
      const field = (at: number) => {
        const bytes = random.bytes(16);
        bytes.set(iv, at);
        return bytes;
      };
      const [fixed] = request.readable;
      const full = (at: number) => ({
        ...request,
        readable: [concat(fixed!, field(at), SOURCE, AAD)],
      });
      assertEquals(device.succeed(full(1)), sealed);
      assertNotEquals(device.succeed(full(0)), sealed);
      const open = device.request(decrypt, { ...input, source: sealed });
      assertEquals(device.succeed(open), SOURCE);
      const readable = [
        concat(open.readable[0]!, field(1), sealed, AAD),
      ];
      assertEquals(device.succeed({ ...open, readable }), SOURCE);
      const wrong = [concat(open.readable[0]!, field(2), sealed, AAD)];
      device.fail({ ...open, readable: wrong }, BADMSG);
    }
    for (const length of [0, 6, 14, 15, 16]) {
      const iv = random.bytes(length);
      device.fail(device.request(encrypt, { source: SOURCE, iv }), ERR);
    }
  });

  Deno.test(`A ${layout} GMAC request's iv is the first 12 bytes of its source`, () => {
    const device = new TestDevice({ layout });
    const session = device.create({
      service: "mac",
      algorithm: "gmac-aes",
      key: KEY,
    });
    for (const length of [12, 13, 50]) {
      const source = SOURCE.subarray(0, length);
      // GMAC is GCM of nothing, with the message as aad.
      const expected = reference("aes-gcm", KEY, {
        source: new Uint8Array(0),
        iv: source.subarray(0, 12),
        aad: source.subarray(12),
        resultLength: 16,
      });
      assertEquals(
        device.succeed(device.request(session, { source })),
        new Uint8Array(expected),
      );
    }
    for (const length of [0, 1, 11]) {
      const source = SOURCE.subarray(0, length);
      device.fail(device.request(session, { source }), ERR);
    }
  });

  Deno.test(`A ${layout} MAC whose iv is in its source is ERR without it`, () => {
    const device = new TestDevice({ layout });
    for (const algorithm of ["snow3g-uia2", "zuc-eia3"] as const) {
      const session = device.create({ service: "mac", algorithm, key: KEY });
      for (const length of [0, 8, 15]) {
        const source = SOURCE.subarray(0, length);
        device.fail(device.request(session, { source }), ERR);
      }
      for (const length of [16, 17, 50]) {
        const source = SOURCE.subarray(0, length);
        device.succeed(device.request(session, { source }));
      }
    }
  });

  Deno.test(`A ${layout} MAC of blocks is ERR for a partial one`, () => {
    const device = new TestDevice({ layout });
    for (
      const [algorithm, block, least] of [
        ["kasumi-f9", 8, 16],
        ["cbcmac-aes", 16, 16],
      ] as const
    ) {
      const session = device.create({ service: "mac", algorithm, key: KEY });
      for (let length = least; length <= 50; length++) {
        const source = SOURCE.subarray(0, length);
        const request = device.request(session, { source });
        if (length % block === 0) device.succeed(request);
        else device.fail(request, ERR, `${algorithm}, ${length} bytes`);
      }
    }
  });

  Deno.test(`A ${layout} XTS request is ERR below 16 bytes, and takes any length above`, () => {
    const device = new TestDevice({ layout });
    const session = device.create({
      service: "cipher",
      algorithm: "aes-xts",
      key: random.bytes(32),
      direction: "encrypt",
    });
    const iv = random.bytes(16);
    for (let length = 0; length <= 50; length++) {
      const source = SOURCE.subarray(0, length);
      const request = device.request(session, { source, iv });
      if (length < 16) device.fail(request, ERR, `${length} bytes`);
      else device.succeed(request);
    }
  });
}
