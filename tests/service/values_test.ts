import { assertEquals } from "@std/assert";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import {
  BADMSG,
  ERR,
  patched,
  TestDevice,
  type TestLayout,
} from "../support/device.ts";

const random = new Random(13);
const KEY = random.bytes(32);
const LONG_IV = random.bytes(32);
const SOURCE = random.bytes(80);
const AAD = random.bytes(21);
const LAYOUTS: readonly TestLayout[] = ["legacy", "v15"];

for (const layout of LAYOUTS) {
  Deno.test(`A ${layout} CIPHER iv of any but the algorithm's length is ERR`, () => {
    const device = new TestDevice({ layout });
    for (
      const [algorithm, right] of [
        ["aes-ecb", 0],
        ["aes-cbc", 16],
        ["aes-ctr", 16],
      ] as const
    ) {
      for (const direction of ["encrypt", "decrypt"] as const) {
        const session = device.create({
          service: "cipher",
          algorithm,
          key: KEY,
          direction,
        });
        for (let length = 0; length <= 20; length++) {
          const iv = LONG_IV.subarray(0, length);
          const request = device.request(session, { source: SOURCE, iv });
          if (length === right) device.succeed(request);
          else device.fail(request, ERR, `${algorithm}, iv of ${length}`);
        }
      }
    }
  });

  Deno.test(`A ${layout} CIPHER source of a partial block is ERR where there is no padding`, () => {
    const device = new TestDevice({ layout });
    for (const algorithm of ["aes-ecb", "aes-cbc", "aes-ctr"] as const) {
      const session = device.create({
        service: "cipher",
        algorithm,
        key: KEY,
        direction: "encrypt",
      });
      const iv = LONG_IV.subarray(0, algorithm === "aes-ecb" ? 0 : 16);
      for (let length = 1; length <= 33; length++) {
        const source = SOURCE.subarray(0, length);
        const request = device.request(session, { source, iv });
        if (algorithm !== "aes-ctr" && length % 16 !== 0) {
          device.fail(request, ERR, `${algorithm}, ${length} bytes`);
          continue;
        }
        assertEquals(
          device.succeed(request),
          new Uint8Array(reference(algorithm, KEY, { source, iv })),
        );
      }
    }
  });

  Deno.test(`A ${layout} hash_result_len is 1 to the digest's size, the request's own`, () => {
    const device = new TestDevice({ layout });
    for (
      const [service, algorithm, size] of [
        ["hash", "sha256", 32],
        ["hash", "md5", 16],
        ["mac", "hmac-sha384", 48],
        ["mac", "cmac-aes", 16],
      ] as const
    ) {
      // What the session was created with says nothing.
      const options = { algorithm, key: KEY, resultLength: 5 };
      const session = device.create({ service, ...options });
      const whole = reference(algorithm, KEY, {
        source: SOURCE,
        resultLength: size,
      });
      for (const result of [0, 1, size - 1, size, size + 1, 100]) {
        const request = device.request(session, { source: SOURCE, result });
        if (result === 0 || result > size) {
          device.fail(request, ERR, `${algorithm}, ${result} bytes`);
          // Nor where there is room.
          device.fail({ ...request, writable: [200] }, ERR);
        } else {
          assertEquals(
            device.succeed(request),
            new Uint8Array(whole.subarray(0, result)),
          );
        }
      }
    }
  });

  Deno.test(`A ${layout} SHAKE gives as many bytes as are asked for, up to max_size`, () => {
    const device = new TestDevice({ layout, device: { maxSize: 10_000 } });
    for (const algorithm of ["shake128", "shake256"] as const) {
      const session = device.create({
        service: "hash",
        algorithm,
        resultLength: 32,
      });
      for (const result of [1, 31, 500, 10_000 - SOURCE.length]) {
        assertEquals(
          device.succeed(device.request(session, { source: SOURCE, result })),
          new Uint8Array(
            reference(algorithm, KEY, { source: SOURCE, resultLength: result }),
          ),
        );
      }
      for (const result of [0, 10_001 - SOURCE.length]) {
        device.fail(device.request(session, { source: SOURCE, result }), ERR);
      }
    }
  });

  Deno.test(`A ${layout} GCM iv has 12 bytes, or 16 that are J0`, () => {
    const device = new TestDevice({ layout });
    const session = device.create({
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      direction: "encrypt",
    });
    for (let length = 0; length <= 17; length++) {
      const iv = LONG_IV.subarray(0, length);
      const input = { source: SOURCE, iv, aad: AAD };
      const request = device.request(session, input);
      if (length !== 12 && length !== 16) {
        device.fail(request, ERR, `iv of ${length}`);
        continue;
      }
      assertEquals(
        device.succeed(request),
        new Uint8Array(
          reference("aes-gcm", KEY, { ...input, resultLength: 16 }),
        ),
      );
    }
  });

  Deno.test(`A ${layout} GCM iv of 12 bytes may come in a field of 16`, () => {
    const device = new TestDevice({ layout });
    const options = {
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
    } as const;
    const encrypt = device.create({ ...options, direction: "encrypt" });
    const decrypt = device.create({ ...options, direction: "decrypt" });
    const iv = LONG_IV.subarray(0, 12);
    const filler = LONG_IV.subarray(12, 16);
    for (const source of [SOURCE, SOURCE.subarray(80)]) {
      const sealed = new Uint8Array(
        reference("aes-gcm", KEY, { source, iv, aad: AAD, resultLength: 16 }),
      );
      const whole = device.request(encrypt, { source, iv, aad: AAD });
      const [fixed] = whole.readable;
      assertEquals(
        device.succeed({
          ...whole,
          readable: [concat(fixed!, iv, filler, source, AAD)],
        }),
        sealed,
      );
      const back = device.request(decrypt, { source: sealed, iv, aad: AAD });
      assertEquals(
        device.succeed({
          ...back,
          readable: [concat(back.readable[0]!, iv, filler, sealed, AAD)],
        }),
        source.slice(),
      );
      // Only a field of just 16 bytes is one.
      for (const size of [1, 2, 3, 5]) {
        const room = LONG_IV.subarray(12, 12 + size);
        device.fail({
          ...whole,
          readable: [concat(fixed!, iv, room, source, AAD)],
        }, ERR);
      }
    }
  });

  Deno.test(`A ${layout} CHACHA20_POLY1305 nonce has 12 bytes and no field of 16`, () => {
    const device = new TestDevice({ layout });
    const session = device.create({
      service: "aead",
      algorithm: "chacha20-poly1305",
      key: KEY,
      direction: "encrypt",
    });
    for (let length = 0; length <= 17; length++) {
      const iv = LONG_IV.subarray(0, length);
      const request = device.request(session, { source: SOURCE, iv, aad: AAD });
      if (length === 12) device.succeed(request);
      else device.fail(request, ERR, `nonce of ${length}`);
    }
    const iv = LONG_IV.subarray(0, 12);
    const request = device.request(session, { source: SOURCE, iv });
    const [fixed] = request.readable;
    device.fail({
      ...request,
      readable: [concat(fixed!, LONG_IV.subarray(0, 16), SOURCE)],
    }, ERR);
  });

  Deno.test(`A ${layout} source shorter than its tag is ERR`, () => {
    const device = new TestDevice({ layout });
    const session = device.create({
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      direction: "decrypt",
    });
    const iv = LONG_IV.subarray(0, 12);
    for (const length of [0, 1, 15]) {
      const source = SOURCE.subarray(0, length);
      device.fail(device.request(session, { source, iv }), ERR);
    }
    device.fail(
      device.request(session, { source: SOURCE.subarray(0, 16), iv }),
      BADMSG,
    );
  });

  Deno.test(`A ${layout} tag that is wrong in one bit is BADMSG, and no plaintext is written`, () => {
    const device = new TestDevice({ layout });
    for (const algorithm of ["aes-gcm", "chacha20-poly1305"] as const) {
      const iv = LONG_IV.subarray(0, 12);
      const session = device.create({
        service: "aead",
        algorithm,
        key: KEY,
        direction: "decrypt",
      });
      const sealed = concat(reference(algorithm, KEY, {
        source: SOURCE,
        iv,
        aad: AAD,
        resultLength: 16,
      }));
      assertEquals(
        device.succeed(
          device.request(session, { source: sealed, iv, aad: AAD }),
        ),
        SOURCE,
      );
      for (let i = 0; i < sealed.length; i += 5) {
        const source = sealed.slice();
        source[i]! ^= 1 << (i % 8);
        device.fail(
          device.request(session, { source, iv, aad: AAD }),
          BADMSG,
        );
      }
      device.fail(
        device.request(session, {
          source: sealed,
          iv,
          aad: AAD.subarray(1),
        }),
        BADMSG,
      );
    }
  });
}

Deno.test("A legacy AEAD request has the session's tag length", () => {
  const device = new TestDevice({ layout: "legacy" });
  const iv = LONG_IV.subarray(0, 12);
  for (const tagLength of [4, 8, 12, 13, 14, 15, 16]) {
    const options = {
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      tagLength,
    } as const;
    const encrypt = device.create({ ...options, direction: "encrypt" });
    const sealed = device.succeed(
      // tag_len at its place in revision 1 is padding here.
      patched(device.request(encrypt, { source: SOURCE, iv }), { 40: 99 }),
    );
    const expected = reference("aes-gcm", KEY, {
      source: SOURCE,
      iv,
      resultLength: tagLength,
    });
    assertEquals(sealed, new Uint8Array(expected));
    const decrypt = device.create({ ...options, direction: "decrypt" });
    assertEquals(
      device.succeed(device.request(decrypt, { source: sealed, iv })),
      SOURCE,
    );
  }
});

Deno.test("A v15 AEAD request has its own tag length, legal for the algorithm", () => {
  const device = new TestDevice({ layout: "v15" });
  const iv = LONG_IV.subarray(0, 12);
  const options = {
    service: "aead",
    algorithm: "aes-gcm",
    key: KEY,
    tagLength: 8,
  } as const;
  const encrypt = device.create({ ...options, direction: "encrypt" });
  const decrypt = device.create({ ...options, direction: "decrypt" });
  for (let result = 0; result <= 17; result++) {
    const request = device.request(encrypt, { source: SOURCE, iv, result });
    if (![4, 8, 12, 13, 14, 15, 16].includes(result)) {
      device.fail(request, ERR, `tag of ${result}`);
      device.fail({ ...request, writable: [200] }, ERR);
      device.fail(
        device.request(decrypt, { source: SOURCE, iv, result }),
        ERR,
      );
      continue;
    }
    const sealed = device.succeed(request);
    assertEquals(
      sealed,
      new Uint8Array(
        reference("aes-gcm", KEY, { source: SOURCE, iv, resultLength: result }),
      ),
    );
    assertEquals(
      device.succeed(device.request(decrypt, { source: sealed, iv, result })),
      SOURCE,
    );
  }
});
