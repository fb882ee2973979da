/**
 * How long the server takes to start: from the moment the program is executed
 * to its answer to the first vhost-user message, GET_FEATURES.
 *
 *     deno task bench:start [--starts=N] [OPTIONS OF serve]
 *
 * The permissions are the README's, the engines the default ones, and the
 * module cache is warm: one start before the others is not counted.
 *
 * @module
 */

import { encodeMessage } from "../device/vhost_user/encode.ts";
import {
  FLAG_VERSION,
  HEADER_SIZE,
  U64_SIZE,
  VHOST_USER_GET_FEATURES,
} from "../device/vhost_user/protocol.ts";
import { median } from "./support/median.ts";

/** How often the socket is tried, in milliseconds. */
const RETRY_MS = 1;
/** When a server that does not answer is given up. */
const LIMIT_MS = 30_000;

const ROOT = new URL("../", import.meta.url).pathname;

/** Connects as soon as somebody listens. */
async function connect(
  path: string,
  child: Deno.ChildProcess,
): Promise<Deno.UnixConn> {
  const until = performance.now() + LIMIT_MS;
  let ended = false;
  child.status.then(() => ended = true);
  while (true) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (ended || performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Starts a server and ends it; how long it took, in milliseconds. */
async function start(options: readonly string[]): Promise<number> {
  const path = `/tmp/virtio-crypto-start-${crypto.randomUUID()}.sock`;
  const begun = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-ffi",
      "--allow-read",
      "device/cli.ts",
      "serve",
      `--socket-path=${path}`,
      ...options,
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    using connection = await connect(path, child);
    await connection.write(
      encodeMessage(VHOST_USER_GET_FEATURES, FLAG_VERSION, new Uint8Array(0)),
    );
    const answer = new Uint8Array(HEADER_SIZE + U64_SIZE);
    const length = await connection.read(answer);
    const took = performance.now() - begun;
    if (length !== answer.length) {
      throw new Error(`Cannot use an answer of ${length} bytes`);
    }
    return took;
  } finally {
    try {
      child.kill("SIGTERM");
    } catch {
      // It could not start, and said why.
    }
    await child.status;
  }
}

const starts = Deno.args.find((arg) => arg.startsWith("--starts="));
const options = Deno.args.filter((arg) => arg !== starts);
const count = Number(starts?.slice("--starts=".length) ?? 10);
await start(options);
const times: number[] = [];
for (let i = 0; i < count; i++) times.push(await start(options));
console.log(
  `Ready after ${median(times).toFixed(0)} ms (p50 of ${count}): ${
    times.map((time) => time.toFixed(0)).join(" ")
  }`,
);
