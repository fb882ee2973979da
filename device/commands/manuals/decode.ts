import { MAX_DATA_QUEUES } from "../../service/device_core.ts";
import { LAYOUT_NAMES } from "../../explain/reading.ts";
import { HELP_OPTION, type Manual } from "../manual.ts";

/** The page of `decode`. */
export const DECODE_MANUAL: Manual = {
  command: "decode",
  summary: "show what is in a request, and what the device would answer",
  synopsis: ["deno run [--allow-read] device/cli.ts decode [OPTIONS] [FILE|-]"],
  description: [
    "Shows the fields of one control or data request by name, and what the device would answer and why.",
    "FILE, or standard input, holds the device-readable part of the request: as bytes, or as a dump (plain hex with or without 0x, xxd, hexdump -C; lines that start with # are comments).",
    "No byte of a key is ever shown.",
  ],
  options: [
    {
      name: "layout",
      value: "NAME",
      text: `${LAYOUT_NAMES.join(", ")}; all are tried when left out.`,
    },
    {
      name: "queue",
      value: "NAME",
      text: "control or data; by the opcode when left out.",
    },
    {
      name: "session-mode",
      value: "LIST",
      text:
        "v15: services whose SESSION_MODE was negotiated, as in cipher,hash,mac,aead; or all, none (all).",
    },
    {
      name: "stateless-mode",
      value: "LIST",
      text:
        "1.4: services whose STATELESS_MODE was negotiated (none and all are tried).",
    },
    {
      name: "session",
      value: "NAME",
      text:
        "The session of a data request in session mode: an algorithm (aes-cbc), or a chain (aes-cbc+hmac-sha256, the one that comes first before the +); then ,encrypt (the standard) or ,decrypt, and ,tag=N.",
    },
    {
      name: "writable",
      value: "N",
      text: "Bytes of the writable part (what the request needs).",
    },
    {
      name: "services",
      value: "LIST",
      text:
        "Services that the device offers, as in cipher,hash,mac,aead (all of them).",
    },
    {
      name: "queues",
      value: "N",
      text: `Data queues of the device, 1 to ${MAX_DATA_QUEUES} (2).`,
    },
    {
      name: "max-size",
      value: "BYTES",
      text: "Largest content of a request (16777216).",
    },
    {
      name: "trace",
      value: "FILE",
      text:
        "A request of a trace, in place of all the above: what serve --trace wrote. It needs --line.",
    },
    { name: "line", value: "N", text: "The line of the trace." },
    HELP_OPTION,
  ],
  examples: [[
    "A data request that was dumped to a file:",
    "xxd request.bin | deno run device/cli.ts decode --queue=data",
  ]],
  environment: [],
  exitStatus: [
    ["0", "The device would serve the request."],
    ["1", "The file cannot be read."],
    ["2", "The command line is wrong."],
    ["3", "The device would refuse the request."],
  ],
  seeAlso: ["CONFORMANCE.md"],
};
