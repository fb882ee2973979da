/**
 * The command line.
 *
 * @module
 */

import { manualPage } from "./commands/manual.ts";
import { CLI_MANUAL } from "./commands/manuals/cli.ts";
import { UsageError } from "./commands/usage.ts";

const COMMANDS = "serve, demo, decode, trace or doctor";

/** Each is loaded when it is asked for: starting a server is not to wait. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "serve":
      return await (await import("./commands/serve.ts")).serve(rest);
    case "demo":
      return await (await import("./commands/demo.ts")).demo(rest);
    case "decode":
      return await (await import("./commands/decode.ts")).decode(rest);
    case "trace":
      return await (await import("./commands/trace.ts")).trace(rest);
    case "doctor":
      return (await import("./commands/doctor.ts")).doctor(rest);
    case "--help":
    case "help":
      console.log(manualPage(CLI_MANUAL));
      return 0;
    case undefined:
      throw new UsageError(`Cannot run without a command: ${COMMANDS}`);
    default:
      throw new UsageError(`Cannot run command "${command}": ${COMMANDS}`);
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
