/**
 * Manual pages of the commands: what `--help` prints, and the options that a
 * command takes.
 *
 * @module
 */

/** An option of a command. */
export interface ManualOption {
  /** Its name, without dashes. */
  readonly name: string;
  /** What its value is called; left out where it has none. */
  readonly value?: string;
  /** What it means. */
  readonly text: string;
  /** Whether it may be given several times. */
  readonly repeats?: boolean;
}

/** A term and what it means. */
export type ManualEntry = readonly [term: string, text: string];

/** A manual page. Paragraphs are wrapped when it is printed; examples are not. */
export interface Manual {
  /** The command behind `cli.ts`; undefined for the page of them all. */
  readonly command?: string;
  /** What it does, in half a sentence. */
  readonly summary: string;
  /** How it is called; a long form is wrapped. */
  readonly synopsis: readonly string[];
  /** Paragraphs. */
  readonly description: readonly string[];
  /** Commands, on the page of them all. */
  readonly commands?: readonly ManualEntry[];
  /** Options, in the order in which they are shown. */
  readonly options: readonly ManualOption[];
  /** What each does, and its lines. */
  readonly examples: readonly (readonly [text: string, lines: string])[];
  /** Variables that are read. */
  readonly environment: readonly ManualEntry[];
  /** Exit statuses. */
  readonly exitStatus: readonly ManualEntry[];
  /** Where to read on. */
  readonly seeAlso: readonly string[];
}

/** Most columns of a line. */
export const MANUAL_WIDTH = 80;

const INDENT = 7;
const DEEPER = 14;

/** The option that every command has. */
export const HELP_OPTION: ManualOption = {
  name: "help",
  text: "Print this manual and exit.",
};

/** The lines of a paragraph. `hanging` is how much deeper the following ones are. */
function wrap(text: string, indent: number, hanging = 0): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const room = MANUAL_WIDTH - indent - (lines.length > 0 ? hanging : 0);
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((text, i) =>
    " ".repeat(indent + (i > 0 ? hanging : 0)) + text
  );
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function entries(list: readonly ManualEntry[]): string[] {
  return list.flatMap(([term, text], i) => [
    ...(i > 0 ? [""] : []),
    ...wrap(term, INDENT),
    ...wrap(text, DEEPER),
  ]);
}

/**
 * How an option is written.
 *
 * @param option the option
 * @returns with the name of its value: "--queues=N"
 */
export function optionTerm({ name, value }: ManualOption): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}

/**
 * A manual page as text.
 *
 * @param manual the page
 * @returns lines of at most 80 columns
 */
export function manualPage(manual: Manual): string {
  const name = manual.command === undefined
    ? "cli.ts"
    : `cli.ts ${manual.command}`;
  const paragraphs = manual.description.flatMap((text, i) => [
    ...(i > 0 ? [""] : []),
    ...wrap(text, INDENT),
  ]);
  const examples = manual.examples.flatMap(([text, lines], i) => [
    ...(i > 0 ? [""] : []),
    ...wrap(text, INDENT),
    "",
    ...lines.split("\n").map((line) => " ".repeat(INDENT + 2) + line),
  ]);
  return [
    "NAME",
    ...wrap(`${name} - ${manual.summary}`, INDENT),
    ...section(
      "SYNOPSIS",
      manual.synopsis.flatMap((form) => wrap(form, INDENT, 4)),
    ),
    ...section("DESCRIPTION", paragraphs),
    ...section("COMMANDS", entries(manual.commands ?? [])),
    ...section(
      "OPTIONS",
      entries(manual.options.map((o): ManualEntry => [optionTerm(o), o.text])),
    ),
    ...section("EXAMPLES", examples),
    ...section("ENVIRONMENT", entries(manual.environment)),
    ...section("EXIT STATUS", entries(manual.exitStatus)),
    ...section(
      "SEE ALSO",
      manual.seeAlso.flatMap((text) => wrap(text, INDENT)),
    ),
  ].join("\n");
}
