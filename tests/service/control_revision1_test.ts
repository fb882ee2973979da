import { assertEquals } from "@std/assert";
import { concat } from "../engine/guest.ts";
import { le32, zeros } from "../support/bytes.ts";
import { ERR, TestControl } from "../support/device.ts";

const HASH = le32(4, 32);
const NOSPC = 5;

/** A creation for some data queue. */
function creation(queueId: number): Uint8Array {
  return concat(le32(0x102, 0, 0, queueId), HASH);
}

function controlOf(features: bigint): TestControl {
  return new TestControl({ spec: "1.4", maxSessions: 2 }, {}, features);
}

function statusOf(control: TestControl, request: Uint8Array): number {
  const { used, bytes } = control.send([request], [16]);
  assertEquals(used, 16);
  return new DataView(bytes.slice().buffer).getUint32(8, true);
}

Deno.test("With REVISION_1, queue_id is reserved and says nothing", () => {
  const control = controlOf(1n);
  assertEquals(statusOf(control, creation(2)), 0);
  assertEquals(statusOf(control, creation(0xffff_ffff)), 0);
  assertEquals(statusOf(controlOf(0n), creation(2)), ERR);
});

Deno.test("With REVISION_1, a full table is NOSPC", () => {
  for (const [features, status] of [[1n, NOSPC], [0n, ERR]] as const) {
    const control = controlOf(features);
    assertEquals(statusOf(control, creation(0)), 0);
    assertEquals(statusOf(control, creation(1)), 0);
    assertEquals(statusOf(control, creation(0)), status);
    const { bytes } = control.send([creation(0)], [16]);
    assertEquals(bytes, le32(0, 0, status, 0));
  }
});

Deno.test("With REVISION_1, the padded form is ERR", () => {
  const padded = concat(creation(0), zeros(48));
  assertEquals(statusOf(controlOf(1n), padded), ERR);
  assertEquals(statusOf(controlOf(0n), padded), 0);
});
