/**
 * Debian's Chromium, driven over the DevTools protocol.
 *
 * @module
 */

import { DevTools } from "./devtools.ts";
import { Page } from "./page.ts";

/** Where Debian puts it. */
const PROGRAM = "/usr/bin/chromium";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--force-color-profile=srgb",
  "--remote-debugging-port=0",
];

/** Milliseconds within which the browser starts. */
const START_MS = 30_000;

/** Whether the browser is there. */
export const HAS_BROWSER: boolean = await Deno.stat(PROGRAM).then(
  () => true,
  () => false,
);

/** The address that a starting browser writes. */
async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const found = Promise.withResolvers<string>();
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stderr) {
      text += decoder.decode(bytes, { stream: true });
      const [, address] = /^DevTools listening on (ws:\S+)$/m.exec(text) ?? [];
      if (address !== undefined) found.resolve(address);
    }
    found.reject(new Error(`Chromium ended: ${text}`));
  };
  const timer = setTimeout(
    () => found.reject(new Error(`Chromium did not start: ${text}`)),
    START_MS,
  );
  read().catch(found.reject);
  try {
    return await found.promise;
  } finally {
    clearTimeout(timer);
  }
}

/** A browser with a profile of its own, ended with its block. */
export class Browser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #tools: DevTools;

  private constructor(
    child: Deno.ChildProcess,
    profile: string,
    tools: DevTools,
  ) {
    this.#child = child;
    this.#profile = profile;
    this.#tools = tools;
  }

  /** Starts a browser. */
  static async start(): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "inspector-" });
    const child = new Deno.Command(PROGRAM, {
      args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    try {
      const tools = await DevTools.connect(await addressIn(child.stderr));
      return new Browser(child, profile, tools);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /**
   * Opens a page of its own.
   *
   * @param url its address
   * @param width its width in CSS pixels
   * @param height its height
   * @returns the page, loaded
   */
  async open(url: string, width = 1280, height = 900): Promise<Page> {
    return await Page.open(this.#tools, url, width, height);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tools.send("Browser.close").catch(() => {});
    await this.#tools[Symbol.asyncDispose]();
    await this.#child.status;
    await Deno.remove(this.#profile, { recursive: true });
  }
}
