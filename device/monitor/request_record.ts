/**
 * A logged request as the inspector shows it.
 *
 * @module
 */

import { structuresOf } from "../explain/data_view.ts";
import { faultText } from "../explain/faults.ts";
import { type FieldValue, valueText } from "../explain/fields.ts";
import {
  type AnsweringDevice,
  problemsOf,
  requestOf,
} from "../explain/logged.ts";
import type { LoggedRequest } from "../service/request_log.ts";
import { OP_HEADER } from "../spec/data_structures.ts";
import {
  describeRequest,
  type RequestDescription,
} from "../explain/description.ts";

/** A field of a request. */
export interface RecordField {
  /** Its name; the general header's start with "header." */
  readonly name: string;
  /** Bytes from the request's start. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** In hexadecimal; of padding only whether it is 0. */
  readonly value: string;
  /** What the documents call that value. */
  readonly meaning: string | null;
}

/** A request, for whoever looks at it. */
export interface RequestRecord extends RequestDescription {
  /** What is wrong with its chain. */
  readonly fault: string | null;
  /** Its header and fixed part. */
  readonly fields: readonly RecordField[];
  /** What is wrong with it, what decided the status first. */
  readonly problems: readonly string[];
}

function recordField(
  structure: string,
  field: FieldValue,
): RecordField {
  const { name, offset, width, value, constant, padding } = field;
  return {
    name: structure === OP_HEADER.name ? `header.${name}` : name,
    offset,
    size: width,
    value: padding || value === undefined
      ? valueText(field)
      : `0x${value.toString(16)}`,
    meaning: constant ?? null,
  };
}

/**
 * A request, for whoever looks at it.
 *
 * @param logged the request
 * @param device number of its device
 * @param queue number of its queue
 * @param answering who answered it
 * @returns what is known of it, without keys and data
 */
export function requestRecord(
  logged: LoggedRequest,
  device: number,
  queue: number,
  answering: AnsweringDevice,
): RequestRecord {
  const request = requestOf(logged);
  const copied = logged.head.length;
  return {
    ...describeRequest(logged, request, device, queue),
    fault: faultText(logged.fault),
    fields: copied === 0
      ? []
      : structuresOf(logged.head, request).flatMap(({ name, fields }) =>
        fields
          // Padding is not copied where it may hold what is not the device's.
          .filter(({ offset, width }) =>
            offset + width <= copied || copied === logged.readable
          )
          .map((field) => recordField(name, field))
      ),
    problems: problemsOf(logged, answering),
  };
}
