/**
 * A page in the browser: what it shows, and what a user does to it.
 *
 * @module
 */

import type { DevTools } from "./devtools.ts";

/** Milliseconds within which what is waited for happens. */
const PATIENCE_MS = 30_000;

/** Virtual key codes that the browser's own actions need. */
const KEY_CODES: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  Escape: 27,
  " ": 32,
  PageUp: 33,
  PageDown: 34,
  End: 35,
  Home: 36,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

/** Text that a key types. */
const KEY_TEXT: Readonly<Record<string, string>> = { Enter: "\r", " ": " " };

/** What assistive technology is told of an element. */
export interface AccessibleNode {
  readonly role: string;
  readonly name: string;
  /** Of a heading. */
  readonly level: number;
}

/** A page. */
export class Page implements AsyncDisposable {
  /** Errors and warnings of its console, and violations of its policy. */
  readonly complaints: string[] = [];
  readonly #tools: DevTools;
  readonly #target: string;
  readonly #session: string;

  private constructor(tools: DevTools, target: string, session: string) {
    this.#tools = tools;
    this.#target = target;
    this.#session = session;
    const on = tools.on.bind(tools, session);
    on("Runtime.exceptionThrown", ({ exceptionDetails }) => {
      this.complaints.push(JSON.stringify(exceptionDetails));
    });
    on("Runtime.consoleAPICalled", ({ type, args }) => {
      if (type === "error" || type === "warning") {
        this.complaints.push(JSON.stringify(args));
      }
    });
    on("Log.entryAdded", ({ entry }) => {
      this.complaints.push(`${entry.source}: ${entry.text} ${entry.url ?? ""}`);
    });
  }

  /** Opens an address; see Browser.open. */
  static async open(
    tools: DevTools,
    url: string,
    width: number,
    height: number,
  ): Promise<Page> {
    const { targetId } = await tools.send("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await tools.send("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    const page = new Page(tools, targetId, sessionId);
    await page.#send("Runtime.enable");
    await page.#send("Log.enable");
    await page.#send("Page.enable");
    await page.resize(width, height);
    const loaded = new Promise<void>((resolve) =>
      tools.on(sessionId, "Page.loadEventFired", () => resolve())
    );
    await page.#send("Page.navigate", { url });
    await loaded;
    return page;
  }

  // deno-lint-ignore no-explicit-any
  #send(method: string, params = {}): Promise<any> {
    return this.#tools.send(method, params, this.#session);
  }

  /** Gives the page another size, in CSS pixels. */
  async resize(width: number, height: number): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
  }

  /** Sets what the user prefers, as in { "prefers-color-scheme": "dark" }. */
  async prefer(media: Readonly<Record<string, string>>): Promise<void> {
    await this.#send("Emulation.setEmulatedMedia", {
      features: Object.entries(media).map(([name, value]) => ({ name, value })),
    });
  }

  /**
   * Evaluates an expression in the page.
   *
   * @param expression its text
   * @returns its value, as JSON can hold it
   */
  // deno-lint-ignore no-explicit-any
  async get(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    }
    return result.value;
  }

  /** What assistive technology is told: the nodes of the accessibility tree. */
  async accessibility(): Promise<AccessibleNode[]> {
    const { nodes } = await this.#send("Accessibility.getFullAXTree");
    return nodes
      // deno-lint-ignore no-explicit-any
      .filter(({ ignored }: any) => !ignored)
      // deno-lint-ignore no-explicit-any
      .map(({ role, name, properties }: any) => ({
        role: role.value,
        name: (name?.value ?? "").trim(),
        level: properties
          // deno-lint-ignore no-explicit-any
          ?.find(({ name }: any) => name === "level")?.value.value ?? 0,
      }));
  }

  /** The text of the first element that a selector finds, in one line. */
  async text(selector: string): Promise<string> {
    return await this.get(
      `document.querySelector(${
        JSON.stringify(selector)
      })?.innerText.replace(/\\s+/g, " ").trim() ?? ""`,
    );
  }

  /** The texts of the rows of a table's body. */
  async rows(selector: string): Promise<string[]> {
    return await this.get(
      `[...document.querySelectorAll(${
        JSON.stringify(`${selector} tr`)
      })].map((row) => row.innerText.replace(/\\s+/g, " ").trim())`,
    );
  }

  /**
   * Waits until an expression is true.
   *
   * @param expression the expression
   * @throws {Error} It did not become true in time
   */
  async until(expression: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!await this.get(expression)) {
      if (performance.now() > end) {
        throw new Error(`The page never had: ${expression}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Presses and releases keys one after the other. */
  async press(...keys: string[]): Promise<void> {
    for (const name of keys) {
      const key = name.replace(/^Shift\+/, "");
      const common = {
        key,
        code: key === " " ? "Space" : key,
        windowsVirtualKeyCode: KEY_CODES[key] ?? 0,
        modifiers: name === key ? 0 : 8,
      };
      const text = KEY_TEXT[key];
      await this.#send("Input.dispatchKeyEvent", {
        ...common,
        type: text === undefined ? "rawKeyDown" : "keyDown",
        ...(text === undefined ? {} : { text }),
      });
      await this.#send("Input.dispatchKeyEvent", { ...common, type: "keyUp" });
    }
  }

  /** Types a text where the focus is. */
  async type(text: string): Promise<void> {
    await this.#send("Input.insertText", { text });
  }

  /** Clicks into the middle of the first element that a selector finds. */
  async click(selector: string): Promise<void> {
    const { x, y } = await this.get(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center", behavior: "instant" });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.#send("Input.dispatchMouseEvent", {
        type,
        x,
        y,
        button: "left",
        clickCount: 1,
      });
    }
  }

  /** Chooses an option of a select element, as a user does. */
  async choose(selector: string, value: string): Promise<void> {
    await this.get(`(() => {
      const select = document.querySelector(${JSON.stringify(selector)});
      select.value = ${JSON.stringify(value)};
      select.dispatchEvent(new Event("input", { bubbles: true }));
      select.dispatchEvent(new Event("change", { bubbles: true }));
    })()`);
  }

  /** A picture of what is visible, or of the whole page, as PNG. */
  async screenshot(whole = false): Promise<Uint8Array<ArrayBuffer>> {
    const { data } = await this.#send("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: whole,
    });
    return Uint8Array.fromBase64(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tools.send("Target.closeTarget", { targetId: this.#target });
  }
}
