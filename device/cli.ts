/**
 * The command line.
 *
 * @module
 */

import { serve } from "./commands/serve.ts";
import { demo } from "./commands/demo.ts";
import { decode } from "./commands/decode.ts";
import { trace } from "./commands/trace.ts";
import { UsageError } from "./commands/usage.ts";

const USAGE = `usage: cli.ts COMMAND [OPTIONS]

commands:
  serve   serve virtio-crypto devices over vhost-user
  demo    serve on a temporary socket, drive every service, show the results
  decode  show what is in a request, and what the device would answer
  trace   show and sum up what serve --trace wrote

cli.ts COMMAND --help tells a command's options.`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "serve":
      return await serve(rest);
    case "demo":
      return await demo(rest);
    case "decode":
      return await decode(rest);
    case "trace":
      return await trace(rest);
    case "--help":
    case "help":
      console.log(USAGE);
      return 0;
    case undefined:
      throw new UsageError(
        "Cannot run without a command: serve, demo, decode or trace",
      );
    default:
      throw new UsageError(
        `Cannot run command "${command}": serve, demo, decode or trace`,
      );
  }
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(
      `error: ${error instanceof Error ? error.message : String(error)}`,
    );
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
