/**
 * All hostile cases.
 *
 * @module
 */

import type { Case } from "./case.ts";
import { CHAIN_CASES } from "./cases/chains.ts";
import { FRAMING_CASES } from "./cases/framing.ts";
import { LENGTH_CASES } from "./cases/lengths.ts";
import { PARSING_CASES } from "./cases/parsing.ts";
import { SESSION_CASES } from "./cases/sessions.ts";

/** The cases, by the subjects of their files. */
export const CASES: readonly Case[] = [
  ...FRAMING_CASES,
  ...CHAIN_CASES,
  ...LENGTH_CASES,
  ...PARSING_CASES,
  ...SESSION_CASES,
];
