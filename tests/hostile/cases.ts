/**
 * All hostile cases.
 *
 * @module
 */

import type { Case } from "./case.ts";
import { BUFFER_CASES } from "./cases/buffers.ts";
import { CHAIN_CASES } from "./cases/chains.ts";
import { FRAMING_CASES } from "./cases/framing.ts";
import { LENGTH_CASES } from "./cases/lengths.ts";
import { MEMORY_CASES } from "./cases/memory.ts";
import { MESSAGE_CASES } from "./cases/messages.ts";
import { PARSING_CASES } from "./cases/parsing.ts";
import { RACE_CASES } from "./cases/races.ts";
import { REENTRY_CASES } from "./cases/reentry.ts";
import { RING_STATE_CASES } from "./cases/ring_states.ts";
import { SERVICE_CASES } from "./cases/services.ts";
import { SESSION_CASES } from "./cases/sessions.ts";

/** The cases, by the subjects of their files. */
export const CASES: readonly Case[] = [
  ...FRAMING_CASES,
  ...CHAIN_CASES,
  ...BUFFER_CASES,
  ...REENTRY_CASES,
  ...LENGTH_CASES,
  ...PARSING_CASES,
  ...SERVICE_CASES,
  ...SESSION_CASES,
  ...RACE_CASES,
  ...MEMORY_CASES,
  ...RING_STATE_CASES,
  ...MESSAGE_CASES,
];
