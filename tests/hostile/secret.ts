/**
 * What belongs to another session than a hostile guest's: a key, and data that
 * pass every worker.
 *
 * @module
 */

import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { Needles } from "./needles.ts";
import { type Good, good, parametersOf } from "./requests.ts";

const random = new Random(41);
const KEY = random.bytes(16);
const DATA = random.bytes(64);
const IV = random.bytes(12);
const SEALED = reference("aes-gcm", KEY, {
  source: DATA,
  iv: IV,
  resultLength: 16,
});

/** What must not be found in guest memory: parts of the key and of the data. */
export const NEEDLES: Needles = new Needles(
  [KEY, DATA].flatMap((bytes) =>
    Array.from(
      { length: bytes.length / 8 },
      (_, i) => bytes.subarray(8 * i, 8 * i + 8),
    )
  ),
);

/** The parameters of the other session. */
export const SECRET_SESSION: SessionParameters = {
  ...parametersOf("open"),
  key: KEY,
};

/**
 * A request that opens what the other session sealed.
 *
 * @param session id of the session
 * @returns the request and its result
 */
export function secretRequest(session: bigint): Good {
  const request = good("open", "session", session, {
    iv: IV,
    aad: new Uint8Array(),
    source: SEALED,
    destination: DATA.length,
  });
  return { ...request, writes: [[0, DATA]] };
}
