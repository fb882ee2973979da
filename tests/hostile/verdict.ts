/**
 * How a hostile case ended.
 *
 * @module
 */

/**
 * - PASS: the request was served rightly, because it was legal
 * - REJECT: it was refused by the right status, acknowledgement or hang-up, or
 *   its ring was reported to be broken
 * - WEDGED: nothing came back; a test fails
 * - FAIL: anything else; a test fails
 */
export type Verdict = "PASS" | "REJECT" | "WEDGED" | "FAIL";

/** A queue that hangs. */
export class WedgedError extends Error {
  /** The name of the class. */
  override readonly name = "WedgedError";
}

/**
 * The verdict that an error is.
 *
 * @param error what a case threw
 */
export function verdictOf(error: unknown): Verdict {
  return error instanceof WedgedError ||
      error instanceof Error && error.name === "BackendTimeoutError"
    ? "WEDGED"
    : "FAIL";
}
