/**
 * What is said of a logged request wherever one is shown.
 *
 * @module
 */

import { counterRow, rowLabels } from "../service/counter_rows.ts";
import type { LoggedRequest } from "../service/request_log.ts";
import { sessionIdText } from "../session/registry.ts";
import type { DataRequest } from "../spec/data_request.ts";
import { OP_HEADER } from "../spec/data_structures.ts";
import { nameOf, SERVICE_NAMES } from "../spec/names.ts";

/** Statuses by number. */
export const STATUS_NAMES: readonly string[] = [
  "OK",
  "ERR",
  "BADMSG",
  "NOTSUPP",
  "INVSESS",
  "NOSPC",
];

/** A request as it is described. */
export interface RequestDescription {
  /** Number of the request in its queue, from 1. */
  readonly sequence: number;
  /** When its round started, in milliseconds since the epoch. */
  readonly time: number;
  /** Number of its device. */
  readonly device: number;
  /** Number of its queue. */
  readonly queue: number;
  /** The layout it was read by. */
  readonly layout: "v15" | "legacy" | "revision 1";
  /** Its mode; null where it was refused before that was known. */
  readonly mode: "session" | "stateless" | null;
  /** The engine that ran it, of a chain the cipher's. */
  readonly engine: string | null;
  /** "CIPHER", "HASH", "MAC" or "AEAD". */
  readonly service: string | null;
  /** The opcode's name, or its number. */
  readonly operation: string | null;
  /** The algorithm; of a chain both, the cipher's first. */
  readonly algorithm: string | null;
  /** The id of the session it names. */
  readonly session: string | null;
  /** Bytes of its readable part. */
  readonly readable: number;
  /** Bytes of its writable part. */
  readonly writable: number;
  /** Its status; null where there was no byte for one. */
  readonly status: string | null;
  /** How long its round took, in nanoseconds. */
  readonly ns: number;
  /** Requests of that round. */
  readonly round: number;
}

/** The layout a request really had: who negotiated no mode is a legacy driver. */
function layoutName(
  { layout, mode }: LoggedRequest,
): RequestDescription["layout"] {
  if (layout.kind === "revision1") return "revision 1";
  return layout.kind === "v15" &&
      (layout.modeServices !== 0 || mode === "stateless")
    ? "v15"
    : "legacy";
}

function operationOf({ head }: LoggedRequest): string | null {
  if (head.length < 4) return null;
  const view = new DataView(head.buffer);
  const opcode = view.getUint32(OP_HEADER.at.opcode, true);
  return nameOf("dataOpcode", opcode) ?? `0x${opcode.toString(16)}`;
}

/**
 * Describes a request.
 *
 * @param logged the request
 * @param request what it was decoded into, where its header is legal
 * @param device number of its device
 * @param queue number of its queue
 * @returns the description
 */
export function describeRequest(
  logged: LoggedRequest,
  request: DataRequest | undefined,
  device: number,
  queue: number,
): RequestDescription {
  const mode = logged.mode === "none" ? null : logged.mode;
  const operation = mode === "stateless" ? request : logged.session;
  return {
    sequence: logged.sequence,
    time: Math.round(logged.time * 1000) / 1000,
    device,
    queue,
    layout: layoutName(logged),
    mode,
    engine: logged.engine ?? null,
    service: request === undefined ? null : SERVICE_NAMES[request.service]!,
    operation: operationOf(logged),
    algorithm: operation === undefined
      ? null
      : rowLabels(counterRow(operation)).algorithm,
    session: request?.sessionMode
      ? sessionIdText({ low: request.sessionLow, high: request.sessionHigh })
      : null,
    readable: logged.readable,
    writable: logged.writable,
    status: logged.status === undefined
      ? null
      : STATUS_NAMES[logged.status] ?? String(logged.status),
    ns: Math.round(logged.milliseconds * 1e6),
    round: logged.round,
  };
}
