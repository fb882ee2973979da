/**
 * The events that the inspector listens to (HTML, "Server-sent events").
 *
 * @module
 */

/** Most listeners at a time. */
const LISTENERS = 16;

/** Bytes that wait for a listener at most; what comes then, it does not get. */
const WAITING_BYTES = 1 << 20;

const ENCODER = new TextEncoder();

/** Those who listen. */
export class EventStreams {
  readonly #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #changed: (listeners: number) => void;

  /** @param changed told how many listeners there are, when that changes */
  constructor(changed: (listeners: number) => void) {
    this.#changed = changed;
  }

  /** Whether there can be no more listeners. */
  get full(): boolean {
    return this.#listeners.size >= LISTENERS;
  }

  /**
   * Takes a listener.
   *
   * @param first the events it gets at once
   * @returns the body of its answer
   */
  open(first: string): ReadableStream<Uint8Array> {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        controller.enqueue(ENCODER.encode(first));
        this.#listeners.add(controller);
        this.#changed(this.#listeners.size);
      },
      cancel: () => this.#drop(own),
    }, {
      highWaterMark: WAITING_BYTES,
      size: (chunk) => chunk?.byteLength ?? 0,
    });
  }

  /**
   * Sends events to all who take them. A listener that does not read misses
   * them, and nothing piles up for it.
   *
   * @param events the events
   */
  send(events: string): void {
    const bytes = ENCODER.encode(events);
    for (const controller of this.#listeners) {
      if ((controller.desiredSize ?? 0) >= bytes.length) {
        controller.enqueue(bytes);
      }
    }
  }

  /** Ends all streams. */
  close(): void {
    for (const controller of [...this.#listeners]) {
      this.#drop(controller);
      controller.close();
    }
  }

  #drop(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#listeners.delete(controller)) this.#changed(this.#listeners.size);
  }
}

/**
 * An event as it is sent.
 *
 * @param name its name
 * @param data what it brings, as JSON
 * @returns the lines
 */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
