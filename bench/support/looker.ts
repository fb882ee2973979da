/**
 * A thread that looks at a server's monitor: it is told where by a message, and
 * to stop by one without a place. Then it must have been shown something.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

let looking: AbortController | undefined;
/** Events with requests that came since it looks. */
let shown = 0;

/** Reads events until it is stopped. */
async function read(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const events = body.pipeThrough(new TextDecoderStream());
    for await (const text of events) {
      if (text.includes("event: requests")) shown++;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

self.onmessage = async ({ data }: MessageEvent<string | null>) => {
  try {
    if (looking !== undefined && shown === 0) {
      throw new Error("No request was shown");
    }
    looking?.abort();
    looking = undefined;
    shown = 0;
    if (data !== null) {
      looking = new AbortController();
      const { signal } = looking;
      read((await get(`${data}/api/events`, signal)).body!, signal);
      await (await get(`${data}/metrics`, signal)).bytes();
    }
    self.postMessage("done");
  } catch (error) {
    self.postMessage(String(error));
  }
};
