/**
 * The last requests: bounded, filtered, paused.
 *
 * @module
 */

/** Requests that are kept, and as many again that had something wrong. */
export const KEPT = 500;

/**
 * Whether something was wrong with a request.
 *
 * @param {any} request its record
 * @returns {boolean} whether it was
 */
export function isBad(request) {
  return request.status !== "OK" || request.fault !== null ||
    request.problems.length > 0;
}

/**
 * What was wrong with a request: with its chain, then with what is in it.
 *
 * @param {any} request its record
 * @returns {string[]} the texts
 */
export function problemsOf({ fault, problems }) {
  return fault === null || problems.includes(fault)
    ? problems
    : [fault, ...problems];
}

/** What a search finds. */
function textOf(request) {
  const { algorithm, session, operation, engine, layout } = request;
  return [algorithm, session, operation, engine, layout, ...problemsOf(request)]
    .join(" ").toLowerCase();
}

/** What no other request has: its number is its queue's. */
function keyOf({ device, queue, sequence }, started) {
  return `${started}/${device}/${queue}/${sequence}`;
}

/**
 * Makes a filter.
 *
 * @param {object} wanted what is wanted; "" where anything is
 * @param {string} wanted.status a status, "refused" for all but OK, "none"
 * @param {string} wanted.queue a queue's index
 * @param {string} wanted.service a service, or "none"
 * @param {string} wanted.text what is searched for
 * @param {boolean} wanted.problems only those with something wrong
 * @returns {(request: any) => boolean} whether a request is wanted
 */
export function filterOf({ status, queue, service, text, problems }) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return (request) => {
    if (problems && !isBad(request)) return false;
    if (status === "refused") {
      if (request.status === "OK") return false;
    } else if (status !== "" && (request.status ?? "none") !== status) {
      return false;
    }
    if (queue !== "" && String(request.queue) !== queue) return false;
    if (service !== "" && (request.service ?? "none") !== service) return false;
    if (words.length === 0) return true;
    const found = textOf(request);
    return words.every((word) => found.includes(word));
  };
}

/** The last requests. */
export class RequestLog {
  /** Requests that came. */
  seen = 0;
  /** Requests that the server left out because there were too many. */
  dropped = 0;
  /** Requests that came since the pause. */
  waiting = 0;
  /** Whether it is paused. */
  paused = false;
  #started = 0;
  // Bad ones are kept apart, so that a flood of good ones does not wash them
  // away.
  #good = [];
  #bad = [];
  #held = [];

  /**
   * Takes requests in.
   *
   * @param {{dropped?: number, requests: any[]}} batch the requests
   */
  add({ dropped = 0, requests }) {
    this.seen += requests.length;
    this.dropped += dropped;
    if (this.paused) this.waiting += requests.length + dropped;
    for (const request of requests) {
      (isBad(request) ? this.#bad : this.#good).push({
        ...request,
        key: keyOf(request, this.#started),
      });
    }
    this.#good.splice(0, this.#good.length - KEPT);
    this.#bad.splice(0, this.#bad.length - KEPT);
  }

  /**
   * Begins anew when the server did.
   *
   * @param {number} started when the server started
   */
  from(started) {
    if (this.#started === started) return;
    this.#started = started;
    this.#good = [];
    this.#bad = [];
    this.seen = 0;
    this.dropped = 0;
  }

  /** Holds what is shown while more is taken in. */
  pause() {
    if (this.paused) return;
    this.#held = this.#all();
    this.waiting = 0;
    this.paused = true;
  }

  /** Shows the newest again. */
  resume() {
    this.paused = false;
    this.#held = [];
    this.waiting = 0;
  }

  #all() {
    return [...this.#good, ...this.#bad].sort((a, b) =>
      b.time - a.time || b.sequence - a.sequence
    );
  }

  /**
   * What is to be shown.
   *
   * @param {(request: any) => boolean} wanted the filter
   * @param {number} most how many at most
   * @returns {any[]} the newest first
   */
  list(wanted, most) {
    const all = this.paused ? this.#held : this.#all();
    const found = [];
    for (const request of all) {
      if (!wanted(request)) continue;
      found.push(request);
      if (found.length === most) break;
    }
    return found;
  }
}
