/**
 * A test of a driver of your own: its requests go to the device as bytes, and
 * where the device refuses one, the test fails with the reason.
 *
 *     deno test examples/driver_test.ts
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { CryptoDriver, explainRequest, InProcessDevice } from "../mod.ts";
import * as spec from "../spec.ts";

const AES_CBC = {
  service: "cipher",
  algorithm: "aes-cbc",
  key: new Uint8Array(16),
  direction: "encrypt",
} as const;

/** What is tested: it lays a request out as Linux' driver does. */
function encryption(session: bigint, source: Uint8Array): Uint8Array {
  const request = new Uint8Array(24 + 48 + 16 + source.length);
  const view = new DataView(request.buffer);
  view.setUint32(0, spec.VIRTIO_CRYPTO_CIPHER_ENCRYPT, true);
  view.setBigUint64(8, session, true);
  view.setUint32(24, 16, true); // iv_len
  view.setUint32(28, source.length, true); // src_data_len
  view.setUint32(32, source.length, true); // dst_data_len
  view.setUint32(64, spec.VIRTIO_CRYPTO_SYM_OP_CIPHER, true); // op_type
  request.set(source, 24 + 48 + 16);
  return request;
}

Deno.test("the device serves what the driver asks for", async () => {
  await using driver = await CryptoDriver.attach(
    new InProcessDevice({ workers: 0 }),
  );
  const { id } = await driver.createSession(AES_CBC);
  const request = encryption(id, new Uint8Array(16));
  const { usedLength, bytes } = await driver.submitRaw(0, [request], [16, 1]);
  const status = bytes[16];
  if (status !== spec.VIRTIO_CRYPTO_OK) {
    const known = { layout: "legacy", session: AES_CBC } as const;
    throw new Error((await explainRequest(request, known)).text);
  }
  assertEquals(usedLength, 17);
  assertEquals(bytes.subarray(0, 4).toHex(), "66e94bd4");
});

Deno.test("the driver's fields are where the device looks for them", () => {
  const request = encryption(0x1_0000_0002n, Uint8Array.of(7, 7));
  const { sessionId, ivLength, source } = spec.parseDataRequest(request);
  assertEquals([sessionId, ivLength], [0x1_0000_0002n, 16]);
  assertEquals(source, Uint8Array.of(7, 7));
});

Deno.test("the device tells what is wrong with a source of 20 bytes", async () => {
  const request = encryption(1n, new Uint8Array(20));
  const { status, reason } = await explainRequest(request, {
    session: AES_CBC,
  });
  assertEquals(status, spec.VIRTIO_CRYPTO_ERR);
  assertEquals(
    reason,
    "src_data_len is 20: aes-cbc takes whole blocks of 16 bytes",
  );
});
