/**
 * Tables for people.
 *
 * @module
 */

/**
 * A table as lines.
 *
 * @param columns the columns' names
 * @param rows a text for each column
 * @param right the columns of numbers, which end at the same place
 * @returns lines without their ends
 */
export function* table(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<string>,
): Generator<string> {
  const widths = columns.map((name, i) =>
    rows.reduce((most, row) => Math.max(most, row[i]!.length), name.length)
  );
  for (const row of [columns, ...rows]) {
    yield row.map((text, i) =>
      right.has(columns[i]!)
        ? text.padStart(widths[i]!)
        : text.padEnd(widths[i]!)
    ).join("  ").trimEnd();
  }
}
