/**
 * A trace: JSON lines, one a request, behind one that says whose they are.
 * Neither keys nor data are in it.
 *
 * @module
 */

import { placedStructures } from "../explain/data_view.ts";
import { decodeHead } from "../explain/data_problems.ts";
import {
  describeRequest,
  type RequestDescription,
  STATUS_NAMES,
} from "../explain/description.ts";
import { requestOf } from "../explain/logged.ts";
import { isPadding } from "../explain/fields.ts";
import { readingOf } from "../explain/reading.ts";
import type { LoggedRequest } from "../service/request_log.ts";
import type { DataRequest } from "../spec/data_request.ts";
import { DATA_FIXED_MAX, DATA_HEADER_SIZE } from "../spec/data_request.ts";
import type { RequestLayout } from "../spec/request_layout.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";

/** The first line of a trace. */
export interface TraceHead {
  /** What it is a trace of. */
  readonly trace: "virtio-crypto";
  /** Version of the format. */
  readonly version: 1;
  /** When the server started, in milliseconds since the epoch. */
  readonly started: number;
  /** What `--engine` said. */
  readonly engine: string;
  /** The devices by number: their sockets. */
  readonly devices: readonly string[];
  /** Data queues of each. */
  readonly queues: number;
  /** Largest content of a request in bytes. */
  readonly maxSize: number;
}

/** The line of a request. */
export interface TraceRequest extends RequestDescription {
  /** A value of ChainFault: what is wrong with its chain; 0 for nothing. */
  readonly fault: number;
  /** What was negotiated of the layout. */
  readonly negotiated: RequestLayout;
  /**
   * The fields of header and fixed part, without padding; those of 64 bits in
   * hexadecimal.
   */
  readonly header: Readonly<Record<string, number | string>>;
  /** What the session was created from, in session mode. */
  readonly parameters?: OperationParameters | undefined;
}

/** The line of requests that were overwritten before they could be written. */
export interface TraceLoss {
  /** How many. */
  readonly lost: number;
  /** Number of their device. */
  readonly device: number;
  /** Number of their queue. */
  readonly queue: number;
}

/** A line behind the first. */
export type TraceLine = TraceRequest | TraceLoss;

/** Reads the fields that are there. */
function headerOf(
  head: Uint8Array<ArrayBuffer>,
  request: DataRequest | undefined,
): Record<string, number | string> {
  const header: Record<string, number | string> = {};
  const view = new DataView(head.buffer);
  for (const { structure, at, size } of placedStructures(request)) {
    for (const { name, offset, type } of structure.fields) {
      if (offset >= size || isPadding(name)) continue;
      const from = at + offset;
      if (from + (type === "le64" ? 8 : 4) > head.length) continue;
      header[name] = type === "le64"
        ? `0x${view.getBigUint64(from, true).toString(16)}`
        : view.getUint32(from, true);
    }
  }
  return header;
}

/**
 * The line of a request.
 *
 * @param logged the request
 * @param device number of its device
 * @param queue number of its queue
 * @returns what is written of it
 */
export function traceRequest(
  logged: LoggedRequest,
  device: number,
  queue: number,
): TraceRequest {
  const request = requestOf(logged);
  return {
    ...describeRequest(logged, request, device, queue),
    fault: logged.fault,
    negotiated: logged.layout,
    header: headerOf(logged.head, request),
    parameters: logged.session,
  };
}

/** Puts header and fixed part together again; padding is 0. */
function headFrom(
  { header, negotiated, readable }: TraceRequest,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(DATA_FIXED_MAX);
  const view = new DataView(bytes.buffer);
  const reading = readingOf(negotiated);
  let request: DataRequest | undefined;
  let end = 0;
  // The header tells what follows it, and op_type what stands before that.
  for (let pass = 0; pass < 3; pass++) {
    for (const { structure, at } of placedStructures(request)) {
      for (const { name, offset, type } of structure.fields) {
        const value = header[name];
        if (value === undefined) continue;
        if (type === "le64") {
          view.setBigUint64(at + offset, BigInt(value), true);
        } else view.setUint32(at + offset, Number(value), true);
        end = Math.max(end, at + offset + (type === "le64" ? 8 : 4));
      }
    }
    ({ request } = decodeHead(bytes, reading));
  }
  const fixed = Math.max(request?.variableAt ?? 0, DATA_HEADER_SIZE);
  return bytes.slice(0, end === 0 ? 0 : Math.min(fixed, readable));
}

/**
 * A request of a trace as it was logged.
 *
 * @param line its line
 * @returns the logged request; its padding is 0
 */
export function loggedFrom(line: TraceRequest): LoggedRequest {
  const { status, engine } = line;
  return {
    sequence: line.sequence,
    time: line.time,
    milliseconds: line.ns / 1e6,
    round: line.round,
    layout: line.negotiated,
    mode: line.mode ?? "none",
    head: headFrom(line),
    readable: line.readable,
    writable: line.writable,
    session: line.parameters,
    status: status === null ? undefined : STATUS_NAMES.indexOf(status),
    fault: line.fault,
    engine: engine ?? undefined,
  };
}
