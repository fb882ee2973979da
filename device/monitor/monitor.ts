/**
 * The monitor: a server's state, metrics and requests over HTTP, and the page
 * that shows them.
 *
 * @module
 */

import type { VhostUserServer } from "../vhost_user/server.ts";
import type { DeviceSnapshot } from "../vhost_user/snapshot.ts";
import { addressText, isOwnName, type MonitorAddress } from "./address.ts";
import { EventStreams, eventText } from "./events.ts";
import type { RequestFeed } from "./request_feed.ts";
import { RequestSample } from "./request_sample.ts";
import { type ServerDescription, stateJson } from "./state.ts";

/** How often listeners get the state, in milliseconds. */
const STATE_MS = 1000;

/** How often they get requests, in milliseconds. */
const REQUESTS_MS = 250;

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Paths of what is no file of the page. */
const DATA_PATHS: readonly string[] = ["/api/state", "/api/events", "/metrics"];

/** What a monitor is made of. */
export interface MonitorOptions {
  /** Where it listens. */
  readonly address: MonitorAddress;
  /** What it shows. */
  readonly server: VhostUserServer;
  /** What stays of that. */
  readonly description: ServerDescription;
  /** The server's requests. */
  readonly feed: RequestFeed;
}

function answer(
  body: BodyInit | null,
  type: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...HEADERS, "content-type": type, ...headers },
  });
}

function refuse(status: number, text: string): Response {
  return answer(
    `${text}\n`,
    "text/plain; charset=utf-8",
    status,
    status === 405 ? { allow: "GET, HEAD" } : {},
  );
}

/** Serves until it is closed. */
export class Monitor {
  /** Where it listens. */
  readonly url: string;
  readonly #options: MonitorOptions;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #streams = new EventStreams((listeners) => this.#listen(listeners));
  readonly #sample: RequestSample;
  #metrics: Promise<() => Promise<string>> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stateAt = 0;
  /** The devices as the last state told of them. */
  #devices: readonly DeviceSnapshot[] = [];

  /**
   * Starts to listen.
   *
   * @param options what to show, and where
   * @throws {Error} It cannot listen there
   */
  constructor(options: MonitorOptions) {
    const { address, server } = options;
    this.#options = options;
    this.#sample = new RequestSample(() => ({
      capabilities: server.capabilities,
      devices: this.#devices,
    }));
    try {
      this.#http = Deno.serve({
        ...address,
        onListen() {},
        onError: (error) =>
          refuse(500, error instanceof Error ? error.message : String(error)),
      }, (request) => this.#answer(request));
    } catch (error) {
      throw new Error(
        `Cannot serve the monitor at ${addressText(address)}: ${
          error instanceof Error ? error.message : String(error)
        }`,
        { cause: error },
      );
    }
    const { port } = this.#http.addr;
    this.url = `http://${addressText({ ...address, port })}/`;
  }

  /** Ends it; streams are closed. */
  async close(): Promise<void> {
    this.#streams.close();
    await this.#http.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { hostname } = this.#options.address;
    if (!isOwnName(request.headers.get("host"), hostname)) {
      return refuse(403, "The Host header does not name this monitor");
    }
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      return refuse(405, "There is nothing here to change");
    }
    const { pathname } = new URL(request.url);
    if (!DATA_PATHS.includes(pathname)) {
      // Only here, so that nobody loads the page who does not ask.
      const { PAGE_FILES } = await import("./page/files.ts");
      const file = PAGE_FILES.get(pathname);
      if (file !== undefined) {
        return answer(method === "HEAD" ? null : file.body, file.type);
      }
    }
    // Links to the page are welcome, requests by other pages are not.
    if (request.headers.get("sec-fetch-site") === "cross-site") {
      return refuse(403, "This is not for pages of other sites");
    }
    return await this.#data(pathname, method === "HEAD");
  }

  async #data(path: string, headOnly: boolean): Promise<Response> {
    switch (path) {
      case "/api/state": {
        const text = headOnly ? null : JSON.stringify(this.#state());
        return answer(text, "application/json");
      }
      case "/api/events":
        if (this.#streams.full) return refuse(503, "Too many listen already");
        return answer(
          headOnly
            ? null
            : this.#streams.open(eventText("state", this.#state())),
          "text/event-stream",
        );
      case "/metrics": {
        const text = headOnly ? null : await this.#metricsText();
        return answer(text, "text/plain; version=0.0.4; charset=utf-8");
      }
      default:
        return refuse(404, "There is no such page");
    }
  }

  #state(): unknown {
    const { description, server } = this.#options;
    this.#devices = server.snapshots;
    return stateJson(description, this.#devices);
  }

  async #metricsText(): Promise<string> {
    const { server, description } = this.#options;
    // Only here, so that nobody loads the library who does not ask.
    this.#metrics ??= import("./metrics.ts").then(({ makeMetrics }) =>
      makeMetrics(server, description)
    );
    return (await this.#metrics)();
  }

  /** Follows how many listen: with nobody, nothing runs. */
  #listen(listeners: number): void {
    const { feed } = this.#options;
    if (listeners > 0 && this.#timer === undefined) {
      feed.setSample(this.#sample);
      this.#stateAt = performance.now() + STATE_MS;
      this.#timer = setInterval(() => this.#send(), REQUESTS_MS);
    } else if (listeners === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      feed.setSample(undefined);
      this.#sample.take();
    }
  }

  #send(): void {
    const taken = this.#sample.take();
    if (taken !== undefined) this.#streams.send(eventText("requests", taken));
    const now = performance.now();
    if (now < this.#stateAt) return;
    this.#stateAt = now + STATE_MS - REQUESTS_MS / 2;
    this.#streams.send(eventText("state", this.#state()));
  }
}
