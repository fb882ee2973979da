/**
 * A logged request, explained: its fields by name, and what was wrong with it.
 *
 * @module
 */

import type { Capabilities } from "../service/capabilities.ts";
import type { LoggedRequest } from "../service/request_log.ts";
import {
  VIRTIO_CRYPTO_BADMSG,
  VIRTIO_CRYPTO_INVSESS,
  VIRTIO_CRYPTO_OK,
} from "../spec/constants.ts";
import { DATA_HEADER_SIZE, type DataRequest } from "../spec/data_request.ts";
import { SERVICE_NAMES } from "../spec/names.ts";
import { dataProblems, decodeHead, type Head } from "./data_problems.ts";
import { faultText } from "./faults.ts";
import { type Reading, readingOf } from "./reading.ts";

/** What is known of the device that answered. */
export interface AnsweringDevice {
  /** What it serves. */
  readonly capabilities: Capabilities;
  /** Its data queues. */
  readonly queues: number;
  /** Its largest content of a request in bytes. */
  readonly maxSize: number;
}

/**
 * The decoded request, as far as its header is legal.
 *
 * @param logged a logged request
 * @returns header and fixed part; undefined where the header says too little
 */
export function requestOf(logged: LoggedRequest): DataRequest | undefined {
  const head = headOf(logged);
  return head.status === VIRTIO_CRYPTO_OK &&
      logged.head.length >= DATA_HEADER_SIZE
    ? head.request
    : undefined;
}

/** The reading of the layout that was asked for last: most have the same. */
let lastReading = readingOf({ kind: "legacy", services: 0, modeServices: 0 });

function readingFor({ layout }: LoggedRequest): Reading {
  const last = lastReading.layout;
  if (
    last.kind !== layout.kind || last.services !== layout.services ||
    last.modeServices !== layout.modeServices
  ) lastReading = readingOf(layout);
  return lastReading;
}

function headOf(logged: LoggedRequest): Head {
  return decodeHead(logged.head, readingFor(logged));
}

/**
 * What was wrong with a logged request.
 *
 * @param logged the request
 * @param device who answered it
 * @returns sentences, what decided the status first; none where it was served
 */
export function problemsOf(
  logged: LoggedRequest,
  device: AnsweringDevice,
): string[] {
  const { status, fault, session, readable, writable } = logged;
  const broken = faultText(fault);
  if (broken !== null) return [broken];
  if (status === VIRTIO_CRYPTO_OK) return [];
  const problems = [
    ...dataProblems(logged.head, readingFor(logged), headOf(logged), {
      ...device,
      readable,
      writable,
      session,
    }),
  ].map(({ text }) => text);
  if (status === VIRTIO_CRYPTO_INVSESS) {
    const service = SERVICE_NAMES[headOf(logged).request.service];
    problems.unshift(
      `session_id is not that of a live session of the ${service} service`,
    );
  } else if (status === VIRTIO_CRYPTO_BADMSG) {
    problems.unshift("The tag of the source is wrong");
  } else if (problems.length === 0 && status !== undefined) {
    problems.push("The engine could not run it");
  }
  return [...new Set(problems)];
}
