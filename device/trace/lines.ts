/**
 * Requests as lines of a trace, fast: a request differs from those before it
 * mostly in its number and its time.
 *
 * @module
 */

import type { LoggedRequest } from "../service/request_log.ts";
import { type TraceRequest, traceRequest } from "./format.ts";

/** Most texts that are kept, by a hash of what they follow from. */
const KEPT = 1024;

/** FNV-1a, 32 bits. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/** A text, and the request it was made of. */
interface Known {
  readonly logged: LoggedRequest;
  readonly device: number;
  readonly queue: number;
  readonly text: string;
}

/** Makes lines. */
export class TraceLines {
  readonly #known: (Known | undefined)[] = new Array(KEPT).fill(undefined);

  /**
   * The line of a request.
   *
   * @param logged the request
   * @param device number of its device
   * @param queue number of its queue
   * @returns {@linkcode TraceRequest} as JSON, without the line's end
   */
  request(logged: LoggedRequest, device: number, queue: number): string {
    const slot = slotOf(logged, queue);
    let known = this.#known[slot];
    if (
      known === undefined || known.device !== device ||
      known.queue !== queue || !sameBut(known.logged, logged)
    ) {
      const text = sameText(traceRequest(logged, device, queue));
      this.#known[slot] = known = { logged, device, queue, text };
    }
    const time = Math.round(logged.time * 1000) / 1000;
    const ns = Math.round(logged.milliseconds * 1e6);
    return `{"sequence":${logged.sequence},"time":${time},"ns":${ns},"round":${logged.round},${known.text}`;
  }
}

/** What differs from request to request comes first, and is not in it. */
function sameText(request: TraceRequest): string {
  const { sequence: _1, time: _2, ns: _3, round: _4, ...same } = request;
  return JSON.stringify(same).slice(1);
}

function slotOf(logged: LoggedRequest, queue: number): number {
  const { head } = logged;
  let hash = HASH_START ^ queue;
  for (let i = 0; i < head.length; i++) {
    hash = Math.imul(hash ^ head[i]!, HASH_PRIME);
  }
  return (hash >>> 0) % KEPT;
}

/** Whether two requests differ in sequence, time and round only. */
function sameBut(a: LoggedRequest, b: LoggedRequest): boolean {
  if (
    a.head.length !== b.head.length || a.readable !== b.readable ||
    a.writable !== b.writable || a.status !== b.status ||
    a.engine !== b.engine || a.mode !== b.mode || a.fault !== b.fault ||
    // An id is never used twice: where both have one, it is the same session.
    (a.session === undefined) !== (b.session === undefined) ||
    a.layout.kind !== b.layout.kind ||
    a.layout.services !== b.layout.services ||
    a.layout.modeServices !== b.layout.modeServices
  ) return false;
  for (let i = 0; i < a.head.length; i++) {
    if (a.head[i] !== b.head[i]) return false;
  }
  return true;
}
