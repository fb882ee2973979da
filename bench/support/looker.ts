/**
 * A thread that looks at a server's monitor: it is told where by a message, and
 * to stop by one without a place. Then it must have been shown something.
 *
 * It speaks HTTP by itself: `fetch` may keep a connection that was given up,
 * and the server would go on showing.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

const DECODER = new TextDecoder();

/** An answer, as far as it was read. */
class Answer {
  /** Ends when the server does, or when it is closed here. */
  readonly read: Promise<void>;
  text = "";
  readonly #connection: Deno.TcpConn;
  #closed = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.read = this.#read();
  }

  static async of(url: URL, path: string): Promise<Answer> {
    const { hostname, host, port } = url;
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n` +
      "connection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(request));
    return new Answer(connection);
  }

  close(): void {
    if (!this.#closed) this.#connection.close();
    this.#closed = true;
  }

  async #read(): Promise<void> {
    const bytes = new Uint8Array(65536);
    try {
      for (;;) {
        const length = await this.#connection.read(bytes);
        if (length === null) break;
        this.text += DECODER.decode(bytes.subarray(0, length));
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
    this.close();
  }
}

let looking: Answer | undefined;

async function look(url: URL): Promise<void> {
  looking = await Answer.of(url, "/api/events");
  const metrics = await Answer.of(url, "/metrics");
  await metrics.read;
  if (!metrics.text.includes("virtio_crypto_requests_total{")) {
    throw new Error(`/metrics answered ${metrics.text}`);
  }
}

function stop(): void {
  looking?.close();
  if (looking?.text.includes("event: requests") === false) {
    throw new Error(`/api/events answered ${looking.text}`);
  }
  looking = undefined;
}

self.onmessage = async ({ data }: MessageEvent<string | null>) => {
  try {
    if (data === null) stop();
    else await look(new URL(data));
    self.postMessage("done");
  } catch (error) {
    self.postMessage(String(error));
  }
};
