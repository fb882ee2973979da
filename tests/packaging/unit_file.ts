/**
 * A systemd unit file, as far as the tests of the packaged ones need it.
 *
 * @module
 */

/** Settings of a section: each name with its values, in their order. */
export type Section = ReadonlyMap<string, readonly string[]>;

/**
 * Reads a unit file.
 *
 * @param text its text, without continued lines
 * @returns its sections by name
 */
export function parseUnit(text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const title = /^\[(\w+)\]$/.exec(line)?.[1];
    if (title !== undefined) {
      sections.set(title, section = new Map());
      continue;
    }
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`Cannot read the line ${line}`);
    // An empty value takes back what was said before.
    if (value === "") section.set(name, []);
    else section.set(name, [...section.get(name) ?? [], value!]);
  }
  return sections;
}
