/**
 * A decoded request as lines of text.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_BADMSG,
  VIRTIO_CRYPTO_OK,
} from "../../spec/constants.ts";
import { named } from "../../explain/problem.ts";
import type { Decoded, Part } from "../../explain/decoded.ts";
import { valueText } from "../../explain/fields.ts";

/** What the device answers, as far as that can be told. */
export interface Verdict {
  /** The status; undefined where none is written. */
  readonly status: number | undefined;
  /** Why, where it refuses. */
  readonly reason: string | undefined;
  /** What a good answer depends on that is not known. */
  readonly condition: string | undefined;
  /** Whether it did answer so, and need not be asked. */
  readonly answered?: boolean;
}

/** Whether the device would serve the request. */
export function isGood({ status }: Verdict): boolean {
  return status === VIRTIO_CRYPTO_OK;
}

/**
 * The verdict on a request: the device's own answer where it was asked, and the
 * words for it.
 *
 * @param decoded the request
 * @param asked whether the device was asked
 * @param answer the status it answered
 * @returns the verdict
 */
export function verdictOf(
  decoded: Decoded,
  asked: boolean,
  answer: number | undefined,
): Verdict {
  const [first] = decoded.problems;
  const told = first === undefined ? VIRTIO_CRYPTO_OK : first.status;
  const status = asked ? answer : told;
  if (status === VIRTIO_CRYPTO_OK) {
    return { status, reason: undefined, condition: decoded.condition };
  }
  if (first !== undefined && first.status === status) {
    return { status, reason: first.text, condition: undefined };
  }
  if (status === VIRTIO_CRYPTO_BADMSG && decoded.session !== undefined) {
    // The session's key is not known, so the tag could not be judged.
    return {
      status: VIRTIO_CRYPTO_OK,
      reason: undefined,
      condition: "the tag is right for the session's key",
    };
  }
  return {
    status,
    reason: status === VIRTIO_CRYPTO_BADMSG
      ? "The tag of the source is wrong"
      : "The device does not say why",
    condition: undefined,
  };
}

function statusText({ status, answered }: Verdict): string {
  if (status === undefined) {
    return answered
      ? "The device wrote no status, and returned a used length of 0"
      : "The device would write no status, and return a used length of 0";
  }
  return `The device ${answered ? "answered" : "would answer"} ${
    named("status", status)
  }`;
}

/**
 * A verdict as one line.
 *
 * @param verdict the verdict
 * @returns the line
 */
export function verdictLine(verdict: Verdict): string {
  const { reason, condition } = verdict;
  const text = statusText(verdict);
  if (reason !== undefined) return `${text}: ${reason}`;
  return condition === undefined ? text : `${text} if ${condition}`;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function partLine({ name, offset, length, start }: Part): string {
  const shown = start === undefined || start.length === 0
    ? ""
    : `  ${hex(start)}${start.length < length ? " …" : ""}`;
  return `${String(offset).padStart(8)} ${
    String(length).padStart(8)
  }  ${name}${shown}`;
}

function* structureLines(decoded: Decoded): Generator<string> {
  for (const { name, clause, fields } of decoded.structures) {
    if (fields.length === 0) continue;
    yield "";
    yield `struct ${name} (${clause})`;
    yield "  offset    width  field";
    const widest = Math.max(...fields.map((field) => field.name.length));
    for (const field of fields) {
      yield `${String(field.offset).padStart(8)} ${
        String(field.width).padStart(8)
      }  ${field.name.padEnd(widest)}  ${valueText(field)}`;
    }
  }
}

/**
 * A request as lines.
 *
 * @param decoded the request
 * @param verdict what the device answers
 * @returns lines without their ends
 */
export function* reportLines(
  decoded: Decoded,
  verdict: Verdict,
): Generator<string> {
  yield `${decoded.title}, read as ${decoded.reading.label}`;
  yield* structureLines(decoded);
  if (decoded.readable.length > 0) {
    yield "";
    yield "readable part, behind the fixed part";
    yield "  offset   length  field";
    for (const part of decoded.readable) yield partLine(part);
  }
  yield "";
  const { writableLength } = decoded;
  yield `writable part of ${writableLength} ${
    writableLength === 1 ? "byte" : "bytes"
  }`;
  if (decoded.writable.length > 0) {
    yield "  offset   length  field";
    for (const part of decoded.writable) yield partLine(part);
  }
  yield "";
  yield verdictLine(verdict);
  const others = decoded.problems.slice(1).map(({ text }) => text);
  for (const text of new Set(others)) yield `Besides: ${text}`;
  for (const note of decoded.notes) yield `Note: ${note}`;
}

/**
 * The readings that were tried, one line each.
 *
 * @param tried each reading's request and verdict
 * @returns lines without their ends
 */
export function* readingLines(
  tried: readonly { decoded: Decoded; verdict: Verdict }[],
): Generator<string> {
  yield `No layout was told (--layout): ${tried.length} ways to read it`;
  for (const { decoded, verdict } of tried) {
    const fits = decoded.exact
      ? isGood(verdict) ? "fits exactly" : "its lengths fit exactly"
      : isGood(verdict)
      ? "fits, not exactly"
      : "does not fit";
    yield `  ${decoded.reading.label}`;
    yield `    ${fits}. ${verdictLine(verdict)}`;
  }
}
