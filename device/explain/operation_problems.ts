/**
 * Why a device refuses an operation: what a session's creation and a request
 * that brings its keys along have in common. The verdict is the device's own
 * ({@linkcode Capabilities}); here are the words for it.
 *
 * @module
 */

import { type Algorithm, hasSize } from "../engine/algorithm.ts";
import {
  type Capabilities,
  digestService,
  isSymmetricOperation,
} from "../service/capabilities.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_HASH_MODE_NESTED,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
} from "../spec/constants.ts";
import { type NamedKind, nameOf } from "../spec/names.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { ALGORITHM_KINDS } from "./fields.ts";
import { named, type Problem, sizesText } from "./problem.ts";

/** The names a request gives its fields. */
export interface FieldNames {
  readonly algorithm: string;
  readonly op: string;
  readonly keyLength: string;
  readonly hashAlgorithm: string;
  readonly authKeyLength: string;
  readonly hashMode: string;
  readonly chainOrder: string;
  readonly resultLength: string;
}

/**
 * The fields' names in a creation.
 *
 * @param operation the operation
 * @returns the names
 */
export function creationNames(operation: OperationParameters): FieldNames {
  const { service } = operation;
  const chained = operation.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING;
  const prefix = chained ? "cipher_param." : "";
  return {
    algorithm: `${prefix}algo`,
    op: `${prefix}op`,
    keyLength: service === VIRTIO_CRYPTO_SERVICE_MAC
      ? "auth_key_len"
      : service === VIRTIO_CRYPTO_SERVICE_AEAD
      ? "key_len"
      : `${prefix}keylen`,
    hashAlgorithm: "u.algo",
    authKeyLength: "u.mac_param.auth_key_len",
    hashMode: "hash_mode",
    chainOrder: "alg_chain_order",
    resultLength: service === VIRTIO_CRYPTO_SERVICE_AEAD
      ? "tag_len"
      : chained
      ? "u.hash_result_len"
      : "hash_result_len",
  };
}

/**
 * The fields' names in sess_para of a data request.
 *
 * @param operation the operation
 * @returns the names
 */
export function dataNames(operation: OperationParameters): FieldNames {
  const { service } = operation;
  const chained = operation.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING;
  const prefix = chained ? "sess_para.cipher." : "sess_para.";
  return {
    algorithm: `${prefix}algo`,
    op: `${prefix}op`,
    keyLength: service === VIRTIO_CRYPTO_SERVICE_MAC
      ? "sess_para.auth_key_len"
      : service === VIRTIO_CRYPTO_SERVICE_AEAD
      ? "sess_para.key_len"
      : `${prefix}keylen`,
    hashAlgorithm: "sess_para.hash.algo",
    authKeyLength: "sess_para.hash.auth_key_len",
    hashMode: "sess_para.hash.hash_mode",
    chainOrder: "sess_para.alg_chain_order",
    resultLength: service === VIRTIO_CRYPTO_SERVICE_AEAD
      ? "tag_len"
      : "hash_result_len",
  };
}

/**
 * Why an op_type is none the device has.
 *
 * @param opType VIRTIO_CRYPTO_SYM_OP_*
 * @returns the problem, or undefined where it has it
 */
export function opTypeProblem(opType: number): Problem | undefined {
  if (isSymmetricOperation(opType)) return undefined;
  return {
    status: VIRTIO_CRYPTO_NOTSUPP,
    field: "op_type",
    text: `op_type is ${
      named("opType", opType)
    }: only CIPHER (1) and ALGORITHM_CHAINING (2) are operations`,
  };
}

/**
 * Why an operation is not one the device has.
 *
 * @param capabilities what the device serves
 * @param operation the operation
 * @param names the names of its fields
 * @returns nothing where it has it
 */
export function* offeredProblems(
  capabilities: Capabilities,
  operation: OperationParameters,
  names: FieldNames,
): Generator<Problem> {
  if (capabilities.checkOffered(operation) === VIRTIO_CRYPTO_OK) return;
  let told = false;
  for (const problem of notOffered(capabilities, operation, names)) {
    told = true;
    yield problem;
  }
  if (!told) {
    yield notSupported(
      names.algorithm,
      "the device does not have this operation",
    );
  }
}

function notSupported(field: string, text: string): Problem {
  return { status: VIRTIO_CRYPTO_NOTSUPP, field, text };
}

function* notOffered(
  capabilities: Capabilities,
  operation: OperationParameters,
  names: FieldNames,
): Generator<Problem> {
  const { service, opType, hashMode, chainOrder } = operation;
  if (service === VIRTIO_CRYPTO_SERVICE_CIPHER) {
    const wrong = opTypeProblem(opType);
    // Without it nothing says where the algorithm is.
    if (wrong !== undefined) return yield wrong;
    if (opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
      if (hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_NESTED) {
        yield notSupported(
          names.hashMode,
          `${names.hashMode} is NESTED (3): no structure of the document has its prefixes`,
        );
      } else if (nameOf("hashMode", hashMode) === undefined) {
        yield notSupported(
          names.hashMode,
          `${names.hashMode} is ${hashMode}: only PLAIN (1) and AUTH (2) are served`,
        );
      }
      if (nameOf("chainOrder", chainOrder) === undefined) {
        yield notSupported(
          names.chainOrder,
          `${names.chainOrder} is ${chainOrder}: only HASH_THEN_CIPHER (1) and CIPHER_THEN_HASH (2) are orders`,
        );
      }
      yield* algorithmProblems(
        capabilities,
        digestService(hashMode),
        operation.hashAlgorithm,
        names.hashAlgorithm,
      );
    }
  }
  yield* algorithmProblems(
    capabilities,
    service,
    operation.algorithm,
    names.algorithm,
  );
}

function* algorithmProblems(
  capabilities: Capabilities,
  service: number,
  number: number,
  field: string,
): Generator<Problem> {
  if (capabilities.offers(service, number)) return;
  const kind: NamedKind = ALGORITHM_KINDS[service] ?? "cipher";
  yield notSupported(
    field,
    nameOf(kind, number) === undefined
      ? `${field} is ${number}: no ${kind} algorithm has this number`
      : `${field} is ${named(kind, number)}, which this device does not offer`,
  );
}

/**
 * Why the values of an operation are not legal.
 *
 * @param capabilities what the device serves
 * @param operation the operation, which the device has
 * @param names the names of its fields
 * @param maxSize largest content of a request in bytes
 * @returns nothing where they are
 */
export function* valueProblems(
  capabilities: Capabilities,
  operation: OperationParameters,
  names: FieldNames,
  maxSize: number,
): Generator<Problem> {
  if (capabilities.checkValues(operation, maxSize) === VIRTIO_CRYPTO_OK) return;
  let told = false;
  for (const text of wrongValues(capabilities, operation, names, maxSize)) {
    told = true;
    yield { status: VIRTIO_CRYPTO_ERR, ...text };
  }
  if (!told) {
    yield {
      status: VIRTIO_CRYPTO_ERR,
      field: names.keyLength,
      text: "The device does not serve these values",
    };
  }
}

function* wrongValues(
  capabilities: Capabilities,
  operation: OperationParameters,
  names: FieldNames,
  maxSize: number,
): Generator<{ field: string; text: string }> {
  const { algorithm, hash } = capabilities.algorithms(operation);
  if (algorithm === undefined) return;
  const directed = algorithm.kind === "cipher" || algorithm.kind === "aead";
  if (
    directed && operation.op !== VIRTIO_CRYPTO_OP_ENCRYPT &&
    operation.op !== VIRTIO_CRYPTO_OP_DECRYPT
  ) {
    yield {
      field: names.op,
      text:
        `${names.op} is ${operation.op}: ENCRYPT (1) or DECRYPT (2) is needed`,
    };
  }
  yield* keyProblem(algorithm, operation.keyLength, names.keyLength);
  if (hash !== undefined) {
    yield* keyProblem(hash, operation.authKeyLength, names.authKeyLength);
  }
  const digest = hash ?? algorithm;
  const { resultLength } = operation;
  if (digest.kind === "cipher") return;
  if (!hasSize(digest.result, resultLength)) {
    yield {
      field: names.resultLength,
      text: `${names.resultLength} is ${resultLength}: ${digest.name} gives ${
        sizesText(digest.result)
      } bytes`,
    };
  } else if (resultLength > maxSize) {
    yield {
      field: names.resultLength,
      text:
        `${names.resultLength} is ${resultLength}, more than max_size ${maxSize}`,
    };
  }
}

function* keyProblem(
  algorithm: Algorithm,
  length: number,
  field: string,
): Generator<{ field: string; text: string }> {
  if (hasSize(algorithm.key, length)) return;
  const { name, key } = algorithm;
  yield {
    field,
    text: key.max === 0
      ? `${field} is ${length}: ${name} has no key`
      : `${field} is ${length}: a key of ${name} has ${sizesText(key)} bytes`,
  };
}
