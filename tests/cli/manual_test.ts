import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Manual,
  MANUAL_WIDTH,
  manualPage,
  optionTerm,
} from "../../device/commands/manual.ts";
import { CLI_MANUAL } from "../../device/commands/manuals/cli.ts";
import { DECODE_MANUAL } from "../../device/commands/manuals/decode.ts";
import { DEMO_MANUAL } from "../../device/commands/manuals/demo.ts";
import { DOCTOR_MANUAL } from "../../device/commands/manuals/doctor.ts";
import { SERVE_MANUAL } from "../../device/commands/manuals/serve.ts";
import { TRACE_MANUAL } from "../../device/commands/manuals/trace.ts";
import { ROOT, runCli } from "../support/server_process.ts";

const COMMANDS = [
  DECODE_MANUAL,
  DEMO_MANUAL,
  DOCTOR_MANUAL,
  SERVE_MANUAL,
  TRACE_MANUAL,
];

/** The lines of a page below a title, up to the next one. */
function sectionOf(page: string, title: string): string[] {
  const lines = page.split("\n");
  const start = lines.indexOf(title);
  if (start < 0) return [];
  const length = lines.slice(start + 1).findIndex((l) => /^[A-Z]/.test(l));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length);
}

for (const manual of [CLI_MANUAL, ...COMMANDS]) {
  const command = manual.command === undefined ? [] : [manual.command];
  const name = ["cli.ts", ...command].join(" ");

  Deno.test(`${name} --help prints its manual, with no permission at all`, async () => {
    const { code, stdout, stderr } = await runCli([...command, "--help"], {
      permissions: [],
    });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, manualPage(manual) + "\n");
  });

  Deno.test(`the manual of ${name} has its sections, in at most ${MANUAL_WIDTH} columns`, () => {
    const page = manualPage(manual);
    for (const line of page.split("\n")) {
      assert(line.length <= MANUAL_WIDTH, line);
      assertEquals(line, line.trimEnd());
    }
    const titles = page.split("\n").filter((line) => /^[A-Z]/.test(line));
    assertEquals(titles, [
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      ...(manual.commands === undefined ? [] : ["COMMANDS"]),
      "OPTIONS",
      "EXAMPLES",
      ...(manual.environment.length === 0 ? [] : ["ENVIRONMENT"]),
      "EXIT STATUS",
      "SEE ALSO",
    ]);
    assertStringIncludes(sectionOf(page, "NAME")[0]!, `${name} - `);
    const options = sectionOf(page, "OPTIONS").filter((l) => /^ {7}-/.test(l));
    assertEquals(
      options.map((line) => line.trim()),
      manual.options.map(optionTerm),
    );
  });
}

Deno.test("the manual of all names each command", () => {
  assertEquals(
    (CLI_MANUAL.commands ?? []).map(([name]) => name).toSorted(),
    COMMANDS.map(({ command }) => command!).toSorted(),
  );
});

Deno.test("every option of serve is in the table of README.md, and no other", async () => {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const start = readme.indexOf("## Options of `serve`");
  const table = readme.slice(start, readme.indexOf("\n\n", start + 30));
  const rows = [...table.matchAll(/^\| `--([a-z-]+)/gm)].map(([, name]) =>
    name
  );
  assertEquals(
    rows.toSorted(),
    SERVE_MANUAL.options.map(({ name }) => name).filter((n) => n !== "help")
      .toSorted(),
  );
});

Deno.test("a long word stands on a line of its own, and nothing is lost", () => {
  const words = ["a".repeat(70), "b", "c".repeat(75), "d"];
  const manual: Manual = {
    summary: "",
    synopsis: [],
    description: [words.join(" ")],
    options: [],
    examples: [],
    environment: [],
    exitStatus: [],
    seeAlso: [],
  };
  const lines = sectionOf(manualPage(manual), "DESCRIPTION");
  assertEquals(lines.join(" ").trim().split(/ +/), words);
});
