import { assertEquals } from "@std/assert";
import { askDevice, canAsk } from "../../device/commands/decode/ask.ts";
import { decodeControl } from "../../device/commands/decode/control_view.ts";
import { decodeData } from "../../device/explain/data_view.ts";
import type { Decoded, Surroundings } from "../../device/explain/decoded.ts";
import { type Reading, readingsFor } from "../../device/explain/reading.ts";
import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import { Capabilities } from "../../device/service/capabilities.ts";
import {
  goodCreation,
  goodData,
  goodDestruction,
  sessionOf,
  SESSIONS,
} from "./requests.ts";

const capabilities = new Capabilities(openEngines(ENGINE_NAMES));
const QUEUES = 2;
const MAX_SIZE = 4096;
const OK = 0;
const BADMSG = 2;

const READINGS: readonly Reading[] = [
  ...readingsFor(capabilities.services, undefined, undefined),
  ...readingsFor(capabilities.services, "v15", 0),
  ...readingsFor(capabilities.services, "v15", 0b0101),
];

/** Bytes that look random and are the same every time. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x6d2b79f5 | 0;
    return (state >>> 8) % bound;
  };
}

/** Values that are near what rules are about. */
const VALUES = [
  ...[0, 1, 2, 3, 4, 7, 8, 12, 13, 15, 16, 17, 20, 24, 32, 33, 48, 64, 65],
  ...[128, 257, 0x100, 0x102, 0x201, 0x301, 0x303, 513, 4096, 4097, 65535],
  ...[0x10000, 0x7fffffff, 0xfffffff0, 0xffffffff],
];

/** Changes one field, the length, or the room for the answer. */
function mutate(
  good: { readonly bytes: Uint8Array<ArrayBuffer>; readonly writable: number },
  random: (bound: number) => number,
): { bytes: Uint8Array<ArrayBuffer>; writable: number } {
  let bytes = good.bytes.slice();
  let { writable } = good;
  for (let i = random(3); i >= 0; i--) {
    switch (random(8)) {
      case 0:
        bytes = bytes.slice(0, Math.max(1, random(bytes.length + 1)));
        break;
      case 1: {
        const more = new Uint8Array(bytes.length + 1 + random(60));
        more.set(bytes);
        bytes = more;
        break;
      }
      case 2:
        writable = Math.max(0, writable + random(40) - 20);
        break;
      default: {
        const fields = Math.min(bytes.length, 104) >> 2;
        if (fields === 0) break;
        const at = 4 * random(fields);
        const view = new DataView(bytes.buffer);
        const value = random(3) === 0
          ? view.getUint32(at, true) + random(5) - 2
          : VALUES[random(VALUES.length)]!;
        view.setUint32(at, value, true);
      }
    }
  }
  return { bytes, writable };
}

/** What the words come to: a status, or none written. */
function told({ problems }: Decoded): number | undefined {
  return problems.length === 0 ? OK : problems[0]!.status;
}

async function assertAgrees(
  queue: "control" | "data",
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  around: Surroundings,
  what: string,
): Promise<number | undefined> {
  const decoded = (queue === "data" ? decodeData : decodeControl)(
    bytes,
    reading,
    around,
  );
  if (!canAsk(decoded)) return told(decoded);
  const { queues, maxSize } = around;
  const answer = await askDevice({ bytes, decoded, queues, maxSize });
  const served = answer === BADMSG ? OK : answer;
  assertEquals(
    told(decoded),
    served,
    `${what} ${reading.label}: ${
      JSON.stringify(decoded.problems)
    } of ${bytes.toHex()} with ${around.writable} writable`,
  );
  return answer;
}

/** Data requests of every session and form. */
function* dataForms(): Generator<
  { name: string; reading: Reading; sessionMode: boolean }
> {
  for (const name of SESSIONS) {
    for (const reading of READINGS) {
      const { service } = sessionOf(name);
      const { kind, modeServices } = reading.layout;
      const hasMode = (modeServices >> service & 1) === 1;
      // In v15 a legacy request has no tag length, and other offsets.
      if (kind !== "v15" || hasMode) {
        yield { name, reading, sessionMode: true };
      }
      if (kind === "v15" || (kind === "revision1" && hasMode)) {
        yield { name, reading, sessionMode: false };
      }
    }
  }
}

Deno.test("What decode says of good data requests is what the device answers", async () => {
  for (const { name, reading, sessionMode } of dataForms()) {
    const session = sessionOf(name);
    const { bytes, writable } = goodData(session, { reading, sessionMode });
    const around = {
      capabilities,
      queues: QUEUES,
      maxSize: MAX_SIZE,
      writable,
      session,
    };
    const answer = await assertAgrees("data", bytes, reading, around, name);
    const decrypts = name.includes("decrypt") && session.service === 3;
    assertEquals(answer, decrypts ? BADMSG : OK, `${name} ${reading.label}`);
  }
});

Deno.test("What decode says of broken data requests is what the device answers", async () => {
  const random = randomOf(1);
  const counts = new Map<number | undefined, number>();
  for (const { name, reading, sessionMode } of dataForms()) {
    const session = sessionOf(name);
    const good = goodData(session, { reading, sessionMode });
    for (let i = 0; i < 12; i++) {
      const { bytes, writable } = mutate(good, random);
      const around = {
        capabilities,
        queues: QUEUES,
        maxSize: MAX_SIZE,
        writable,
        session,
      };
      const answer = await assertAgrees("data", bytes, reading, around, name);
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
  }
  for (const status of [undefined, OK, 1, 3]) {
    assertEquals((counts.get(status) ?? 0) > 5, true, `Status ${status}`);
  }
});

Deno.test("What decode says of broken control requests is what the device answers", async () => {
  const random = randomOf(2);
  const around = { capabilities, queues: QUEUES, maxSize: MAX_SIZE };
  for (const name of SESSIONS) {
    const session = sessionOf(name);
    for (const reading of READINGS) {
      for (const padded of [false, true]) {
        const goods = [
          { bytes: goodCreation(session, padded), writable: 16 },
          { bytes: goodDestruction(session.service, padded), writable: 8 },
        ];
        for (const good of goods) {
          for (let i = 0; i < 4; i++) {
            const { bytes, writable } = i === 0 ? good : mutate(good, random);
            await assertAgrees(
              "control",
              bytes,
              reading,
              { ...around, writable, session: undefined },
              name,
            );
          }
        }
      }
    }
  }
});

Deno.test("What decode refuses without knowing the session is refused with it", () => {
  const random = randomOf(3);
  const around = { capabilities, queues: QUEUES, maxSize: MAX_SIZE };
  for (const { name, reading, sessionMode } of dataForms()) {
    if (!sessionMode) continue;
    const session = sessionOf(name);
    const good = goodData(session, { reading, sessionMode });
    for (let i = 0; i < 30; i++) {
      const { bytes, writable } = mutate(good, random);
      const without = decodeData(bytes, reading, {
        ...around,
        writable,
        session: undefined,
      });
      if (without.problems.length === 0) continue;
      const known = decodeData(bytes, reading, {
        ...around,
        writable,
        session,
      });
      assertEquals(known.problems.length > 0, true, `${name} ${bytes.toHex()}`);
    }
  }
});

/** Where a field of a data request stands. */
function offsetOf(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  around: Surroundings,
  name: string,
): number | undefined {
  return decodeData(bytes, reading, around).structures
    .flatMap(({ fields }) => fields)
    .find((field) => field.name === name)?.offset;
}

/** A request with other values, and as many more or fewer bytes at its end. */
function changed(
  bytes: Uint8Array<ArrayBuffer>,
  changes: readonly (readonly [at: number, value: number])[],
  more: number,
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length + more);
  copy.set(bytes.subarray(0, copy.length));
  const view = new DataView(copy.buffer);
  for (const [at, value] of changes) view.setUint32(at, value, true);
  return copy;
}

Deno.test("What decode says at the borders of the rules is what the device answers", async () => {
  for (const { name, reading, sessionMode } of dataForms()) {
    const session = sessionOf(name);
    const { bytes, writable } = goodData(session, { reading, sessionMode });
    const around = {
      capabilities,
      queues: QUEUES,
      maxSize: MAX_SIZE,
      writable,
      session,
    };
    const check = (
      given: Uint8Array<ArrayBuffer>,
      changes: Partial<Surroundings>,
      what: string,
    ) => assertAgrees("data", given, reading, { ...around, ...changes }, what);

    const lengthAt = offsetOf(bytes, reading, around, "src_data_len")!;
    const view = new DataView(bytes.buffer);
    const source = view.getUint32(lengthAt, true);
    for (const length of [0, 8, 11, 12, 15, 16, 17, source - 1]) {
      const given = changed(bytes, [[lengthAt, length]], length - source);
      await check(given, {}, `${name}, source of ${length}`);
    }
    const typeAt = offsetOf(bytes, reading, around, "op_type");
    if (typeAt !== undefined) {
      for (const opType of [1, 2]) {
        const given = changed(bytes, [[typeAt, opType]], 0);
        await check(given, {}, `${name}, op_type ${opType}`);
      }
    }
    // The content is all but header and parameters; find where it is refused.
    const keys = session.keyLength + session.authKeyLength;
    let content = (sessionMode ? 0 : keys) + writable - 1;
    for (const field of ["iv_len", "src_data_len", "aad_len"]) {
      const at = offsetOf(bytes, reading, around, field);
      if (at !== undefined) content += view.getUint32(at, true);
    }
    const answers: (number | undefined)[] = [];
    for (const maxSize of [content - 1, content, content + 1]) {
      answers.push(await check(bytes, { maxSize }, `${name}, max_size`));
    }
    assertEquals(answers[0], 1, `${name} ${reading.label}`);
    assertEquals(answers[1] !== 1, true, `${name} ${reading.label}`);
  }
});

Deno.test("What decode says of the longest CCM message is what the device answers", async () => {
  const [reading] = readingsFor(capabilities.services, "v15", 15);
  const session = sessionOf("aes-ccm");
  const form = { reading: reading!, sessionMode: true };
  const { bytes } = goodData(session, form);
  const answers: (number | undefined)[] = [];
  for (const length of [65535, 65536]) {
    const tag = session.resultLength;
    // iv_len, src_data_len and dst_data_len; the nonce grows by 6 bytes.
    const given = changed(
      bytes,
      [[36, 13], [48, length], [52, length + tag]],
      6 + length - 48,
    );
    const around = {
      capabilities,
      queues: QUEUES,
      maxSize: 1 << 20,
      writable: length + tag + 1,
      session,
    };
    answers.push(
      await assertAgrees("data", given, reading!, around, `${length}`),
    );
  }
  assertEquals(answers, [OK, 1]);
});
