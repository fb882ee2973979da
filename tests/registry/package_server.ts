/**
 * Serves the package as a registry does: over HTTP, with the files that are
 * published and the specifiers that publishing rewrites.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read package_server.ts
 *
 * It prints the package's URL when it serves.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly include: readonly string[] };
}

const configuration: Configuration = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);

/** What publishing swaps in for the lines of the import map that it cannot use. */
const PUBLISHED: Readonly<Record<string, string>> = {
  "@std/cli/parse-args": "jsr:@std/cli@^1.0.0/parse-args",
};

/** A specifier as it is in the registry. */
function rewritten(specifier: string): string {
  const imports = { ...configuration.imports, ...PUBLISHED };
  for (const [name, target] of Object.entries(imports)) {
    if (specifier === name) return target;
    if (specifier.startsWith(`${name}/`)) {
      return target + specifier.slice(name.length);
    }
  }
  return specifier;
}

/** The text of a module with its specifiers rewritten. */
function published(text: string): string {
  return text.replaceAll(
    /(\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"]+)"/gm,
    (_, before, specifier) => `${before}"${rewritten(specifier)}"`,
  );
}

function isPublished(path: string): boolean {
  return configuration.publish.include.some((included) =>
    included.endsWith("/") ? path.startsWith(included) : path === included
  );
}

const base = `/${configuration.name}/${configuration.version}/`;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}${base}`),
}, async (request) => {
  const { pathname } = new URL(request.url);
  const path = pathname.startsWith(base) ? pathname.slice(base.length) : "";
  if (!isPublished(path)) return new Response("", { status: 404 });
  const text = await Deno.readTextFile(new URL(path, ROOT));
  return new Response(path.endsWith(".ts") ? published(text) : text, {
    headers: {
      "content-type": path.endsWith(".ts")
        ? "application/typescript"
        : "text/plain",
    },
  });
});
