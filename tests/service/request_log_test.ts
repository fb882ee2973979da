import { assert, assertEquals } from "@std/assert";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import type { LoggedRequest } from "../../device/service/request_log.ts";
import { RequestLogReader } from "../../device/service/request_log_reader.ts";
import { DATA_HEADER_SIZE } from "../../device/spec/data_request.ts";
import { ChainFault } from "../../device/virtqueue/chain.ts";
import {
  ERR,
  INVSESS,
  NOTSUPP,
  OK,
  patched,
  TestDevice,
} from "../support/device.ts";
import { handmade } from "../support/handmade.ts";
import { occurrences } from "../support/sessions.ts";

const random = new Random(32);
const KEY = random.bytes(32).map((byte) => byte | 1);
const IV = random.bytes(16);
const SOURCE = random.bytes(48).map((byte) => byte | 1);
const ALL = 1 << 20;

const CBC: SessionOptions = {
  service: "cipher",
  algorithm: "aes-cbc",
  key: KEY,
  direction: "encrypt",
};

function logged(
  layout: "legacy" | "v15" = "legacy",
): { device: TestDevice; log: RequestLogReader; memory: SharedArrayBuffer } {
  const device = new TestDevice({
    layout,
    device: { logRecords: 1024 },
    ring: { size: 1024 },
    memorySize: 1 << 20,
  });
  const [memory] = device.core.logs;
  return { device, log: new RequestLogReader(memory!), memory: memory! };
}

function readAll(log: RequestLogReader): LoggedRequest[] {
  const records: LoggedRequest[] = [];
  assertEquals(log.read(ALL, (record) => records.push(record)), 0);
  return records;
}

Deno.test("Nothing is logged before somebody asks, nor when nobody does any more", () => {
  const { device, log, memory } = logged();
  const request = device.request(device.create(CBC), {
    source: SOURCE,
    iv: IV,
  });
  device.send(request);
  assertEquals(new Uint8Array(memory).some((byte) => byte !== 0), false);
  log.request(ALL);
  device.send(request);
  log.request(0);
  device.send(request);
  assertEquals(readAll(log).map(({ sequence }) => sequence), [2]);
});

Deno.test("A logged request has its header, lengths, session and answer", () => {
  const { device, log } = logged();
  const session = device.create(CBC);
  const good = device.request(session, { source: SOURCE, iv: IV });
  const short = device.request(session, { source: SOURCE, iv: IV.slice(1) });
  const other = device.request({ ...session, low: 77 }, { source: IV });
  const unknown = patched(good, { 0: 0x999 });
  log.request(ALL);
  const before = Date.now();
  device.send(good, short, other, unknown);
  const records = readAll(log);
  assertEquals(records.map(({ status }) => status), [
    OK,
    ERR,
    INVSESS,
    NOTSUPP,
  ]);
  assertEquals(records.map(({ sequence }) => sequence), [1, 2, 3, 4]);
  assertEquals(records.map(({ engine }) => engine), [
    "noble",
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(records.map(({ mode }) => mode), [
    "session",
    "session",
    "session",
    "none",
  ]);
  assertEquals(
    records.map(({ session }) => session?.algorithm),
    [session.algorithm, session.algorithm, undefined, undefined],
  );
  const { key: _key, low: _low, high: _high, ...parameters } = session;
  assertEquals(records[0]!.session, parameters);
  const bytes = concat(...good.readable);
  assertEquals(records[0]!.head, bytes.slice(0, DATA_HEADER_SIZE + 48));
  assertEquals(records[3]!.head.length, DATA_HEADER_SIZE);
  assertEquals(records[0]!.readable, bytes.length);
  assertEquals(records[0]!.writable, SOURCE.length + 1);
  for (const { round, milliseconds, time, layout, fault } of records) {
    assertEquals([round, layout.kind, fault], [4, "v15", 0]);
    assert(milliseconds > 0 && milliseconds < 60_000);
    assert(Math.abs(time - before) < 60_000);
  }
});

Deno.test("No more is logged than was asked for, and sequences show the rest", () => {
  const { device, log } = logged();
  const request = device.request(device.create(CBC), {
    source: SOURCE,
    iv: IV,
  });
  log.request(3);
  device.send(...new Array(10).fill(request));
  device.send(request);
  log.request(1);
  device.send(request, request);
  assertEquals(readAll(log).map(({ sequence }) => sequence), [1, 2, 3, 12]);
});

Deno.test("Refused requests are logged beyond what was asked for, as many as were asked for", () => {
  const { device, log, memory } = logged("v15");
  const session = device.create(CBC);
  const good = device.request(session, { source: SOURCE, iv: IV });
  const short = device.request(session, { source: SOURCE, iv: IV.slice(1) });
  const unknown = patched(good, { 0: 0x999 });
  const keyed = handmade("v15", {
    opcode: 0x200,
    flag: 2,
    algorithm: 2,
    key: KEY,
    source: SOURCE,
    result: 99,
  });
  log.request(1, 3);
  device.send(good, good, short, good, unknown, keyed, short);
  const records = readAll(log);
  assertEquals(records.map(({ sequence }) => sequence), [1, 3, 5, 6]);
  assertEquals(records.map(({ status }) => status), [OK, ERR, NOTSUPP, ERR]);
  assertEquals(
    records.map(({ session }) => session?.algorithm),
    [session.algorithm, session.algorithm, undefined, undefined],
  );
  assertEquals(
    records.map(({ head }) => head),
    [good, short, unknown, keyed].map(({ readable }, i) =>
      concat(...readable).slice(0, [104, 104, 24, 40][i])
    ),
  );
  assertEquals(records[3]!.mode, "stateless");
  assertEquals(occurrences(new Uint8Array(memory), KEY), 0);
  // The next round has none left.
  device.send(short);
  assertEquals(readAll(log), []);
  log.request(0, 1);
  device.send(good, short);
  assertEquals(readAll(log).map(({ sequence }) => sequence), [10]);
});

Deno.test("A log that is not read overwrites its oldest records, and says how many", () => {
  const { device, log } = logged();
  const request = device.request(device.create(CBC), {
    source: SOURCE,
    iv: IV,
  });
  log.request(ALL);
  for (let i = 0; i < 15; i++) device.send(...new Array(100).fill(request));
  const sequences: number[] = [];
  const lost = log.read(ALL, ({ sequence }) => sequences.push(sequence));
  assertEquals(lost + sequences.length, 1500);
  assertEquals(
    sequences,
    Array.from({ length: sequences.length }, (_, i) => lost + 1 + i),
  );
  // What a running round may overwrite is not read.
  assertEquals(sequences.length, 1024 - 256);
  // Read in parts.
  device.send(...new Array(10).fill(request));
  assertEquals(log.read(4, ({ sequence }) => sequences.push(sequence)), 0);
  assertEquals(log.read(ALL, ({ sequence }) => sequences.push(sequence)), 0);
  assertEquals(sequences.at(-1), 1510);
  assertEquals(log.waiting, 0);
});

Deno.test("A broken chain is logged with its fault and without a header", () => {
  const { device, log } = logged();
  const request = device.request(device.create(CBC), {
    source: SOURCE,
    iv: IV,
  });
  log.request(ALL);
  device.send(request);
  const { ring } = device.guest;
  // A buffer that is nowhere.
  ring.describe(0, [0x7fff_0000_0000, 64, 0, 0]);
  ring.offer(0);
  device.queue.run();
  const [, broken] = readAll(log);
  assertEquals(broken!.fault, ChainFault.OUTSIDE_MEMORY);
  assertEquals(broken!.status, undefined);
  assertEquals([broken!.head.length, broken!.mode], [0, "none"]);
  assertEquals(broken!.session, undefined);
});

Deno.test("Neither keys nor data get into the log, not where a layout was mistaken", () => {
  const { device, log, memory } = logged("v15");
  log.request(ALL);
  const parts = {
    opcode: 0x200,
    flag: 2,
    algorithm: 2,
    key: KEY,
    source: SOURCE,
    result: 20,
  };
  device.succeed(handmade("v15", parts));
  assertEquals(readAll(log)[0]!.mode, "stateless");
  assertEquals(occurrences(new Uint8Array(memory), KEY), 0);

  // The padded layout has room for a key where this one has it.
  const legacy = logged();
  legacy.log.request(ALL);
  const session = legacy.device.create({
    service: "mac",
    algorithm: "hmac-sha1",
    key: KEY,
  });
  const mistaken = handmade("v15", { ...parts, flag: 1, session });
  legacy.device.send(mistaken);
  const [record] = readAll(legacy.log);
  assertEquals(record!.head.length, DATA_HEADER_SIZE + 8);
  const shown = new Uint8Array(legacy.memory);
  const key = KEY.subarray(0, 16);
  assertEquals(occurrences(shown, key), 0);
  assertEquals(occurrences(shown, SOURCE.subarray(0, 16)), 0);
});
