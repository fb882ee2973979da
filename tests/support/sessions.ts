/**
 * Sessions for tests of what holds them.
 *
 * @module
 */

import {
  noSessionFields,
  type SessionFields,
} from "../../device/session/table.ts";

/** Fields that are all 0 but for what is said. */
export function fieldsOf(changes: Partial<SessionFields> = {}): SessionFields {
  return { ...noSessionFields(), ...changes };
}

/** How often a run of bytes occurs in memory. */
export function occurrences(memory: Uint8Array, bytes: Uint8Array): number {
  let count = 0;
  let at = memory.indexOf(bytes[0]!);
  while (at >= 0) {
    let length = 1;
    while (length < bytes.length && memory[at + length] === bytes[length]) {
      length++;
    }
    if (length === bytes.length) count++;
    at = memory.indexOf(bytes[0]!, at + 1);
  }
  return count;
}
