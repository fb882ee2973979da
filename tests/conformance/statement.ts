/**
 * What the table of conformance is made of.
 *
 * @module
 */

/** Who a statement binds: the device, the driver, or both by a format. */
export type Party = "device" | "driver";

/** How strongly a statement binds; "is" where the text just says how it is. */
export type Level = "MUST" | "MUST NOT" | "SHOULD" | "MAY" | "is";

/** One normative statement of the document, and where it is kept. */
export interface Statement {
  /** Its id, which never changes: v15, section, number. */
  readonly id: string;
  /** The section of the document. */
  readonly section: string;
  /** Who it binds. */
  readonly party: Party;
  /** How strongly. */
  readonly level: Level;
  /** What it says, in other words. */
  readonly says: string;
  /** Where the code keeps it: "file symbol", a member as Class.member. */
  readonly code: readonly string[];
  /** The tests that show it: "file name", the name as the source spells it. */
  readonly tests: readonly string[];
  /** What is unclear or contradictory in the text, and how it is taken here. */
  readonly note?: string;
}

/**
 * Makes the statements of a section.
 *
 * @param prefix the ids' beginning
 * @param section the section
 * @param party who they bind
 * @param rows level, words, code, tests, and a note
 * @returns the statements, numbered from 1
 */
export function statements(
  prefix: string,
  section: string,
  party: Party,
  rows: readonly (readonly [
    level: Level,
    says: string,
    code: readonly string[],
    tests: readonly string[],
    note?: string | undefined,
  ])[],
): readonly Statement[] {
  return rows.map(([level, says, code, tests, note], i): Statement => ({
    id: `${prefix}-${i + 1}`,
    section,
    party,
    level,
    says,
    code,
    tests,
    ...(note === undefined ? {} : { note }),
  }));
}
