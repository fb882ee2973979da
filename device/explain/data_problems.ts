/**
 * What is wrong with a data request, in words.
 *
 * @module
 */

import { directionFits } from "../service/data_service.ts";
import {
  serviceOf,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_INVSESS,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
} from "../spec/constants.ts";
import { decodeDataRequest } from "../spec/data_decoder.ts";
import {
  DATA_FIXED_MAX,
  DATA_HEADER_SIZE,
  DataRequest,
  parametersOf,
} from "../spec/data_request.ts";
import * as tables from "../spec/data_structures.ts";
import { nameOf, SERVICE_NAMES } from "../spec/names.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import type { Surroundings } from "./decoded.ts";
import { jobProblems, type KnownOperation } from "./job_problems.ts";
import {
  dataNames,
  offeredProblems,
  opTypeProblem,
  valueProblems,
} from "./operation_problems.ts";
import { named, type Problem } from "./problem.ts";
import type { Reading } from "./reading.ts";
/** Header and fixed part as the device decodes them. */
export interface Head {
  readonly request: DataRequest;
  /** VIRTIO_CRYPTO_*: what is wrong with opcode, flag or mode. */
  readonly status: number;
}

/**
 * Decodes as if the request did not end before its fixed part does.
 *
 * @param bytes its readable part
 * @param reading how to read it
 * @returns header and fixed part
 */
export function decodeHead(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
): Head {
  const head = new Uint8Array(DATA_FIXED_MAX);
  head.set(bytes.subarray(0, DATA_FIXED_MAX));
  const request = new DataRequest();
  const status = decodeDataRequest(
    new Uint32Array(head.buffer),
    0,
    head.length,
    reading.layout,
    request,
  );
  return { request, status };
}

/** What is wrong with opcode, flag or mode. */
function headerProblem(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  status: number,
): Problem {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const opcode = view.getUint32(tables.OP_HEADER.at.opcode, true);
  const flag = view.getUint32(tables.OP_HEADER.at.flag, true);
  const service = serviceOf(opcode);
  const { services, modeServices } = reading.layout;
  const serviceName = SERVICE_NAMES[service] ?? "unknown";
  if (nameOf("dataOpcode", opcode) === undefined) {
    const other = nameOf("controlOpcode", opcode);
    return {
      status,
      field: "opcode",
      text: `opcode is 0x${opcode.toString(16)}: ${
        other === undefined
          ? "no request of a data queue has this number"
          : `${other} belongs on the control queue`
      }`,
    };
  }
  if (!(services >> service & 1)) {
    return {
      status,
      field: "opcode",
      text: `opcode is ${
        named("dataOpcode", opcode)
      }: the device does not offer the ${serviceName} service`,
    };
  }
  if (reading.layout.kind === "revision1") {
    return {
      status,
      field: "flag",
      text:
        `flag is ${flag}, which asks for stateless mode: STATELESS_MODE of the ${serviceName} service was not negotiated`,
    };
  }
  const asksForSession = flag === VIRTIO_CRYPTO_FLAG_SESSION_MODE;
  return {
    status,
    field: "flag",
    text: asksForSession && modeServices !== 0
      ? `flag is SESSION_MODE (1): SESSION_MODE of the ${serviceName} service was not negotiated`
      : `flag is ${flag}: ${
        modeServices === 0 ? "0, " : ""
      }SESSION_MODE (1) or NONE_SESSION_MODE (2) is needed`,
  };
}

/**
 * The operation of a request, where that is known and is one.
 *
 * @param request the request
 * @param around what is known beside it
 * @returns its algorithms
 */
export function operationOf(
  request: DataRequest,
  { capabilities, session }: Surroundings,
): KnownOperation | undefined {
  const parameters = request.sessionMode ? session : parametersOf(request);
  if (parameters === undefined) return undefined;
  const { algorithm, hash } = capabilities.algorithms(parameters);
  if (algorithm === undefined) return undefined;
  return { algorithm, hash, resultLength: parameters.resultLength };
}

/**
 * What is wrong with a data request.
 *
 * @param bytes its readable part
 * @param reading how to read it
 * @param head what {@linkcode decodeHead} found
 * @param around what is known beside it
 * @returns the problems, the one that decides the status first
 */
export function* dataProblems(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  { request, status }: Head,
  around: Surroundings,
): Generator<Problem> {
  if (around.writable === 0) {
    yield {
      status: undefined,
      field: "writable part",
      text: "The writable part is empty: there is no place for a status",
    };
  }
  const readable = around.readable ?? bytes.length;
  if (readable < DATA_HEADER_SIZE) {
    return yield {
      status: VIRTIO_CRYPTO_ERR,
      field: "header",
      text:
        `The header is incomplete: ${readable} bytes of ${DATA_HEADER_SIZE}`,
    };
  }
  if (status !== VIRTIO_CRYPTO_OK) {
    return yield headerProblem(bytes, reading, status);
  }
  if (readable < request.variableAt) {
    return yield {
      status: VIRTIO_CRYPTO_ERR,
      field: "fixed part",
      text:
        `The fixed part is incomplete: ${readable} bytes of ${request.variableAt}`,
    };
  }
  const operation = operationOf(request, around);
  const stop = yield* request.sessionMode
    ? sessionProblems(request, around.session)
    : statelessProblems(request, around);
  if (stop) return;
  yield* jobProblems(request, operation, {
    readable,
    writable: around.writable,
    maxSize: around.maxSize,
  });
}

function directionProblem(
  request: DataRequest,
  op: number,
  of: string,
): Problem | undefined {
  if (directionFits(request.opcode, op)) return undefined;
  return {
    status: VIRTIO_CRYPTO_ERR,
    field: "opcode",
    text: `opcode is ${named("dataOpcode", request.opcode)}, and ${of} is ${
      named("op", op)
    }: the direction is another`,
  };
}

/** Returns true where nothing more can be said. */
function* sessionProblems(
  request: DataRequest,
  session: OperationParameters | undefined,
): Generator<Problem, boolean> {
  if (session !== undefined && session.service !== request.service) {
    yield {
      status: VIRTIO_CRYPTO_INVSESS,
      field: "session_id",
      text: `The session is of the ${
        SERVICE_NAMES[session.service]
      } service, and opcode of the ${SERVICE_NAMES[request.service]} service`,
    };
    return true;
  }
  if (request.service === VIRTIO_CRYPTO_SERVICE_CIPHER) {
    const wrong = opTypeProblem(request.opType);
    if (wrong !== undefined) {
      yield wrong;
      return true;
    }
    if (session !== undefined && session.opType !== request.opType) {
      yield {
        status: VIRTIO_CRYPTO_ERR,
        field: "op_type",
        text: `op_type is ${
          named("opType", request.opType)
        }, and that of the session is ${named("opType", session.opType)}`,
      };
      return true;
    }
  }
  if (session === undefined) return false;
  const direction = directionProblem(
    request,
    session.op,
    "op of the session",
  );
  if (direction !== undefined) yield direction;
  return false;
}

/** Returns true where nothing more can be said. */
function* statelessProblems(
  request: DataRequest,
  { capabilities, maxSize }: Surroundings,
): Generator<Problem, boolean> {
  const parameters = parametersOf(request);
  const names = dataNames(parameters);
  let offered = true;
  for (const problem of offeredProblems(capabilities, parameters, names)) {
    yield problem;
    offered = false;
  }
  if (!offered) return true;
  const direction = directionProblem(request, request.op, names.op);
  if (direction !== undefined) yield direction;
  for (
    const problem of valueProblems(capabilities, parameters, names, maxSize)
  ) {
    // The lengths' own judgement says it again.
    if (problem.field !== names.resultLength) yield problem;
  }
  return false;
}
