import { assertEquals } from "@std/assert";
import { ringPlace } from "../../device/vhost_user/ring_depth.ts";
import { PACKED_RING_MAX } from "../../device/virtqueue/packed_ring.ts";

Deno.test("ringPlace looks at no more descriptors than a packed ring may have, whatever size was said", () => {
  const size = 2 * 16 * PACKED_RING_MAX;
  const buffer = new SharedArrayBuffer(size);
  const words = new Uint16Array(buffer);
  // Each available in the first round: AVAIL is set, USED is not.
  for (let at = 7; at < words.length; at += 8) words[at] = 1 << 7;
  const region = { guestAddress: 0, userAddress: 0, size, buffer, offset: 0 };
  const place = ringPlace(
    {
      format: "packed",
      size: 1 << 30,
      descriptorAddress: 0,
      availableAddress: 0,
      usedAddress: 0,
      state: 0x8000_8000,
      notification: "flags",
      indirect: true,
    },
    0x8000_8000,
    [region],
  );
  assertEquals(place?.depth, PACKED_RING_MAX);
});
