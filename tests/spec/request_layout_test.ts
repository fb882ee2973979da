import { assertEquals } from "@std/assert";
import { requestLayout } from "../../device/spec/request_layout.ts";

const ALL = 0b1111;
const services = ALL;

Deno.test("A v15 device's layout follows from the session-mode features", () => {
  assertEquals(requestLayout("v15", ALL, 0n, false), {
    kind: "v15",
    services,
    modeServices: 0,
  });
  assertEquals(requestLayout("v15", ALL, 0b01010n | 1n << 32n, false), {
    kind: "v15",
    services,
    modeServices: 0b0101,
  });
});

Deno.test("A 1.4 device's layout is legacy without REVISION_1, whatever else is set", () => {
  for (const features of [0n, 0b11110n, 1n << 32n]) {
    assertEquals(requestLayout("1.4", ALL, features, false), {
      kind: "legacy",
      services,
      modeServices: 0,
    });
  }
});

Deno.test("A 1.4 device's layout with REVISION_1 has the stateless services", () => {
  assertEquals(requestLayout("1.4", ALL, 0b10101n, false), {
    kind: "revision1",
    services,
    modeServices: 0b1010,
  });
});

Deno.test("With session messages the layout is legacy, whatever was negotiated", () => {
  for (const spec of ["v15", "1.4"] as const) {
    for (const features of [0n, 0b11111n, 0x4000_0000n]) {
      assertEquals(requestLayout(spec, ALL, features, true), {
        kind: "legacy",
        services,
        modeServices: 0,
      });
    }
  }
});
