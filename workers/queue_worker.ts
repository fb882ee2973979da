/**
 * The main thread's end of a data queue's worker.
 *
 * @module
 */

import {
  type Command,
  type CommandMessage,
  Control,
  type Report,
  type WorkerSetup,
} from "./protocol.ts";

/** A worker refused a command, or ended before it carried it out. */
export class WorkerError extends Error {
  /** "WorkerError". */
  override readonly name = "WorkerError";
}

/** What main is told without having asked. */
export interface WorkerEvents {
  /**
   * The ring is broken and is served no more.
   *
   * @param reason what is wrong with it
   */
  broken(reason: string): void;
  /**
   * The worker ended by itself: it threw.
   *
   * @param reason the error's text
   */
  failed(reason: string): void;
}

interface Waiting {
  resolve(state: number | undefined): void;
  reject(error: Error): void;
}

/** A worker that serves one data queue. */
export class QueueWorker {
  readonly #worker: Worker;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #wake: () => void;
  readonly #events: WorkerEvents;
  readonly #waiting = new Map<number, Waiting>();
  #ended = false;

  /**
   * Starts a worker. It is ready when its first command is acknowledged.
   *
   * @param setup what it is made of
   * @param wake wakes it from its sleep
   * @param events told of what happens to it
   */
  constructor(setup: WorkerSetup, wake: () => void, events: WorkerEvents) {
    this.#control = new Int32Array(setup.control);
    this.#wake = wake;
    this.#events = events;
    Atomics.store(this.#control, Control.SENT, 0);
    this.#worker = new Worker(
      new URL("./data_queue.ts", import.meta.url).href,
      { type: "module" },
    );
    this.#worker.onmessage = (event: MessageEvent<Report>) =>
      this.#hear(event.data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.send({ type: "open", setup }).catch((error: Error) =>
      this.#fail(error.message)
    );
  }

  /** Whether the worker is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Sends a command and wakes the worker. Commands are carried out in order.
   *
   * @param command the command
   * @returns what the acknowledgement says
   * @throws {WorkerError} It was refused, or the worker is gone
   */
  send(command: Command): Promise<number | undefined> {
    if (this.#ended) {
      return Promise.reject(
        new WorkerError(`Cannot send "${command.type}": the worker ended`),
      );
    }
    // Counted first: the worker must not find the message before the count.
    const sequence = Atomics.add(this.#control, Control.SENT, 1) + 1;
    const message: CommandMessage = { sequence, command };
    const { promise, resolve, reject } = Promise.withResolvers<
      number | undefined
    >();
    this.#waiting.set(sequence, { resolve, reject });
    this.#worker.postMessage(message);
    this.#wake();
    return promise;
  }

  /** Wakes the worker, so that it looks for ended sessions. */
  wake(): void {
    if (!this.#ended) this.#wake();
  }

  /**
   * Wipes what the worker holds, and ends it.
   *
   * @returns when it has
   */
  async close(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.send({ type: "close" });
      // From here on it ends itself, and the runtime waits for it.
      this.#settle("The worker was closed");
    } catch {
      this.#end("The worker was closed");
    }
  }

  #hear(report: Report): void {
    if (report.type === "broken") {
      this.#events.broken(report.reason);
      return;
    }
    const waiting = this.#waiting.get(report.sequence);
    this.#waiting.delete(report.sequence);
    if (report.type === "done") waiting?.resolve(report.state);
    else waiting?.reject(new WorkerError(report.reason));
  }

  #fail(reason: string): void {
    if (this.#ended) return;
    this.#end(reason);
    this.#events.failed(reason);
  }

  #end(reason: string): void {
    this.#worker.terminate();
    this.#settle(reason);
  }

  #settle(reason: string): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) {
      reject(new WorkerError(reason));
    }
    this.#waiting.clear();
  }
}
