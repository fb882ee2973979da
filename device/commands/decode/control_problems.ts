/**
 * What is wrong with a control request, in words.
 *
 * @module
 */

import {
  serviceOf,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
} from "../../spec/constants.ts";
import {
  CONTROL_PADDED_SIZE,
  CONTROL_REQUEST_MAX,
  type ControlRequest,
  CREATE_ANSWER_SIZE,
  decodeControlRequest,
} from "../../spec/control_request.ts";
import * as tables from "../../spec/control_structures.ts";
import { nameOf, SERVICE_NAMES } from "../../spec/names.ts";
import type { OperationParameters } from "../../spec/session_parameters.ts";
import type { Surroundings } from "../../explain/decoded.ts";
import {
  creationNames,
  offeredProblems,
  valueProblems,
} from "../../explain/operation_problems.ts";
import { named, type Problem } from "../../explain/problem.ts";
import type { Reading } from "../../explain/reading.ts";

const AT = tables.CTRL_HEADER.size;

/** What the header says, and the rest as the device decodes it. */
export interface Head {
  readonly opcode: number;
  readonly service: number;
  /** Undefined where the header is incomplete. */
  readonly request: ControlRequest | undefined;
  /** Size of the unpadded fixed part; 0 where nothing tells. */
  readonly fixed: number;
}

const FIXED: readonly number[] = [
  tables.CIPHER_SESSION_PARA.size + tables.SYM_SESSION_TAIL.size,
  tables.HASH_SESSION_PARA.size,
  tables.MAC_SESSION_PARA.size,
  tables.AEAD_SESSION_PARA.size,
];

/**
 * Decodes as if the request did not end before its fixed part does.
 *
 * @param bytes its readable part
 * @param reading how to read it
 * @returns header and request
 */
export function decodeHead(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
): Head {
  if (bytes.length < AT) {
    return { opcode: 0, service: 0, request: undefined, fixed: 0 };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const opcode = view.getUint32(tables.CTRL_HEADER.at.opcode, true);
  const service = serviceOf(opcode);
  const creates = nameOf("controlOpcode", opcode)?.includes("CREATE") ?? false;
  const fixed = creates ? FIXED[service]! : tables.DESTROY_SESSION.size;
  // As if it did not end before its fixed part does.
  const whole = new Uint8Array(Math.max(bytes.length, AT + fixed));
  whole.set(bytes);
  return {
    opcode,
    service,
    request: decodeControlRequest(whole, reading.layout),
    fixed,
  };
}

/** The form a request has by its length. */
export type Form = "unpadded" | "padded" | "none";

/**
 * The form of a request.
 *
 * @param length bytes of its readable part
 * @param fixed bytes of the unpadded fixed part
 * @param keys bytes of its keys
 * @returns the form that this length is of
 */
export function formOf(length: number, fixed: number, keys: number): Form {
  return length === AT + fixed + keys
    ? "unpadded"
    : length === AT + CONTROL_PADDED_SIZE + keys
    ? "padded"
    : "none";
}

/**
 * Bytes of the keys of an operation.
 *
 * @param operation the operation
 * @returns their sum
 */
export function keysOf(
  { keyLength, authKeyLength }: OperationParameters,
): number {
  return keyLength + authKeyLength;
}

function lengthText(
  length: number,
  fixed: number,
  keys: number,
  reading: Reading,
): string {
  const unpadded = AT + fixed + keys;
  const padded = AT + CONTROL_PADDED_SIZE + keys;
  if (reading.layout.kind === "revision1" && length === padded) {
    return `The readable part has ${length} bytes, the padded form: with REVISION_1 only the unpadded one is taken, of ${unpadded} bytes`;
  }
  const forms = unpadded === padded
    ? `${unpadded} bytes are needed`
    : reading.layout.kind === "revision1"
    ? `the unpadded form has ${unpadded}`
    : `the unpadded form has ${unpadded}, the padded one ${padded}`;
  return `The readable part has ${length} bytes, and its key lengths name others: ${forms}`;
}

const NO_ROOM =
  "a creation's answer has 16, and without them there is no session and no status";

/**
 * What is wrong with a control request.
 *
 * @param bytes its readable part
 * @param reading how to read it
 * @param head what {@linkcode decodeHead} found
 * @param around what is known beside it
 * @returns the problems, the one that decides the status first
 */
export function* controlProblems(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  head: Head,
  around: Surroundings,
): Generator<Problem> {
  const err = (field: string, text: string): Problem => ({
    status: VIRTIO_CRYPTO_ERR,
    field,
    text,
  });
  const { opcode, service, request, fixed } = head;
  const writable = around.writable ?? CREATE_ANSWER_SIZE;
  if (writable === 0) {
    yield {
      status: undefined,
      field: "writable part",
      text: "The writable part is empty: there is no place for a status",
    };
  }
  if (bytes.length > CONTROL_REQUEST_MAX) {
    return yield err(
      "readable part",
      `The readable part has ${bytes.length} bytes: no control request has more than ${CONTROL_REQUEST_MAX}`,
    );
  }
  if (request === undefined) {
    return yield err(
      "header",
      `The header is incomplete: ${bytes.length} bytes of ${AT}`,
    );
  }
  const name = nameOf("controlOpcode", opcode);
  if (name === undefined) {
    const other = nameOf("dataOpcode", opcode);
    return yield {
      status: VIRTIO_CRYPTO_NOTSUPP,
      field: "opcode",
      text: `opcode is 0x${opcode.toString(16)}: ${
        other === undefined
          ? "no request of the control queue has this number"
          : `${other} belongs on a data queue`
      }`,
    };
  }
  if (name.includes("CREATE") && writable < CREATE_ANSWER_SIZE) {
    yield {
      status: undefined,
      field: "writable part",
      text: `The writable part has ${writable} bytes: ${NO_ROOM}`,
    };
  }
  if (!(reading.layout.services >> service & 1)) {
    return yield {
      status: VIRTIO_CRYPTO_NOTSUPP,
      field: "opcode",
      text: `opcode is ${
        named("controlOpcode", opcode)
      }: the device does not offer the ${SERVICE_NAMES[service]} service`,
    };
  }
  if (name.includes("DESTROY")) {
    const form = formOf(bytes.length, fixed, 0);
    if (
      form === "none" ||
      (form === "padded" && reading.layout.kind === "revision1")
    ) {
      yield err(
        "readable part",
        lengthText(bytes.length, fixed, 0, reading),
      );
    }
    return;
  }
  if (bytes.length < AT + fixed) {
    return yield err(
      "fixed part",
      `The fixed part is incomplete: ${bytes.length} bytes of ${AT + fixed}`,
    );
  }
  if (request.kind !== "create") return;
  yield* creationProblems(bytes, reading, request, fixed, around);
}

function* creationProblems(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  request: ControlRequest & { kind: "create" },
  fixed: number,
  { capabilities, maxSize, queues }: Surroundings,
): Generator<Problem> {
  const { parameters, queueId, lengthFits } = request;
  const names = creationNames(parameters);
  let offered = true;
  for (const problem of offeredProblems(capabilities, parameters, names)) {
    yield problem;
    offered = false;
  }
  if (offered) {
    yield* valueProblems(capabilities, parameters, names, maxSize);
  }
  if (!lengthFits) {
    yield {
      status: VIRTIO_CRYPTO_ERR,
      field: "readable part",
      text: lengthText(bytes.length, fixed, keysOf(parameters), reading),
    };
  }
  if (reading.layout.kind !== "revision1" && queueId >= queues) {
    yield {
      status: VIRTIO_CRYPTO_ERR,
      field: "queue_id",
      text:
        `queue_id is ${queueId}: the device has ${queues} data queues (--queues tells another number)`,
    };
  }
}
