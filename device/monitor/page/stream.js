/**
 * The server's events, with a new connection whenever one was lost.
 *
 * @module
 */

/** Milliseconds between two attempts: short at first. */
const RETRY_MS = [500, 1000, 2000, 4000];

/** A snapshot comes every second: without one for so long, none will come. */
const SILENCE_MS = 6000;

/**
 * Follows the server's events for as long as the page lives.
 *
 * @param {string} url where they are
 * @param {object} listener what is told
 * @param {(snapshot: any) => void} listener.state a snapshot
 * @param {(batch: {dropped: number, requests: any[]}) => void}
 * listener.requests the requests since the last batch
 * @param {(live: boolean) => void} listener.connection whether events come
 */
export function follow(url, listener) {
  let source;
  let attempt = 0;
  let timer = 0;

  const lost = () => {
    source.close();
    clearTimeout(timer);
    listener.connection(false);
    const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
    attempt++;
    timer = setTimeout(open, wait);
  };
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(lost, SILENCE_MS);
  };
  const open = () => {
    // Its own retrying gives up on an answer that is no event stream, as a
    // proxy's "bad gateway", so every loss is dealt with here.
    source = new EventSource(url);
    source.addEventListener("error", lost);
    source.addEventListener("state", (event) => {
      attempt = 0;
      heard();
      listener.connection(true);
      listener.state(JSON.parse(event.data));
    });
    source.addEventListener("requests", (event) => {
      heard();
      listener.requests(JSON.parse(event.data));
    });
    heard();
  };
  open();
}
