/**
 * The statements as a table for people.
 *
 * @module
 */

import { placeOf } from "./places.ts";
import type { Statement } from "./statement.ts";

/** Where the table is, from the project's root. */
export const TABLE_FILE = "CONFORMANCE.md";

const HEAD = `<!-- deno-fmt-ignore-file -->

# Conformance

What the draft specification of January 2017 ("v15": "virtio-crypto: Add virtio
crypto device specification", version 15, patch 1 of 2) says, statement by
statement: who it binds, where the code keeps it, and which tests show it. Of a
statement that binds the driver, the tests show what the built-in driver does, or
what a violation gets from the device. What the text leaves open or says in two
ways is noted in italics, with how it is taken here.

\`tests/conformance/write_table.ts\` writes this file from
\`tests/conformance/statements/\`. A test fails when a statement has no test, when
a symbol or a test that is named here does not exist, or when this file is not
what the statements say. Where a test's name has \`\${…}\`, there is one test for
each value.
`;

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function codeText(place: string): string {
  const { file, name } = placeOf(place);
  return `[\`${name}\`](${file})`;
}

function testText(place: string): string {
  const { file, name } = placeOf(place);
  return `[${name.replaceAll("[", "\\[").replaceAll("]", "\\]")}](${file})`;
}

function* sectionLines(
  section: string,
  statements: readonly Statement[],
): Generator<string> {
  yield `## ${section}`;
  yield "";
  yield "| id | binds | statement | code | tests |";
  yield "| --- | --- | --- | --- | --- |";
  for (const { id, party, level, says, code, tests, note } of statements) {
    const words = note === undefined ? says : `${says}<br>_${note}_`;
    yield `| ${id} | ${party}, ${level} | ${cell(words)} | ${
      code.map(codeText).map(cell).join("<br>")
    } | ${tests.map(testText).map(cell).join("<br>")} |`;
  }
  yield "";
}

/**
 * The table.
 *
 * @param statements the statements, in the order of the text
 * @returns the content of the file
 */
export function tableOf(statements: readonly Statement[]): string {
  const sections = new Map<string, Statement[]>();
  for (const statement of statements) {
    const list = sections.get(statement.section) ?? [];
    list.push(statement);
    sections.set(statement.section, list);
  }
  const lines = [HEAD];
  for (const [section, list] of sections) {
    lines.push(...sectionLines(section, list));
  }
  return lines.join("\n");
}
