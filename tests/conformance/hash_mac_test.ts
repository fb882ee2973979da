import { assertEquals } from "@std/assert";
import { key } from "../decode/requests.ts";
import {
  Bench,
  ERR,
  filled,
  INVSESS,
  MODES,
  NOTSUPP,
  OK,
  patched,
  withId,
} from "./bench.ts";

const SOURCE = filled(48, 2);

/** What each service computes, by another implementation. */
const SERVICES = [
  {
    service: "HASH",
    name: "sha256",
    compute: async () => await crypto.subtle.digest("SHA-256", SOURCE),
  },
  {
    service: "MAC",
    name: "hmac-sha1",
    compute: async () => {
      const imported = await crypto.subtle.importKey(
        "raw",
        key(1),
        { name: "HMAC", hash: "SHA-1" },
        false,
        ["sign"],
      );
      return await crypto.subtle.sign("HMAC", imported, SOURCE);
    },
  },
] as const;

for (const { service, name, compute } of SERVICES) {
  for (const mode of MODES) {
    Deno.test(`A ${service} request in ${mode} gets its digest in hash_result`, async () => {
      await using bench = await Bench.open();
      const { bytes, writable } = await bench.request(name, mode);
      const answer = await bench.data(bytes, writable);
      assertEquals(answer.status, OK);
      assertEquals(answer.usedLength, writable);
      assertEquals(answer.intact, true);
      assertEquals(answer.result, new Uint8Array(await compute()));
    });
  }

  Deno.test(`A ${service} request of an id that is no session's is INVSESS`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(name, "session mode");
    const id = new DataView(bytes.buffer).getBigUint64(8, true);
    for (const other of [0n, id + 1n, id ^ (1n << 32n), id | 1n << 63n]) {
      const { status } = await bench.data(withId(bytes, other), writable);
      assertEquals(status, INVSESS);
    }
  });

  Deno.test(`A ${service} request whose flag is neither mode's is refused`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(name, "session mode");
    for (const flag of [0, 3, 4, 0x8000_0001, 0xffff_ffff]) {
      const { status } = await bench.data(
        patched(bytes, { 16: flag }),
        writable,
      );
      assertEquals(status, ERR, `${flag}`);
    }
  });

  Deno.test(`A ${service} request in non-session mode is judged by its sess_para`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(name, "non-session mode");
    for (const algo of [0, 63, 0xffff_ffff]) {
      const { status } = await bench.data(
        patched(bytes, { 24: algo }),
        writable,
      );
      assertEquals(status, NOTSUPP, `${algo}`);
    }
    if (service === "MAC") {
      // A key length that is not that of the key.
      for (const length of [0, 2, 0xffff_ffff]) {
        const { status } = await bench.data(
          patched(bytes, { 28: length }),
          writable,
        );
        assertEquals(status, ERR, `${length}`);
      }
    }
  });

  Deno.test(`A ${service} request in session mode is not judged by its sess_para`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(name, "session mode");
    const { status } = await bench.data(patched(bytes, { 24: 63 }), writable);
    assertEquals(status, OK);
  });

  Deno.test(`A ${service} request under another opcode finds no session, or no operation`, async () => {
    await using bench = await Bench.open();
    const { bytes, writable } = await bench.request(name, "session mode");
    const own = service === "HASH" ? 0x100 : 0x200;
    const other = service === "HASH" ? 0x200 : 0x100;
    for (
      const [opcode, expected] of [
        [other, INVSESS],
        [own + 1, NOTSUPP],
        [own + 2, NOTSUPP],
        [0x400, NOTSUPP],
        [0x1_0000 | own, NOTSUPP],
      ] as const
    ) {
      const { status } = await bench.data(
        patched(bytes, { 0: opcode }),
        writable,
      );
      assertEquals(status, expected, opcode.toString(16));
    }
  });
}
