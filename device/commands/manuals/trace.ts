import { STATUS_NAMES } from "../../explain/description.ts";
import { HELP_OPTION, type Manual } from "../manual.ts";

/** The page of `trace`. */
export const TRACE_MANUAL: Manual = {
  command: "trace",
  summary: "show and sum up what serve --trace wrote",
  synopsis: ["deno run --allow-read device/cli.ts trace [OPTIONS] FILE"],
  description: [
    "Shows the requests of a trace that serve --trace=FILE wrote, the last ones when nothing else is said, and sums all of them up.",
    "The first column is the line of the file, for decode --trace=FILE --line=N.",
  ],
  options: [
    {
      name: "status",
      value: "NAME",
      text: `Only those with this status: ${
        STATUS_NAMES.join(", ")
      }, or refused: any but OK.`,
    },
    { name: "device", value: "N", text: "Only those of this device." },
    { name: "queue", value: "N", text: "Only those of this queue." },
    {
      name: "algorithm",
      value: "NAME",
      text: "Only those of this algorithm, as in aes-cbc.",
    },
    {
      name: "last",
      value: "N",
      text: "Show the last N of them; 0 shows none (20).",
    },
    { name: "all", text: "Show all of them." },
    HELP_OPTION,
  ],
  examples: [[
    "What was refused:",
    "deno run --allow-read device/cli.ts trace --status=refused trace.jsonl",
  ]],
  environment: [],
  exitStatus: [
    ["0", "The trace was shown."],
    ["1", "The file cannot be read, or is no trace."],
    ["2", "The command line is wrong."],
  ],
  seeAlso: ["cli.ts serve", "cli.ts decode"],
};
