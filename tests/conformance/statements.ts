/**
 * Every normative statement of the document, in the order of its text.
 *
 * @module
 */

import type { Statement } from "./statement.ts";
import { CONFIG_STATEMENTS } from "./statements/config.ts";
import { OPERATION_STATEMENTS } from "./statements/operation.ts";
import { AEAD_STATEMENTS, DIGEST_STATEMENTS } from "./statements/services.ts";
import { SYMMETRIC_STATEMENTS } from "./statements/symmetric.ts";

/** The statements. */
export const STATEMENTS: readonly Statement[] = [
  ...CONFIG_STATEMENTS,
  ...OPERATION_STATEMENTS,
  ...DIGEST_STATEMENTS,
  ...SYMMETRIC_STATEMENTS,
  ...AEAD_STATEMENTS,
];
