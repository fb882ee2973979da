import { HELP_OPTION, type Manual } from "../manual.ts";

/** The page of `demo`. */
export const DEMO_MANUAL: Manual = {
  command: "demo",
  summary: "drive every service through a socket, and show the results",
  synopsis: [
    "deno run --allow-ffi --allow-read device/cli.ts demo [OPTIONS]",
  ],
  description: [
    "Serves a device on a temporary socket, attaches the built-in driver to that socket as a vhost-user frontend does, with shared memory and eventfds, and runs every offered algorithm on every data queue. Each result is compared with a published one and, where there is one, with that of a second implementation.",
  ],
  options: [
    { name: "queues", value: "N", text: "Data queues, 1 to 16 (2)." },
    HELP_OPTION,
  ],
  examples: [["With four data queues:", "deno task demo --queues=4"]],
  environment: [],
  exitStatus: [
    ["0", "Every result was right."],
    ["1", "One was wrong, or the device could not be served."],
    ["2", "The command line is wrong."],
  ],
  seeAlso: ["cli.ts serve, cli.ts doctor"],
};
