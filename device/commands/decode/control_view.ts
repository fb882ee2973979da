/**
 * A control request, decoded for people.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../../spec/constants.ts";
import {
  CONTROL_PADDED_SIZE,
  CREATE_ANSWER_SIZE,
  DESTROY_ANSWER_SIZE,
} from "../../spec/control_request.ts";
import * as tables from "../../spec/control_structures.ts";
import { SERVICE_NAMES } from "../../spec/names.ts";
import type { SessionParameters } from "../../spec/session_parameters.ts";
import type { Structure } from "../../spec/structure.ts";
import {
  controlProblems,
  decodeHead,
  type Form,
  formOf,
  type Head,
  keysOf,
} from "./control_problems.ts";
import type { Decoded, Part, Surroundings } from "../../explain/decoded.ts";
import { fieldsOf, type PlacedStructure } from "../../explain/fields.ts";
import type { Reading } from "../../explain/reading.ts";
import { sessionOption } from "./session_option.ts";

const AT = tables.CTRL_HEADER.size;

/** A session of each service, for a destruction to be tried on. */
const ANY_SESSION = ["aes-cbc", "sha256", "hmac-sha256", "aes-gcm"];

function fixedPart(
  { request, service, fixed }: Head,
): readonly PlacedStructure[] {
  if (request?.kind === "destroy") {
    return [{ structure: tables.DESTROY_SESSION, at: AT, size: fixed }];
  }
  if (request?.kind !== "create") return [];
  if (service !== VIRTIO_CRYPTO_SERVICE_CIPHER) {
    const structures: readonly Structure<string>[] = [
      tables.CIPHER_SESSION_PARA,
      tables.HASH_SESSION_PARA,
      tables.MAC_SESSION_PARA,
      tables.AEAD_SESSION_PARA,
    ];
    return [{ structure: structures[service]!, at: AT, size: fixed }];
  }
  const { opType } = request.parameters;
  const tail: PlacedStructure = {
    structure: tables.SYM_SESSION_TAIL,
    at: AT + tables.CIPHER_SESSION_PARA.size,
    size: tables.SYM_SESSION_TAIL.size,
  };
  const union = opType === VIRTIO_CRYPTO_SYM_OP_CIPHER
    ? tables.CIPHER_SESSION_PARA
    : opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING
    ? tables.CHAIN_SESSION_PARA
    : undefined;
  // Of another op_type nothing says what the union holds.
  return union === undefined
    ? [tail]
    : [{ structure: union, at: AT, size: union.size }, tail];
}

function keyParts(
  parameters: SessionParameters,
  at: number,
): readonly Part[] {
  const { service, keyLength, authKeyLength } = parameters;
  const name = service === VIRTIO_CRYPTO_SERVICE_MAC
    ? "auth_key"
    : service === VIRTIO_CRYPTO_SERVICE_AEAD
    ? "key"
    : "cipher_key";
  return [
    { name, offset: at, length: keyLength, start: undefined },
    {
      name: "auth_key",
      offset: at + keyLength,
      length: authKeyLength,
      start: undefined,
    },
  ].filter(({ length }) => length > 0);
}

/** The answer's fields, as parts of the writable part. */
function answerParts(head: Head, writable: number): readonly Part[] {
  const destroys = head.request?.kind === "destroy";
  const part = (name: string, offset: number, length: number): Part => ({
    name,
    offset,
    length,
    start: undefined,
  });
  if (destroys || writable < CREATE_ANSWER_SIZE) {
    return writable === 0
      ? []
      : [part("status", 0, writable < DESTROY_ANSWER_SIZE ? 1 : 4)];
  }
  const { at } = tables.SESSION_INPUT;
  return [
    part("input.session_id", at.session_id, 8),
    part("input.status", at.status, 4),
  ];
}

/**
 * Decodes a control request.
 *
 * @param bytes its readable part
 * @param reading how to read it
 * @param around what is known beside it
 * @returns the request for people
 */
export function decodeControl(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  around: Surroundings,
): Decoded {
  const head = decodeHead(bytes, reading);
  const { request, service, fixed } = head;
  const destroys = request?.kind === "destroy";
  const writableLength = around.writable ??
    (destroys
      ? reading.name === "legacy" ? 1 : DESTROY_ANSWER_SIZE
      : CREATE_ANSWER_SIZE);
  const problems = [
    ...controlProblems(bytes, reading, head, {
      ...around,
      writable: writableLength,
    }),
  ];
  const complete = bytes.length >= AT + fixed;
  const keys = request?.kind === "create" ? keysOf(request.parameters) : 0;
  const form: Form = complete ? formOf(bytes.length, fixed, keys) : "none";
  const header = { structure: tables.CTRL_HEADER, at: 0, size: AT };
  const end = form === "padded" ? AT + CONTROL_PADDED_SIZE : AT + fixed;
  return {
    reading,
    queue: "control",
    title: `Control request of ${bytes.length} bytes${
      form === "padded" && fixed < CONTROL_PADDED_SIZE
        ? " in the padded form"
        : ""
    }`,
    structures: [header, ...fixedPart(head)].map((placed) => ({
      name: placed.structure.name,
      clause: placed.structure.clause,
      fields: fieldsOf(bytes, placed, service, { opcode: "controlOpcode" }),
    })),
    readable: request?.kind === "create" && form !== "none"
      ? keyParts(request.parameters, end)
      : [],
    writable: answerParts(head, writableLength),
    writableLength,
    exact: form !== "none" && isOwn(form, fixed, reading),
    problems,
    notes: notesOf(bytes, head, reading, form),
    condition: destroys
      ? `its session is live and of the ${SERVICE_NAMES[service]} service`
      : undefined,
    session: destroys ? sessionOption(ANY_SESSION[service]!) : undefined,
  };
}

/** Whether a form is the layout's own; of 56 bytes both are the same. */
function isOwn(form: Form, fixed: number, reading: Reading): boolean {
  return fixed === CONTROL_PADDED_SIZE ||
    (reading.name === "legacy") === (form === "padded");
}

function notesOf(
  bytes: Uint8Array<ArrayBuffer>,
  { request, fixed }: Head,
  reading: Reading,
  form: Form,
): readonly string[] {
  if (request === undefined || request.kind === "refused") return [];
  const notes: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { at } = tables.CTRL_HEADER;
  if (view.getUint32(at.algo, true) !== 0) {
    notes.push("algo of the header is ignored");
  }
  if (view.getUint32(at.flag, true) !== 0) {
    notes.push("flag of a control request is ignored");
  }
  if (
    form !== "none" && !isOwn(form, fixed, reading) &&
    reading.layout.kind !== "revision1"
  ) {
    notes.push(
      `This is the ${form} form: ${
        form === "padded" ? "that of the legacy layout" : "the document's"
      }, and the device takes both`,
    );
  }
  return notes;
}
