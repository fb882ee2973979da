/**
 * Runs a case of a machine.
 *
 * @module
 */

import { DATA_QUEUES, FuzzDevice } from "./device.ts";
import { Finding, Machine } from "./machine.ts";
import { unsealed } from "./model/outcome.ts";
import { INDIRECT, NEXT, WRITE } from "./model/chain.ts";
import type {
  GuestCase,
  GuestOperation,
  Placement,
  RequestOperation,
} from "./operations.ts";
import { createBytes, destroyBytes, requestBytes } from "./request_bytes.ts";
import type { FuzzDescriptor } from "./ring.ts";

const CONTROL = DATA_QUEUES;
/** How often a race is run. */
const RACES = 40;
/** Bytes behind a ring in which words are raced too. */
const RACED_DATA = 2048;

/** Devices that were used before, the last used one last. */
const kept = new Map<string, FuzzDevice>();
const MOST_KEPT = 40;

function machineFor(setup: GuestCase["setup"]): Machine {
  const key = FuzzDevice.key(setup);
  const device = kept.get(key) ?? new FuzzDevice(setup);
  kept.delete(key);
  kept.set(key, device);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
  return new Machine(setup, device);
}

/**
 * Runs a case and then a good request on each queue.
 *
 * @param guestCase the case
 * @returns what the device did wrong; undefined for nothing
 */
export function runGuestCase(
  { setup, operations }: GuestCase,
): string | undefined {
  const found = runOn(machineFor(setup), operations);
  // The state of a device that did something wrong is not known any more.
  if (found !== undefined) kept.clear();
  return found;
}

/**
 * Runs operations and then a good request on each queue.
 *
 * @param machine the machine, which is new
 * @param operations the operations
 * @returns what the device did wrong; undefined for nothing
 */
export function runOn(
  machine: Machine,
  operations: readonly GuestOperation[],
): string | undefined {
  let at = 0;
  try {
    for (const operation of operations) {
      runOperation(machine, operation);
      at++;
    }
    for (let queue = 0; queue <= CONTROL; queue++) machine.run(queue);
    runGood(machine);
    return undefined;
  } catch (error) {
    const where = at < operations.length
      ? `operation ${at} (${operations[at]!.op})`
      : "the end";
    if (error instanceof Finding) return `${where}: ${error.message}`;
    return `${where}: threw ${error instanceof Error ? error.stack : error}`;
  }
}

function runOperation(machine: Machine, operation: GuestOperation): void {
  switch (operation.op) {
    case "create":
      if (
        offer(machine, CONTROL, createBytes(operation), operation.placement)
      ) {
        machine.run(CONTROL);
      }
      return;
    case "destroy": {
      const bytes = destroyBytes(operation, sessionOf(machine, operation));
      if (offer(machine, CONTROL, bytes, operation.placement)) {
        machine.run(CONTROL);
      }
      return;
    }
    case "request":
      offerRequest(machine, operation);
      return;
    case "run":
      machine.run(operation.queue);
      return;
    case "again":
      machine.rings[operation.queue]!.offerAgain(operation.value);
      return;
    case "jump":
      machine.rings[operation.queue]!.jump(operation.by);
      return;
    case "poke": {
      const [address, length] = machine.rings[operation.queue]!.pokeable;
      const at = address + 2 * (operation.at % (length >> 1));
      machine.memory.writeInteger(at, 2, BigInt(operation.value));
      return;
    }
    case "race": {
      const { pokeable: [address], end } = machine.rings[operation.queue]!;
      // Behind the last ring are headers and data.
      const length = end - address + RACED_DATA;
      const at = address + 4 * (operation.at % (length >> 2));
      machine.race(operation.queue, at, operation.mask, RACES);
      return;
    }
    case "wanted":
      machine.rings[operation.queue]!.wanted(operation.value);
      return;
    case "restart":
      // What is left in the ring is lost with a ring that begins anew.
      machine.run(operation.queue);
      machine.restart(operation.queue, operation.anew);
      return;
    case "clear":
      machine.clearSessions();
  }
}

function sessionOf(
  machine: Machine,
  { session, idXor = "0x0" }: {
    readonly session: number;
    readonly idXor?: string;
  },
): bigint {
  const id = machine.created[session % (machine.created.length || 1)] ?? 0n;
  return BigInt.asUintN(64, id ^ BigInt(idXor));
}

function offerRequest(machine: Machine, operation: RequestOperation): void {
  const bytes = requestBytes(operation, sessionOf(machine, operation));
  if (operation.sealed) {
    const writable = operation.placement.writable.reduce((a, b) => a + b, 0);
    const work = machine.judge(bytes, writable);
    if (typeof work === "object" && work.decrypts && work.source.length > 0) {
      if (work.algorithm.service === 3) {
        const { text, tag } = unsealed(work);
        bytes.set(tag, work.sourceAt + text.length);
      }
    }
  }
  offer(machine, operation.queue, bytes, operation.placement);
}

/** Writes a chain; false where there is no room for it. */
function offer(
  machine: Machine,
  queue: number,
  bytes: Uint8Array,
  placement: Placement,
): boolean {
  const mark = machine.mark;
  const descriptors = place(machine, bytes, placement);
  if (
    descriptors === undefined || descriptors.length === 0 ||
    !machine.rings[queue]!.offer(descriptors)
  ) {
    machine.unplace(mark);
    return false;
  }
  return true;
}

/** Lays a request out; undefined where there is no room. */
function place(
  machine: Machine,
  bytes: Uint8Array,
  placement: Placement,
): FuzzDescriptor[] | undefined {
  const { aligned, gap, high = false, style, patches = [] } = placement;
  const parts: FuzzDescriptor[] = [];
  const add = (content: Uint8Array, flags: number): boolean => {
    const before = aligned ? -machine.mark[high ? 1 : 0] & 15 : gap;
    const address = machine.place(content.length, before, high);
    if (address === undefined) return false;
    machine.memory.write(address, content);
    parts.push({ address: BigInt(address), length: content.length, flags });
    return true;
  };
  let from = 0;
  for (const length of placement.readable) {
    const end = Math.min(bytes.length, from + length);
    if (!add(bytes.subarray(from, end), 0)) return undefined;
    from = end;
  }
  if (from < bytes.length && !add(bytes.subarray(from), 0)) return undefined;
  for (const length of placement.writable) {
    if (!add(new Uint8Array(length).fill(0xa5), WRITE)) return undefined;
  }
  const patched = (i: number, descriptor: FuzzDescriptor): FuzzDescriptor => {
    const patch = patches.find(({ at }) => at === i);
    if (patch === undefined) return descriptor;
    const { at: _, address, ...rest } = patch;
    return {
      ...descriptor,
      ...rest,
      ...(address === undefined ? {} : { address: BigInt(address) }),
    };
  };
  const last = parts.length - 1;
  const direct = style === "direct"
    ? parts.length
    : style === "mixed"
    ? Math.max(0, last - 1)
    : 0;
  const chain = parts.map((part, i) =>
    patched(i, i < last ? { ...part, flags: part.flags | NEXT } : part)
  );
  if (direct === parts.length) return chain;
  const table = machine.place(
    16 * (parts.length - direct),
    -machine.mark[0] & 15,
    false,
  );
  if (table === undefined) return undefined;
  const packed = machine.setup.ring === "packed";
  chain.slice(direct).forEach((entry, i) => {
    const { address, length, flags, next = i + 1 } = entry;
    const at = table + 16 * i;
    machine.memory.writeInteger(at, 8, address);
    machine.memory.writeInteger(at + 8, 4, BigInt(length));
    machine.memory.writeInteger(at + (packed ? 14 : 12), 2, BigInt(flags));
    machine.memory.writeInteger(at + (packed ? 12 : 14), 2, BigInt(next));
  });
  return [
    ...chain.slice(0, direct),
    patched(parts.length, {
      address: BigInt(table),
      length: 16 * (parts.length - direct),
      flags: INDIRECT,
    }),
  ];
}

/** A session and a request on each queue that have to succeed. */
function runGood(machine: Machine): void {
  machine.clearSessions();
  const cbc = machine.rules.services & 1 ? 0 : 1;
  const placement: Placement = {
    readable: [],
    writable: [16],
    style: "direct",
    gap: 0,
  };
  runOperation(machine, {
    op: "create",
    service: cbc,
    algorithm: 3,
    direction: 1,
    keyLength: cbc === 0 ? 16 : 0,
    resultLength: 16,
    padded: false,
    queueId: 0,
    data: 1,
    placement,
  });
  const session = machine.created.length - 1;
  const { form, flag } = goodForm(machine);
  for (let queue = 0; queue < DATA_QUEUES; queue++) {
    runOperation(machine, {
      op: "request",
      queue,
      form,
      opcode: cbc << 8,
      flag,
      session,
      chained: false,
      fields: cbc === 0
        ? { iv_len: 16, src_data_len: 32, dst_data_len: 32 }
        : { src_data_len: 32, hash_result_len: 16 },
      variable: cbc === 0 ? 48 : 32,
      data: 2,
      placement: { ...placement, writable: [cbc === 0 ? 32 : 16, 1] },
    });
    machine.run(queue);
  }
}

/** A layout of requests in session mode that a machine takes. */
function goodForm(
  { setup }: Machine,
): { form: RequestOperation["form"]; flag: number } {
  const modes = setup.features >> 1;
  if (setup.spec === "v15") {
    return { form: modes === 0 ? "legacy" : "v15", flag: 1 };
  }
  if (!(setup.features & 1)) return { form: "legacy", flag: 1 };
  return { form: modes & 1 ? "revision1-stateless" : "revision1", flag: 1 };
}
