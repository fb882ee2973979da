import { assertEquals } from "@std/assert";
import {
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import { concat } from "../engine/guest.ts";
import { le32, zeros } from "../support/bytes.ts";
import { ERR, NOTSUPP, OK, TestControl } from "../support/device.ts";
import { FILL } from "../support/guest_queue.ts";
import { NEXT, WRITE } from "../support/guest_ring.ts";
import { BASE, bytesAt } from "../support/plain_memory.ts";

const KEY = new Uint8Array(16).fill(7);

const SERVICES: readonly SessionOptions[] = [
  { service: "cipher", algorithm: "aes-cbc", key: KEY, direction: "encrypt" },
  { service: "hash", algorithm: "md5" },
  { service: "mac", algorithm: "hmac-md5", key: KEY },
  { service: "aead", algorithm: "aes-gcm", key: KEY, direction: "encrypt" },
];

interface Id {
  readonly low: number;
  readonly high: number;
}

function createOn(control: TestControl, service: number): Id {
  const parameters = sessionParameters(SERVICES[service]!);
  return control.core.sessions.create(parameters, 0);
}

function destroy(service: number, id: Id, padding = 0): Uint8Array {
  return concat(
    le32(service << 8 | 3, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff),
    le32(id.low, id.high),
    zeros(padding),
  );
}

/** What a destruction's answer leaves in some writable bytes. */
function answerOf(status: number, writable: number) {
  const bytes = new Uint8Array(writable).fill(FILL);
  if (writable >= 8) bytes.set(le32(status, 0));
  else if (writable > 0) bytes[0] = status;
  return { used: writable >= 8 ? 8 : Math.min(writable, 1), bytes };
}

for (const service of [0, 1, 2, 3]) {
  Deno.test(`A destruction in service ${service} answers at every writable size`, () => {
    for (const padding of [0, 48]) {
      for (let size = 1; size <= 20; size++) {
        const control = new TestControl();
        const id = createOn(control, service);
        const request = destroy(service, id, padding);
        assertEquals(control.send([request], [size]), answerOf(OK, size));
        assertEquals([control.core.sessions.size, control.retired], [0, 1]);
        // Twice is once too often.
        assertEquals(control.send([request], [size]), answerOf(ERR, size));
        assertEquals(control.retired, 1);
      }
    }
  });

  Deno.test(`A destruction in service ${service} leaves another service's session`, () => {
    const control = new TestControl();
    for (const other of [0, 1, 2, 3]) {
      if (other === service) continue;
      const id = createOn(control, other);
      assertEquals(
        control.send([destroy(service, id)], [8]),
        answerOf(ERR, 8),
      );
      assertEquals(
        control.send([destroy(other, id)], [8]),
        answerOf(OK, 8),
      );
    }
  });
}

Deno.test("A destruction of an id that is not live is ERR", () => {
  const control = new TestControl({ maxSessions: 8 });
  const id = createOn(control, 1);
  for (
    const wrong of [
      { low: id.low, high: id.high + 1 },
      { low: id.low, high: 0 },
      { low: id.low, high: id.high + 0x8000_0000 },
      { low: id.low + 1, high: id.high },
      { low: 8, high: 1 },
      { low: 0xffff_ffff, high: 0xffff_ffff },
      { low: 0, high: 0 },
    ]
  ) {
    assertEquals(control.send([destroy(1, wrong)], [1]), answerOf(ERR, 1));
  }
  assertEquals(control.core.sessions.size, 1);
});

Deno.test("A control request with no writable byte is returned with used length 0", () => {
  const control = new TestControl();
  const id = createOn(control, 1);
  const requests = [
    destroy(1, id),
    le32(0x999, 0, 0, 0),
    zeros(3),
    concat(le32(0x102, 0, 0, 0), le32(1, 16)),
  ];
  for (const request of requests) {
    assertEquals(control.send([request], []).used, 0);
  }
});

Deno.test("A control request of unknown opcode or short header has the answer there is room for", () => {
  const control = new TestControl();
  const cases: [Uint8Array, number][] = [
    [concat(le32(0x005, 0, 0, 0), zeros(56)), NOTSUPP],
    [concat(le32(0x1_0002, 0, 0, 0), zeros(56)), NOTSUPP],
    [le32(0x002, 0, 0), ERR],
    [zeros(15), ERR],
  ];
  for (const [request, status] of cases) {
    for (let size = 1; size <= 20; size++) {
      const expected = answerOf(status, size);
      if (size >= 16) {
        expected.bytes.fill(FILL);
        expected.bytes.set(le32(0, 0, status, 0));
        expected.used = 16;
      }
      assertEquals(control.send([request], [size]), expected);
    }
  }
});

Deno.test("A control request without a readable byte is ERR", () => {
  const control = new TestControl();
  assertEquals(control.send([], [1]), answerOf(ERR, 1));
});

Deno.test("A broken chain of the control queue is ERR, and the queue goes on", () => {
  const control = new TestControl();
  const id = createOn(control, 1);
  const { guest } = control;
  const data = BASE + 0x8000;
  bytesAt(guest.memory, data, 24).set(destroy(1, id));
  guest.ring.describe(0, [data, 24, NEXT, 1], [data + 64, 1, WRITE | NEXT, 99]);
  guest.ring.offer(0);
  control.queue.run();
  assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 1 }]);
  assertEquals(bytesAt(guest.memory, data + 64, 1)[0], ERR);
  assertEquals(control.core.sessions.size, 1);
  guest.ring.describe(0, [data, 24, NEXT, 1], [0x7000_0000, 1, WRITE]);
  guest.ring.offer(0);
  control.queue.run();
  assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 0 }]);
  assertEquals(control.core.sessions.size, 1);
  assertEquals(control.send([destroy(1, id)], [1]), answerOf(OK, 1));
});

Deno.test("A broken chain with room for a creation's answer gets one", () => {
  const { queue, guest } = new TestControl();
  const data = BASE + 0x8000;
  guest.ring.describe(
    0,
    [data, 24, NEXT, 1],
    [data + 64, 16, WRITE | NEXT, 99],
  );
  guest.ring.offer(0);
  queue.run();
  assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 16 }]);
  assertEquals(bytesAt(guest.memory, data + 64, 16).slice(), le32(0, 0, 1, 0));
});

Deno.test("A control request longer than any is judged in the order of all others", () => {
  const control = new TestControl();
  const header = (opcode: number) => le32(opcode, 0, 0, 0);
  const rest = zeros(5000);
  const id = createOn(control, 1);
  assertEquals(
    control.send([destroy(1, id), rest], [16]),
    answerOf(ERR, 16),
  );
  const created = (status: number) => ({
    used: 16,
    bytes: le32(0, 0, status, 0),
  });
  const algorithm = (number: number) => le32(number, 16, 900, 0);
  assertEquals(control.send([header(0x999), rest], [1]), answerOf(NOTSUPP, 1));
  assertEquals(
    control.send([header(0x202), algorithm(63), rest], [16]),
    created(NOTSUPP),
  );
  assertEquals(
    control.send([header(0x202), algorithm(1), rest], [16]),
    created(ERR),
  );
  assertEquals(control.core.sessions.size, 1);
});
