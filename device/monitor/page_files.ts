/**
 * The files of the inspector's page.
 *
 * @module
 */

const FOLDER = new URL("./page/", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const NAME = /^\/([a-z0-9_-]+\.(html|css|js|svg))$/;

/** A file of the page. */
export interface PageFile {
  /** Its media type. */
  readonly type: string;
  /** What is in it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Files that were read, for a page that comes from a registry. */
const fetched = new Map<string, Uint8Array<ArrayBuffer>>();

async function read(
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const url = new URL(name, FOLDER);
  if (url.protocol === "file:") {
    try {
      return await Deno.readFile(url);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
  const known = fetched.get(name);
  if (known !== undefined) return known;
  const answer = await fetch(url);
  const bytes = await answer.bytes();
  if (!answer.ok) return undefined;
  fetched.set(name, bytes);
  return bytes;
}

/**
 * A file of the page.
 *
 * @param path the path of a URL
 * @returns the file, or undefined where there is none
 */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  const match = NAME.exec(path === "/" ? "/index.html" : path);
  if (match === null) return undefined;
  const [, name, extension] = match;
  const bytes = await read(name!);
  return bytes && { type: TYPES[extension!]!, bytes };
}
