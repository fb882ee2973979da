import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../support/server_process.ts";

/** A module of `deno info --json`. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

/** What is loaded with a module, whatever happens then. */
async function loadedWith(path: string): Promise<readonly string[]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    cwd: ROOT,
    stderr: "null",
  }).output();
  assert(success);
  const { modules, roots } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly modules: readonly Module[];
    readonly roots: readonly string[];
  };
  const loaded = new Set(roots);
  for (const url of loaded) {
    const module = modules.find(({ specifier }) => specifier === url);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code?.specifier !== undefined && !isDynamic) {
        loaded.add(code.specifier);
      }
    }
  }
  return [...loaded].map((url) => url.replace(`file://${ROOT}`, ""));
}

Deno.test("the command line loads none of its commands before it is asked for", async () => {
  const loaded = await loadedWith("device/cli.ts");
  assertEquals(loaded.toSorted(), [
    "device/cli.ts",
    "device/commands/manual.ts",
    "device/commands/manuals/cli.ts",
    "device/commands/usage.ts",
    "npm:deno-std@1.4.0/cli/parse_args.js",
  ]);
});

Deno.test("a server that nobody looks at loads neither monitor nor trace, nor a driver", async () => {
  const loaded = await loadedWith("device/commands/serve.ts");
  assert(loaded.includes("device/vhost_user/server.ts"));
  assertEquals(
    loaded.filter((path) =>
      /prom-client|^device\/(trace|explain|driver|monitor)\//.test(path)
    ),
    ["device/monitor/address.ts"],
  );
});
