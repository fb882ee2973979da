import { ENGINE_NAMES } from "../../engine/engines.ts";
import { LOG_LEVELS } from "../../log.ts";
import { MAX_DATA_QUEUES } from "../../service/device_core.ts";
import { ROUND_REQUESTS } from "../../service/round.ts";
import { MAX_SESSIONS } from "../../session/table.ts";
import { SPEC_NAMES } from "../../spec/request_layout.ts";
import { HELP_OPTION, type Manual } from "../manual.ts";

/** The page of `serve`. */
export const SERVE_MANUAL: Manual = {
  command: "serve",
  summary: "serve virtio-crypto devices over vhost-user",
  synopsis: [
    "deno run --allow-ffi --allow-read device/cli.ts serve --socket-path=PATH... [OPTIONS]",
    "deno run --allow-ffi --allow-read device/cli.ts serve --fd=N [OPTIONS]",
    "deno run --allow-ffi --allow-read --allow-env=LISTEN_PID,LISTEN_FDS device/cli.ts serve [OPTIONS]",
    "deno run device/cli.ts serve --print-capabilities",
  ],
  description: [
    "Serves a device on each socket, to one frontend at a time. It follows what QEMU's vhost-user document asks of backend programs, and stays in the foreground.",
    "Where neither a path nor a descriptor is given, it serves on the sockets that systemd, or whoever speaks its protocol, handed down.",
    'When it is ready it prints one line that begins with "Serving on". Everything else goes to standard error.',
    "SIGTERM and SIGINT end it at once: connections are closed, keys are overwritten, and the sockets that it made are unlinked.",
  ],
  options: [
    {
      name: "socket-path",
      value: "PATH",
      repeats: true,
      text:
        "Make a socket at exactly PATH. A socket there that nobody listens on is replaced. Given several times, each socket has a device of its own.",
    },
    {
      name: "fd",
      value: "N",
      text:
        "Serve on descriptor N, a UNIX stream socket that was handed down, listening or connected. With a connected one it ends when the connection does. Not together with --socket-path.",
    },
    {
      name: "print-capabilities",
      text:
        "Print what this backend is, as JSON, and exit. All else on the command line is ignored.",
    },
    {
      name: "spec",
      value: "NAME",
      text: `The document whose features are offered: ${
        SPEC_NAMES.join(" or ")
      } (v15). Legacy drivers, such as Linux', are served by either.`,
    },
    {
      name: "queues",
      value: "N",
      text: `Data queues of a device, 1 to ${MAX_DATA_QUEUES} (2).`,
    },
    {
      name: "engine",
      value: "NAME",
      text: `auto, or the one engine to use: ${
        ENGINE_NAMES.join(", ")
      } (auto). Algorithms that it lacks are not offered.`,
    },
    {
      name: "engine-module",
      value: "URL",
      repeats: true,
      text:
        "An engine of one's own: the URL or path of a module whose default export it is. It is preferred to what --engine names. Given several times, the first is preferred.",
    },
    {
      name: "services",
      value: "LIST",
      text:
        "Services that a device offers, with commas between them: cipher, hash, mac, aead (all that the engines serve). Chaining is of the cipher service, and offers the hashes and MACs that are offered besides. Requests of the others are answered by NOTSUPP.",
    },
    {
      name: "poll-us",
      value: "N",
      text: "Look for work for N microseconds before sleeping (0).",
    },
    {
      name: "monitor",
      value: "HOST:PORT",
      text:
        "Serve metrics and the inspector over HTTP there; port 0 takes a free one. It needs --allow-net=HOST:PORT.",
    },
    {
      name: "trace",
      value: "FILE",
      text:
        "Write each request as a JSON line to FILE, which is emptied first. It needs --allow-write=FILE.",
    },
    {
      name: "limit-ops",
      value: "N",
      text:
        "Requests a second that a device serves, on all its data queues together (any number). What 100 ms bring, and one more, may come at once; the rest waits in the ring.",
    },
    {
      name: "limit-bytes",
      value: "N",
      text:
        "Bytes a second, of the requests' readable and writable parts (any number). A request larger than what is left is served, and the following ones wait the longer.",
    },
    {
      name: "max-sessions",
      value: "N",
      text: `Sessions of a device, 1 to ${MAX_SESSIONS} (4096).`,
    },
    {
      name: "max-contexts",
      value: "N",
      text:
        `Sessions that each data queue keeps ready, with their keys expanded: ${ROUND_REQUESTS} to ${MAX_SESSIONS} (1024). More of them that are in use take turns, and are made ready again.`,
    },
    {
      name: "max-size",
      value: "BYTES",
      text: "Largest content of a request (16777216).",
    },
    {
      name: "log",
      value: "LEVEL",
      text: `What to write to standard error: ${LOG_LEVELS.join(", ")} (info).`,
    },
    HELP_OPTION,
  ],
  examples: [
    [
      "A device for one guest:",
      "deno task serve --socket-path=/tmp/crypto.sock",
    ],
    [
      "Two guests that share nothing but the process, at most 50,000 requests a second each:",
      "deno task serve --socket-path=/tmp/a.sock --socket-path=/tmp/b.sock \\\n  --limit-ops=50000",
    ],
    [
      "Started by the first frontend that connects:",
      "systemd-socket-activate -l /tmp/a.sock deno run --allow-ffi \\\n  --allow-read --allow-env=LISTEN_PID,LISTEN_FDS device/cli.ts serve",
    ],
  ],
  environment: [
    [
      "LISTEN_PID, LISTEN_FDS",
      "Number of the process that is meant, and how many sockets it was given, from descriptor 3 on. They are read only where --allow-env permits it; nobody is asked.",
    ],
  ],
  exitStatus: [
    [
      "0",
      "SIGTERM or SIGINT came, or the connection that was handed down ended.",
    ],
    ["1", "A socket or a device could not be made."],
    ["2", "The command line is wrong."],
  ],
  seeAlso: [
    "cli.ts doctor, packaging/README.md, SECURITY.md",
    "QEMU, vhost-user protocol: https://www.qemu.org/docs/master/interop/vhost-user.html",
    "sd_listen_fds(3), systemd.socket(5)",
  ],
};
