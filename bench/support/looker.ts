/**
 * A thread that looks at a server's monitor: it is told where by a message, and
 * to stop by one without a place.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

let looking: AbortController | undefined;

/** Reads events until it is stopped. */
async function read(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of body);
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
    looking?.abort();
    looking = undefined;
    if (data !== null) {
      looking = new AbortController();
      const { signal } = looking;
      read((await get(`${data}/api/events`, signal)).body!, signal);
      // In the middle of what follows, not before it.
      get(`${data}/metrics`, signal).then((answer) => answer.bytes());
    }
    self.postMessage("done");
  } catch (error) {
    self.postMessage(String(error));
  }
};
