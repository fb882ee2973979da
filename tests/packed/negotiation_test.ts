import { assertEquals } from "@std/assert";
import { DeviceCore } from "../../device/service/device_core.ts";
import { Negotiation } from "../../device/vhost_user/features.ts";
import {
  VHOST_USER_PROTOCOL_F_CONFIG,
  VHOST_USER_PROTOCOL_F_CRYPTO_SESSION,
} from "../../device/vhost_user/protocol.ts";
import { Vring } from "../../device/vhost_user/vring.ts";
import { PACKED, VERSION_1 } from "./load.ts";

Deno.test("A device offers packed rings and use in order, whatever its document", () => {
  for (const spec of ["v15", "1.4"] as const) {
    const { features } = new DeviceCore({ spec }, () => {});
    assertEquals(features >> 34n & 0b11n, 0b11n);
  }
});

Deno.test("The negotiated features say how a backend's rings lie", () => {
  const negotiation = new Negotiation();
  const vring = new Vring();
  const of = (features: bigint) => {
    negotiation.features = features;
    const { format, state } = vring.setup(negotiation);
    return [format, state];
  };
  assertEquals(of(VERSION_1), ["split", 0]);
  assertEquals(of(VERSION_1 | PACKED), ["packed", 0x8000_8000]);
  vring.base = 0x0007_0007;
  assertEquals(of(VERSION_1 | PACKED), ["packed", 0x0007_0007]);
  vring.reset();
  assertEquals(of(VERSION_1 | PACKED), ["packed", 0x8000_8000]);
});

Deno.test("Where sessions are made by message, only the features that are set are known", () => {
  const negotiation = new Negotiation();
  const bit = (number: number) => 1n << BigInt(number);
  const of = (features: bigint) => {
    negotiation.features = features;
    return [negotiation.format, negotiation.notification];
  };
  negotiation.protocolFeatures = bit(VHOST_USER_PROTOCOL_F_CRYPTO_SESSION);
  const EVENT_IDX = bit(29);
  // As QEMU sets them there: VHOST_USER_F_PROTOCOL_FEATURES.
  assertEquals(of(bit(30)), ["split", "unknown"]);
  assertEquals(of(VERSION_1), ["split", "unknown"]);
  assertEquals(of(VERSION_1 | EVENT_IDX), ["split", "event-index"]);
  assertEquals(of(VERSION_1 | PACKED), ["packed", "flags"]);
  assertEquals(of(VERSION_1 | PACKED | EVENT_IDX), ["packed", "event-index"]);
  negotiation.protocolFeatures |= bit(VHOST_USER_PROTOCOL_F_CONFIG);
  assertEquals(of(VERSION_1), ["split", "flags"]);
});
