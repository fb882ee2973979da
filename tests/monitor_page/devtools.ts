/**
 * The DevTools protocol over a WebSocket: commands with answers, and events.
 *
 * @module
 */

/** Milliseconds within which the browser answers. */
const ANSWER_MS = 20_000;

/** An answer or an event of the browser. */
interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  // deno-lint-ignore no-explicit-any
  readonly params?: any;
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  readonly error?: { readonly message: string };
}

/** A connection to a browser. */
export class DevTools implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  // deno-lint-ignore no-explicit-any
  readonly #listeners = new Map<string, (params: any) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error("The browser closed the connection"));
      }
      this.#waiting.clear();
    };
  }

  /**
   * Connects.
   *
   * @param url the browser's WebSocket
   * @returns the connection
   */
  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
    });
    return new DevTools(socket);
  }

  /**
   * Sends a command.
   *
   * @param method its name
   * @param params its parameters
   * @param sessionId the page it is for; left out: the browser
   * @returns its result
   */
  // deno-lint-ignore no-explicit-any
  async send(method: string, params = {}, sessionId?: string): Promise<any> {
    const id = ++this.#id;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const timer = setTimeout(
      () => answer.reject(new Error(`The browser did not answer ${method}`)),
      ANSWER_MS,
    );
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /**
   * Listens to an event of a page.
   *
   * @param sessionId the page
   * @param method the event's name
   * @param listener what to call
   */
  // deno-lint-ignore no-explicit-any
  on(sessionId: string, method: string, listener: (params: any) => void): void {
    this.#listeners.set(`${sessionId} ${method}`, listener);
  }

  #heard({ id, sessionId, method, params, result, error }: Message): void {
    if (id === undefined) {
      this.#listeners.get(`${sessionId} ${method}`)?.(params);
    } else if (error === undefined) this.#waiting.get(id)?.resolve(result);
    else this.#waiting.get(id)?.reject(new Error(error.message));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) =>
      this.#socket.addEventListener("close", resolve)
    );
    this.#socket.close();
    await closed;
  }
}
