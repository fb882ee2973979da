/**
 * The command line.
 *
 * @module
 */

import { serve } from "./commands/serve.ts";
import { demo } from "./commands/demo.ts";
import { UsageError } from "./commands/usage.ts";

const USAGE = `usage: cli.ts COMMAND [OPTIONS]

commands:
  serve   serve virtio-crypto devices over vhost-user
  demo    serve on a temporary socket, drive every service, show the results

cli.ts COMMAND --help tells a command's options.`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "serve":
      return await serve(rest);
    case "demo":
      return await demo(rest);
    case "--help":
    case "help":
      console.log(USAGE);
      return 0;
    case undefined:
      throw new UsageError("Cannot run without a command: serve or demo");
    default:
      throw new UsageError(`Cannot run command "${command}": serve or demo`);
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
