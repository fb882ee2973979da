/**
 * A monitor that says what a test tells it to: it serves the page's own files,
 * and events that are handed to it.
 *
 * @module
 */

import { PAGE_FILES } from "../../device/monitor/page/files.ts";

const HEADERS = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

/** The monitor of a device that does not exist. */
export class FakeServer implements AsyncDisposable {
  /** Where it is. */
  readonly port: number;
  /** Paths that were asked for and are not there. */
  readonly missing: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #clients = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #state: unknown;

  /**
   * @param state the snapshot that a new client gets at once
   * @param port where to listen; 0: anywhere
   */
  constructor(state: unknown, port = 0) {
    this.#state = state;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.port = this.#server.addr.port;
  }

  /** The page's address. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Clients that follow the events. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Sends a snapshot, to clients that come later too. */
  state(snapshot: unknown): void {
    this.#state = snapshot;
    this.#send(message("state", snapshot));
  }

  /** Sends requests. */
  requests(requests: readonly unknown[], dropped = 0): void {
    this.#send(message("requests", { dropped, requests }));
  }

  #send(bytes: Uint8Array): void {
    for (const client of this.#clients) client.enqueue(bytes);
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/events") return this.#events();
    if (pathname === "/api/state") {
      return Response.json(this.#state, { headers: HEADERS });
    }
    const file = PAGE_FILES.get(pathname);
    if (file === undefined) {
      this.missing.push(pathname);
      return new Response("Not found", { status: 404, headers: HEADERS });
    }
    return new Response(file.body, {
      headers: { ...HEADERS, "content-type": file.type },
    });
  }

  #events(): Response {
    let client: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        client = controller;
        this.#clients.add(client);
        client.enqueue(message("state", this.#state));
      },
      cancel: () => {
        this.#clients.delete(client);
      },
    });
    return new Response(stream, {
      headers: { ...HEADERS, "content-type": "text/event-stream" },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    await this.#server.shutdown();
  }
}

function message(event: string, data: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(
    `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  );
}
