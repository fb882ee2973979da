import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createCipheriv } from "node:crypto";
import { guestBytes } from "../../device/driver/guest_view.ts";
import { statPath } from "../../device/host/file.ts";
import { CBC_INFO } from "../server/guest_session.ts";
import { freshPath, sleep, until } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";
import { engineNames } from "./engine_names.ts";
import {
  LEGACY_FEATURES,
  SurvivingGuest,
  SurvivingLoad,
} from "./surviving_guest.ts";

const OK = 0;
const KEY = Uint8Array.from({ length: 24 }, (_, i) => 5 * i + 1);

/** VIRTIO_CRYPTO_CIPHER_3DES_CBC. */
const TRIPLE_DES = { ...CBC_INFO, cipherAlgo: 8, keyLength: 24 };
/** A second of work for any engine, and more. */
const LONG = 32 << 20;

/** A legacy request that encrypts by 3DES-CBC with an iv of zeros. */
function tripleDes(
  session: bigint,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24 + 48 + 8 + length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, session, true);
  view.setUint32(24, 8, true); // iv_len
  view.setUint32(28, length, true); // src_data_len
  view.setUint32(32, length, true); // dst_data_len
  view.setUint32(24 + 40, 1, true); // op_type: CIPHER
  return bytes;
}

for (const engine of engineNames()) {
  Deno.test(`${engine}: SIGTERM ends a server in a request of seconds, which stays as it was`, async () => {
    const path = freshPath();
    const memory = 2 * LONG + (1 << 20);
    await using server = await CliProcess.serve([
      `--socket-path=${path}`,
      `--engine=${engine}`,
      `--max-size=${3 * LONG}`,
    ]);
    await using guest = new SurvivingGuest(1, LEGACY_FEATURES, memory);
    await guest.connect(path);
    const [queue] = guest.queues;
    const id = await guest.frontend.createCryptoSession(
      TRIPLE_DES as unknown as typeof CBC_INFO,
      KEY,
    );
    assert(id >= 0n);
    const cipher = createCipheriv("des-ede3-cbc", KEY, new Uint8Array(8));
    cipher.setAutoPadding(false);
    const expected = cipher.update(new Uint8Array(512));
    queue!.addRaw(tripleDes(id, 512), expected);
    queue!.publish();
    await until("the short request", () => queue!.usedIndex === 1);
    assertEquals(queue!.collect(), [{ number: 0, status: OK, right: true }]);
    // The long one is begun, and another waits behind it.
    queue!.addRaw(tripleDes(id, LONG), new Uint8Array(LONG));
    queue!.addRaw(tripleDes(id, 512), expected);
    const before = guestBytes(guest.allocator.memory, 0x4000_0000, memory)
      .slice();
    queue!.publish();
    await sleep(100);
    server.kill("SIGTERM");
    const outcome = await server.ended(10_000);
    assertEquals([outcome.code, outcome.signal, outcome.stderr], [0, null, ""]);
    assertEquals(statPath(path), undefined);
    assertEquals(queue!.usedIndex, 1);
    // Nothing was written but what the ring itself has.
    const after = guestBytes(guest.allocator.memory, 0x4000_0000, memory);
    const { available, used } = queue!.ring.guestAddresses;
    const ring = Math.max(available, used) + 4096 - 0x4000_0000;
    assertEquals(Buffer.compare(after.slice(ring), before.slice(ring)), 0);
  });
}

Deno.test("SIGTERM ends a server under load: each request is completed, or is as it was", async () => {
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`]);
  await using guest = new SurvivingGuest(2, LEGACY_FEATURES);
  await guest.connect(path);
  const key = KEY.subarray(0, 16);
  const id = await guest.frontend.createCryptoSession(CBC_INFO, key);
  const load = new SurvivingLoad(
    guest,
    (queue) => queue.add(key, id, queue.index === 0 ? 64 : 16384) >= 0,
  );
  await load.progress(200);
  server.kill("SIGTERM");
  const outcome = await server.ended(10_000);
  assertEquals([outcome.code, outcome.signal], [0, null]);
  await load.end();
  for (const [index, returned] of load.returned.entries()) {
    const queue = guest.queues[index]!;
    // As many as the used index says: nothing is answered and not told.
    assertEquals(returned.length & 0xffff, queue.usedIndex);
    for (const { status, right } of returned) {
      assertEquals([status, right], [OK, true]);
    }
    assert(queue.outstanding > 0);
    assertEquals(queue.untouched(), true, `queue ${index}`);
  }
});
