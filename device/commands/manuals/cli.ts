import { HELP_OPTION, type Manual } from "../manual.ts";

/** The page of all commands. */
export const CLI_MANUAL: Manual = {
  summary: "a virtio-crypto device, served over vhost-user",
  synopsis: ["deno run [PERMISSIONS] device/cli.ts COMMAND [OPTIONS]"],
  description: [
    "A device of the virtio-crypto specification (virtio device id 20), for QEMU and other vhost-user frontends, and tools for those who write drivers.",
    "cli.ts COMMAND --help prints the manual of a command.",
  ],
  commands: [
    ["serve", "Serve devices over vhost-user."],
    [
      "demo",
      "Serve on a temporary socket, drive every service, show the results.",
    ],
    [
      "decode",
      "Show what is in a request, and what the device would answer.",
    ],
    ["trace", "Show and sum up what serve --trace wrote."],
    [
      "doctor",
      "Tell what this machine has, what would be offered, and what to install.",
    ],
  ],
  options: [HELP_OPTION],
  examples: [[
    "What is missing here before a device can be served:",
    "deno run --allow-ffi --allow-read device/cli.ts doctor",
  ]],
  environment: [],
  exitStatus: [
    ["0", "Success."],
    ["1", "The command failed; one line on standard error says why."],
    ["2", "The command line is wrong."],
    ["3", "decode: the device would refuse the request."],
  ],
  seeAlso: ["README.md, ARCHITECTURE.md, SECURITY.md, CONFORMANCE.md"],
};
