import { HELP_OPTION, type Manual } from "../manual.ts";

/** The page of `doctor`. */
export const DOCTOR_MANUAL: Manual = {
  command: "doctor",
  summary: "tell what this machine has, and what to install",
  synopsis: [
    "deno run --allow-ffi --allow-read device/cli.ts doctor [--json]",
  ],
  description: [
    "Looks at Deno, the kernel, the C library, the permissions of this process, its limits, and the native engines with their self-checks. Then it lists what a device would offer here, and which engines have it.",
    "Each line says ok; note, where a device can be served and something could be better; or wrong, where none can be served. What to do stands below.",
    "Run it with the permissions that serve is to have: it asks for none, and tells which are missing.",
  ],
  options: [
    { name: "json", text: "Print the findings as JSON." },
    HELP_OPTION,
  ],
  examples: [[
    "In a script:",
    "deno run --allow-ffi --allow-read device/cli.ts doctor --json \\\n  | jq .engines",
  ]],
  environment: [],
  exitStatus: [
    ["0", "A device can be served here."],
    ["1", "None can be."],
    ["2", "The command line is wrong."],
  ],
  seeAlso: ["cli.ts serve"],
};
